"""Engines as the event loop uses them: in this process, or in a worker process of its own."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from typing import BinaryIO, cast

from mt4abi.library import Library
from mt_remote.errors import ConfigurationError
from mt_remote_plugins.manager.engine.engine import Engine
from mt_remote_plugins.manager.engine.frames import read_frame, write_frame
from mt_remote_plugins.manager.engine.messages import Notice, Task, Tuning
from mt_remote_plugins.manager.loop_queue import LoopQueue

NoticeQueue = LoopQueue[Notice]
"""Leads an engine's notices to the event loop. A worker's reader says ``("exit", message)`` when its worker ended."""


class RunningEngine(ABC):
    """One engine."""

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Sends a task; never blocks."""

    @abstractmethod
    def kill(self) -> None:
        """Ends the engine at once, whatever it does; never blocks. No notice comes any more."""

    @abstractmethod
    def close(self) -> None:
        """Ends the engine in good order. Blocks for as long as that takes: call it on a thread."""


class LocalEngine(RunningEngine):
    """An engine in this process: quick, and gone with the process when the library crashes."""

    def __init__(self, source: str | Library, tuning: Tuning, notices: NoticeQueue) -> None:
        self._notices = notices
        self.engine = Engine(source, self._notices.put, tuning)

    def submit(self, task: Task) -> None:
        self.engine.submit(task)

    def kill(self) -> None:
        """A thread that hangs in the library can't be ended: it is left behind."""
        self._notices.close()
        threading.Thread(target=self.engine.close, args=(0.0,), daemon=True).start()

    def close(self) -> None:
        self._notices.close()
        self.engine.close()


class WorkerEngine(RunningEngine):
    """An engine in a worker process, which can be killed."""

    def __init__(self, source: str | Library, tuning: Tuning, notices: NoticeQueue) -> None:
        if not isinstance(source, str):
            raise ConfigurationError("a library object can't go to a worker process: name it by module:name")
        self._notices = notices
        self._tasks: queue.SimpleQueue[object] = queue.SimpleQueue()
        command = [sys.executable, "-m", "mt_remote_plugins.manager.worker"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=worker_environment(), bufsize=-1
        )
        self._threads = [
            threading.Thread(target=self._write, name="mt4-tasks", daemon=True),
            threading.Thread(target=self._read, name="mt4-notices", daemon=True),
        ]
        self._tasks.put((source, tuning))
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task) -> None:
        self._tasks.put(tuple(task))

    def kill(self) -> None:
        self._notices.close()
        self._tasks.put(None)
        self.process.kill()

    def close(self) -> None:
        self._notices.close()
        self._tasks.put(None)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for thread in self._threads:
            thread.join(5)

    def _write(self) -> None:
        stream = cast(BinaryIO, self.process.stdin)
        try:
            while (message := self._tasks.get()) is not None:
                write_frame(stream, message)
            stream.close()
        except OSError:  # the worker ended; the reading thread tells
            pass

    def _read(self) -> None:
        stream = cast(BinaryIO, self.process.stdout)
        try:
            while True:
                for notice in read_frame(stream):
                    self._notices.put(notice)
        except (EOFError, OSError):
            pass
        stream.close()
        self._notices.put(("exit", ending(self.process.wait())))


def worker_environment() -> dict[str, str]:
    """The worker imports what this process imports."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def ending(code: int) -> str:
    """How a process ended, for people."""
    if code < 0:
        return f"was ended by signal {-code}"
    return f"ended with exit code {code:#x}" if code > 255 else f"ended with exit code {code}"
