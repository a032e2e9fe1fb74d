"""From any thread to the event loop, for asyncio and trio alike."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import sniffio

T = TypeVar("T")


def loop_caller() -> Callable[[Callable[[], None]], None]:
    """How any thread calls into the running event loop without waiting. What is called runs inside a task, so that it
    may start others."""
    if sniffio.current_async_library() == "trio":
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon
    import asyncio

    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def run(callback: Callable[[], None]) -> None:
        callback()

    def start(callback: Callable[[], None]) -> None:
        task = loop.create_task(run(callback))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def soon(callback: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(start, callback)

    return soon


class LoopQueue(Generic[T]):
    """Hands items to a function on the loop, in order. Many items make one wake-up."""

    def __init__(self, take: Callable[[T], None]) -> None:
        self._take = take
        self._soon = loop_caller()
        self._items: deque[T] = deque()
        self._lock = threading.Lock()
        self._scheduled = False
        self._closed = False

    def put(self, item: T) -> None:
        """From any thread."""
        with self._lock:
            if self._closed:
                return
            self._items.append(item)
            if self._scheduled:
                return
            self._scheduled = True
        try:
            self._soon(self._drain)
        except RuntimeError:  # the loop ended; nobody is left to hear
            self.close()

    def close(self) -> None:
        """Nothing is handed over any more."""
        with self._lock:
            self._closed = True
            self._items.clear()

    def _drain(self) -> None:
        with self._lock:
            items, self._items = self._items, deque()
            self._scheduled = False
        for item in items:
            if not self._closed:
                self._take(item)
