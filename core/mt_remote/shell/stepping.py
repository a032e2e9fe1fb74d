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
from collections.abc import Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any


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

    def may_step(self) -> bool:
        """A step can be taken from a callback, not from within a task."""
        return asyncio.current_task(self._loop) is None

    def current(self) -> asyncio.Task[Any] | None:
        """The task that runs now."""
        return asyncio.current_task(self._loop)

    def step(self, coroutine: Coroutine[Any, Any, None], task: object) -> Started | None:
        """Takes the first step in the name of ``task``, which waits. ``None`` when it was the last one too."""
        context = copy_context()
        _enter_task(self._loop, task)  # type: ignore[arg-type]
        try:
            yielded = context.run(coroutine.send, None)
        except StopIteration:
            return None
        finally:
            _leave_task(self._loop, task)  # type: ignore[arg-type]
        return Started(coroutine, context, yielded)
