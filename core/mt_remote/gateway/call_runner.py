"""Runs calls: takes each to its end in a task, without making a task for each.

A task per call is dear, and no task at all robs handlers of what asyncio and trio give one (cancel scopes, deadlines).
So there are a few tasks that last. Calls go into one inbox; a task carries out call after call for as long as none
suspends; when one does, the next task goes on with the rest. Idle sessions need no task.

The inbox is fair: each session's calls are taken up in their order, the sessions in turns, and none while its client
has more to read than it takes. A task that took up calls for a slice of time leaves the rest to the loop's next turn.

Where the loop allows it (see :mod:`mt_remote.gateway.first_step`), a call takes its first step at once, in the name of
an idle task: most calls end there. One that suspends is handed to that task, which takes it to its end.

A call that ends with a cancellation which is not ours (its handler awaits what others cancelled, or cancels the task
that runs it) is answered like one that failed, and touches no other.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from mt_remote.gateway.event_loop import EventLoop
from mt_remote.gateway.first_step import ReusableCoroutine, Suspended

S = TypeVar("S")
"""Whoever calls: a session."""
C = TypeVar("C")
"""A call."""

_SLICE_SECONDS = 0.002
"""What calls that are taken up may take of a turn."""

_KEPT_IDLE = 256
"""Tasks that wait for calls at most; the rest end."""


class CallTask(Generic[S, C]):
    """One task and the call that it runs, ``since`` when (seconds of the clock). ``suspended`` is that call where it
    took its first step before the task had it."""

    __slots__ = ("_wake", "call", "coroutine", "dismissed", "handle", "scope", "since", "suspended")

    def __init__(self, coroutine: ReusableCoroutine[S, C]) -> None:
        self.coroutine = coroutine
        self.call: tuple[S, C] | None = None
        self.since = 0.0
        self.scope: anyio.CancelScope | None = None
        self.suspended: Suspended | None = None
        self.handle: object = None
        self.dismissed = False
        self._wake = anyio.Event()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    async def wait(self) -> None:
        """Waits for :meth:`wake`."""
        try:
            await self._wake.wait()
        finally:
            self._wake = anyio.Event()


class Inbox(Generic[S, C]):
    """Calls that may start: ``calls`` has each session's in their order, and the sessions take turns. ``is_full`` says
    of which session none is to be taken."""

    def __init__(self, is_full: Callable[[S], bool]) -> None:
        self._is_full = is_full
        self.calls: dict[S, deque[C]] = {}

    def __len__(self) -> int:
        return sum(map(len, self.calls.values()))

    @property
    def is_ready(self) -> bool:
        """Whether there is a call that may be taken."""
        return not all(map(self._is_full, self.calls))

    def put(self, session: S, call: C) -> None:
        """Another call, behind those of its session."""
        waiting = self.calls.get(session)
        if waiting is None:
            self.calls[session] = deque((call,))
        else:
            waiting.append(call)

    def take(self) -> tuple[S, C] | None:
        """The next call, ``None`` when there is none that may be taken."""
        session = next((each for each in self.calls if not self._is_full(each)), None)
        if session is None:
            return None
        waiting = self.calls.pop(session)
        call = waiting.popleft()
        if waiting:
            self.calls[session] = waiting  # behind the others
        return session, call

    def drop(self, unwanted: Callable[[S, C], bool]) -> None:
        """Forgets calls."""
        for session, calls in list(self.calls.items()):
            kept = deque(call for call in calls if not unwanted(session, call))
            if kept:
                self.calls[session] = kept
            else:
                del self.calls[session]


class CallRunner(Generic[S, C]):
    """Runs calls. ``perform`` carries out one and answers it; it raises nothing but cancellation. ``timed_out``
    answers one that was cancelled, ``broken`` one that ended with a stray cancellation. ``outlasts`` is asked about one
    whose time is up, again and again: whether it goes on all the same. ``is_full`` says of which session no call is to
    be taken up until :meth:`resume`."""

    def __init__(
        self,
        group: TaskGroup,
        perform: Callable[[S, C], Coroutine[Any, Any, None]],
        timed_out: Callable[[S, C], None],
        broken: Callable[[S, C], None],
        *,
        loop: EventLoop,
        outlasts: Callable[[S, C], bool] = lambda session, call: False,
        is_full: Callable[[S], bool] = lambda session: False,
    ) -> None:
        self._outlasts = outlasts
        self._group = group
        self._perform = perform
        self._timed_out = timed_out
        self._broken = broken
        self._loop = loop
        self._now = loop.clock.now
        self._context = copy_context()
        self._inbox: Inbox[S, C] = Inbox(is_full)
        self._queued = self._inbox.calls  # asked at each call whether there are any
        self._idle: list[CallTask[S, C]] = []
        self._current: CallTask[S, C] | None = None
        self.tasks: set[CallTask[S, C]] = set()

    def submit(self, session: S, call: C) -> None:
        """Starts a call that may start now: takes its first step in the name of an idle task, where that can be."""
        loop = self._loop
        if not self._idle or self._queued or not loop.steps_at_once:
            self._queue(session, call)
            return
        task = self._idle.pop()
        try:
            loop.enter(task.handle)
        except RuntimeError:
            self._idle.append(task)
            self._queue(session, call)
            return
        try:
            suspended = task.coroutine.step(session, call)
        except loop.cancelled:
            self._broken(session, call)
            suspended = None
        finally:
            loop.leave(task.handle)
        if suspended is None:
            self._idle.append(task)
        else:
            task.call, task.since, task.suspended = (session, call), self._now(), suspended
            task.wake()

    def _queue(self, session: S, call: C) -> None:
        self._inbox.put(session, call)
        self.resume()

    def resume(self) -> None:
        """Calls are there, or a session that was full is so no more."""
        if self._queued and self._current is None and self._inbox.is_ready:
            self._take_up()

    def _take_up(self) -> None:
        if self._idle:
            task = self._idle.pop()
            task.wake()
        else:
            task = CallTask(ReusableCoroutine(self._perform, self._context))
            self.tasks.add(task)
            self._context.copy().run(self._group.start_soon, self._work, task)
        self._current = task
        self._loop.soon(self._check)

    def _check(self) -> None:
        """We run, so no task does: the one that took up calls is done, or suspended inside a call."""
        self._current = None
        self.resume()

    async def _work(self, task: CallTask[S, C]) -> None:
        task.handle = self._loop.current_task()
        try:
            while not task.dismissed:
                try:
                    with anyio.CancelScope() as scope:
                        task.scope = scope
                        await self._run_all(task, scope)
                except self._loop.cancelled:
                    if not _is_stray():
                        raise
                    self._forgive(task)
                await self._settle(task, late=scope.cancel_called)
        finally:
            self.tasks.discard(task)

    def _forgive(self, task: CallTask[S, C]) -> None:
        self._loop.forgive(task.handle)

    async def _settle(self, task: CallTask[S, C], *, late: bool) -> None:
        """A task was cancelled, at a deadline when it is ``late``: whatever it ran ends here."""
        if task.suspended is not None:  # cancelled before it took the call over
            suspended, task.suspended = task.suspended, None
            with anyio.CancelScope() as scope:
                scope.cancel()
                await suspended
                task.call = None
        call, task.call = task.call, None
        if call is not None:
            end = self._timed_out if late else self._broken
            end(*call)

    async def _run_all(self, task: CallTask[S, C], scope: anyio.CancelScope) -> None:
        """Runs call after call until one is cancelled or the task is not needed any more."""
        while True:
            if task.call is not None:
                await self._run_one(task, *task.call)
            await self._run_inbox(task, scope)
            if scope.cancel_called:
                return
            if self._current is task:
                self._current = None
            if len(self._idle) >= _KEPT_IDLE:
                task.dismissed = True
                return
            self._idle.append(task)
            await self._rest(task)

    async def _run_inbox(self, task: CallTask[S, C], scope: anyio.CancelScope) -> None:
        """Takes up calls for a slice of the turn."""
        until = self._now() + _SLICE_SECONDS
        while not scope.cancel_called:
            task.call, task.since = self._inbox.take(), self._now()
            if task.call is None:
                return
            await self._run_one(task, *task.call)
            if self._queued and self._now() >= until:
                self._loop.soon(self._check)
                return

    async def _rest(self, task: CallTask[S, C]) -> None:
        """Waits for the next call. A call whose first step was taken meanwhile may have cancelled this task, its own as
        far as it knows: it is to hear of that."""
        try:
            await task.wait()
        except self._loop.cancelled as cancelled:
            if task.suspended is not None:
                task.suspended.cancelled = cancelled
                return
            if not _is_stray():
                raise
            self._forgive(task)
            if task in self._idle:
                self._idle.remove(task)

    async def _run_one(self, task: CallTask[S, C], session: S, call: C) -> None:
        """Takes a call to its end."""
        try:
            suspended, task.suspended = task.suspended or task.coroutine.step(session, call), None
            if suspended is not None:
                await suspended
                self._forgive(task)
        except self._loop.cancelled:
            if not _is_stray():
                raise
            self._forgive(task)
            self._broken(session, call)
        task.call = None

    def cancel_overdue(self, now: float, limit: Callable[[C], float]) -> None:
        """Cancels every call that runs for longer than its limit in seconds."""
        for task in self.tasks:
            if task.call is not None and task.scope is not None:
                session, call = task.call
                if now - task.since >= limit(call) and not self._outlasts(session, call):
                    task.scope.cancel()

    def cancel_where(self, unwanted: Callable[[S, C], bool]) -> None:
        """Nobody waits for these calls any more: those that wait are dropped, those under way cancelled."""
        self._inbox.drop(unwanted)
        for task in self.tasks:
            if task.call is not None and task.scope is not None and unwanted(*task.call):
                task.scope.cancel()

    def cancel(self, call: C) -> None:
        """Nobody waits for this call any more."""
        self.cancel_where(lambda _, other: other is call)

    def cancel_all(self) -> list[tuple[S, C]]:
        """Cancels every call that is under way; gives those that never began, which end here."""
        waiting = [(session, call) for session, calls in self._inbox.calls.items() for call in calls]
        self.cancel_where(lambda session, call: True)
        return waiting

    @property
    def under_way(self) -> list[tuple[S, C]]:
        """The calls that are being carried out."""
        return [task.call for task in self.tasks if task.call is not None]

    @property
    def in_flight(self) -> int:
        """Calls queued or being carried out."""
        return len(self._inbox) + sum(task.call is not None for task in self.tasks)


def _is_stray() -> bool:
    """Whether a cancellation that was caught is none of anyio's scopes'."""
    return anyio.current_effective_deadline() != -math.inf
