"""Time that passes, as an object: whoever has to wait or to measure is given one, so that a test can move it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

import anyio


class Clock(ABC):
    """Tells how much time has passed, and waits. It never goes back; what its zero is means nothing."""

    @abstractmethod
    def now(self) -> float:
        """Seconds."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Waits for so many seconds."""


class SystemClock(Clock):
    """The machine's own monotonic clock."""

    now = staticmethod(time.monotonic)  # itself, not a method round it: it is asked at each call

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


__all__ = ["Clock", "SystemClock"]
