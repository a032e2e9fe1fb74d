"""The parent of all processes of ``serve --workers``: starts them, restarts workers that end, passes signals on.

It runs no event loop and no thread, so that it can fork at any time: what it forks has the settings and the plugins
already, and shares their memory. Each child holds the reading end of a pipe whose writing end is here alone: when this
process ends, however it does, the pipes end and the children with them.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from mt_remote.errors import ConfigurationError, PluginError
from mt_remote.logs import Log
from mt_remote.plugin import BackendSpec
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import catalogue
from mt_remote.settings import Settings
from mt_remote.workers.far import FarBackend, FarFunction
from mt_remote.workers.processes import HURRY, Common, Ready, host, work

log = Log()

RunLoop = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
"""Runs a coroutine function on a new event loop."""

_START_SECONDS = 60.0
_SETTLED_SECONDS = 5.0
_LONGEST_PAUSE = 5.0
_BACKEND_SECONDS = 15.0


@dataclass(slots=True)
class Child:
    """One process. ``pause`` is how long its next start waits when it ends at once."""

    name: str
    pid: int
    started: float
    pause: float = 0.1


class Supervisor:
    """Runs one backend process and the workers. ``announce`` is told what they say of themselves once all serve."""

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        spec: BackendSpec,
        run_loop: RunLoop,
        announce: Callable[[dict[str, Any]], None],
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._spec = spec
        self._run_loop = run_loop
        self._announce = announce
        self._workers: dict[int, Child] = {}
        self._due: list[tuple[float, str, float]] = []
        self._stopping = False
        self._stop_signals = [signal.SIGTERM, HURRY]
        self._code = 0
        self._life = {"backend": os.pipe(), "workers": os.pipe()}

    def run(self) -> int:
        """Serves until SIGTERM or SIGINT; gives the exit code. Raises
        :class:`~mt_remote.errors.ConfigurationError` when a process can't start."""
        check_system()
        with reserved(self._settings.host, self._settings.port) as port, tempfile.TemporaryDirectory() as folder:
            self._common = self._prepared(port, Path(folder) / "backend")
            with _Signals() as signals:
                try:
                    self._start()
                    self._look_after(signals)
                finally:
                    self._end_all()
        return self._code

    def _prepared(self, port: int, path: Path) -> Common:
        settings = self._settings.model_copy(update={"port": port})
        far = FarBackend(self._spec.name, path)
        contents = catalogue(
            self._hooks, far.name, settings.code_page, partial(FarFunction, backend=far), self._spec.areas()
        )
        far.forward(contents.areas.values())
        return Common(settings, self._hooks, self._spec, far, contents, path)

    # Starting

    def _start(self) -> None:
        self._backend, words = self._fork("backend", self._host)
        said = _first_words(words, "the process with the backend")
        started = [self._fork(f"worker {number + 1}", self._work) for number in range(self._settings.workers)]
        self._workers = {child.pid: child for child, _ in started}
        for child, words in started:
            said |= _first_words(words, child.name)
        self._announce(said)

    def _host(self, ready: Ready) -> Coroutine[Any, Any, None]:
        return host(self._common, self._life["backend"][0], ready)

    def _work(self, ready: Ready) -> Coroutine[Any, Any, None]:
        return work(self._common, self._life["workers"][0], ready)

    def _fork(self, name: str, task: Callable[[Ready], Coroutine[Any, Any, None]]) -> tuple[Child, int]:
        """Starts a process; gives it and the pipe with its first words."""
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._be_child(writing, task)
        os.close(writing)
        return Child(name, pid, time.monotonic()), reading

    def _be_child(self, writing: int, task: Callable[[Ready], Coroutine[Any, Any, None]]) -> NoReturn:
        """The child's whole life. It must not go back into the parent's code, whatever happens."""
        code = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            for _, end in self._life.values():
                os.close(end)

            def ready(said: dict[str, object]) -> None:
                _say(writing, said)
                os.close(writing)

            self._run_loop(partial(task, ready))
            code = 0
        except BaseException as error:  # noqa: BLE001  the process ends here, with what went wrong told
            problem = _problem(error)
            if problem is None:
                traceback.print_exc()
                problem = f"{type(error).__name__}: {error}"
            _say(writing, {"problem": problem})
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    # Looking after them

    def _look_after(self, signals: _Signals) -> None:
        while self._workers or not self._stopping:
            for number in signals.wait(self._seconds_to_next()):
                if number in (signal.SIGTERM, signal.SIGINT):
                    self._stop(number)
                elif number == signal.SIGHUP:
                    self._tell_workers(signal.SIGHUP)
            self._bury()
            now = time.monotonic()
            if self._stopping and now > self._patience:
                self._tell_workers(signal.SIGKILL)
            for due in [each for each in self._due if each[0] <= now and not self._stopping]:
                self._due.remove(due)
                self._restart(due[1], due[2])

    def _seconds_to_next(self) -> float | None:
        if self._stopping:
            return 1.0
        return max(0.0, min(self._due)[0] - time.monotonic()) if self._due else None

    def _stop(self, number: int) -> None:
        """The first signal ends the workers in good order, a second one their grace period, a third one kills them."""
        self._tell_workers(self._stop_signals.pop(0) if self._stop_signals else signal.SIGKILL)
        if not self._stopping:
            log.info("stopping", signal=signal.Signals(number).name)
            self._stopping = True
            self._patience = time.monotonic() + self._settings.shutdown_grace + self._settings.close_timeout + 5

    def _tell_workers(self, number: int) -> None:
        for pid in self._workers:
            _kill(pid, number)

    def _bury(self) -> None:
        """Takes note of processes that ended."""
        for pid, child in list(self._workers.items()):
            if (status := _ended(pid)) is None:
                continue
            del self._workers[pid]
            if not self._stopping:
                lived = time.monotonic() - child.started
                pause = 0.1 if lived > _SETTLED_SECONDS else min(child.pause * 2, _LONGEST_PAUSE)
                log.error("a worker ended; it is started again", worker=child.name, status=status)
                self._due.append((time.monotonic() + pause, child.name, pause))
        if self._backend.pid and (status := _ended(self._backend.pid)) is not None:
            self._backend.pid = 0
            if not self._stopping:
                log.error("the process with the backend ended; nothing can be served without it", status=status)
                self._code = 1
                self._stop(signal.SIGTERM)

    def _restart(self, name: str, pause: float) -> None:
        """Starts a worker again, without waiting for it; what goes wrong is seen in its end."""
        child, words = self._fork(name, self._work)
        os.close(words)
        child.pause = pause
        self._workers[child.pid] = child

    def _end_all(self) -> None:
        """Whatever still runs ends: workers at once, then the backend in good order."""
        self._tell_workers(signal.SIGKILL)
        for pid in self._workers:
            os.waitpid(pid, 0)
        for ends in self._life.values():
            os.close(ends[1])
        backend = getattr(self, "_backend", None)
        if backend is not None and backend.pid:
            until = time.monotonic() + _BACKEND_SECONDS
            while _ended(backend.pid) is None:
                if time.monotonic() > until:
                    _kill(backend.pid, signal.SIGKILL)
                time.sleep(0.01)
        for ends in self._life.values():
            os.close(ends[0])


def check_system() -> None:
    """Raises :class:`~mt_remote.errors.ConfigurationError` where processes can't share a port."""
    for what, where in (("SO_REUSEPORT", socket), ("AF_UNIX", socket), ("fork", os)):
        if not hasattr(where, what):
            raise ConfigurationError(f"workers: several processes need {what}, which this system does not have")


class reserved:  # noqa: N801  reads as a function
    """Context in which a port is ours: bound, so that nobody else's processes take it, but not listened at."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    def __enter__(self) -> int:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as alone:  # shared ports mix: is another gateway there already?
                alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                alone.bind(address)
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._socket.bind(address)
        except OSError as error:
            where = f"{self._host}:{self._port}"
            raise ConfigurationError(f"can't listen on {where}: {error.strerror or error}") from error
        return int(self._socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._socket.close()


class _Signals:
    """Waits for signals, without a handler that could run anywhere."""

    _NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)

    def __enter__(self) -> _Signals:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        self._before = [signal.signal(number, lambda *_: None) for number in self._NUMBERS]
        self._wakeup = signal.set_wakeup_fd(self._writing)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._reading, selectors.EVENT_READ)
        return self

    def wait(self, seconds: float | None) -> bytes:
        """The numbers of the signals that came, after at most so many seconds."""
        if not self._selector.select(seconds):
            return b""
        return os.read(self._reading, 1024)

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, before in zip(self._NUMBERS, self._before, strict=True):
            signal.signal(number, before)
        self._selector.close()
        os.close(self._reading)
        os.close(self._writing)


def _say(writing: int, words: dict[str, object]) -> None:
    try:
        os.write(writing, json.dumps(words).encode())
    except OSError:  # nobody waits for them: it is no first start, or it served already
        if "problem" in words:
            log.error("a process ended", reason=words["problem"])


def _first_words(reading: int, name: str) -> dict[str, Any]:
    """What a process says when it serves. Raises :class:`~mt_remote.errors.ConfigurationError` with what it says when
    it can't."""
    with selectors.DefaultSelector() as selector, os.fdopen(reading, "rb") as stream:
        selector.register(stream, selectors.EVENT_READ)
        words = stream.read() if selector.select(_START_SECONDS) else b""
    if not words:
        raise ConfigurationError(f"{name} did not start")
    said: dict[str, Any] = json.loads(words)
    if "problem" in said:
        raise ConfigurationError(str(said["problem"]))
    return said


def _problem(error: BaseException) -> str | None:
    """What a user can mend, ``None`` for a bug."""
    if isinstance(error, BaseExceptionGroup):
        problems = [_problem(inner) for inner in error.exceptions]
        return "; ".join(filter(None, problems)) if all(problems) else None
    return str(error) if isinstance(error, ConfigurationError | PluginError) else None


def _ended(pid: int) -> int | None:
    """The exit code of a child that ended (negative: the signal), ``None`` while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:  # it just ended
        return
