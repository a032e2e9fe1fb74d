"""How long to wait before the next attempt: twice as long each time, up to a limit, and never at the same moment as
everybody else. Chance and time are passed in."""

from __future__ import annotations

from collections.abc import Callable

JITTER = 0.25
"""How much longer than planned a pause may be, as a part of it."""


class Backoff:
    """Pauses between attempts that begin with ``first`` seconds and grow to ``most`` (or ``first``, if that is more).
    ``random`` gives numbers from 0 to 1."""

    __slots__ = ("_first", "_most", "_next", "_random")

    def __init__(self, first: float, most: float, random: Callable[[], float]) -> None:
        self._first = first
        self._most = max(first, most)
        self._next = first
        self._random = random

    def pause(self) -> float:
        """Seconds before the next attempt."""
        pause = self._next
        self._next = min(pause * 2, self._most)
        return pause * (1 + JITTER * self._random())

    def held(self, seconds: float) -> None:
        """What the last attempt brought about held for so long. Only what held for the longest pause was a success: a
        server that lets in and breaks off at once is not to be asked more and more."""
        if seconds >= self._most:
            self._next = self._first
