"""The order of one session's calls.

Reads may overtake. What changes state is carried out one at a time, in the order received. A ``SESSION`` call
(``connect``, ``subscribe`` …) is a barrier: what was sent after it waits for it, what was sent before it and changes
state is done first.
"""

from __future__ import annotations

from collections import deque

from mt_remote.plugin import Kind
from mt_remote.protocol.calls import Call


class Lane:
    """Decides when a call may start. ``now`` is the time in seconds at which it is asked. ``calls`` counts those that
    wait and those that run."""

    __slots__ = ("_barriers", "_running", "_waiting", "calls")

    def __init__(self) -> None:
        self.calls = 0
        self._running: Kind | None = None
        self._waiting: deque[tuple[Call, float]] | None = None
        self._barriers = 0

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return len(self._waiting) if self._waiting else 0

    def admit(self, call: Call, now: float) -> bool:
        """Whether the call starts at once; otherwise it waits and :meth:`done` gives it later."""
        kind = call.function.kind
        self.calls += 1
        if not kind.changes_state:
            if self._running is not Kind.SESSION and not self._barriers:
                return True
        elif self._running is None and not self._waiting:
            self._running = kind
            return True
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((call, now))
        if kind is Kind.SESSION:
            self._barriers += 1
        return False

    def done(self, call: Call) -> list[tuple[Call, float]]:
        """A call ended; gives those that may start now, with the times at which they came."""
        self.calls -= 1
        if call.function.kind.changes_state:
            self._running = None
        started: list[tuple[Call, float]] = []
        waiting = self._waiting
        while waiting:
            kind = waiting[0][0].function.kind
            if kind.changes_state:
                if self._running is not None:
                    break
                self._running = kind
                if kind is Kind.SESSION:
                    self._barriers -= 1
            elif self._running is Kind.SESSION:
                break
            started.append(waiting.popleft())
        return started

    def clear(self) -> int:
        """The session is over: nothing that waits will start. Gives how many waited."""
        dropped = self.waiting
        self.calls -= dropped
        self._waiting = None
        self._barriers = 0
        return dropped
