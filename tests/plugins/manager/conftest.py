"""Fixtures of the backend's tests: a tiny library, connections on it, and a listener to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import pytest

from mt_remote.backend import Connection, Event
from mt_remote.errors import RequestError
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from tests.plugins.manager.tiny import TinyLibrary, TinyServer

Opening = Callable[..., AbstractAsyncContextManager[Connection]]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Heard:
    """A listener that keeps what it hears and lets a test wait for it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lost: list[RequestError] = []
        self._changed = anyio.Event()

    def on_event(self, event: Event) -> None:
        self.events.append(event)
        self._wake()

    def on_lost(self, error: RequestError) -> None:
        self.lost.append(error)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits until a condition holds, looking again at everything heard."""
        with anyio.fail_after(10):
            while not condition():
                await self._changed.wait()

    def data(self, kind: str) -> list[Any]:
        """The data of the events of one kind."""
        return [event.data for event in self.events if event.kind == kind]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def server() -> TinyServer:
    return TinyServer()


@pytest.fixture
def opening(server: TinyServer, heard: Heard) -> Opening:
    """Opens connections on the tiny library in this process."""

    @asynccontextmanager
    async def opened(password: str = "manager", **settings: Any) -> AsyncIterator[Connection]:
        chosen = ManagerSettings(isolate=False, **({"retry_first": 0.01, "retry_most": 0.02} | settings))
        backend = ManagerBackend(chosen, library=TinyLibrary(server))
        connection = await backend.open("tiny:443", 1, password, heard)
        try:
            yield connection
        finally:
            await connection.aclose()

    return opened
