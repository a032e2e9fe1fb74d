"""Prices that something waits for, kept ordered, so that a tick that reaches none of them costs the same however many
there are: one look at the nearest level above and below.

Removal is lazy: an entry whose owner moved on is dropped when it comes to the top, and a heap that is mostly such
entries is rebuilt. Adding and removing cost O(log n), amortised.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_REBUILD_FROM = 64


class Levels(Generic[K]):
    """Levels that a falling (``down``) or a rising price reaches, one an owner. Ties come in the owners' order."""

    __slots__ = ("_heap", "_level", "_sign")

    def __init__(self, *, down: bool) -> None:
        self._sign = -1 if down else 1
        self._heap: list[tuple[int, K]] = []
        self._level: dict[K, int] = {}

    def __len__(self) -> int:
        return len(self._level)

    def set(self, owner: K, level: int) -> None:
        """The owner waits for ``level`` from now on."""
        signed = self._sign * level
        if self._level.get(owner) == signed:
            return
        self._level[owner] = signed
        heapq.heappush(self._heap, (signed, owner))
        if len(self._heap) > _REBUILD_FROM and len(self._heap) > 2 * len(self._level):
            self._heap = [(kept, each) for each, kept in self._level.items()]
            heapq.heapify(self._heap)

    def drop(self, owner: K) -> None:
        """The owner waits for nothing any more."""
        self._level.pop(owner, None)

    def reached(self, price: int) -> Iterator[K]:
        """Takes out the owners whose level ``price`` has reached, nearest level first."""
        heap, levels = self._heap, self._level
        signed = self._sign * price
        while heap and heap[0][0] <= signed:
            level, owner = heapq.heappop(heap)
            if levels.get(owner) == level:
                del levels[owner]
                yield owner
