"""What may overtake what: the order of one session's calls.

Reads may overtake. What changes state is carried out one at a time, in the order received. A ``SESSION`` call
(``connect``, ``subscribe`` …) is a barrier: what was sent after it waits for it, what was sent before it and changes
state is done first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from mt_remote.area import Kind
from mt_remote.dispatch.calls import ParsedCall

_MANY = 32
"""Calls that run, from which on a list has to wait for one of them: lists are large, and what is made of them waits
for the client."""


class CallOrder:
    """Decides when a call may start. ``calls`` counts those that wait and those that run, ``_barriers`` those of them
    that let no read overtake."""

    __slots__ = ("_barriers", "_running", "_waiting", "calls", "when_free")

    def __init__(self) -> None:
        self.calls = 0
        self.when_free: Callable[[], object] | None = None  # told once, when a SESSION call ended
        self._running: Kind | None = None
        self._waiting: deque[tuple[ParsedCall, float]] | None = None
        self._barriers = 0

    @property
    def bars(self) -> bool:
        """Whether a ``SESSION`` call runs or waits."""
        return self._barriers > 0

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return len(self._waiting) if self._waiting else 0

    def admit(self, call: ParsedCall) -> bool:
        """Whether the call starts at once; otherwise it has to :meth:`wait`."""
        function = call.function
        if not function.changes_state:
            if self._barriers:
                return False
            if self.calls >= _MANY and function.is_list and self.calls - self.waiting >= _MANY:
                return False
        elif self._running is None and not self._waiting:
            self._running = function.kind
            self._barriers += function.kind is Kind.SESSION
        else:
            return False
        self.calls += 1
        return True

    def wait(self, call: ParsedCall, now: float) -> None:
        """The call waits from ``now`` (seconds) on; :meth:`done` gives it when its turn has come."""
        self.calls += 1
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((call, now))
        self._barriers += call.function.kind is Kind.SESSION

    def done(self, call: ParsedCall) -> Sequence[tuple[ParsedCall, float]]:
        """A call ended; gives those that may start now, with the times at which they came."""
        self.calls -= 1
        if call.function.changes_state:
            self._running = None
            if call.function.kind is Kind.SESSION:
                self._barriers -= 1
                if self.when_free is not None:
                    told, self.when_free = self.when_free, None
                    told()
        return self._next() if self._waiting else ()

    def _next(self) -> list[tuple[ParsedCall, float]]:
        started: list[tuple[ParsedCall, float]] = []
        waiting = self._waiting
        while waiting:
            function = waiting[0][0].function
            if function.changes_state:
                if self._running is not None:
                    break
                self._running = function.kind
            elif self._running is Kind.SESSION or (function.is_list and self.calls - len(waiting) >= _MANY):
                break
            started.append(waiting.popleft())
        return started

    def clear(self) -> list[ParsedCall]:
        """The session is over: nothing that waits will start. Gives what waited."""
        dropped = [call for call, _ in self._waiting or ()]
        self.calls -= len(dropped)
        self._waiting = None
        self.when_free = None
        self._barriers = int(self._running is Kind.SESSION)
        return dropped
