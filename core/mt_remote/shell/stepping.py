"""First steps: running a coroutine up to its first suspension at once, on asyncio.

asyncio (before its eager tasks, Python 3.12) starts a task's coroutine in the next turn of the loop; for a call that
never suspends that turn is most of its cost. Here a call takes its first step inside the callback that brought it. So
that cancel scopes, time-outs and task groups work there as in any task, the step is taken in the name of a real task
that waits for work, through the functions that asyncio documents for third-party tasks (``_enter_task``,
``_leave_task``; section "Extending" of its manual). If the call suspends, that same task takes it to its end.

To make and to end a coroutine costs as much as a short call, so a :class:`Routine` is one coroutine that carries out
call after call and is suspended between them. Each runs in a context of its own, from its first step to its end: a
copy of the one that the routine was made for, whatever the context of whoever calls may be.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from functools import partial
from types import coroutine
from typing import Any, Generic, TypeVarTuple

Ts = TypeVarTuple("Ts")

_DONE = object()
"""What a routine yields when it is done with a call; whatever else it yields is for the event loop."""


@coroutine
def _next() -> Generator[object, Any, Any]:
    """Ends a call and waits for the next one."""
    return (yield _DONE)


class Routine(Generic[*Ts]):
    """Carries out ``perform`` with one call's arguments after another's. One that an exception ended starts afresh."""

    __slots__ = ("_context", "_coroutine", "_perform", "_send")

    def __init__(self, perform: Callable[[*Ts], Coroutine[Any, Any, None]], context: Context) -> None:
        self._perform = perform
        self._context = context
        self.restart()

    def restart(self) -> None:
        """Forgets what it was at."""
        self._coroutine = self._work()
        self._send = self._coroutine.send
        self._send(None)

    async def _work(self) -> None:
        while True:  # no variable: it would keep the last call's session and data while nothing is to be done
            await self._perform(*await _next())

    def step(self, *arguments: *Ts) -> Started | None:
        """Takes a call's first step; ``None`` when it was the last one too. Raises what the call does."""
        context = self._context.copy()
        try:
            yielded = context.run(self._send, arguments)
        except BaseException:
            self.restart()
            raise
        return None if yielded is _DONE else Started(self.restart, self._coroutine, context, yielded)


class Started:
    """A call that suspended after its first step. Awaiting it takes it to its end. ``broken`` hears that it ended with
    an exception, which is raised. ``cancelled`` is a cancellation that it is to hear of where it waits."""

    __slots__ = ("_broken", "_context", "_coroutine", "_yielded", "cancelled")

    def __init__(
        self,
        broken: Callable[[], None],
        coroutine: Coroutine[Any, Any, None],
        context: Context,
        yielded: object,
    ) -> None:
        self._broken = broken
        self._coroutine = coroutine
        self._context = context
        self._yielded = yielded
        self.cancelled: BaseException | None = None

    def __await__(self) -> Generator[Any, Any, None]:
        run, coroutine, yielded = self._context.run, self._coroutine, self._yielded
        try:
            if self.cancelled is not None:
                yielded = run(coroutine.throw, self.cancelled)
            while yielded is not _DONE:
                try:
                    sent = yield yielded
                except BaseException as error:  # noqa: BLE001  cancellation: the call gets it where it waits
                    yielded = run(coroutine.throw, error)
                else:
                    yielded = run(coroutine.send, sent)
        except BaseException:
            self._broken()
            raise


class Stepper:
    """Acts in the name of a task of the running asyncio loop: :attr:`enter` it, and :attr:`leave` it again. Entering
    raises ``RuntimeError`` within a task: there is no acting in another one's name. ``cancelled`` is what a
    cancellation raises."""

    __slots__ = ("_loop", "enter", "leave")

    cancelled = asyncio.CancelledError

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.enter: Callable[[Any], None] = partial(_enter_task, self._loop)
        self.leave: Callable[[Any], None] = partial(_leave_task, self._loop)

    def current(self) -> asyncio.Task[Any] | None:
        """The task that runs now."""
        return asyncio.current_task(self._loop)

    @staticmethod
    def forgive(task: Any) -> None:
        """Forgets that a task was cancelled: what was meant is over. With a cancellation on record anyio's scopes would
        let the next one of their own through."""
        while task.cancelling():
            task.uncancel()
