"""The engine: one session's handles, each on its thread, made when first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mt4abi.library import Library, open_library
from mt_remote_plugins.manager.engine.handle import Ledger
from mt_remote_plugins.manager.engine.handle_threads import THREADS, HandleThread
from mt_remote_plugins.manager.engine.messages import Mode, Notice, Task, Tuning


class Engine:
    """Takes tasks from any thread; gives notices on its handles' threads."""

    def __init__(self, source: str | Library, emit: Callable[[Notice], None], tuning: Tuning) -> None:
        self._source = source
        self._emit = emit
        self._tuning = tuning
        self._library: Library | None = None
        self._lock = threading.Lock()
        self._threads: dict[Mode, HandleThread] = {}
        self._closed = False
        self.ledger = Ledger()

    def _load(self) -> Library:
        with self._lock:
            if self._library is None:
                self._library = open_library(self._source) if isinstance(self._source, str) else self._source
            return self._library

    def submit(self, task: Task) -> None:
        """Hands a task to its handle's thread."""
        with self._lock:
            if self._closed:
                return
            thread = self._threads.get(task.mode)
            if thread is None:
                thread = THREADS[task.mode](self._load, self._emit, self._tuning, self.ledger)
                self._threads[task.mode] = thread
        thread.submit(task)

    def close(self, timeout: float = 5.0) -> bool:
        """Ends every thread; whether all ended in time."""
        with self._lock:
            self._closed = True
            threads = list(self._threads.values())
        for thread in threads:
            thread.submit(None)
        ended = [thread.join(timeout) for thread in threads]
        return all(ended)
