"""Prices that something waits for, kept ordered, so that a tick that reaches none of them costs the same however many
there are: one look at the nearest level above and below.

Removal is lazy: an entry whose owner moved on is dropped when it comes to the top, and a heap that is mostly such
entries is rebuilt. Adding and removing cost O(log n), amortised. An entry is one integer, the level above the owner's
number: a third of the memory that a pair takes, and faster to compare.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, KeysView

_REBUILD_FROM = 64
_BITS = 40
_OWNER = (1 << _BITS) - 1


class Levels:
    """Levels that a falling (``down``) or a rising price reaches, one an owner: a ticket or a login. Ties come in the
    owners' order."""

    __slots__ = ("_entry", "_heap", "_sign")

    def __init__(self, *, down: bool) -> None:
        self._sign = -1 if down else 1
        self._heap: list[int] = []
        self._entry: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._entry)

    def owners(self) -> KeysView[int]:
        """Who waits for a level."""
        return self._entry.keys()

    def set(self, owner: int, level: int) -> None:
        """The owner waits for ``level`` (points) from now on."""
        entry = (self._sign * level << _BITS) | owner
        if self._entry.get(owner) == entry:
            return
        self._entry[owner] = entry
        heapq.heappush(self._heap, entry)
        if len(self._heap) > _REBUILD_FROM and len(self._heap) > 2 * len(self._entry):
            self._heap = list(self._entry.values())
            heapq.heapify(self._heap)

    def drop(self, owner: int) -> None:
        """The owner waits for nothing any more."""
        self._entry.pop(owner, None)

    def quiet(self, price: int) -> bool:
        """Whether ``price`` reaches nothing; the cheap question of every tick."""
        heap = self._heap
        return not heap or heap[0] >= (self._sign * price + 1) << _BITS

    def reached(self, price: int) -> Iterator[int]:
        """Takes out the owners whose level ``price`` has reached, nearest level first."""
        heap, entries = self._heap, self._entry
        bound = (self._sign * price + 1) << _BITS
        while heap and heap[0] < bound:
            entry = heapq.heappop(heap)
            owner = entry & _OWNER
            if entries.get(owner) == entry:
                del entries[owner]
                yield owner
