"""Carriers: the tasks that carry out calls.

A task per call is dear, no task at all robs handlers of what asyncio and trio give one (cancel scopes, deadlines). So
calls go into one inbox, and a small crew of real tasks empties it: one carrier carries call after call for as long as
none suspends; when one does, the next carrier goes on with the rest. Idle sessions need no task, idle carriers are
kept for the next burst.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from mt_remote.protocol.calls import Call

if TYPE_CHECKING:
    from mt_remote.session import Session

Perform = Callable[["Session", Call], Awaitable[None]]
Soon = Callable[[Callable[[], object]], object]

_KEPT_IDLE = 32


class Carrier:
    """One task and what it carries."""

    __slots__ = ("_wake", "call", "scope", "session", "since")

    def __init__(self) -> None:
        self.call: Call | None = None
        self.session: Session | None = None
        self.since = 0.0
        self.scope: anyio.CancelScope | None = None
        self._wake = anyio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def wait(self) -> None:
        await self._wake.wait()
        self._wake = anyio.Event()


class Crew:
    """Carries out calls. ``perform`` carries out one and answers it; it raises nothing but cancellation. ``timed_out``
    answers one that was cancelled. ``soon`` runs a callback once the present turn of the loop is over."""

    def __init__(
        self,
        group: TaskGroup,
        perform: Perform,
        timed_out: Callable[[Session, Call], None],
        soon: Soon,
        clock: Callable[[], float],
    ) -> None:
        self._group = group
        self._perform = perform
        self._timed_out = timed_out
        self._soon = soon
        self._clock = clock
        self._inbox: deque[tuple[Session, Call]] = deque()
        self._idle: list[Carrier] = []
        self._rolling: Carrier | None = None
        self.carriers: set[Carrier] = set()

    def submit(self, session: Session, call: Call) -> None:
        """Queues a call that may start now."""
        self._inbox.append((session, call))
        if self._rolling is None:
            self._roll()

    def _roll(self) -> None:
        if self._idle:
            carrier = self._idle.pop()
            carrier.wake()
        else:
            carrier = Carrier()
            self.carriers.add(carrier)
            self._group.start_soon(self._carry, carrier)
        self._rolling = carrier
        self._soon(self._check)

    def _check(self) -> None:
        """We run, so no carrier does: the one that was rolling is done, or suspended inside a call."""
        self._rolling = None
        if self._inbox:
            self._roll()

    async def _carry(self, carrier: Carrier) -> None:
        try:
            while True:
                while self._inbox:
                    await self._carry_some(carrier)
                if self._rolling is carrier:
                    self._rolling = None
                if len(self._idle) >= _KEPT_IDLE:
                    return
                self._idle.append(carrier)
                await carrier.wait()
        finally:
            self.carriers.discard(carrier)

    async def _carry_some(self, carrier: Carrier) -> None:
        """Carries calls until the inbox is empty or one was cancelled."""
        inbox, perform = self._inbox, self._perform
        with anyio.CancelScope() as scope:
            carrier.scope = scope
            while inbox and not scope.cancel_called:
                session, call = inbox.popleft()
                carrier.session, carrier.call, carrier.since = session, call, self._clock()
                await perform(session, call)
                carrier.call = None
        if carrier.call is not None and carrier.session is not None:
            call, carrier.call = carrier.call, None
            self._timed_out(carrier.session, call)
        carrier.session = carrier.scope = None

    def cancel_overdue(self, now: float, limit: Callable[[Call], float]) -> None:
        """Cancels every call that runs for longer than its limit in seconds."""
        for carrier in self.carriers:
            call = carrier.call
            if call is not None and carrier.scope is not None and now - carrier.since >= limit(call):
                carrier.scope.cancel()

    def cancel_reads(self, session: Session) -> None:
        """A session ended: nobody waits for its reads. What changes state is carried through."""
        for carrier in self.carriers:
            call = carrier.call
            if call is None or carrier.scope is None or carrier.session is not session:
                continue
            if not call.function.kind.changes_state:
                carrier.scope.cancel()

    @property
    def in_flight(self) -> int:
        """Calls queued or being carried out."""
        return len(self._inbox) + sum(carrier.call is not None for carrier in self.carriers)
