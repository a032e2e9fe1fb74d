"""The signals that stop a gateway: SIGTERM and SIGINT; on Windows Ctrl-C, Ctrl-Break, a service manager."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import anyio

from mt_remote.shell.on_asyncio import is_running

Wait = Callable[[], Awaitable[signal.Signals]]

_STOPPING = [signal.Signals[name] for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)]


@contextmanager
def stop_signals() -> Iterator[Wait]:
    """While the context is open the signals end nothing by themselves: what it gives waits for the next one."""
    if sys.platform == "win32" and is_running():
        with _plain_handlers() as wait:
            yield wait
        return
    with anyio.open_signal_receiver(*_STOPPING) as signals:
        yield signals.__anext__


@contextmanager
def _plain_handlers() -> Iterator[Wait]:
    """asyncio has no signal handlers on Windows; the interpreter's own wake its loop up."""
    loop, came = asyncio.get_running_loop(), anyio.Event()
    received: list[signal.Signals] = []

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(signal.Signals(number))
        loop.call_soon_threadsafe(lambda: came.set())

    async def wait() -> signal.Signals:
        nonlocal came
        await came.wait()
        first = received.pop(0)
        if not received:
            came = anyio.Event()
        return first

    before = {number: signal.signal(number, handle) for number in _STOPPING}
    try:
        yield wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
