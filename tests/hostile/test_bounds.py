"""Connections that take room: too many of one address, TLS that never comes, sessions that never log in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
from anyio.abc import SocketStream
from anyio.streams.tls import TLSStream

from mt_remote.shell.server import Running
from tests.core.conftest import Peer, Start, peer, raw, rest, until

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def plain(gateway: Running) -> AsyncIterator[SocketStream]:
    with anyio.fail_after(20):
        async with await anyio.connect_tcp(gateway.host, gateway.port) as stream:
            yield stream


async def ended(stream: SocketStream) -> bool:
    """Waits for the peer's end of the connection."""
    return await rest(Peer(stream)) == b""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Path) -> dict[str, Path]:
    issued = authority.issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    return {"tls_cert": tmp_path / "cert.pem", "tls_key": tmp_path / "key.pem"}


async def test_an_address_has_so_many_sessions(start: Start, logged: list[dict[str, Any]]) -> None:
    async with start(max_sessions_per_address=2) as gateway, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(peer(gateway))
        async with raw(gateway) as third:
            await third.handshake()
            assert third.rejected is not None
            assert third.rejected[0] == 429
            assert b"too_many_sessions" in third.body
        await until(lambda: len(gateway.gateway.sessions) == 2)
        for _ in range(8):
            await stack.enter_async_context(plain(gateway))
        await until(lambda: len(gateway.gateway.sessions) == 10)
        async with plain(gateway) as stream:
            assert await ended(stream), "beyond the margin nobody is answered"
        events = [line["event"] for line in logged]
        assert events.count("handshake refused") == 1
        assert events.count("connection closed: too many of its address") == 1
    assert gateway.gateway.admission._entries == 0


async def test_all_together_are_so_many(start: Start) -> None:
    async with start(max_sessions=1) as gateway, AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(plain(gateway)) for _ in range(12)]
        async with anyio.create_task_group() as group:
            closed: list[bool] = []

            async def wait(stream: SocketStream) -> None:
                closed.append(await ended(stream))
                if len(closed) == 3:
                    group.cancel_scope.cancel()

            for each in streams:
                group.start_soon(wait, each)
        assert len(closed) == 3


async def test_tls_handshakes_count_and_have_a_deadline(
    start: Start, tls: dict[str, Path], authority: trustme.CA, logged: list[dict[str, Any]]
) -> None:
    import ssl

    async with start(max_sessions_per_address=1, handshake_timeout=0.3, **tls) as gateway, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(plain(gateway)) for _ in range(9)]
        await until(lambda: len(gateway.gateway.admission.arriving) == 9)
        async with plain(gateway) as stream:
            assert await ended(stream), "they count before they are sessions"
        for each in silent:
            assert await ended(each)
        await until(lambda: not gateway.gateway.admission.arriving)
        assert "connection closed: no TLS or PROXY header in time" in [line["event"] for line in logged]
        context = ssl.create_default_context()
        authority.configure_trust(context)
        async with plain(gateway) as stream:
            secure = await TLSStream.wrap(stream, hostname="localhost", ssl_context=context, standard_compatible=False)
            client = Peer(secure)  # type: ignore[arg-type]
            await client.handshake()
            assert client.accepted
    assert gateway.gateway.admission._entries == 0


async def test_nonsense_in_place_of_tls(start: Start, tls: dict[str, Path], logged: list[dict[str, Any]]) -> None:
    async with start(**tls) as gateway:
        async with plain(gateway) as stream:
            await stream.send(b"GET / HTTP/1.1\r\n\r\n")
            await rest(Peer(stream))
        await until(lambda: gateway.gateway.admission._entries == 0)
        assert [line["event"] for line in logged if line["log_level"] == "warning"] == ["connection closed: TLS"]


async def test_who_never_logs_in_ends(start: Start) -> None:
    async with start(login_deadline=0.3) as gateway, peer(gateway) as idle, peer(gateway) as honest:
        await honest.connect()
        await honest.ask("disconnect")
        assert await idle.until_closed() == (1008, "no login within 0.3 s")
        assert (await honest.ask("subscribe", event="connection"))["status"] == "OK", "it was in once"


async def test_attempts_do_not_put_the_deadline_off(start: Start) -> None:
    settings = {"login_deadline": 0.3, "deadlines": {"session": 0.3}}
    async with start(**settings) as gateway, peer(gateway) as client:
        for number in range(100):
            await client.send(
                {"id": number, "name": "connect", "data": {"server": "slow", "login": 1, "password": "x"}}
            )
        assert (await client.until_closed())[0] == 1008


async def test_a_gateway_stops_with_connections_that_are_no_sessions(start: Start, tls: dict[str, Path]) -> None:
    with anyio.fail_after(20):
        async with start(**tls) as gateway:
            silent = await anyio.connect_tcp(gateway.host, gateway.port)
            await until(lambda: gateway.gateway.admission.arriving)
        async with silent:
            assert await ended(silent)
