"""Everything wrong that a client can send, over a real socket: its defined answer, and whether the session lives on."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import anyio
import pytest

from mt_remote.shell.server import Running
from tests.core.conftest import Peer, Start, peer, raw, rest, until
from tests.core.frames import BINARY, CONTINUATION, PING, PONG, close, frame, upgrade

pytestmark = pytest.mark.anyio

HEADERS = {"MT_SERVER": "Memory", "MT_LOGIN": "1", "MT_PASSWORD": "manager", "VERSION": "2"}


async def lives(client: Peer) -> None:
    answer = await client.ask("config.group.get", group="demo")
    assert answer["status"] == "OK"


async def nothing_stays(gateway: Running) -> None:
    await until(lambda: not any(count for name, count in gateway.gateway.counters().items() if name != "call_tasks"))


async def test_wrong_messages_are_answered_and_the_session_lives_on(start: Start) -> None:
    cases: list[tuple[str, object, str, list[str]]] = [
        ("no json", None, "invalid_request", []),
        ("", None, "invalid_request", []),
        ("[1, 2]", None, "invalid_request", []),
        ("7", None, "invalid_request", []),
        ('{"name": "disconnect"}', None, "invalid_request", []),
        ('{"id": 5}', 5, "invalid_request", []),
        ('{"id": "a", "name": "config.grop.get"}', "a", "unknown_function", []),
        ('{"id": 6, "name": "config.group.get"}', 6, "invalid_data", ["group"]),
        ('{"id": 6, "name": "config.group.get", "data": {"group": 3, "x": 1}}', 6, "invalid_data", ["group", "x"]),
        ('{"id": 6, "name": "config.group.set", "data": {"group": "demo", "securities": {"Forex": {"lot_min": "1"}}}}',
            6, "invalid_data", ["securities.Forex.lot_min"]),
        ('{"id": 6, "name": "tick.add", "data": {"symbol": "EURUSD", "bid": NaN, "ask": -1}}', 6, "invalid_data",
            ["bid", "ask"]),
        ('{"id": 6, "name": "disconnect", "dta": {}}', 6, "invalid_data", ["dta"]),
        ('{"id": 6, "name": "config.group.get", "data": {"group": ' + "[" * 100 + "]" * 100 + "}}", 6, "invalid_data",
            ["group"]),
        ('{"id": 6, "name": "config.group.get", "data": {"group": ' + "[" * 100_000 + "]" * 100_000 + "}}", None,
            "invalid_request", []),
        ("[" * 100_000, None, "invalid_request", []),
    ]  # fmt: skip
    async with start() as gateway, peer(gateway) as old, peer(gateway, **HEADERS) as new:
        await old.connect()
        for text, id_, code, paths in cases:
            await old.send(text)
            await new.send(text)
            plain, rich = await old.message(), await new.message()
            assert set(plain) == {"id", "status", "message"}
            assert plain == {"id": id_, "status": "ERROR", "message": rich["message"]}
            assert (rich["id"], rich["code"]) == (id_, code)
            assert [detail["path"] for detail in rich.get("details", [])] == paths
            for path in paths:
                assert path in plain["message"]
        near = await old.ask("config.grop.get")
        assert "'config.group.get'" in near["message"]
        await lives(old)
        await lives(new)


async def test_duplicate_and_huge_ids_come_back_as_they_came(start: Start) -> None:
    async with start() as gateway, peer(gateway) as client:
        for id_ in (0, -1, 2**63, 10**300, "", "7", 'é\n"\\', "0a1b-uuid"):
            await client.send({"id": id_, "name": "disconnect"})
            assert (await client.message())["id"] == id_


async def test_fragments_and_pings_between_them(start: Start) -> None:
    request = json.dumps({"id": 1, "name": "config.group.get", "data": {"group": "demö"}}).encode()
    async with start() as gateway, peer(gateway) as client:
        await client.connect()
        pieces = [request[index : index + 7] for index in range(0, len(request), 7)]
        for index, piece in enumerate(pieces):
            opcode, last = (CONTINUATION if index else 1), index == len(pieces) - 1
            await client.stream.send(frame(piece, opcode, fin=last) + (b"" if last else frame(b"%d" % index, PING)))
        answer = await client.answer(1)
        assert answer["message"] == "Cannot find group 'demö'"
        await client.stream.send(frame(b"unasked", PONG))
        await lives(client)


@pytest.mark.parametrize(
    ("bytes_", "code", "words"),
    [
        (frame(b"\x00\x01", BINARY), 1003, "text"),
        (frame(b"\xff\xfe"), 1007, "UTF-8"),
        (frame(b'{"id":1,"name":"\xc3"}'), 1007, "UTF-8"),
        (frame(b"\xff", fin=False), 1007, ""),
        (frame(b"{}", mask=None), 1002, "unmasked"),
        (frame(b"{}", reserved=4), 1002, "Reserved"),
        (frame(b"{}", coding=126), 1002, "Payload length"),
        (frame(b"{}", CONTINUATION), 1002, "CONTINUATION"),
        (frame(b"x" * 126, PING), 1002, "Control frame"),
        (frame(b"", fin=False, declared=20_000_000), 1009, "4194304"),
        (close(1000, b"bye"), 1000, "bye"),
        (close(None), 1005, ""),
    ],
)
async def test_what_ends_a_session(start: Start, bytes_: bytes, code: int, words: str) -> None:
    async with start() as gateway, peer(gateway) as client:
        await client.stream.send(bytes_)
        ended = await client.until_closed()
        assert ended[0] == code
        assert words in ended[1]
        await client.stream.aclose()
        await nothing_stays(gateway)


async def test_a_message_of_20_mb(start: Start) -> None:
    async with start(close_timeout=60) as gateway, peer(gateway) as client:
        await client.connect()
        big = frame(b'{"id":1,"name":"' + b"x" * 20_000_000 + b'"}', mask=bytes(4))
        await client.stream.send(frame(b'{"id":7,"name":"nope"}') + big)
        assert (await client.message())["id"] == 7, "what came before it is answered"
        assert (await client.until_closed())[0] == 1009
        await until(lambda: not gateway.gateway.sessions)


async def test_a_peer_that_does_not_answer_our_close_is_cut_off(start: Start) -> None:
    async with start(close_timeout=0.1) as gateway, raw(gateway) as client:
        await client.stream.send(upgrade() + frame(b"b", BINARY))
        received = await rest(client)
        assert received.endswith(b"only text messages are spoken here")
        await nothing_stays(gateway)


# Handshakes


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello there\r\n\r\n", b"400"),
        (upgrade().replace(b"GET", b"POST"), b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (upgrade(Sec_WebSocket_Version="7"), b"426"),
        (b"x" * 20_000, b"431"),
        (upgrade()[:40], b"408"),
        (b"", b"408"),
    ],
)
async def test_handshakes_that_are_none(start: Start, sent: bytes, status: bytes) -> None:
    async with start(handshake_timeout=0.1) as gateway, raw(gateway) as client:
        if sent:
            await client.stream.send(sent)
        answer = await rest(client)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == "ERROR"
        await nothing_stays(gateway)


async def test_half_a_handshake_and_then_the_rest(start: Start) -> None:
    async with start() as gateway, raw(gateway) as client:
        data = upgrade() + frame(b'{"id":1,"name":"nope"}')
        for index in range(0, len(data), 30):
            await client.stream.send(data[index : index + 30])
            await anyio.lowlevel.checkpoint()
        received = b""
        while b'"id":1' not in received:
            received += await client.stream.receive()
        assert received.startswith(b"HTTP/1.1 101")


async def test_clients_that_leave_before_they_are_accepted(start: Start) -> None:
    async with start() as gateway:
        for _ in range(20):
            with socket.create_connection((gateway.host, gateway.port)) as gone:  # blocks: nobody accepts meanwhile
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        async with peer(gateway) as client:
            await client.connect()
        await nothing_stays(gateway)


# Silence


async def test_a_silent_client_is_pinged_and_then_cut_off(start: Start) -> None:
    async with start(ping_interval=0.1) as gateway, raw(gateway) as client:
        await client.stream.send(upgrade())
        received = await rest(client)
        assert received.partition(b"\r\n\r\n")[2] == b"\x89\x00", "one ping and no second"
        await nothing_stays(gateway)


async def test_a_client_that_answers_pings_stays(start: Start) -> None:
    async with start(ping_interval=0.1) as gateway, peer(gateway) as client:
        while client.pings < 3:
            await client.read()
        await client.connect()
        await lives(client)


# Too much


async def test_a_flood_of_calls_is_answered_busy(start: Start) -> None:
    async with start(max_calls=4) as gateway, peer(gateway, **HEADERS) as client:
        for id_ in range(10):  # reads that never end: they run side by side
            await client.send({"id": id_, "name": "trades.get"})
        answers: list[dict[str, Any]] = [await client.message() for _ in range(6)]
        assert [answer["id"] for answer in answers] == [4, 5, 6, 7, 8, 9]
        assert {answer["code"] for answer in answers} == {"busy"}
        assert gateway.gateway.counters()["calls_in_flight"] == 4
        await client.stream.aclose()
        await nothing_stays(gateway)
