"""A clock that stands still until told, and a market on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

import pytest

from mt4sim.market.feeds import Market
from mt4sim.market.quotes import Quotes
from mt4sim.market.symbols import Symbol
from mt4sim.market.ticks import Quote
from mt4sim.world import World

THURSDAY = 1589457600  # 2020-05-14 12:00:00


@dataclass
class StoppedClock:
    now: int = THURSDAY


@dataclass
class Desk:
    """Quotes of EURUSD (and what a test adds), and all that was published."""

    clock: StoppedClock = field(default_factory=StoppedClock)
    symbols: dict[str, Symbol] = field(default_factory=lambda: {"EURUSD": Symbol(name="EURUSD", currency="EUR")})

    def __post_init__(self) -> None:
        self.quotes = Quotes(self.symbols, self.clock)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def new_desk() -> type[Desk]:
    """For property tests: a desk for each example."""
    return Desk


class Entry:
    """A timer of :class:`Schedule`."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Schedule(StoppedClock):
    """The least timeline that a feed can run on, so that feeds are tested without the server."""

    def __init__(self, now: int = THURSDAY) -> None:
        super().__init__(now)
        self.queue: list[tuple[int, int, Entry]] = []

    def at(self, when: int, callback: Callable[[], None], /) -> Entry:
        entry = Entry(callback)
        heappush(self.queue, (when, len(self.queue), entry))
        return entry

    def advance(self, seconds: int) -> None:
        end = self.now + seconds
        while self.queue and self.queue[0][0] <= end:
            when, _, entry = heappop(self.queue)
            self.now = max(self.now, when)
            if entry.callback is not None:
                entry.callback()
        self.now = end


class Fair:
    """A world's symbols and quotes on a schedule, and all that is published there."""

    def __init__(self, world: World, now: int | None = None) -> None:
        self.timeline = Schedule(world.start if now is None else now)
        self.symbols = world.make_symbols()
        self.quotes = Quotes(self.symbols, self.timeline, calendar=world.make_calendar())
        world.open_market(self.quotes)
        self.heard: list[tuple[str, Quote]] = []
        self.quotes.subscribe(lambda symbol, quote: self.heard.append((symbol.name, quote)))
        self.market = Market(self.symbols, self.quotes, self.timeline)


@pytest.fixture(scope="session")
def demo() -> World:
    return World.demo()


@pytest.fixture(scope="session")
def new_fair() -> type[Fair]:
    return Fair
