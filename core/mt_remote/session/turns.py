"""Who goes on in which turn of the event loop: no session holds up the others with what it sent.

What a client sent is carried out at once, for a slice of time and of output. When that is used up, the session waits
behind the others that are as far, and goes on in a later turn; nothing is read from it meanwhile. So a flood costs
whoever sends it, and its own order is what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mt_remote.logs import Log

log = Log()

SLICE_SECONDS = 0.002
"""What a session may take of a turn: some hundred calls."""
_ALL_SECONDS = 0.004
"""What those that wait may take of a turn together."""


class Waiting(Protocol):
    """A session with messages that were read and are not carried out yet."""

    def go_on(self) -> None:
        """Carries out some of them."""

    def abort(self) -> None:
        """Ends the connection at once."""


class Turns:
    """Shares the loop's turns. ``now`` is the clock's, ``soon`` runs a callback in the next turn."""

    __slots__ = ("_awake", "_now", "_soon", "_waiting")

    def __init__(self, now: Callable[[], float], soon: Callable[[Callable[[], object]], object]) -> None:
        self._now = now
        self._soon = soon
        self._waiting: dict[Waiting, None] = {}
        self._awake = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def until(self) -> float:
        """When a session that just sent something has used up its slice, which is the less the more of them wait."""
        return self._now() + SLICE_SECONDS / (1 + len(self._waiting))

    def wait(self, session: Waiting) -> None:
        """It goes on in the next turn, or in one after that."""
        self._waiting[session] = None
        if not self._awake:
            self._awake = True
            self._soon(self._go_on)

    def forget(self, session: Waiting) -> None:
        """It is over."""
        self._waiting.pop(session, None)

    def _go_on(self) -> None:
        """Each that waits, in its order, while the turn has time for it; the first one in any case."""
        until, waiting = self._now() + _ALL_SECONDS, self._waiting
        for _ in range(len(waiting)):
            if not waiting:  # what one does may end another
                break
            session = next(iter(waiting))
            del waiting[session]
            try:
                session.go_on()
            except Exception:  # a bug ends the one session that met it
                log.exception("a session failed")
                session.abort()
            if self._now() >= until:
                break
        self._awake = bool(waiting)
        if self._awake:
            self._soon(self._go_on)
