"""The server's time. Pushed from outside, never read: a timeline with timers that come due in order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

DAY_SECONDS = 86_400


@dataclass(order=True, slots=True)
class Timer:
    """Something to be done at a time. Timers of one time come due in the order in which they were set."""

    when: int  # Unix seconds in the server's zone
    _order: int  # of setting, among all timers
    _callback: Callable[..., object] | None = field(compare=False)
    _arguments: tuple[Any, ...] = field(compare=False, default=())

    def cancel(self) -> None:
        """It will not be done. Cancelling twice, or after it was done, changes nothing."""
        self._callback = None
        self._arguments = ()

    @property
    def is_set(self) -> bool:
        """Whether it is still to be done."""
        return self._callback is not None

    def fire(self) -> None:
        """Does it, once."""
        callback, arguments = self._callback, self._arguments
        self.cancel()
        if callback is not None:
            callback(*arguments)


class Timeline:
    """Time in whole Unix seconds of the server's zone (Semantics 7.2). It only moves forward."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._timers: list[Timer] = []
        self._order = count()

    @property
    def now(self) -> int:
        """Unix seconds in the server's zone."""
        return self._now

    def at(self, when: int, callback: Callable[..., object], /, *arguments: Any) -> Timer:
        """Calls back when the time has come; a time that has passed comes due at the next advance."""
        timer = Timer(max(when, self._now), next(self._order), callback, arguments)
        heapq.heappush(self._timers, timer)
        return timer

    def next_due(self) -> int | None:
        """When the next timer comes due."""
        while self._timers and not self._timers[0].is_set:
            heapq.heappop(self._timers)
        return self._timers[0].when if self._timers else None

    def advance_to(self, when: int) -> None:
        """Moves to ``when``. Every timer on the way fires at its own time, those it sets included. Raises
        ``ValueError`` for a time that has passed."""
        for _ in self.steps_to(when):
            pass

    def steps_to(self, when: int) -> Iterator[int]:
        """The same step by step, for whoever has more to do than this: a step is one timer, and gives the time. What
        is not taken up any more leaves the time where it is."""
        if when < self._now:
            raise ValueError(f"time does not run backwards: it is {self._now}, not {when}")
        while (due := self.next_due()) is not None and due <= when:
            timer = heapq.heappop(self._timers)
            self._now = max(self._now, timer.when)
            timer.fire()
            yield self._now
        self._now = max(self._now, when)  # between two steps it may have been moved

    def advance(self, seconds: int) -> None:
        """Moves by ``seconds``."""
        self.advance_to(self._now + seconds)


def next_time_of_day(now: int, hour: int, minute: int) -> int:
    """The next moment after ``now`` at which the server's clock shows ``hour:minute``."""
    today = now - now % DAY_SECONDS + hour * 3600 + minute * 60
    return today if today > now else today + DAY_SECONDS
