"""A thread of the library that calls the program back, one notification after the other."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Callable
from typing import Any

from mt_remote.errors import InvalidData
from mt_remote_plugins.manager.abi import NotifyFunction, NotifyFunctionEx

Item = tuple[int, int, bytes]
"""Code, type, and the bytes that the callback may read while it runs."""


class Notifier:
    """Delivers items in order on a thread of its own, as the real library does."""

    def __init__(self, deliver: Callable[[Item], None], *, idle: float | None = None, beat: Item | None = None) -> None:
        self._deliver = deliver
        self._idle = idle
        self._beat = beat
        self._queue: queue.SimpleQueue[Item | threading.Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="mt4sim-notifier", daemon=True)
        self._thread.start()

    def put(self, code: int, kind: int = 0, data: bytes = b"") -> None:
        """Adds a notification; from any thread."""
        self._queue.put((code, kind, data))

    def flush(self, timeout: float = 10.0) -> bool:
        """Waits until everything that was put was delivered; whether it was."""
        delivered = threading.Event()
        self._queue.put(delivered)
        return delivered.wait(timeout)

    def close(self) -> None:
        """Nothing is delivered after what is queued. Does not wait when the thread itself asks."""
        self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    def _release_waiting(self) -> None:
        """Nothing is delivered any more: who waits for it need not."""
        while not self._queue.empty():
            item = self._queue.get()
            if isinstance(item, threading.Event):
                item.set()

    def _run(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=self._idle)
            except queue.Empty:
                if self._beat is not None:
                    self._deliver(self._beat)
                continue
            if item is None:
                self._release_waiting()
                return
            if isinstance(item, threading.Event):
                item.set()
            else:
                self._deliver(item)


def pumping_delivery(function: int | None, parameter: int | None) -> Callable[[Item], None]:
    """Calls a pumping callback; the data lives as long as the call. Raises :class:`~mt_remote.errors.InvalidData` for
    none."""
    if not function:
        raise InvalidData.of("pfnFunc", "a function is needed")
    native: Any = NotifyFunctionEx(function)

    def deliver(item: Item) -> None:
        code, kind, data = item
        native(code, kind, ctypes.c_char_p(data) if data else None, parameter)

    return deliver


def plain_delivery(function: int | None) -> Callable[[Item], None]:
    """Calls a callback that takes the code only. Raises :class:`~mt_remote.errors.InvalidData` for none: messages to a
    window in its place are not sent."""
    if not function:
        raise InvalidData.of("pfnFunc", "a function is needed")
    native: Any = NotifyFunction(function)
    return lambda item: native(item[0])
