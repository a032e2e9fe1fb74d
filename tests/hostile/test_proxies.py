"""Behind proxies: whose connection it is, who may say so, and what a liar gains."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from anyio.streams.tls import TLSStream

from mt_remote.shell.server import Running
from tests.core.conftest import Peer, Start, peer, raw, rest
from tests.hostile.test_bounds import authority, plain, tls

pytestmark = pytest.mark.anyio
__all__ = ["authority", "tls"]

PROXY = {"trusted_proxies": ["127.0.0.0/8"]}
GUESS = {"server": "Memory", "login": 1, "password": "guess"}
GOOD = {**GUESS, "password": "manager"}


def first_version(source: str, port: int = 4711) -> bytes:
    return f"PROXY TCP4 {source} 127.0.0.1 {port} 8228\r\n".encode()


def second_version(source: str, port: int = 4711) -> bytes:
    addresses = ipaddress.ip_address(source).packed + bytes((127, 0, 0, 1))
    ports = port.to_bytes(2, "big") + (8228).to_bytes(2, "big")
    more = b"\x04\x00\x03pad"
    length = len(addresses + ports + more).to_bytes(2, "big")
    return b"\r\n\r\n\x00\r\nQUIT\n\x21\x11" + length + addresses + ports + more


def peers(gateway: Running) -> list[str]:
    return [session.peer for session in gateway.gateway.sessions]


async def code(client: Peer, data: dict[str, Any]) -> str:
    answer = await client.ask("connect", **data)
    return str(answer.get("code", "OK"))


@pytest.mark.parametrize("header", ["X_FORWARDED_FOR", "FORWARDED"])
async def test_clients_behind_a_proxy_answer_for_themselves(start: Start, header: str) -> None:
    def named(address: str) -> dict[str, str]:
        return {header: address if header == "X_FORWARDED_FOR" else f"for={address}", "VERSION": "2"}

    async with start(login_failures=2, login_failures_per_login=50, **PROXY) as gateway:
        for _ in range(2):
            async with peer(gateway, **named("192.0.2.66")) as liar:
                assert await code(liar, GUESS) == "bad_account_info"
        async with peer(gateway, **named("192.0.2.66")) as liar:
            assert await code(liar, GOOD) == "too_many_logins"
        forged = {header: f"{named('192.0.2.7')[header]}, {named('192.0.2.66')[header]}", "VERSION": "2"}
        async with peer(gateway, **forged) as liar:
            assert await code(liar, GOOD) == "too_many_logins", "the right-most address counts"
        async with peer(gateway, **named("192.0.2.7")) as honest:
            assert peers(gateway) == ["192.0.2.7:0"]
            assert await code(honest, GOOD) == "OK"


async def test_nobody_else_is_believed(start: Start) -> None:
    async with start(trusted_proxies=["10.0.0.0/8"]) as gateway, peer(gateway, X_FORWARDED_FOR="192.0.2.7"):
        assert peers(gateway)[0].startswith("127.0.0.1:")


async def test_two_headers_that_disagree_are_refused(start: Start) -> None:
    async with start(**PROXY) as gateway, raw(gateway) as client:
        await client.handshake(X_FORWARDED_FOR="192.0.2.66", FORWARDED="for=192.0.2.7")
        assert client.rejected is not None
        assert client.rejected[0] == 400
        assert b"bad_forwarding" in client.body


async def test_sessions_count_by_client(start: Start) -> None:
    async with (
        start(max_sessions_per_address=1, **PROXY) as gateway,
        peer(gateway, X_FORWARDED_FOR="192.0.2.1"),
        peer(gateway, X_FORWARDED_FOR="192.0.2.2"),
        peer(gateway, X_FORWARDED_FOR="2001:db8::1"),
        raw(gateway) as third,
    ):
        await third.handshake(X_FORWARDED_FOR="2001:db8::2")
        assert third.rejected is not None
        assert third.rejected[0] == 429


@pytest.mark.parametrize("version", [first_version, second_version])
async def test_the_proxy_protocol(start: Start, version: Any) -> None:
    async with start(proxy_protocol=True, **PROXY) as gateway, raw(gateway) as client:
        await client.stream.send(version("192.0.2.7"))
        await client.handshake()
        assert peers(gateway) == ["192.0.2.7:4711"]
        await client.connect()


@pytest.mark.parametrize("version", [first_version, second_version])
async def test_the_proxy_protocol_before_tls(
    start: Start, version: Any, tls: dict[str, Path], authority: trustme.CA
) -> None:
    """Both in one segment, as proxies send it: nothing of what is behind the header may be lost."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with start(proxy_protocol=True, **PROXY, **tls) as gateway, plain(gateway) as stream:
        send = stream.send
        header = [version("192.0.2.7")]

        async def with_header(item: bytes) -> None:
            await send(header.pop() + item if header else item)

        stream.send = with_header  # type: ignore[method-assign]
        secure = await TLSStream.wrap(stream, hostname="localhost", ssl_context=context, standard_compatible=False)
        client = Peer(secure)  # type: ignore[arg-type]
        await client.handshake()
        assert peers(gateway) == ["192.0.2.7:4711"]
        await client.connect()


@pytest.mark.parametrize(
    "wrong",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"PROXY TCP4 x y 1 2\r\n", b"\r\n\r\n\x00\r\nQUIT\n\x31\x11\x00\x00"],
)
async def test_a_proxy_without_a_header_is_not_served(start: Start, wrong: bytes, logged: list[dict[str, Any]]) -> None:
    async with start(proxy_protocol=True, **PROXY) as gateway, plain(gateway) as stream:
        await stream.send(wrong)
        assert await rest(Peer(stream)) == b""
        assert [each["event"] for each in logged if each["log_level"] == "warning"] == [
            "connection closed: PROXY header"
        ]


async def test_a_header_that_never_comes_has_a_deadline(start: Start) -> None:
    async with start(proxy_protocol=True, handshake_timeout=0.3, **PROXY) as gateway, plain(gateway) as stream:
        await stream.send(b"PROXY TCP4 ")
        assert await rest(Peer(stream)) == b""
        assert not gateway.gateway.admission.arriving


async def test_a_stranger_s_header_counts_for_nothing(start: Start) -> None:
    """Who is no proxy speaks HTTP from his first byte on, whatever he writes."""
    async with start(proxy_protocol=True, trusted_proxies=["10.0.0.0/8"]) as gateway:
        async with peer(gateway):
            assert peers(gateway)[0].startswith("127.0.0.1:")
        async with plain(gateway) as stream:
            await stream.send(first_version("192.0.2.7") + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await rest(Peer(stream))).startswith(b"HTTP/1.1 400")


async def test_a_proxy_s_own_checks_are_its_own(start: Start) -> None:
    async with start(proxy_protocol=True, **PROXY) as gateway, raw(gateway) as client:
        await client.stream.send(b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")
        await client.handshake()
        assert peers(gateway)[0].startswith("127.0.0.1:")
