"""What a session held is freed when it ends, without the garbage collector; and before the log-in it is little."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from anyio.lowlevel import checkpoint

from mt_remote.plugin import Namespace, Refused, hookimpl
from mt_remote.session.session import WebSocketSession
from mt_remote.shell.server import Running
from mt_remote.wire.websocket import WebSocket
from tests.core.conftest import Peer, Start, peer, until
from tests.core.frames import CONTINUATION, frame, upgrade
from tests.core.memory import MemoryServer
from tests.core.test_session import opened, said

pytestmark = pytest.mark.anyio


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class House:
    """A plugin whose functions end in every way."""

    __name__ = "house"

    def __init__(self) -> None:
        self.house = Namespace("house")
        for function in (self.refused, self.broken, self.later, self.many):
            self.house.function(function.__name__)(function)

    def refused(self) -> None:
        raise Refused("no")

    def broken(self) -> None:
        raise ZeroDivisionError

    async def later(self) -> None:
        await checkpoint()
        raise Refused("no, after a while")

    async def many(self) -> list[int]:
        return list(range(50_000))

    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        return [self.house]


def only_session(gateway: Running) -> weakref.ref[WebSocketSession]:
    (session,) = gateway.gateway.sessions
    return weakref.ref(session)


async def ended(gateway: Running, client: Peer, session: weakref.ref[WebSocketSession]) -> None:
    await client.stream.aclose()
    await until(lambda: not gateway.gateway.sessions)
    await until(lambda: session() is None)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("headers", [{}, {"VERSION": "2"}])
async def test_a_session_goes_with_its_connection(start: Start, memory: MemoryServer, headers: dict[str, str]) -> None:
    async with start(plugins=(House(),)) as gateway, peer(gateway, **headers) as client:
        session = only_session(gateway)
        await client.ask("users.gett")
        await client.ask("connect", server="Memory", login=1, password="wrong")
        await client.connect(reconnect_delay=1)
        await client.ask("subscribe", event="group")
        for name in ("house.refused", "house.broken", "house.later", "house.many"):
            await client.ask(name)
        await client.ask("users.get", logins="x")
        memory.lose()
        await until(lambda: memory.connections)
        await ended(gateway, client, session)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(
    "last", ["part of a frame", "part of a message", "a call under way", "a flood", "no handshake"]
)
async def test_whatever_it_was_at(start: Start, last: str, anyio_backend: str) -> None:
    if anyio_backend == "trio" and last in ("a call under way", "a flood"):
        pytest.skip("a cancelled task of trio's keeps the frames in which it was cancelled until the collector comes")
    async with start(plugins=(House(),)) as gateway, peer(gateway) as client:
        session = only_session(gateway)
        await client.connect()
        if last == "part of a frame":
            await client.stream.send(frame(b"x", declared=4_000_000) + bytes(1_000_000))
            await until(lambda: session().websocket.kept > 900_000)  # type: ignore[union-attr]
        elif last == "part of a message":
            await client.stream.send(frame(b"x" * 100_000, fin=False) + frame(b"x" * 100_000, CONTINUATION, fin=False))
        elif last == "a call under way":
            await client.send({"id": 1, "name": "trades.get"})  # it never answers
            await until(lambda: gateway.gateway.counters()["calls_in_flight"])
        elif last == "a flood":
            await client.stream.send(frame(b'{"id":1,"name":"house.many"}') * 500)
        await ended(gateway, client, session)


# Before the log-in


BIG = b'{"id":1,"name":"users.get","data":{"logins":[%s1]}}' % (b"1," * 20_000)


@pytest.mark.parametrize("whole", [True, False])
async def test_before_the_log_in_messages_are_short(start: Start, whole: bool) -> None:
    async with start() as gateway, peer(gateway) as client:
        await client.stream.send(frame(BIG) if whole else frame(b"x", declared=4 * 1024 * 1024 - 1))
        code, reason = await client.until_closed()
        assert (code, "at most 16384 bytes" in reason) == (1009, True)


async def test_fragments_count_together(start: Start) -> None:
    async with start() as gateway, peer(gateway) as client:
        await client.stream.send(frame(b"x" * 9000, fin=False) + frame(b"x" * 9000, CONTINUATION))
        assert (await client.until_closed())[0] == 1009


async def test_after_it_they_may_be_long_also_in_the_same_write(start: Start) -> None:
    login = b'{"id":0,"name":"connect","data":{"server":"Memory","login":1,"password":"%s","reconnect_delay":0}}'
    async with start() as gateway:
        async with peer(gateway) as client:
            await client.stream.send(frame(login % b"manager") + frame(BIG))
            assert (await client.message())["status"] == "OK"
            assert (await client.message())["id"] == 1
        async with peer(gateway) as client:
            await client.stream.send(frame(login % b"wrong") + frame(BIG))
            assert (await client.message())["status"] == "ERROR"
            assert (await client.until_closed())[0] == 1009


async def test_a_log_in_that_takes_a_while_decides(start: Start, memory: MemoryServer) -> None:
    slow = b'{"id":0,"name":"connect","data":{"server":"slow","login":1,"password":"manager","reconnect_delay":0}}'
    async with start(deadlines={"session": 0.05}) as gateway, peer(gateway) as client:
        await client.stream.send(frame(slow) + frame(BIG))
        assert (await client.message())["status"] == "ERROR"
        assert (await client.until_closed())[0] == 1009


def test_what_is_kept_before_it_is_small() -> None:
    session = opened(max_message=4 * 1024 * 1024)
    session.data_received(frame(b"x" * 15_000, fin=False))
    session.data_received(frame(b"x" * 15_000)[:10_000])
    session.data_received(bytes(300_000))
    assert said(session)[1] is not None
    assert session.websocket.kept < 70_000


def test_empty_fragments_keep_nothing() -> None:
    websocket = WebSocket(1000)
    websocket.receive(upgrade())
    websocket.accept()
    websocket.receive(frame(b"", fin=False))
    for _ in range(1000):
        assert websocket.receive(frame(b"", CONTINUATION, fin=False)) == []
    assert not websocket._parts
    assert websocket.receive(frame(b"x", CONTINUATION)) == [b"x"]
