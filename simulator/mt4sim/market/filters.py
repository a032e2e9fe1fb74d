"""The tick filter: what of a feed's prices is let through (Semantics 11.5). Prices are points of the symbol.

A manager's prices do not pass through it; they only become the price that the next tick of the feed is measured from.
"""

from __future__ import annotations

from collections import deque

from mt4sim.market.symbols import Symbol


class TickFilter:
    """The filter's memory for one symbol."""

    __slots__ = ("base", "counter", "recent")

    def __init__(self) -> None:
        self.base: int | None = None
        """The bid that the next tick is measured from; ``None`` before the first price."""
        self.counter = 0
        """Ticks in a row that were beyond the filter."""
        self.recent: deque[int] = deque()
        """The last bids that passed, as many as ``filter_smoothing`` averages."""

    def admits(self, symbol: Symbol, bid: int) -> bool:
        """Whether a feed's bid passes; remembers it as the next base when it does.

        Assumed throughout (Semantics 11.5): up to ``filter`` points from the base pass; a farther price only when
        ``filter_counter`` such came in a row; one that is more than ``filter_limit`` percent away never does and is
        not counted. ``filter`` 0 switches all of that off.
        """
        if symbol.filter > 0 and self.base is not None:
            distance = abs(bid - self.base)
            if distance > symbol.filter:
                if symbol.filter_limit > 0 and distance * 100 > symbol.filter_limit * self.base:
                    return False
                self.counter += 1
                if self.counter < symbol.filter_counter:
                    return False
        self.reset(bid)
        return True

    def smoothed(self, symbol: Symbol, bid: int) -> int:
        """The mean of the last ``filter_smoothing`` bids that passed, this one included. Assumed (Semantics 11.5)."""
        if symbol.filter_smoothing <= 1:
            self.recent.clear()
            return bid
        self.recent.append(bid)
        while len(self.recent) > symbol.filter_smoothing:
            self.recent.popleft()
        count = len(self.recent)
        return (2 * sum(self.recent) + count) // (2 * count)

    def reset(self, base: int) -> None:
        """Measures the next tick from this bid."""
        self.base = base
        self.counter = 0
