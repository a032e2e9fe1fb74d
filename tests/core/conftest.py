"""Fixtures of the core's tests: a gateway on the memory backend, on asyncio and on trio, over a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, RejectConnection, RejectData, Request, TextMessage

import mt_remote_plugins
from mt_remote.area import Area
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import Catalogue, catalogue, plugin_manager
from mt_remote.settings import Settings
from mt_remote.shell.server import Running, running
from tests.core.memory import MemoryServer

Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def memory(anyio_backend: str) -> MemoryServer:
    return MemoryServer()


@cache
def shipped() -> tuple[Hooks, Catalogue]:
    """The shipped plugin, registered once for all tests that bring none of their own."""
    hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins], entry_points=False))
    return hooks, catalogue(hooks, "memory", "cp1252")


@pytest.fixture
def start(memory: MemoryServer, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts a gateway: ``async with start(setting=…, plugins=[…]) as running``."""

    def catalogue_of(hooks: Hooks, backend: str, code_page: str, *, areas: Iterable[type[Area]]) -> Catalogue:
        known, contents = shipped()
        return contents if hooks is known else catalogue(hooks, backend, code_page, areas=areas)

    monkeypatch.setattr("mt_remote.shell.server.catalogue", catalogue_of)

    @asynccontextmanager
    async def start(*, plugins: tuple[object, ...] = (), **settings: Any) -> AsyncIterator[Running]:
        hooks = shipped()[0]
        if plugins:
            hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, *plugins], entry_points=False))
        ended = False
        settings = {"port": 0, "reconnect_delay_min": 0.001, **settings}
        async with running(Settings(**settings), hooks, memory) as gateway:
            yield gateway
            ended = True
        assert ended, "the gateway ended on its own, and the test with it"

    return start


class Peer:
    """A client that works on any loop: wsproto's client side over an anyio stream."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self.ws = WSConnection(ConnectionType.CLIENT)
        self.messages: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.rejected: tuple[int, dict[str, str]] | None = None
        self.body = b""
        self.pings = 0
        self.next_id = 0
        self._text = ""

    async def handshake(self, **headers: str) -> None:
        extra = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await self.stream.send(self.ws.send(Request(host="localhost", target="/", extra_headers=extra)))
        self.accepted = False
        while not self.accepted and self.rejected is None:
            await self.read()
        while self.rejected is not None and self.closed is None:
            await self.read()

    async def read(self) -> None:
        try:
            data = await self.stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            self.closed = self.closed or (1006, "")
            return
        self.ws.receive_data(data)
        for event in self.ws.events():
            match event:
                case AcceptConnection():
                    self.accepted = True
                case RejectConnection():
                    headers = {name.decode(): value.decode() for name, value in event.headers}
                    self.rejected = (event.status_code, headers)
                case RejectData():
                    self.body += bytes(event.data)
                    if event.body_finished:
                        self.closed = (1006, "")
                case TextMessage():
                    self._text += event.data
                    if event.message_finished:
                        self.messages.append(json.loads(self._text))
                        self._text = ""
                case Ping():
                    self.pings += 1
                    await self.stream.send(self.ws.send(event.response()))
                case CloseConnection():
                    self.closed = (event.code, event.reason or "")
                    if self.ws.state.name == "REMOTE_CLOSING":
                        await self.stream.send(self.ws.send(event.response()))

    async def send(self, message: object) -> None:
        await self.stream.send(
            self.ws.send(TextMessage(data=message if isinstance(message, str) else json.dumps(message)))
        )

    async def message(self) -> dict[str, Any]:
        """The next message, whatever it is."""
        while not self.messages:
            assert self.closed is None, self.closed
            await self.read()
        return self.messages.pop(0)

    async def ask(self, name: str, /, **data: Any) -> dict[str, Any]:
        """Calls a function; gives its answer. Events that come before it stay in ``messages``."""
        self.next_id += 1
        await self.send({"id": self.next_id, "name": name, **({"data": data} if data else {})})
        return await self.answer(self.next_id)

    async def answer(self, id_: object) -> dict[str, Any]:
        while True:
            for message in self.messages:
                if "event" not in message and message["id"] == id_:
                    self.messages.remove(message)
                    return message
            assert self.closed is None, self.closed
            await self.read()

    async def until_closed(self) -> tuple[int, str]:
        while self.closed is None:
            await self.read()
        return self.closed

    async def connect(self, **data: Any) -> None:
        answer = await self.ask(
            "connect", **{"server": "Memory", "login": 1, "password": "manager", "reconnect_delay": 0, **data}
        )
        assert answer == {"id": self.next_id, "status": "OK"}


async def until(condition: Callable[[], object]) -> None:
    """Waits for a condition that other tasks bring about."""
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110  nobody would set an event
            await anyio.sleep(0.002)


async def rest(client: Peer) -> bytes:
    """All bytes up to the end of the connection, unread by any protocol."""
    received = b""
    try:
        while True:
            received += await client.stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return received


@asynccontextmanager
async def raw(gateway: Running) -> AsyncIterator[Peer]:
    """A peer that did no handshake yet."""
    with anyio.fail_after(20):
        stream = await anyio.connect_tcp(gateway.host, gateway.port)
        async with stream:
            yield Peer(stream)


@asynccontextmanager
async def peer(gateway: Running, **headers: str) -> AsyncIterator[Peer]:
    """A peer with an open WebSocket."""
    async with raw(gateway) as client:
        await client.handshake(**headers)
        yield client
