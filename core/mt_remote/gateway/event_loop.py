"""What the gateway needs of an event loop beside what anyio gives to all: one interface.

The implementations are in :mod:`mt_remote.shell`; nothing here or below knows which loop runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from mt_remote.clock import Clock


class EventLoop(ABC):
    """The loop that runs. ``cancelled`` is what a cancellation raises on it.

    Where it ``steps_at_once``, a call can take its first step in the callback that brought it, in the name of a task
    that waits (:meth:`enter`, :meth:`leave`): so that cancel scopes, time-outs and task groups work there as in any
    task. See :mod:`mt_remote.gateway.first_step`.
    """

    __slots__ = ()

    clock: Clock
    cancelled: type[BaseException]
    steps_at_once: bool

    @abstractmethod
    def soon(self, callback: Callable[[], object], /) -> object:
        """Runs a callback once the present turn of the loop is over."""

    @abstractmethod
    def soon_from_thread(self, callback: Callable[[], object], /) -> object:
        """The same, from another thread. Raises ``RuntimeError`` when the loop is over."""

    @abstractmethod
    def current_task(self) -> object:
        """The task that runs now, for :meth:`enter`."""

    @abstractmethod
    def enter(self, task: object, /) -> None:
        """What runs from now on counts as the task's. Raises ``RuntimeError`` within a task: there is no acting in
        another one's name."""

    @abstractmethod
    def leave(self, task: object, /) -> None:
        """It does not any more."""

    @abstractmethod
    def forgive(self, task: object, /) -> None:
        """Forgets that a task was cancelled: what was meant is over. With a cancellation on record anyio's scopes would
        let the next one of their own through."""
