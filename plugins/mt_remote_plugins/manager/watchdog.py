"""A thread that tells when a call in the library takes longer than any call may."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Watchdog:
    """Deadlines of all connections, on one thread that runs while there are any."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._running = False

    def watch(self, seconds: float, expired: Callable[[], None]) -> int:
        """Calls ``expired`` on the watchdog's thread after ``seconds`` unless :meth:`forget` came first."""
        with self._changed:
            number = next(self._numbers)
            heapq.heappush(self._heap, (time.monotonic() + seconds, number, expired))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="mt4-watchdog", daemon=True).start()
            elif self._heap[0][1] == number:
                self._changed.notify()
            return number

    def forget(self, number: int) -> None:
        """The call came back in time."""
        with self._changed:
            self._cancelled.add(number)
            if len(self._cancelled) > 64 and len(self._cancelled) * 2 > len(self._heap):
                self._heap = [entry for entry in self._heap if entry[1] not in self._cancelled]
                heapq.heapify(self._heap)
                self._cancelled.clear()

    def _run(self) -> None:
        while (expired := self._next()) is not None:
            expired()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while True:
                while self._heap and self._heap[0][1] in self._cancelled:
                    self._cancelled.discard(heapq.heappop(self._heap)[1])
                if not self._heap:
                    self._running = False
                    return None
                left = self._heap[0][0] - time.monotonic()
                if left <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(left)


WATCHDOG = Watchdog()
"""The process's watchdog."""
