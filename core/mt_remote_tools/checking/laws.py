"""The laws that every function keeps, tried out: the plugin runs in a gateway on a test stand and is called with
hostile data.

A function never answers ``internal_error``; its answer is what its annotation says; a field that is wrong is answered
with ``invalid_data`` that names it; a code of its own is named in its declaration; it does not stop the event loop.
"""

from __future__ import annotations

import dataclasses
import json
import time
import traceback
import warnings
from collections.abc import Awaitable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio
import pluggy
from anyio.from_thread import start_blocking_portal

from mt_remote.client import Client
from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.registry import RequestFailed
from mt_remote.errors import InternalError, InvalidData, InvalidRequest, RequestError, ServerError
from mt_remote.session.session import WebSocketSession
from mt_remote_tools.checking.findings import Finding
from mt_remote_tools.checking.hostile import Case, cases
from mt_remote_tools.checking.subject import Subject, shown
from mt_remote_tools.testing import Bench

GENERAL = {
    "invalid_data", "invalid_request", "not_connected", "no_connection", "timeout", "busy", "shutting_down",
    "unknown_function", "not_offered", "not_enough_rights",
}  # fmt: skip
"""Codes that any function may answer."""

_PATIENCE = 5.0
"""Seconds that a function may wait for something."""
_BLOCKED = 0.25
"""Seconds for which a function may keep the event loop to itself."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one call. ``held`` is the longest time in seconds that it kept the event loop to itself."""

    error: RequestError | None = None
    bug: BaseException | None = None
    unfit: str = ""
    late: bool = False
    held: float = 0.0


def try_out(subjects: list[Subject], manager: pluggy.PluginManager, backend: str) -> list[Finding]:
    """Calls every function of the subjects, which are registered with ``manager``, on the stand of ``backend``."""
    found: list[Finding] = []
    names = {subject.name: subject for subject in subjects}
    with start_blocking_portal("asyncio") as portal:
        try:
            with Bench(manager, backend, portal) as bench:
                functions = [each for each in bench.gateway.functions.values() if each.plugin in names]
        except Exception as error:  # noqa: BLE001  whatever it is, it becomes a finding
            return [Finding("MR506", subjects[0].place(), f"a gateway does not start: {_cause(error)}")]
        for function in functions:
            with Bench(manager, backend, portal) as bench:  # a fresh server: the one before may be in ruins
                found += Trial(names[function.plugin], function, bench).findings()
    return found


def _cause(error: BaseException) -> str:
    """What went wrong, out of the groups that task groups make of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".splitlines()[0]


class Trial:
    """One function under trial. The first case that breaks a law stands for all."""

    def __init__(self, subject: Subject, function: Function, bench: Bench) -> None:
        self._subject = subject
        self._function = function
        self._bench = bench
        self._found: dict[str, Finding] = {}

    def findings(self) -> list[Finding]:
        """One for each law that is broken; for each code that is not named."""
        with self._bench.client() as client:
            session = self._bench.run(self._session)
            example = self._function.example
            for number, case in enumerate(cases(self._function.parameters_schema, example)):
                done = self._tried(session, case)
                self._judge(case, done)
                if number == 0 and example is not None and isinstance(done.error, InvalidData):
                    self._add("MR305", f"{self._function.name}: the example {case} is wrong: {done.error}")
                if "MR505" in self._found:  # the others would take as long
                    break
                if session.connection is None and not self._connected_again(client):
                    break
        return list(self._found.values())

    def _tried(self, session: WebSocketSession, case: Case) -> Attempt:
        """One attempt. On a machine with other work everybody is held up at times: of what seems to hold the loop, the
        shortest of three counts."""
        done = self._bench.run(attempt, session, self._function, case)
        for _ in range(2):
            if done.held <= _BLOCKED or done.late or session.connection is None:
                break
            again = self._bench.run(attempt, session, self._function, case)
            done = dataclasses.replace(done, held=min(done.held, again.held))
        return done

    def _session(self) -> WebSocketSession:
        """The client's."""
        return next(each for each in self._bench.gateway.sessions if each.is_open)

    def _connected_again(self, client: Client) -> bool:
        """Some functions disconnect; some delete the manager that calls them, and then the trial is over."""
        answer = client.request("connect", {**asdict(self._bench.credentials), "reconnect_delay": 0})
        return bool(answer["status"] == "OK")

    def _judge(self, case: Case, done: Attempt) -> None:
        function = self._function
        if done.bug is not None:
            text = f"{function.name} answers internal_error to {case}: {_cause(done.bug)}"
            self._add("MR501", text, self._origin(done.bug))
        elif done.late:
            self._add("MR505", f"{function.name} gives no answer within {_PATIENCE:g} s to {case}")
        elif done.unfit:
            self._add("MR502", f"{function.name} answers what its annotation does not say to {case}: {done.unfit}")
        elif isinstance(done.error, InvalidRequest):
            return  # it never came to the function
        elif case.wrong is not None and not _names(done.error, case.wrong):
            answer = done.error.wire_code if done.error else "OK"
            self._add("MR503", f"{function.name} answers {answer} to {case}, whose {case.wrong!r} is wrong")
        elif isinstance(done.error, InvalidData) and not done.error.details:
            self._add("MR503", f"{function.name} answers invalid_data to {case} and names no field")
        elif done.error is not None and not isinstance(done.error, ServerError):
            code = done.error.wire_code
            if code not in GENERAL and code not in function.errors:
                self._add("MR504", f"{function.name} answers {code!r} to {case}, which its declaration does not name")
        if done.held > _BLOCKED:
            self._add("MR505", f"{function.name} keeps the event loop for {done.held:.2f} s with {case}")

    def _add(self, code: str, message: str, place: str = "") -> None:
        key = code if code != "MR504" else message.partition(" to ")[0]
        self._found.setdefault(key, Finding(code, place or self._subject.place(self._function.handler), message))

    def _origin(self, bug: BaseException) -> str:
        """The innermost line of the plugin's own that it came through."""
        own = {str(path) for path in self._subject.files}
        frames = [frame for frame in traceback.extract_tb(bug.__traceback__) if frame.filename in own]
        return f"{shown(Path(frames[-1].filename))}:{frames[-1].lineno}" if frames else ""


def _names(error: RequestError | None, field: str) -> bool:
    if not isinstance(error, InvalidData):
        return False
    return any(each.path == field or each.path.startswith((f"{field}.", f"{field}[")) for each in error.details)


async def attempt(session: WebSocketSession, function: Function, case: Case) -> Attempt:
    """Calls a function as the gateway would, and keeps what the gateway would only log."""
    message = json.dumps({"id": 0, "name": function.name, "data": case.data}).encode()
    try:
        call = session.gateway.parse(message, "2")
    except RequestFailed as failed:
        if isinstance(failed.error, InternalError):  # a validator of the plugin broke
            return Attempt(bug=failed.__cause__)
        return Attempt(error=failed.error)
    clock = Held()
    try:
        with anyio.fail_after(_PATIENCE):
            result = await clock.of(function, session, call.arguments, call.body)
    except RequestError as error:
        return Attempt(error=error, held=clock.longest)
    except TimeoutError as bug:
        ran_out = bug.__traceback__ is not None and clock.waited >= _PATIENCE
        return Attempt(late=True, held=clock.longest) if ran_out else Attempt(bug=bug, held=clock.longest)
    except (Exception, SystemExit) as bug:  # noqa: BLE001  whatever it is, it becomes a finding
        return Attempt(bug=bug, held=clock.longest)
    return Attempt(unfit=_unfit(function, result), held=clock.longest)


def _unfit(function: Function, result: object) -> str:
    """Why a result can't be sent as its annotation says, empty where it can."""
    if function.result is None:
        return "" if result is None else f"it returns {type(result).__name__}, annotated is None"
    for dialect in ("0", "2"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                json.loads(b'{"result":%b}' % function.encode(result, dialect))
            except Exception as error:  # noqa: BLE001  it becomes a finding
                return f"{type(error).__name__}: {error}".splitlines()[0]
        if caught:
            return str(caught[0].message).splitlines()[-1].strip()
    return ""


class Held:
    """Times how long code keeps the event loop to itself between two awaits."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._began = time.perf_counter()

    @property
    def waited(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._began

    async def of(
        self, function: Function, session: WebSocketSession, arguments: dict[str, Any], body: object
    ) -> object:
        """Invokes a function and awaits it, timed."""
        began = time.perf_counter()
        try:
            result = function.invoke(session, arguments, body)
        finally:
            self._held(began)
        return await _Timed(result, self) if function.is_async else result

    def _held(self, began: float) -> None:
        self.longest = max(self.longest, time.perf_counter() - began)

    def stepped(self, steps: Generator[Any, Any, Any], value: object, error: BaseException | None) -> Any:
        """One step of a coroutine, timed."""
        began = time.perf_counter()
        try:
            return steps.send(value) if error is None else steps.throw(error)
        finally:
            self._held(began)


class _Timed:
    """An awaitable whose steps are timed."""

    def __init__(self, awaitable: Awaitable[Any], clock: Held) -> None:
        self._awaitable = awaitable
        self._clock = clock

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._awaitable.__await__()
        value: object = None
        error: BaseException | None = None
        while True:
            try:
                waits_for = self._clock.stepped(steps, value, error)
            except StopIteration as end:
                return end.value
            value, error = None, None
            try:
                value = yield waits_for
            except BaseException as thrown:  # noqa: BLE001  cancellation: it is the function's to see
                error = thrown
