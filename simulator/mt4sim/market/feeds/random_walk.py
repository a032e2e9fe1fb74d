"""A seeded random feed.

Each currency (against the dollar) and each symbol that is no currency pair has a level, a geometric random walk of its
volatility. A pair's price follows its two currencies' levels, so crosses stay in line with the majors. Ticks come as a
Poisson process of the symbol's rate, while its quote sessions are open; a walk goes on for an hour at most while
nothing ticks, so a weekend ends in a modest gap. The spread varies by a fifth about the usual one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from heapq import heapify, heapreplace
from random import Random
from typing import Any

from mt4sim.market.feeds.base import Feed, Market
from mt4sim.market.feeds.specs import FeedTerms
from mt4sim.market.sessions import DAY
from mt4sim.market.symbols import ProfitMode, Symbol
from mt4sim.market.ticks import Source

DOLLAR = "USD"
YEAR_SECONDS = 260 * DAY
"""Seconds of a year in which markets are open: what a yearly volatility is spread over."""
LONGEST_STEP = 3600.0
"""Seconds that a walk goes on at most between two ticks."""


class RandomFeed(Feed):
    """Random prices from the last ones on. The same world, seed and calls give the same ticks.

    ``rate`` multiplies the symbols' tick rates; ``currencies`` are volatilities against the dollar in percent a year.
    A symbol without any price yet stays without until somebody gives it one.
    """

    kind = "random"

    def __init__(
        self,
        market: Market,
        terms: Mapping[str, FeedTerms],
        *,
        seed: int = 0,
        rate: float = 1.0,
        currencies: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(market)
        self._terms = dict(terms)
        self._rate = rate
        self._currencies = {**(currencies or {}), DOLLAR: 0.0}
        self._random = Random(seed)
        self._walks: dict[str, tuple[float, float]] = {}  # log of the level, when it was so
        self._anchors: dict[str, tuple[float, int]] = {}  # points at level 0, usual spread in points
        self._queue: list[tuple[float, str]] = []  # when each symbol ticks next

    def start(self) -> None:
        if self.running:
            return
        self._anchors.clear()
        now = self._market.timeline.now
        self._queue = [(self._next_time(name, now), name) for name in self._terms if self._frequency(name) > 0]
        heapify(self._queue)
        self._schedule()

    def stop(self) -> None:
        super().stop()
        self._queue = []

    def _frequency(self, name: str) -> float:
        """Ticks per second."""
        return self._terms[name].ticks_per_minute * self._rate / 60

    def _next_time(self, name: str, after: float) -> float:
        """When a symbol ticks next: in an open session, or a day later to look again when there is none."""
        when = after + self._random.expovariate(self._frequency(name))
        symbol = self._market.symbols.get(name)
        if symbol is None:
            return when + DAY
        second = math.ceil(when)
        opening = self._market.quotes.calendar.next_quote_time(symbol, second)
        if opening is None:
            return when + DAY
        if opening == second:
            return when
        return opening + self._random.expovariate(self._frequency(name))

    def _schedule(self) -> None:
        if self._queue:
            self._wake_at(math.ceil(self._queue[0][0]))

    def _due(self) -> None:
        now = self._market.timeline.now
        while self._queue and self._queue[0][0] <= now:
            when, name = self._queue[0]
            heapreplace(self._queue, (self._next_time(name, when), name))  # first: a subscriber may stop the feed
            self._tick(name, when)
        self._schedule()

    def _tick(self, name: str, when: float) -> None:
        symbol = self._market.symbols.get(name)
        if symbol is None:
            return
        level = self._level(symbol, when)
        anchor = self._anchor(symbol, level)
        if anchor is None:
            return
        middle, usual = anchor
        grid = symbol.grid
        spread = max(1, round(usual * self._random.uniform(0.8, 1.2) / grid)) * grid
        bid = max(1, round((middle * math.exp(level) - spread / 2) / grid)) * grid
        self._market.quotes.tick(name, bid, bid + spread, source=Source.FEED)

    def _level(self, symbol: Symbol, when: float) -> float:
        base, quote = symbol.currency, symbol.quote
        if symbol.profit_mode is ProfitMode.FOREX and base in self._currencies and quote in self._currencies:
            return self._walked(base, self._currencies[base], when) - self._walked(quote, self._currencies[quote], when)
        return self._walked(f"symbol {symbol.name}", self._terms[symbol.name].volatility, when)

    def _walked(self, key: str, volatility: float, when: float) -> float:
        """A level at ``when``: where it was, and a normal step for the time since."""
        if volatility == 0:
            return 0.0
        level, since = self._walks.get(key, (0.0, when))
        step = min(when - since, LONGEST_STEP)
        if step > 0:
            level += self._random.gauss(0.0, volatility / 100 * math.sqrt(step / YEAR_SECONDS))
        self._walks[key] = level, when
        return level

    def _anchor(self, symbol: Symbol, level: float) -> tuple[float, int] | None:
        """Middle in points at level 0, and the usual spread. Taken from the last quote when first needed."""
        anchor = self._anchors.get(symbol.name)
        if anchor is None:
            last = self._market.quotes.last(symbol.name)
            if last is None:
                return None
            usual = self._terms[symbol.name].spread or max(last.ask - last.bid, symbol.grid)
            anchor = self._anchors[symbol.name] = ((last.bid + last.ask) / 2 * math.exp(-level), usual)
        return anchor

    def state(self) -> dict[str, Any]:
        version, internal, gauss_next = self._random.getstate()
        return {
            "random": [version, list(internal), gauss_next],
            "walks": {key: list(walk) for key, walk in self._walks.items()},
            "anchors": {name: list(anchor) for name, anchor in self._anchors.items()},
            "queue": [list(entry) for entry in sorted(self._queue)],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.stop()
        version, internal, gauss_next = state["random"]
        self._random.setstate((version, tuple(internal), gauss_next))
        self._walks = {key: (level, since) for key, (level, since) in state["walks"].items()}
        self._anchors = {name: (middle, usual) for name, (middle, usual) in state["anchors"].items()}
        self._queue = [(when, name) for when, name in state["queue"]]
        self._schedule()
