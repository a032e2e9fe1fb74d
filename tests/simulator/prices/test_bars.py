"""Tick history and bars."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt4sim.market.bars import Bar, BarBook, Period, bars_of
from mt4sim.market.ticks import Source, TickEntry, TickHistory

NOON = 1589457600  # Thursday 2020-05-14 12:00:00

waits = st.one_of(st.integers(0, 5), st.integers(0, 400), st.integers(0, 5 * 86400), st.integers(0, 60 * 86400))
walks = st.lists(st.tuples(waits, st.integers(1, 1000)), max_size=80)


def timed(walk: list[tuple[int, int]]) -> list[tuple[int, int]]:
    now, ticks = NOON, []
    for wait, price in walk:
        now += wait
        ticks.append((now, price))
    return ticks


def book_of(ticks: list[tuple[int, int]], limit: int = 10_000) -> BarBook:
    book = BarBook(limit)
    for time, price in ticks:
        book.add("X", time, price)
    return book


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("period", "opening", "closing"),
    [
        (Period.M1, "2020-05-14T12:34:00", "2020-05-14T12:35:00"),
        (Period.M5, "2020-05-14T12:30:00", "2020-05-14T12:35:00"),
        (Period.M15, "2020-05-14T12:30:00", "2020-05-14T12:45:00"),
        (Period.M30, "2020-05-14T12:30:00", "2020-05-14T13:00:00"),
        (Period.H1, "2020-05-14T12:00:00", "2020-05-14T13:00:00"),
        (Period.H4, "2020-05-14T12:00:00", "2020-05-14T16:00:00"),
        (Period.D1, "2020-05-14T00:00:00", "2020-05-15T00:00:00"),
        (Period.W1, "2020-05-10T00:00:00", "2020-05-17T00:00:00"),
        (Period.MN1, "2020-05-01T00:00:00", "2020-06-01T00:00:00"),
    ],
)
def test_where_bars_begin_and_end(period: Period, opening: str, closing: str) -> None:
    time = moment("2020-05-14T12:34:56")
    assert (period.opening(time), period.closing(time)) == (moment(opening), moment(closing))


def test_months_have_their_own_lengths() -> None:
    assert Period.MN1.closing(moment("2020-02-10T00:00:00")) == moment("2020-03-01T00:00:00")
    assert Period.MN1.closing(moment("2021-12-31T23:59:59")) == moment("2022-01-01T00:00:00")


@given(st.integers(0, 2**31 - 1), st.sampled_from(Period))
def test_every_moment_lies_in_its_bar(time: int, period: Period) -> None:
    assert period.opening(time) <= time < period.closing(time)
    assert period.opening(period.closing(time)) == period.closing(time)


@given(walks)
def test_bars_are_those_recomputed_from_ticks(walk: list[tuple[int, int]]) -> None:
    ticks = timed(walk)
    book = book_of(ticks)
    for period in Period:
        assert book.last("X", period, 1000) == bars_of(ticks, period)


@given(walks, st.integers(1, 5))
def test_old_bars_are_dropped_first(walk: list[tuple[int, int]], limit: int) -> None:
    ticks = timed(walk)
    book = book_of(ticks, limit)
    for period in Period:
        assert book.last("X", period, 1000) == bars_of(ticks, period)[-limit:]


@given(walks)
def test_long_bars_are_made_of_short_ones(walk: list[tuple[int, int]]) -> None:
    book = book_of(timed(walk))
    minutes = book.last("X", Period.M1, 1000)
    for period in Period:
        for bar in book.last("X", period, 1000):
            parts = [one for one in minutes if period.opening(one.time) == bar.time]
            assert (bar.open, bar.close) == (parts[0].open, parts[-1].close)
            assert (bar.high, bar.low) == (max(one.high for one in parts), min(one.low for one in parts))
            assert bar.volume == sum(one.volume for one in parts)


@given(walks)
def test_bars_survive_saving_and_loading(walk: list[tuple[int, int]]) -> None:
    ticks = timed(walk)
    half = len(ticks) // 2
    book = BarBook()
    book.restore(json.loads(json.dumps(book_of(ticks[:half]).state())))
    for time, price in ticks[half:]:
        book.add("X", time, price)
    assert book.state() == book_of(ticks).state()


def test_periods_without_a_tick_have_no_bar_and_queries_take_both_ends() -> None:
    book = book_of([(NOON, 10), (NOON + 30, 8), (NOON + 60, 12), (NOON + 300, 11)])
    assert book.between("X", Period.M1, NOON, NOON + 60) == [
        Bar(NOON, 10, 10, 8, 8, 2), Bar(NOON + 60, 12, 12, 12, 12, 1),
    ]  # fmt: skip
    assert [bar.time - NOON for bar in book.last("X", Period.M1, 9)] == [0, 60, 300]
    assert book.last("X", Period.M5, 1) == [Bar(NOON + 300, 11, 11, 11, 11, 1)]
    assert book.last("X", Period.M1, 0) == []
    assert book.last("Y", Period.M1, 5) == []


def test_the_tick_history_keeps_the_newest() -> None:
    history = TickHistory(limit=3)
    for step in range(5):
        history.add("X", TickEntry(NOON + step, 100 + step, 110 + step, Source.FEED))
    assert [tick.bid for tick in history.last("X", 10)] == [102, 103, 104]
    assert [tick.bid for tick in history.last("X", 2)] == [103, 104]
    assert [tick.bid for tick in history.between("X", NOON + 3, NOON + 9)] == [103, 104]
    assert history.between("Y", 0, NOON) == []
    assert list(history.symbols()) == ["X"]
    other = TickHistory(limit=3)
    other.restore(json.loads(json.dumps(history.state())))
    assert other.last("X", 3) == history.last("X", 3)
    history.forget("X")
    assert len(history) == 0
