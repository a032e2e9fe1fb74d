"""Quotes, ticks, and the bounded history of published ticks. Prices are points."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class Source(IntEnum):
    """Where a price came from."""

    MANAGER = 0  # thrown in; taken as it is
    FEED = 1  # filtered, and only inside sessions
    START = 2  # the world's starting price


class Direction(IntEnum):
    """Where the bid went against the tick before (natively ``SDIR_*``)."""

    UP = 0
    DOWN = 1
    NONE = 2


class Quote(NamedTuple):
    """The last price of a symbol. Never changed: each tick makes a new one.

    ``high`` and ``low`` are the extremes of the bid in the server's day. Assumed (Semantics 1.4).
    """

    bid: int  # points
    ask: int  # points
    time: int  # Unix seconds in the server's zone
    high: int  # points
    low: int  # points
    direction: Direction


class TickEntry(NamedTuple):
    """One published tick: Unix seconds in the server's zone, points, points, source."""

    time: int
    bid: int
    ask: int
    source: Source


class TickHistory:
    """The last published ticks of every symbol, ``limit`` of each at most."""

    __slots__ = ("_by_symbol", "limit")

    def __init__(self, limit: int = 4096) -> None:
        self.limit = limit
        self._by_symbol: dict[str, deque[TickEntry]] = {}

    def add(self, symbol: str, entry: TickEntry) -> None:
        """Appends a tick that is not older than the symbol's last."""
        kept = self._by_symbol.get(symbol)
        if kept is None:
            kept = self._by_symbol[symbol] = deque(maxlen=self.limit)
        kept.append(entry)

    def between(self, symbol: str, start: int, end: int) -> list[TickEntry]:
        """Ticks with ``start <= time <= end``, oldest first."""
        kept = list(self._by_symbol.get(symbol, ()))
        first = bisect_left(kept, start, key=lambda entry: entry.time)
        return kept[first : bisect_right(kept, end, key=lambda entry: entry.time)]

    def newest(self, symbol: str) -> TickEntry | None:
        """The last tick, ``None`` when none came yet."""
        kept = self._by_symbol.get(symbol)
        return kept[-1] if kept else None

    def last(self, symbol: str, count: int = 1) -> list[TickEntry]:
        """The last ``count`` ticks, oldest first."""
        kept = self._by_symbol.get(symbol, ())
        return [kept[place] for place in range(-min(count, len(kept)), 0)]

    def forget(self, symbol: str) -> None:
        """Drops a deleted symbol's ticks."""
        self._by_symbol.pop(symbol, None)

    def __len__(self) -> int:
        return sum(len(kept) for kept in self._by_symbol.values())

    def symbols(self) -> Iterator[str]:
        return iter(self._by_symbol)

    def state(self) -> dict[str, object]:
        """All of it as plain lists, for a snapshot."""
        return {name: [list(entry) for entry in kept] for name, kept in self._by_symbol.items()}

    def restore(self, state: dict[str, list[list[int]]]) -> None:
        """Puts back what :meth:`state` gave."""
        self._by_symbol = {
            name: deque((TickEntry(t, bid, ask, Source(src)) for t, bid, ask, src in kept), maxlen=self.limit)
            for name, kept in state.items()
        }
