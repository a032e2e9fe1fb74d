"""Sessions, holidays, the life of a symbol, connection hours (Semantics 11.1 to 11.4)."""

from __future__ import annotations

import calendar
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt4sim.market.sessions import (
    DAY,
    Calendar,
    Holiday,
    alive,
    next_quote_time,
    quote_open,
    trade_open,
    week_day,
    working_hours,
)  # fmt: skip
from mt4sim.market.symbols import DaySessions, Symbol, Window

NOTHING = DaySessions()
SUNDAY = 1589068800  # 2020-05-10 00:00:00


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def weekly(*, quote: tuple[Window, ...] = (), trade: tuple[Window, ...] = ()) -> tuple[DaySessions, ...]:
    """These windows on Thursday, none else."""
    return (NOTHING,) * 4 + (DaySessions(quote=quote, trade=trade),) + (NOTHING,) * 2


windows = st.lists(st.integers(0, 1440), max_size=6, unique=True).map(
    lambda cuts: tuple(zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False))
)
weeks = st.tuples(*[st.builds(DaySessions, quote=windows, trade=windows)] * 7)
times = st.integers(SUNDAY, SUNDAY + 21 * DAY)
holidays = st.lists(
    st.builds(
        Holiday, month=st.just(5), day=st.integers(10, 31), year=st.sampled_from([0, 2020, 2021]),
        start=st.integers(0, 1440), end=st.integers(0, 1440), symbol=st.sampled_from(["All", "X", "Forex", "Other"]),
        enable=st.booleans(),
    ),
    max_size=3,
)  # fmt: skip


def test_11_1_day_0_is_sunday() -> None:
    assert week_day(moment("2020-05-10T00:00:00")) == 0
    assert week_day(moment("2020-05-14T23:59:59")) == 4
    assert week_day(moment("2020-05-16T00:00:00")) == 6


@given(st.integers(0, 2**31 - 1))
def test_11_1_week_days_are_those_of_the_calendar(time: int) -> None:
    date = datetime.fromtimestamp(time, UTC)
    assert week_day(time) == (calendar.weekday(date.year, date.month, date.day) + 1) % 7


def test_11_1_the_open_counts_the_close_does_not() -> None:
    symbol = Symbol(name="X", sessions=weekly(trade=((9 * 60, 17 * 60 + 30),)))
    assert not trade_open(symbol, moment("2020-05-14T08:59:59"))
    assert trade_open(symbol, moment("2020-05-14T09:00:00"))
    assert trade_open(symbol, moment("2020-05-14T17:29:59"))
    assert not trade_open(symbol, moment("2020-05-14T17:30:00"))
    assert not trade_open(symbol, moment("2020-05-13T12:00:00"))


def test_11_1_a_window_of_0_to_24_is_the_whole_day_and_none_is_none() -> None:
    whole = Symbol(name="X", sessions=weekly(quote=((0, 1440),)))
    assert quote_open(whole, moment("2020-05-14T00:00:00"))
    assert quote_open(whole, moment("2020-05-14T23:59:59"))
    assert not trade_open(whole, moment("2020-05-14T12:00:00"))


def test_11_1_quotes_wait_for_the_delay_after_an_opening() -> None:
    symbol = Symbol(name="X", sessions=weekly(quote=((540, 720), (780, 1020))), quotes_delay=30)
    for clock, taken in (("09:00:29", False), ("09:00:30", True), ("13:00:00", False), ("13:00:30", True)):
        assert quote_open(symbol, moment(f"2020-05-14T{clock}")) is taken


def test_11_1_a_session_that_goes_on_over_midnight_opens_once() -> None:
    symbol = Symbol(name="X", sessions=(DaySessions(quote=((0, 1440),)),) * 7, quotes_delay=30)
    assert quote_open(symbol, moment("2020-05-14T00:00:00"))
    monday_on = (NOTHING, *symbol.sessions[1:])
    assert not quote_open(symbol.changed(sessions=monday_on), moment("2020-05-11T00:00:29"))
    assert quote_open(symbol.changed(sessions=monday_on), moment("2020-05-11T00:00:30"))


@pytest.mark.parametrize(
    ("name", "closed"), [("All", True), ("X", True), ("Forex", True), ("EURUSD", False), ("Metals", False)]
)
def test_11_2_a_holiday_concerns_all_a_security_or_a_symbol(name: str, closed: bool) -> None:
    symbol = Symbol(name="X", security="Forex")
    holiday = Holiday(month=12, day=25, symbol=name)
    noon = moment("2020-12-25T12:00:00")
    assert trade_open(symbol, noon, [holiday]) is not closed
    assert quote_open(symbol, noon, [holiday]) is not closed


def test_11_2_a_holidays_window_is_when_work_goes_on() -> None:
    symbol = Symbol(name="X")
    eve = [Holiday(month=12, day=24, start=600, end=1200)]
    for clock, works in (("09:59:59", False), ("10:00:00", True), ("19:59:59", True), ("20:00:00", False)):
        assert trade_open(symbol, moment(f"2020-12-24T{clock}"), eve) is works
    assert trade_open(symbol, moment("2020-12-23T09:00:00"), eve)


def test_11_2_year_0_is_every_year_and_disabled_rows_do_not_count() -> None:
    symbol = Symbol(name="X")
    noon_2020, noon_2021 = moment("2020-12-25T12:00:00"), moment("2021-12-25T12:00:00")
    assert not trade_open(symbol, noon_2021, [Holiday(month=12, day=25)])
    assert trade_open(symbol, noon_2021, [Holiday(month=12, day=25, year=2020)])
    assert not trade_open(symbol, noon_2020, [Holiday(month=12, day=25, year=2020)])
    assert trade_open(symbol, noon_2020, [Holiday(month=12, day=25, enable=False)])


def test_11_2_of_several_rows_each_applies() -> None:
    rows = [Holiday(month=5, day=14, start=0, end=720), Holiday(month=5, day=14, start=600, end=1440)]
    assert working_hours(Symbol(name="X"), moment("2020-05-14T00:00:00"), rows) == (600, 720)


def test_11_3_hours_without_a_mark_refuse_clients() -> None:
    hours = [[True] * 24 for _ in range(7)]
    hours[6] = [False] * 24
    hours[4][12] = False
    server = Calendar(hours=hours)
    assert not server.clients_welcome(moment("2020-05-16T10:00:00"))
    assert not server.clients_welcome(moment("2020-05-14T12:59:59"))
    assert server.clients_welcome(moment("2020-05-14T13:00:00"))
    assert Calendar().clients_welcome(moment("2020-05-16T10:00:00"))


def test_11_4_before_the_start_and_after_the_expiration_there_is_no_symbol() -> None:
    symbol = Symbol(name="X", starting=1000, expiration=2000)
    assert [alive(symbol, time) for time in (999, 1000, 1999, 2000)] == [False, True, True, False]
    assert alive(Symbol(name="X"), 0)


def test_no_next_quote_without_sessions_or_after_the_end() -> None:
    assert next_quote_time(Symbol(name="X", sessions=(NOTHING,) * 7), SUNDAY) is None
    assert next_quote_time(Symbol(name="X", realtime=False), SUNDAY) is None
    assert next_quote_time(Symbol(name="X", expiration=SUNDAY), SUNDAY) is None


@given(weeks, times, holidays, st.sampled_from([0, 30, 4000]))
def test_the_next_quote_time_is_open_and_nothing_before_it_is(
    week: tuple[DaySessions, ...], time: int, rows: list[Holiday], delay: int
) -> None:
    symbol = Symbol(name="X", sessions=week, quotes_delay=delay)
    found = next_quote_time(symbol, time, rows)
    if found is None:
        assert not any(quote_open(symbol, time + step, rows) for step in range(0, 8 * DAY, 601))
        return
    assert found >= time
    assert quote_open(symbol, found, rows)
    if found > time:
        assert not quote_open(symbol, found - 1, rows)
        assert not any(quote_open(symbol, time + step, rows) for step in range(0, found - time, 601))


@given(weeks, times, holidays)
def test_holidays_only_ever_close(week: tuple[DaySessions, ...], time: int, rows: list[Holiday]) -> None:
    symbol = Symbol(name="X", sessions=week)
    if trade_open(symbol, time, rows):
        assert trade_open(symbol, time)


def test_a_calendar_survives_saving_and_loading() -> None:
    calendar_ = Calendar([Holiday(month=5, day=14, symbol="X", description="A day")], [[True] * 23 + [False]] * 7)
    other = Calendar()
    other.restore(json.loads(json.dumps(calendar_.state())))
    assert (other.holidays, other.hours) == (calendar_.holidays, calendar_.hours)


@given(weeks, st.lists(times, max_size=6), holidays, holidays)
def test_what_a_calendar_remembers_never_shows(
    week: tuple[DaySessions, ...], moments: list[int], first: list[Holiday], second: list[Holiday]
) -> None:
    symbol, server = Symbol(name="X", sessions=week), Calendar(first)
    for rows in (first, second):
        server.holidays = tuple(rows)
        for delay in (0, 50):
            symbol.quotes_delay = delay
            for time in (*moments, *moments):
                assert server.quote_open(symbol, time) is quote_open(symbol, time, rows)
                assert server.next_quote_time(symbol, time) == next_quote_time(symbol, time, rows)
