"""Carriers: the tasks that carry out calls.

A task per call is dear, and no task at all robs handlers of what asyncio and trio give one (cancel scopes, deadlines).
So there is a small crew of real tasks. Calls go into one inbox; a carrier carries call after call for as long as none
suspends; when one does, the next carrier goes on with the rest. Idle sessions need no task.

Where the loop allows it (see :mod:`mt_remote.shell.stepping`), a call takes its first step at once, in the name of an
idle carrier: most calls end there. One that suspends is handed to that carrier, which takes it to its end.

A call that ends with a cancellation which is not ours (its handler awaits what others cancelled, or cancels the task
that carries it) is answered like one that failed, and touches no other.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from mt_remote.shell.stepping import Routine, Started, Stepper

S = TypeVar("S")
"""Whoever calls: a session."""
C = TypeVar("C")
"""A call."""

Soon = Callable[[Callable[[], object]], object]

_KEPT_IDLE = 256


class Carrier(Generic[S, C]):
    """One task and the call that it carries, since when. ``started`` is a call that took its first step already."""

    __slots__ = ("_wake", "carries", "dismissed", "routine", "scope", "since", "started", "task")

    def __init__(self, routine: Routine[S, C]) -> None:
        self.routine = routine
        self.carries: tuple[S, C] | None = None
        self.since = 0.0
        self.scope: anyio.CancelScope | None = None
        self.started: Started | None = None
        self.task: object = None
        self.dismissed = False
        self._wake = anyio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def wait(self) -> None:
        try:
            await self._wake.wait()
        finally:
            self._wake = anyio.Event()


class Crew(Generic[S, C]):
    """Carries out calls. ``perform`` carries out one and answers it; it raises nothing but cancellation. ``timed_out``
    answers one that was cancelled, ``broken`` one that ended with a stray cancellation. ``soon`` runs a callback once
    the present turn of the loop is over; ``stepper`` makes first steps possible, ``None`` where the loop has no way to.
    """

    def __init__(
        self,
        group: TaskGroup,
        perform: Callable[[S, C], Coroutine[Any, Any, None]],
        timed_out: Callable[[S, C], None],
        broken: Callable[[S, C], None],
        *,
        soon: Soon,
        stepper: Stepper | None,
        clock: Callable[[], float],
    ) -> None:
        self._group = group
        self._perform = perform
        self._timed_out = timed_out
        self._broken = broken
        self._soon = soon
        self._stepper = stepper
        self._clock = clock
        self._context = copy_context()
        self._inbox: deque[tuple[S, C]] = deque()
        self._idle: list[Carrier[S, C]] = []
        self._rolling: Carrier[S, C] | None = None
        self.carriers: set[Carrier[S, C]] = set()

    def submit(self, session: S, call: C) -> None:
        """Starts a call that may start now: takes its first step in the name of an idle carrier, where that can be."""
        stepper = self._stepper
        if stepper is None or not self._idle or self._inbox:
            self._queue(session, call)
            return
        carrier = self._idle.pop()
        try:
            stepper.enter(carrier.task)
        except RuntimeError:
            self._idle.append(carrier)
            self._queue(session, call)
            return
        try:
            started = carrier.routine.step(session, call)
        except stepper.cancelled:
            self._broken(session, call)
            started = None
        finally:
            stepper.leave(carrier.task)
        if started is None:
            self._idle.append(carrier)
        else:
            carrier.carries, carrier.since, carrier.started = (session, call), self._clock(), started
            carrier.wake()

    def _queue(self, session: S, call: C) -> None:
        self._inbox.append((session, call))
        if self._rolling is None:
            self._roll()

    def _roll(self) -> None:
        if self._idle:
            carrier = self._idle.pop()
            carrier.wake()
        else:
            carrier = Carrier(Routine(self._perform, self._context))
            self.carriers.add(carrier)
            self._context.copy().run(self._group.start_soon, self._carry, carrier)
        self._rolling = carrier
        self._soon(self._check)

    def _check(self) -> None:
        """We run, so no carrier does: the one that was rolling is done, or suspended inside a call."""
        self._rolling = None
        if self._inbox:
            self._roll()

    async def _carry(self, carrier: Carrier[S, C]) -> None:
        if self._stepper is not None:
            carrier.task = self._stepper.current()
        try:
            while not carrier.dismissed:
                try:
                    with anyio.CancelScope() as scope:
                        carrier.scope = scope
                        await self._carry_on(carrier, scope)
                except anyio.get_cancelled_exc_class():
                    if not _is_stray():
                        raise
                    self._forgive(carrier)
                await self._settle(carrier, late=scope.cancel_called)
        finally:
            self.carriers.discard(carrier)

    def _forgive(self, carrier: Carrier[S, C]) -> None:
        if self._stepper is not None:
            self._stepper.forgive(carrier.task)

    async def _settle(self, carrier: Carrier[S, C], *, late: bool) -> None:
        """A carrier was cancelled, at a deadline when it is ``late``: whatever it carried ends here."""
        if carrier.started is not None:  # cancelled before it took the call over
            started, carrier.started = carrier.started, None
            with anyio.CancelScope() as scope:
                scope.cancel()
                await started
                carrier.carries = None
        carried, carrier.carries = carrier.carries, None
        if carried is not None:
            end = self._timed_out if late else self._broken
            end(*carried)

    async def _carry_on(self, carrier: Carrier[S, C], scope: anyio.CancelScope) -> None:
        """Carries call after call until one is cancelled or the carrier is not needed any more."""
        while True:
            if carrier.carries is not None:
                await self._carry_out(carrier, *carrier.carries)
            while self._inbox and not scope.cancel_called:
                carrier.carries, carrier.since = self._inbox.popleft(), self._clock()
                await self._carry_out(carrier, *carrier.carries)
            if scope.cancel_called:
                return
            if self._rolling is carrier:
                self._rolling = None
            if len(self._idle) >= _KEPT_IDLE:
                carrier.dismissed = True
                return
            self._idle.append(carrier)
            await self._rest(carrier)

    async def _rest(self, carrier: Carrier[S, C]) -> None:
        """Waits for the next call. A call whose first step was taken meanwhile may have cancelled this task, its own as
        far as it knows: it is to hear of that."""
        try:
            await carrier.wait()
        except anyio.get_cancelled_exc_class() as cancelled:
            if carrier.started is not None:
                carrier.started.cancelled = cancelled
                return
            if not _is_stray():
                raise
            self._forgive(carrier)
            if carrier in self._idle:
                self._idle.remove(carrier)

    async def _carry_out(self, carrier: Carrier[S, C], session: S, call: C) -> None:
        """Takes a call to its end."""
        try:
            started, carrier.started = carrier.started or carrier.routine.step(session, call), None
            if started is not None:
                await started
                self._forgive(carrier)
        except anyio.get_cancelled_exc_class():
            if not _is_stray():
                raise
            self._forgive(carrier)
            self._broken(session, call)
        carrier.carries = None

    def cancel_overdue(self, now: float, limit: Callable[[C], float]) -> None:
        """Cancels every call that runs for longer than its limit in seconds."""
        for carrier in self.carriers:
            if carrier.carries is not None and carrier.scope is not None:
                _, call = carrier.carries
                if now - carrier.since >= limit(call):
                    carrier.scope.cancel()

    def cancel_where(self, unwanted: Callable[[S, C], bool]) -> None:
        """Nobody waits for these calls any more: those that wait are dropped, those under way cancelled."""
        if any(unwanted(*each) for each in self._inbox):
            self._inbox = deque(each for each in self._inbox if not unwanted(*each))
        for carrier in self.carriers:
            if carrier.carries is not None and carrier.scope is not None and unwanted(*carrier.carries):
                carrier.scope.cancel()

    def cancel(self, call: C) -> None:
        """Nobody waits for this call any more."""
        self.cancel_where(lambda _, other: other is call)

    @property
    def in_flight(self) -> int:
        """Calls queued or being carried out."""
        return len(self._inbox) + sum(carrier.carries is not None for carrier in self.carriers)


def _is_stray() -> bool:
    """Whether a cancellation that was caught is none of anyio's scopes'."""
    return anyio.current_effective_deadline() != -math.inf
