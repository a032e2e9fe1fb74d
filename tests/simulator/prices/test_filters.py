"""The tick filter (Semantics 11.5) and spreads (1.5 to 1.7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt4sim.market.filters import TickFilter
from mt4sim.market.quotes import widened
from mt4sim.market.spreads import with_symbol_spread
from mt4sim.market.symbols import Symbol
from mt4sim.market.ticks import Direction, Quote

bids = st.lists(st.integers(1, 200_000), min_size=1, max_size=60)


def passed(symbol: Symbol, prices: list[int]) -> list[bool]:
    memory = TickFilter()
    return [memory.admits(symbol, price) for price in prices]


def quote(bid: int, ask: int) -> Quote:
    return Quote(bid, ask, 0, bid, bid, Direction.NONE)


def test_11_5_up_to_the_filter_passes_farther_must_insist() -> None:
    symbol = Symbol(name="X", filter=10, filter_counter=3)
    assert passed(symbol, [1000, 1010, 1021, 1022, 1023, 1024]) == [True, True, False, False, True, True]


def test_11_5_a_near_tick_sets_the_counter_back() -> None:
    symbol = Symbol(name="X", filter=10, filter_counter=2)
    assert passed(symbol, [1000, 1050, 1001, 1050, 1050]) == [True, False, True, False, True]


def test_11_5_beyond_the_limit_never_passes() -> None:
    symbol = Symbol(name="X", filter=10, filter_counter=1, filter_limit=10.0)
    assert passed(symbol, [1000, 1101, 1101, 1101, 1100]) == [True, False, False, False, True]


def test_11_5_a_filter_of_0_is_off() -> None:
    assert passed(Symbol(name="X", filter_counter=9, filter_limit=1.0), [1000, 5000, 1]) == [True] * 3


@given(bids, st.integers(1, 100_000), st.integers(0, 5))
def test_11_5_the_first_passes_and_no_run_of_drops_reaches_the_counter(
    prices: list[int], distance: int, counter: int
) -> None:
    results = passed(Symbol(name="X", filter=distance, filter_counter=counter), prices)
    assert results[0]
    run = 0
    for result in results:
        run = 0 if result else run + 1
        assert run < max(1, counter)


@given(bids, st.integers(1, 100_000), st.integers(0, 5), st.floats(0.1, 200))
def test_11_5_what_passes_is_near_or_insisted_on_and_within_the_limit(
    prices: list[int], distance: int, counter: int, limit: float
) -> None:
    symbol = Symbol(name="X", filter=distance, filter_counter=counter, filter_limit=limit)
    base = None
    for price, ok in zip(prices, passed(symbol, prices), strict=True):
        if base is not None and abs(price - base) <= distance:
            assert ok
        if ok:
            assert base is None or abs(price - base) <= max(distance, limit * base / 100)
            base = price


def test_11_5_smoothing_averages_the_last_bids() -> None:
    symbol, memory = Symbol(name="X", filter_smoothing=3), TickFilter()
    assert [memory.smoothed(symbol, bid) for bid in (100, 101, 105, 108)] == [100, 101, 102, 105]
    off = Symbol(name="X")
    assert memory.smoothed(off, 500) == 500
    assert memory.smoothed(symbol, 600) == 600


@given(bids, st.integers(2, 10))
def test_11_5_a_smoothed_bid_lies_among_those_it_averages(prices: list[int], count: int) -> None:
    symbol, memory = Symbol(name="X", filter_smoothing=count), TickFilter()
    for place, price in enumerate(prices):
        recent = prices[max(0, place + 1 - count) : place + 1]
        smooth = memory.smoothed(symbol, price)
        assert min(recent) <= smooth <= max(recent)
        assert abs(smooth - sum(recent) / len(recent)) <= 0.5


def test_1_5_a_fixed_spread_shifts_the_bid_and_sets_the_ask() -> None:
    symbol = Symbol(name="X", digits=5, spread=20, spread_balance=-10)
    assert with_symbol_spread(symbol, 110000, 110003) == (109990, 110010)


def test_1_5_a_floating_spread_is_the_feeds() -> None:
    assert with_symbol_spread(Symbol(name="X", spread_balance=-10), 110000, 110003) == (110000, 110003)


def test_1_7_a_groups_difference_widens_both_sides() -> None:
    assert widened(quote(110000, 110010), 4) == (109998, 110012)


@pytest.mark.parametrize(
    ("difference", "expected"), [(0, (100, 110)), (1, (99, 110)), (5, (97, 112)), (-2, (101, 109)), (-3, (102, 109))]
)
def test_1_7_an_odd_difference_gives_the_bid_its_point(difference: int, expected: tuple[int, int]) -> None:
    assert widened(quote(100, 110), difference) == expected


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(-1000, 1000))
def test_1_7_the_spread_grows_by_the_difference(bid: int, ask: int, difference: int) -> None:
    low, high = widened(quote(bid, ask), difference)
    assert high - low == ask - bid + difference
