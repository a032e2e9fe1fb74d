"""Prices: every tick's way into the server, and the last quote of each symbol.

A tick of a feed passes, in this order: the symbol's life and sessions, the tick filter, smoothing, the symbol's
spread. A manager's tick is taken as it is (Semantics 1.6). What is left is compared with the last quote (an unchanged
pair is not published again), remembered, and told to the subscribers. Prices are points throughout, unwidened by any
group's spread difference; see :func:`mt4sim.market.spreads.widened` for what a group's clients see.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from mt4sim.market.bars import BarBook
from mt4sim.market.filters import TickFilter
from mt4sim.market.sessions import DAY, Calendar, alive
from mt4sim.market.spreads import widened, with_symbol_spread
from mt4sim.market.symbols import Symbol, symbol_named
from mt4sim.market.ticks import Direction, Quote, Source, TickEntry, TickHistory
from mt_remote.errors import ReturnCode, ServerError

__all__ = ["Clock", "Direction", "Quote", "Quotes", "Source", "widened"]


class Clock(Protocol):
    """What tells the server's time: the timeline."""

    @property
    def now(self) -> int:
        """Unix seconds in the server's zone."""


Subscriber = Callable[[Symbol, Quote], None]


class Quotes:
    """The server's prices.

    ``symbols`` is the server's own table, looked up afresh at each tick, so that a changed symbol counts at once.
    """

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        clock: Clock,
        *,
        calendar: Calendar | None = None,
        ticks_kept: int = 4096,
        bars_kept: int = 10_000,
    ) -> None:
        self.calendar = calendar or Calendar()
        self.history = TickHistory(ticks_kept)
        self.bars = BarBook(bars_kept)
        self._symbols = symbols
        self._clock = clock
        self._last: dict[str, Quote] = {}
        self._opened: set[str] = set()  # symbols whose last quote is a starting price and no tick
        self._filters: dict[str, TickFilter] = {}
        self.reactions: tuple[Subscriber, ...] = ()  # the server's own rooms: they are told first
        self._subscribers: tuple[Subscriber, ...] = ()
        self._waiting: deque[tuple[Symbol, int, int, Source]] = deque()
        self._publishing = False

    def last(self, symbol_name: str) -> Quote | None:
        """The last quote; ``None`` when none came yet."""
        return self._last.get(symbol_name)

    def present(self) -> dict[str, Quote]:
        """The last quotes of this moment, by symbol."""
        return dict(self._last)

    def open_with(self, symbol_name: str, bid: int, ask: int, *, as_tick: bool = True) -> None:
        """Gives a symbol its starting price, in points: as a tick, or only as a quote to value positions with. In the
        latter case there is no last tick, no history and no bar yet, and nothing is published."""
        if as_tick:
            self.tick(symbol_name, bid, ask, source=Source.START)
            return
        self._filter(symbol_name).reset(bid)
        self._last[symbol_name] = Quote(bid, ask, self._clock.now, bid, bid, Direction.NONE)
        self._opened.add(symbol_name)

    def last_tick(self, symbol_name: str) -> TickEntry | None:
        """The last tick; ``None`` when none came yet, a starting price that is no tick or not."""
        return self.history.newest(symbol_name)

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Calls ``callback`` for every published tick, after the server's own rooms (:mod:`mt4sim.reactions`) and those
        that subscribed before. Returns what ends it."""
        self._subscribers = (*self._subscribers, callback)

        def unsubscribe() -> None:
            self._subscribers = tuple(other for other in self._subscribers if other is not callback)

        return unsubscribe

    def tick(self, symbol_name: str, bid: int, ask: int, *, source: Source = Source.MANAGER) -> Quote | None:
        """Takes one tick, in points. Returns the quote that it made, or ``None`` when nothing was published: the
        filter, a closed session or an unchanged pair held it back.

        A tick that a subscriber sends is taken when the one being told has been told to all; it returns ``None`` too.

        Raises :class:`~mt_remote.errors.NotFound` for an unknown symbol, code 3 for a price that is not positive.
        Assumed: the code (Semantics 11.6).
        """
        symbol = symbol_named(self._symbols, symbol_name)
        if bid <= 0 or ask <= 0:
            path, value = ("bid", bid) if bid <= 0 else ("ask", ask)
            problem = f"{path}: must be above 0, got {symbol.to_price(value)}"
            raise ServerError(ReturnCode.INVALID_DATA, problem, path=path)
        if self._publishing:
            self._waiting.append((symbol, bid, ask, source))
            return None
        self._publishing = True
        try:
            quote = self._take(symbol, bid, ask, source)
            while self._waiting:
                self._take(*self._waiting.popleft())
        finally:
            self._publishing = False
            self._waiting.clear()
        return quote

    def _take(self, symbol: Symbol, bid: int, ask: int, source: Source) -> Quote | None:
        name = symbol.name
        now = self._clock.now
        if source is Source.FEED:
            passed = self._filtered(symbol, bid, ask, now)
            if passed is None:
                return None
            bid, ask = passed
        else:
            self._filter(name).reset(bid - (symbol.spread_balance if symbol.spread > 0 else 0))
        before = self._last.get(name)
        if name in self._opened:
            self._opened.discard(name)
        elif before is not None and before.bid == bid and before.ask == ask:
            return None
        quote = _successor(before, bid, ask, now)
        self._last[name] = quote
        self.history.add(name, TickEntry(now, bid, ask, source))
        self.bars.add(name, now, bid)
        for react in self.reactions:
            react(symbol, quote)
        for callback in self._subscribers:
            callback(symbol, quote)
        return quote

    def _filtered(self, symbol: Symbol, bid: int, ask: int, now: int) -> tuple[int, int] | None:
        """A feed's tick after sessions, filter, smoothing and the symbol's spread; ``None`` when it is dropped."""
        if not symbol.realtime or not alive(symbol, now) or not self.calendar.quote_open(symbol, now):
            return None
        memory = self._filter(symbol.name)
        if not memory.admits(symbol, bid):
            return None
        smooth = memory.smoothed(symbol, bid)
        bid, ask = with_symbol_spread(symbol, smooth, ask + smooth - bid)
        return (bid, ask) if bid > 0 and ask > 0 else None

    def _filter(self, name: str) -> TickFilter:
        memory = self._filters.get(name)
        if memory is None:
            memory = self._filters[name] = TickFilter()
        return memory

    def forget(self, symbol_names: Iterable[str]) -> None:
        """Drops everything about deleted symbols."""
        for name in symbol_names:
            self._last.pop(name, None)
            self._opened.discard(name)
            self._filters.pop(name, None)
            self.history.forget(name)
            self.bars.forget(name)

    def state(self) -> dict[str, Any]:
        """Everything but the configuration as plain JSON values, for a snapshot."""
        return {
            "last": {name: list(quote) for name, quote in self._last.items()},
            "opened": sorted(self._opened),
            "filters": {
                name: {"base": memory.base, "counter": memory.counter, "recent": list(memory.recent)}
                for name, memory in self._filters.items()
            },
            "ticks": self.history.state(),
            "bars": self.bars.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Puts back what :meth:`state` gave."""
        self._last = {
            name: Quote(bid, ask, when, high, low, Direction(direction))
            for name, (bid, ask, when, high, low, direction) in state["last"].items()
        }
        self._opened = set(state["opened"])
        self._filters = {}
        for name, kept in state["filters"].items():
            memory = self._filter(name)
            memory.base, memory.counter = kept["base"], kept["counter"]
            memory.recent.extend(kept["recent"])
        self.history.restore(state["ticks"])
        self.bars.restore(state["bars"])


def _successor(before: Quote | None, bid: int, ask: int, now: int) -> Quote:
    if before is None:
        return Quote(bid, ask, now, bid, bid, Direction.NONE)
    high, low = bid, bid
    if before.time // DAY == now // DAY:
        high, low = max(before.high, bid), min(before.low, bid)
    direction = Direction.UP if bid > before.bid else Direction.DOWN if bid < before.bid else before.direction
    return Quote(bid, ask, now, high, low, direction)
