"""The handshake by headers: dialects, and every refusal as HTTP before the upgrade."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.core.conftest import Peer, Start, peer, raw, until
from tests.core.frames import frame, upgrade
from tests.core.memory import MemoryServer

pytestmark = pytest.mark.anyio

GOOD = {"MT_SERVER": "Memory", "MT_LOGIN": "1", "MT_PASSWORD": "manager"}


@pytest.mark.parametrize(
    ("headers", "dialect"),
    [
        ({}, "0"),
        (GOOD, "1.00"),
        (GOOD | {"VERSION": "1.00"}, "1.00"),
        (GOOD | {"VERSION": "2"}, "2"),
        ({"VERSION": "2"}, "2"),
    ],
)
async def test_headers_choose_the_dialect(
    start: Start, memory: MemoryServer, headers: dict[str, str], dialect: str
) -> None:
    async with start() as gateway, peer(gateway, **headers) as client:
        (session,) = gateway.gateway.sessions
        assert session.dialect == dialect
        connected = "MT_LOGIN" in headers
        assert len(memory.connections) == connected
        assert (session.login, session.server) == ((1, "Memory") if connected else (0, ""))
        answer = await client.ask("config.group.get", group="none")
        assert ("code" in answer) == (dialect == "2")
        if connected:
            again = await client.ask("connect", server="Memory", login=1, password="manager")
            assert "Already connected" in again["message"]


async def refused(client: Peer, **headers: str) -> tuple[int, str, str]:
    await client.handshake(**headers)
    assert client.rejected is not None
    body = json.loads(client.body)
    assert set(body) == {"status", "code", "message"}
    assert body["status"] == "ERROR"
    return client.rejected[0], body["code"], body["message"]


REFUSALS: list[tuple[dict[str, str], int, str]] = [
    ({"MT_SERVER": "Memory"}, 400, "missing_header"),
    ({"MT_LOGIN": "1", "MT_PASSWORD": "manager"}, 400, "missing_header"),
    ({"VERSION": "1.00"}, 400, "missing_header"),
    (GOOD | {"MT_LOGIN": "one"}, 400, "malformed_header"),
    (GOOD | {"MT_LOGIN": "0"}, 400, "malformed_header"),
    (GOOD | {"MT_LOGIN": "4294967297"}, 400, "malformed_header"),
    (GOOD | {"MT_LOGIN": "9" * 5000}, 400, "malformed_header"),
    (GOOD | {"MT_PASSWORD": "guess"}, 401, "bad_account_info"),
    (GOOD | {"MT_LOGIN": "64"}, 401, "account_disabled"),
    (GOOD | {"MT_LOGIN": "7"}, 403, "not_enough_rights"),
    (GOOD | {"MT_SERVER": "Elsewhere"}, 403, "server_not_allowed"),
    (GOOD | {"VERSION": "3"}, 426, "unknown_version"),
    (GOOD | {"MT_SERVER": "broken"}, 502, "internal_error"),
    (GOOD | {"MT_SERVER": "slow"}, 504, "timeout"),
    (GOOD | {"MT_SERVER": "late"}, 504, "timeout"),
]


@pytest.mark.parametrize(("headers", "status", "code"), REFUSALS)
async def test_refusals(start: Start, memory: MemoryServer, headers: dict[str, str], status: int, code: str) -> None:
    settings = {"servers": ["Memory", "slow", "late", "broken"], "deadlines": {"session": 0.1}}
    async with start(**settings) as gateway, raw(gateway) as client:
        assert (await refused(client, **headers))[:2] == (status, code)
        assert client.rejected is not None
        if status == 426:
            assert client.rejected[1]["version"] == "1.00, 2"
        await until(lambda: not gateway.gateway.sessions)
        assert memory.connections == []


def test_the_page_names_the_codes_of_refusals() -> None:
    """Those of this file, and those of the WebSocket's layer, a full gateway, and tests/hostile."""
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    chapter = page.partition("## 2. The handshake")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([\d, ]+) \| (.*?) \|", chapter, re.MULTILINE)
    named = {(int(status), code) for statuses, codes in rows for status in statuses.split(", ")
             for code in re.findall("`(.*?)`", codes)}  # fmt: skip
    others = {
        (400, "bad_handshake"), (426, "bad_handshake"), (431, "bad_handshake"), (408, "handshake_timeout"),
        (429, "too_many_logins"), (502, "no_connection"), (502, "network_problem"), (503, "gateway_full"),
        (503, "shutting_down"), (400, "bad_forwarding"), (403, "origin_not_allowed"), (429, "too_many_sessions"),
        (503, "busy"),
    }  # fmt: skip
    assert named == {(status, code) for _, status, code in REFUSALS} | others


async def test_a_server_that_is_down_is_a_bad_gateway(start: Start, memory: MemoryServer) -> None:
    memory.down = True
    async with start() as gateway, raw(gateway) as client:
        assert (await refused(client, **GOOD))[:2] == (502, "no_connection")


async def test_a_full_gateway_and_one_that_stops_refuse(start: Start) -> None:
    async with start(max_sessions=1) as gateway, peer(gateway) as first:
        async with raw(gateway) as client:
            assert (await refused(client))[:2] == (503, "gateway_full")
        await until(lambda: len(gateway.gateway.sessions) == 1)
        await first.stream.aclose()
        await until(lambda: not gateway.gateway.sessions)
        gateway.gateway.stopping = True
        async with raw(gateway) as client:
            assert (await refused(client))[:2] == (503, "shutting_down")


async def test_passwords_cannot_be_tried_at_speed(start: Start) -> None:
    async with start(login_failures=2) as gateway:
        for _ in range(2):
            async with raw(gateway) as client:
                assert (await refused(client, **GOOD | {"MT_PASSWORD": "guess"}))[0] == 401
        async with raw(gateway) as client:
            status, code, message = await refused(client, **GOOD)
        assert (status, code) == (429, "too_many_logins")
        assert "127.0.0.1" in message
        async with peer(gateway) as client:
            answer = await client.ask("connect", server="Memory", login=1, password="manager")
            assert "Too many failed logins from 127.0.0.1" in answer["message"]


async def test_calls_behind_a_handshake_by_headers_wait_for_it(start: Start) -> None:
    async with start() as gateway, raw(gateway) as client:
        await client.stream.send(upgrade(**GOOD) + frame(b'{"id":1,"name":"config.group.get","data":{"group":"demo"}}'))
        received = b""
        while b'"id":1,"status":"OK"' not in received:
            received += await client.stream.receive()
        assert received.startswith(b"HTTP/1.1 101")


async def test_a_client_that_does_not_wait_for_the_answer_leaves_nothing(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway:
        async with raw(gateway) as client:
            await client.stream.send(upgrade(**GOOD | {"MT_SERVER": "slow"}))
            await until(lambda: gateway.gateway.sessions)
        async with raw(gateway) as client:
            await client.stream.send(upgrade(**GOOD))
        async with peer(gateway, **GOOD):
            pass
        await until(lambda: not memory.connections)
