"""First steps: a call's coroutine runs up to its first suspension at once, in the callback that brought it.

asyncio (before its eager tasks, Python 3.12) starts a task's coroutine in the next turn of the loop; for a call that
never suspends that turn is most of its cost. Here a call takes its first step right away; if it suspends, a real task
takes it to its end (:class:`Suspended`). How the step counts as that task's is the loop's matter:
:meth:`mt_remote.gateway.event_loop.EventLoop.enter`.

To make and to end a coroutine costs as much as a short call, so a :class:`ReusableCoroutine` is one coroutine that
carries out call after call and is suspended between them. Each call runs in a context of its own, from its first step
to its end: a copy of the one that the coroutine was made for, whatever the context of whoever calls may be.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import coroutine
from typing import Any, Generic, TypeVarTuple

Ts = TypeVarTuple("Ts")

_DONE = object()
"""What a reusable coroutine yields when it is done with a call; whatever else it yields is for the event loop."""


@coroutine
def _next() -> Generator[object, Any, Any]:
    """Ends a call and waits for the next one."""
    return (yield _DONE)


class ReusableCoroutine(Generic[*Ts]):
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

    def step(self, *arguments: *Ts) -> Suspended | None:
        """Takes a call's first step; ``None`` when it was the last one too. Raises what the call does."""
        context = self._context.copy()
        try:
            yielded = context.run(self._send, arguments)
        except BaseException:
            self.restart()
            raise
        return None if yielded is _DONE else Suspended(self.restart, self._coroutine, context, yielded)


class Suspended:
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
