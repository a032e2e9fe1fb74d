"""A thread of the library that calls the program back, one notification after the other."""

from __future__ import annotations

import ctypes
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any

from mt4abi import NotifyFunction, NotifyFunctionEx
from mt_remote.errors import InvalidData

Item = tuple[int, int, bytes]
"""Code, type, and the bytes that the callback may read while it runs."""


class Notifier:
    """Delivers items in order on a thread of its own, as the real library does."""

    def __init__(self, deliver: Callable[[Item], None], *, idle: float | None = None, beat: Item | None = None) -> None:
        self._deliver = deliver
        self._idle = idle
        self._beat = beat
        self._queue: queue.SimpleQueue[Item | threading.Event | None] = queue.SimpleQueue()
        self.closed = False
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

    def finish(self) -> None:
        """Delivers what is queued, and nothing after it."""
        self._queue.put(None)

    def close(self) -> None:
        """Nothing is delivered any more. A callback that runs is waited for, unless it is the one that asks."""
        self.closed = True
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
                if self._beat is not None and not self.closed:
                    self._deliver(self._beat)
                continue
            if item is None:
                self._release_waiting()
                return
            if isinstance(item, threading.Event):
                item.set()
            elif not self.closed:
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


def plain_delivery(function: int | None, window: int | None = None, message: int = 0) -> Callable[[Item], None]:
    """Tells the code alone: calls a callback, and posts ``message`` to a window. Raises
    :class:`~mt_remote.errors.InvalidData` when neither is given, or a window where there are none. Assumed: ``wParam``
    is the code, and ``lParam`` 0."""
    if sys.platform != "win32" and window:
        raise InvalidData.of("destwnd", "there are no windows here")
    if not function and not window:
        raise InvalidData.of("pfnFunc", "a function or a window is needed")
    native: Any = NotifyFunction(function) if function else None
    post: Any = _posting(window, message) if window else None

    def deliver(item: Item) -> None:
        if native is not None:
            native(item[0])
        if post is not None:
            post(item[0])

    return deliver


def _posting(window: int, message: int) -> Callable[[int], object]:
    """Posts a message whose first parameter is a code."""
    post: Any = ctypes.WinDLL("user32").PostMessageW  # type: ignore[attr-defined,unused-ignore]
    post.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_size_t, ctypes.c_ssize_t]
    return lambda code: post(window, message, code, 0)
