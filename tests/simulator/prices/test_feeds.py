"""Feeds: off and random."""

from __future__ import annotations

import json
import math
from collections import Counter
from itertools import pairwise
from statistics import pstdev
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt4sim.market.feeds import OffFeed, RandomFeed, ReplayFeed, make_feed
from mt4sim.market.feeds.specs import FeedSpec, FeedTerms
from mt4sim.market.sessions import quote_open
from mt4sim.world import World
from mt_remote.errors import ConfigurationError

if TYPE_CHECKING:
    from tests.simulator.prices.conftest import Fair

HOUR, DAY = 3600, 86400


def random_feed(fair: Fair, world: World, seed: int = 1, rate: float = 1.0) -> RandomFeed:
    return RandomFeed(fair.market, world.feed_terms(), seed=seed, rate=rate, currencies=world.feed.currencies)


def test_off_sends_nothing(new_fair: type[Fair], demo: World) -> None:
    fair = new_fair(demo)
    feed = make_feed(demo.feed, fair.market, terms={})
    assert isinstance(feed, OffFeed)
    feed.start()
    feed.restore(feed.state())
    fair.timeline.advance(DAY)
    assert (fair.heard, feed.running) == ([], False)


def test_the_spec_chooses_the_feed(new_fair: type[Fair], demo: World) -> None:
    market = new_fair(demo).market
    assert isinstance(make_feed(FeedSpec(kind="random"), market, terms={}), RandomFeed)
    assert isinstance(make_feed(FeedSpec(kind="replay", file="ticks.csv"), market, terms={}), ReplayFeed)
    with pytest.raises(ConfigurationError, match=r"feed\.file: needed for a replay"):
        make_feed(FeedSpec(kind="replay"), market, terms={})


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**63))
def test_random_is_the_same_for_the_same_seed(new_fair: type[Fair], demo: World, seed: int) -> None:
    played = []
    for chosen in (seed, seed, seed + 1):
        fair = new_fair(demo)
        random_feed(fair, demo, chosen).start()
        fair.timeline.advance(HOUR // 6)
        played.append(fair.heard)
    assert played[0] == played[1] != played[2]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0, 9 * HOUR, 35 * HOUR, 59 * HOUR, 84 * HOUR]))
def test_random_is_on_the_grid_bid_below_ask_and_inside_sessions(
    new_fair: type[Fair], demo: World, seed: int, offset: int
) -> None:
    fair = new_fair(demo, demo.start + offset)
    random_feed(fair, demo, seed).start()
    fair.timeline.advance(HOUR)
    for name, quote in fair.heard:
        symbol = fair.symbols[name]
        assert 0 < quote.bid < quote.ask
        assert quote.bid % symbol.grid == quote.ask % symbol.grid == 0
        assert quote_open(symbol, quote.time, fair.quotes.calendar.holidays)
        assert quote.time <= fair.timeline.now
    assert [quote.time for _, quote in fair.heard] == sorted(quote.time for _, quote in fair.heard)


def test_random_rates_volatility_and_crosses_are_plausible(new_fair: type[Fair], demo: World) -> None:
    fair = new_fair(demo)
    random_feed(fair, demo, seed=7).start()
    fair.timeline.advance(6 * HOUR)
    ticks = Counter(name for name, _ in fair.heard)
    assert ticks["EURUSD"] == pytest.approx(12 * 360, rel=0.1)
    bids = [quote.bid for name, quote in fair.heard if name == "EURUSD"][::60]  # five minutes apart
    steps = [math.log(later / earlier) for earlier, later in pairwise(bids)]
    yearly = pstdev(steps) * math.sqrt(260 * DAY / 300)
    assert yearly == pytest.approx(0.07, rel=0.35)
    last = {name: (quote.bid + quote.ask) / 2 / fair.symbols[name].multiply for name, quote in fair.heard}
    assert last["EURJPY"] == pytest.approx(last["EURUSD"] * last["USDJPY"], rel=5e-4)
    assert last["GBPCHF"] == pytest.approx(last["GBPUSD"] * last["USDCHF"], rel=5e-4)


def test_random_stops_at_the_weekend_and_comes_back_near(new_fair: type[Fair], demo: World) -> None:
    fair = new_fair(demo)
    random_feed(fair, demo, rate=0.1).start()
    fair.timeline.advance(36 * HOUR)  # Saturday 0:00
    friday, count = fair.quotes.last("EURUSD"), len(fair.heard)
    fair.timeline.advance(48 * HOUR - 1)
    assert len(fair.heard) == count
    fair.timeline.advance(HOUR)
    monday = fair.quotes.last("EURUSD")
    assert friday is not None
    assert monday is not None
    assert monday.time > friday.time + 2 * DAY
    assert monday.bid == pytest.approx(friday.bid, rel=0.01)


def test_random_a_stopped_feed_is_silent_and_starts_from_the_last_price(new_fair: type[Fair], demo: World) -> None:
    fair = new_fair(demo)
    feed = random_feed(fair, demo)
    feed.start()
    feed.start()
    fair.timeline.advance(HOUR)
    feed.stop()
    feed.stop()
    fair.heard.clear()
    fair.timeline.advance(HOUR)
    assert fair.heard == []
    fair.quotes.tick("EURUSD", 200000, 200010)
    feed.start()
    fair.timeline.advance(600)
    quote = fair.quotes.last("EURUSD")
    assert quote is not None
    assert quote.bid == pytest.approx(200000, rel=0.01)


def test_random_a_subscriber_may_stop_it(new_fair: type[Fair], demo: World) -> None:
    fair = new_fair(demo)
    feed = random_feed(fair, demo)
    fair.quotes.subscribe(lambda symbol, quote: feed.stop())
    feed.start()
    fair.timeline.advance(HOUR)
    assert (len(fair.heard), feed.running) == (1, False)


def test_random_a_symbol_without_a_price_waits_for_one_and_a_deleted_one_is_left_out(
    new_fair: type[Fair], demo: World
) -> None:
    fair = new_fair(demo)
    fair.quotes.forget(["EURUSD"])
    del fair.symbols["GBPUSD"]
    random_feed(fair, demo).start()
    fair.timeline.advance(600)
    assert not {"EURUSD", "GBPUSD"} & {name for name, _ in fair.heard}
    fair.quotes.tick("EURUSD", 150000, 150010)
    fair.timeline.advance(600)
    assert sum(name == "EURUSD" for name, _ in fair.heard) > 50


def test_random_a_rate_of_0_and_no_volatility(new_fair: type[Fair], demo: World) -> None:
    fair = new_fair(demo)
    terms = {"EURUSD": FeedTerms(ticks_per_minute=0.0), "CL": FeedTerms(ticks_per_minute=60.0, volatility=0.0)}
    RandomFeed(fair.market, terms, seed=3).start()
    fair.timeline.advance(600)
    assert {name for name, _ in fair.heard} <= {"CL"}
    assert all(abs(quote.bid - 2602) <= 1 and 2 <= quote.ask - quote.bid <= 4 for _, quote in fair.heard)


@pytest.mark.parametrize("half", [1, 1800, 40 * HOUR])
def test_random_saved_and_loaded_it_goes_on_alike(new_fair: type[Fair], demo: World, half: int) -> None:
    fair, rate = new_fair(demo), 0.1
    feed = random_feed(fair, demo, rate=rate)
    feed.start()
    fair.timeline.advance(half)
    saved = json.loads(json.dumps([fair.quotes.state(), feed.state()]))
    other = new_fair(demo, fair.timeline.now)
    other.quotes.restore(saved[0])
    copy = random_feed(other, demo, seed=99, rate=rate)
    copy.restore(saved[1])
    fair.heard.clear()
    for one in (fair, other):
        one.timeline.advance(10 * HOUR)
    assert fair.heard == other.heard
    assert bool(fair.heard) is (half < DAY)
