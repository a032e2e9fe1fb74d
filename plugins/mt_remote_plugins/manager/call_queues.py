"""Calls of one connection on their way to its engine: one queue a handle, bounded, and what is known of each outcome.

A handle does one call at a time. A call that waited past its deadline was not done, and the answer says so. A call that
is being done past its deadline means that the library hangs: the engine is killed and what was in flight is answered
with "outcome unknown".
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio import to_thread

from mt_remote.errors import Busy, CallTimeout, ConnectionLost, InternalError, RequestError, ReturnCode, ServerError
from mt_remote.outcomes import Change, changing
from mt_remote_plugins.manager.engine.handle import Reply
from mt_remote_plugins.manager.engine.messages import Failure, Mode, Notice, Task
from mt_remote_plugins.manager.loop_queue import LoopQueue
from mt_remote_plugins.manager.running_engine import RunningEngine
from mt_remote_plugins.manager.watchdog import WATCHDOG


@dataclass(frozen=True, slots=True)
class Limits:
    """``call`` seconds a call may wait, and again as long in the library; ``login`` seconds for connecting, a worker's
    start included; ``waiting`` calls a handle may have."""

    call: float = 30.0
    waiting: int = 1000
    login: float = 30.0

    def of(self, operation: str) -> float:
        """Seconds that an operation may take in the library."""
        return self.login if operation in ("open", "start") else self.call


@dataclass(slots=True)
class _Call:
    task: Task
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Any = None
    error: RequestError | None = None
    begun: bool = False
    watch: int = -1
    then: Callable[[Any], None] | None = None

    @property
    def changes(self) -> bool:
        """Whether it may change the server."""
        return changes(self.task)

    def finish(self) -> None:
        """The answer or the error is there."""
        self.done.set()
        if self.then is not None and self.error is None:
            self.then(self.answer)


class CallQueues:
    """Orders out, answers and notices in."""

    def __init__(self, limits: Limits, hear: Callable[[Notice], None], lost: Callable[[RequestError], None]) -> None:
        self._limits = limits
        self._hear = hear
        self._lost = lost
        self._engine: RunningEngine | None = None
        self._error: RequestError | None = None
        self._ids = itertools.count(1)
        self._queues: dict[Mode, deque[_Call]] = {mode: deque() for mode in Mode}
        self.notices: LoopQueue[Notice] = LoopQueue(self._take)

    def attach(self, engine: RunningEngine) -> None:
        """The engine is there."""
        self._engine = engine

    @property
    def down(self) -> bool:
        """No call can succeed any more."""
        return self._error is not None

    async def call(self, mode: Mode, operation: str, *arguments: Any) -> Any:
        """One operation of a handle. Raises what a client should read."""
        waiting = self._queues[mode]
        if len(waiting) >= self._limits.waiting:
            raise Busy(f"{len(waiting)} calls wait for the MT4 library already")
        call = self._queued(_Call(Task(next(self._ids), mode, operation, arguments)))
        if not call.changes:
            return await self._carried_out(call, waiting)
        with changing() as change:
            try:
                answer = await self._carried_out(call, waiting)
            finally:
                if not call.begun:
                    change.refused()
                elif call.answer is not None:
                    _tell(change, call.answer)
            return answer

    async def _carried_out(self, call: _Call, waiting: deque[_Call]) -> Any:
        try:
            if not call.begun:
                await self._turn(call)
            await call.done.wait()
        finally:
            if not call.begun and call in waiting:
                waiting.remove(call)
        return self._outcome(call)

    def ask(self, mode: Mode, operation: str, *arguments: Any, then: Callable[[Any], None]) -> None:
        """The same without waiting: ``then`` gets the answer, or nothing happens when the engine is lost meanwhile."""
        if self._error is None:
            self._queued(_Call(Task(next(self._ids), mode, operation, arguments), then=then))

    def _queued(self, call: _Call) -> _Call:
        if self._error is not None:
            raise ConnectionLost(outcome="not_done")
        waiting = self._queues[call.task.mode]
        waiting.append(call)
        if len(waiting) == 1:
            self._begin(call)
        return call

    async def _turn(self, call: _Call) -> None:
        """Waits for the call to end, at most until its deadline while it was not begun."""
        while not call.done.is_set():
            with anyio.move_on_after(self._limits.call):
                await call.done.wait()
            if call.begun:
                return
            if not call.done.is_set():
                message = f"The MT4 library was busy for {self._limits.call:g} s; the call was not begun"
                raise CallTimeout(message, outcome="not_done")

    def _outcome(self, call: _Call) -> Any:
        if call.error is not None:
            raise call.error
        answer = call.answer
        if not isinstance(answer, Failure):
            return answer
        if answer.problem == "bug":
            raise InternalError(answer.message)
        if answer.problem:
            raise ServerError(ReturnCode.MALFUNCTION, f"The MT4 library can't be used: {answer.message}")
        raise ServerError(answer.code, answer.message)

    def _begin(self, call: _Call) -> None:
        assert self._engine is not None
        call.begun = True
        number = call.task.id
        seconds = self._limits.of(call.task.operation)
        call.watch = WATCHDOG.watch(seconds, lambda: self.notices.put(("hung", number, seconds)))
        self._engine.submit(call.task)

    def _take(self, notice: Notice) -> None:
        kind = notice[0]
        if kind == "reply":
            self._replied(notice[1], notice[2])
        elif kind == "hung":
            self._hung(notice[1], notice[2])
        elif kind == "exit":
            self.fail(ConnectionLost(f"The process with the MT4 library {notice[1]}"))
        elif kind == "lost":
            self.fail(ConnectionLost(f"No connection to the MT4 server: {notice[3]}"))
        else:
            self._hear(notice)

    def _replied(self, number: int, answer: Any) -> None:
        for waiting in self._queues.values():
            if waiting and waiting[0].task.id == number:
                call = waiting.popleft()
                WATCHDOG.forget(call.watch)
                call.answer = answer
                call.finish()
                if waiting:
                    self._begin(waiting[0])
                return

    def _hung(self, number: int, seconds: float) -> None:
        if any(waiting and waiting[0].task.id == number for waiting in self._queues.values()):
            self.fail(CallTimeout(f"The MT4 library did not return for {seconds:g} s and was stopped"))

    def fail(self, error: RequestError) -> None:
        """The engine is lost: ends it, answers what is in flight, tells the listener."""
        if self._error is not None:
            return
        self._error = error
        if self._engine is not None:
            self._engine.kill()
        self._answer_all(error)
        self._lost(error)

    def _answer_all(self, error: RequestError) -> None:
        for waiting in self._queues.values():
            while waiting:
                call = waiting.popleft()
                WATCHDOG.forget(call.watch)
                call.error = _in_flight(call, error) if call.begun else _not_begun(error)
                call.finish()

    async def aclose(self) -> None:
        """Ends the engine in good order."""
        if self._error is None:
            self._error = ConnectionLost("The connection was closed")
            self._answer_all(self._error)
            engine = self._engine
            if engine is not None:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(engine.close)
        self.notices.close()


_READING = frozenset({"ManagerCommon", "ManagerRights", "Ping", "ServerTime", "SymbolsRefresh", "TradesUserHistory"})


def changes(task: Task) -> bool:
    """Whether the library may change something on the server: any function but those that are known to read."""
    if task.operation != "call":
        return task.operation == "external"
    key = str(task.arguments[0])
    return not (key in _READING or key.startswith("CfgRequest") or key.endswith(("Get", "Request")))


def _tell(change: Change, answer: Any) -> None:
    """What the library's answer says of what it was asked to change. A code that says that the connection broke says
    nothing of it, nor does a failure inside the library."""
    if isinstance(answer, Failure) and answer.problem:
        return
    code = answer.code if isinstance(answer, Reply | Failure) else answer[0]
    if code in (ReturnCode.NO_CONNECT, ReturnCode.NETWORK_PROBLEM):
        return
    if code in (ReturnCode.OK, ReturnCode.OK_NONE):
        change.happened()
    else:
        change.refused()


def _in_flight(call: _Call, error: RequestError) -> RequestError:
    if call.changes:
        message, outcome = f"{error.message}; whether the call was carried out is unknown", "unknown"
    else:
        message, outcome = error.message, "not_done"
    if isinstance(error, CallTimeout):
        return CallTimeout(message, outcome=outcome)
    return ConnectionLost(message, outcome=outcome)


def _not_begun(error: RequestError) -> RequestError:
    return ConnectionLost(f"{error.message}; the call was not begun", outcome="not_done")
