"""Ticks on their way in (Semantics 1.4 to 1.6, 11)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt4sim.market.quotes import Quotes, Source
from mt4sim.market.sessions import Calendar, Holiday
from mt4sim.market.symbols import DaySessions, Symbol
from mt4sim.market.ticks import Direction, Quote
from mt_remote.errors import NotFound, ReturnCode, ServerError

if TYPE_CHECKING:
    from tests.simulator.prices.conftest import Desk

DAY = 86400


def test_no_quote_before_the_first_tick(desk: Desk) -> None:
    assert desk.quotes.last("EURUSD") is None


def test_1_6_manager_ticks_are_taken_as_they_are(desk: Desk) -> None:
    desk.symbols["EURUSD"] = Symbol(name="EURUSD", filter=1, filter_limit=0.1, filter_counter=99, spread=20)
    for bid, ask in ((21000, 31000), (22000, 32000)):
        quote = desk.quotes.tick("EURUSD", bid, ask)
        assert quote is not None
        assert (quote.bid, quote.ask) == (bid, ask)


def test_1_6_an_ask_below_the_bid_is_accepted(desk: Desk) -> None:
    quote = desk.quotes.tick("EURUSD", 111420, 111410)
    assert quote is not None
    assert quote.ask < quote.bid


def test_1_5_a_feed_gets_the_fixed_spread(desk: Desk) -> None:
    desk.symbols["EURUSD"] = Symbol(name="EURUSD", spread=20, spread_balance=-10)
    quote = desk.quotes.tick("EURUSD", 110000, 110001, source=Source.FEED)
    assert quote is not None
    assert (quote.bid, quote.ask) == (109990, 110010)


def test_1_4_direction_and_the_days_extremes(desk: Desk) -> None:
    quotes = [desk.quotes.tick("EURUSD", bid, bid + 10) for bid in (100, 105, 103)]
    quotes.append(desk.quotes.tick("EURUSD", 103, 120))
    assert [quote and (quote.direction, quote.high, quote.low) for quote in quotes] == [
        (Direction.NONE, 100, 100), (Direction.UP, 105, 100), (Direction.DOWN, 105, 100), (Direction.DOWN, 105, 100),
    ]  # fmt: skip
    desk.clock.now += DAY
    assert desk.quotes.last("EURUSD") == quotes[-1]
    quote = desk.quotes.tick("EURUSD", 104, 110)
    assert quote == Quote(104, 110, desk.clock.now, 104, 104, Direction.UP)


def test_11_6_an_unchanged_pair_is_not_published_again(desk: Desk) -> None:
    heard: list[Quote] = []
    desk.quotes.subscribe(lambda symbol, quote: heard.append(quote))
    desk.quotes.tick("EURUSD", 100, 110)
    desk.clock.now += 5
    assert desk.quotes.tick("EURUSD", 100, 110) is None
    assert desk.quotes.tick("EURUSD", 100, 111) is not None
    assert [quote.ask for quote in heard] == [110, 111]
    assert len(desk.quotes.history) == 2


@pytest.mark.parametrize(("bid", "ask", "path"), [(0, 110, "bid"), (-5, 110, "bid"), (100, 0, "ask")])
def test_11_6_prices_must_be_positive(desk: Desk, bid: int, ask: int, path: str) -> None:
    with pytest.raises(ServerError, match=f"{path}: must be above 0") as caught:
        desk.quotes.tick("EURUSD", bid, ask)
    assert caught.value.return_code == ReturnCode.INVALID_DATA
    assert caught.value.details[0].path == path
    assert desk.quotes.last("EURUSD") is None


def test_an_unknown_symbol_is_named(desk: Desk) -> None:
    with pytest.raises(NotFound, match="Cannot find symbol 'XXXYYY'"):
        desk.quotes.tick("XXXYYY", 1, 2)


def test_11_1_outside_the_quote_session_a_feeds_ticks_are_dropped(desk: Desk) -> None:
    desk.symbols["EURUSD"] = Symbol(name="EURUSD", sessions=(DaySessions(quote=((0, 720),)),) * 7)
    assert desk.quotes.tick("EURUSD", 100, 110, source=Source.FEED) is None
    assert desk.quotes.tick("EURUSD", 100, 110) is not None
    desk.clock.now -= 1
    assert desk.quotes.tick("EURUSD", 101, 110, source=Source.FEED) is not None


def test_11_2_on_a_holiday_a_feeds_ticks_are_dropped(desk: Desk) -> None:
    quotes = Quotes(desk.symbols, desk.clock, calendar=Calendar([Holiday(month=5, day=14)]))
    assert quotes.tick("EURUSD", 100, 110, source=Source.FEED) is None


@pytest.mark.parametrize("fields", [{"realtime": False}, {"starting": 2_000_000_000}, {"expiration": 1_500_000_000}])
def test_11_4_a_symbol_without_life_has_no_feed(desk: Desk, fields: dict[str, object]) -> None:
    desk.symbols["EURUSD"] = desk.symbols["EURUSD"].changed(**fields)
    assert desk.quotes.tick("EURUSD", 100, 110, source=Source.FEED) is None


def test_11_5_a_managers_price_is_what_the_next_feed_tick_is_measured_from(desk: Desk) -> None:
    desk.symbols["EURUSD"] = Symbol(name="EURUSD", filter=10, filter_counter=2, spread=4, spread_balance=-2)
    desk.quotes.tick("EURUSD", 1000, 1004)
    assert desk.quotes.tick("EURUSD", 1013, 1014, source=Source.FEED) is None
    assert desk.quotes.tick("EURUSD", 1012, 1013, source=Source.FEED) is not None


def test_11_5_smoothing_moves_bid_and_ask_together(desk: Desk) -> None:
    desk.symbols["EURUSD"] = Symbol(name="EURUSD", filter_smoothing=2)
    desk.quotes.tick("EURUSD", 100, 110, source=Source.FEED)
    quote = desk.quotes.tick("EURUSD", 104, 116, source=Source.FEED)
    assert quote is not None
    assert (quote.bid, quote.ask) == (102, 114)


def test_a_tick_that_a_subscriber_sends_waits_its_turn(desk: Desk) -> None:
    heard: list[tuple[str, int]] = []

    def answer(symbol: Symbol, quote: Quote) -> None:
        heard.append(("first", quote.bid))
        if quote.bid == 100:
            assert desk.quotes.tick("EURUSD", 200, 210) is None
            last = desk.quotes.last("EURUSD")
            assert last is not None
            assert last.bid == 100

    desk.quotes.subscribe(answer)
    end = desk.quotes.subscribe(lambda symbol, quote: heard.append(("second", quote.bid)))
    desk.quotes.tick("EURUSD", 100, 110)
    assert heard == [("first", 100), ("second", 100), ("first", 200), ("second", 200)]
    end()
    desk.quotes.tick("EURUSD", 300, 310)
    assert heard[4:] == [("first", 300)]


def test_a_subscribers_error_reaches_the_caller_and_leaves_no_queue(desk: Desk) -> None:
    def fail(symbol: Symbol, quote: Quote) -> None:
        desk.quotes.tick("EURUSD", 999, 1000)
        raise RuntimeError("subscriber")

    end = desk.quotes.subscribe(fail)
    with pytest.raises(RuntimeError, match="subscriber"):
        desk.quotes.tick("EURUSD", 100, 110)
    end()
    desk.quotes.tick("EURUSD", 101, 111)
    assert [tick.bid for tick in desk.quotes.history.last("EURUSD", 9)] == [100, 101]


def test_a_starting_price_may_be_a_tick(desk: Desk) -> None:
    desk.quotes.open_with("EURUSD", 100, 110)
    tick = desk.quotes.last_tick("EURUSD")
    assert tick is not None
    assert (tick.bid, tick.ask, tick.source) == (100, 110, Source.START)


def test_a_starting_price_may_be_no_tick(desk: Desk) -> None:
    desk.quotes.open_with("EURUSD", 100, 110, as_tick=False)
    quote = desk.quotes.last("EURUSD")
    assert quote is not None
    assert (quote.bid, quote.ask) == (100, 110)
    assert desk.quotes.last_tick("EURUSD") is None
    again = Quotes(desk.symbols, desk.clock)
    again.restore(json.loads(json.dumps(desk.quotes.state())))
    for quotes in (desk.quotes, again):  # the same pair is the first tick
        assert quotes.tick("EURUSD", 100, 110) is not None
        assert quotes.tick("EURUSD", 100, 110) is None
        assert len(quotes.history) == 1


def test_a_deleted_symbol_leaves_nothing(desk: Desk) -> None:
    desk.quotes.tick("EURUSD", 100, 110)
    desk.quotes.forget(["EURUSD"])
    assert desk.quotes.last("EURUSD") is None
    assert desk.quotes.state() == Quotes(desk.symbols, desk.clock).state()


steps = st.lists(
    st.tuples(st.integers(0, 40_000), st.integers(1, 300), st.integers(1, 300), st.sampled_from(Source)), max_size=60
)


@given(steps, steps)
def test_saved_and_loaded_it_goes_on_alike(
    new_desk: type[Desk], first: list[tuple[int, int, int, Source]], second: list[tuple[int, int, int, Source]]
) -> None:
    desk = new_desk()
    symbol = Symbol(name="EURUSD", filter=50, filter_counter=2, filter_smoothing=3)
    desk.symbols["EURUSD"] = symbol

    def play(quotes: list[Quotes], script: list[tuple[int, int, int, Source]]) -> None:
        for wait, bid, ask, source in script:
            desk.clock.now += wait
            assert len({one.tick("EURUSD", bid, ask, source=source) for one in quotes}) == 1

    play([desk.quotes], first)
    loaded = Quotes(desk.symbols, desk.clock)
    loaded.restore(json.loads(json.dumps(desk.quotes.state())))
    play([desk.quotes, loaded], second)
    assert loaded.state() == desk.quotes.state()
