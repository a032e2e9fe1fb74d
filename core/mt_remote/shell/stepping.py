"""First steps: running a coroutine up to its first suspension at once, on asyncio.

asyncio (before its eager tasks, Python 3.12) starts a task's coroutine in the next turn of the loop; for a call that
never suspends that turn is most of its cost. Here a coroutine takes its first step inside the callback that brought
the call. So that cancel scopes, time-outs and task groups work there as in any task, the step is taken in the name of
a real task that waits for work, through the functions that asyncio documents for third-party tasks (``_enter_task``,
``_leave_task``; section "Extending" of its manual). If the coroutine suspends, that same task takes it to its end.
All steps of one coroutine run in one context of its own.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, TypeVarTuple

Ts = TypeVarTuple("Ts")


class Started:
    """A coroutine that suspended after its first step. Awaiting it takes it to its end."""

    __slots__ = ("_context", "_coroutine", "_yielded")

    def __init__(self, coroutine: Coroutine[Any, Any, None], context: Context, yielded: object) -> None:
        self._coroutine = coroutine
        self._context = context
        self._yielded = yielded

    def __await__(self) -> Generator[Any, Any, None]:
        run, coroutine, yielded = self._context.run, self._coroutine, self._yielded
        try:
            while True:
                try:
                    sent = yield yielded
                except BaseException as error:  # noqa: BLE001  cancellation: the coroutine gets it where it waits
                    yielded = run(coroutine.throw, error)
                else:
                    yielded = run(coroutine.send, sent)
        except StopIteration:
            return

    def close(self) -> None:
        """Ends a coroutine that nobody will await."""
        self._context.run(self._coroutine.close)


class Stepper:
    """Takes first steps on one asyncio loop."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def current(self) -> asyncio.Task[Any] | None:
        """The task that runs now."""
        return asyncio.current_task(self._loop)

    def step(
        self, task: object, function: Callable[[*Ts], Coroutine[Any, Any, None]], *arguments: *Ts
    ) -> Started | bool:
        """Takes the first step of what ``function`` gives, in the name of ``task``, which waits. ``True`` when it was
        the last one too, ``False`` when none was taken: within a task there is no stepping in another one's name."""
        loop = self._loop
        try:
            _enter_task(loop, task)  # type: ignore[arg-type]
        except RuntimeError:
            return False
        try:
            context = copy_context()
            coroutine = function(*arguments)
            yielded = context.run(coroutine.send, None)
        except StopIteration:
            return True
        finally:
            _leave_task(loop, task)  # type: ignore[arg-type]
        return Started(coroutine, context, yielded)
