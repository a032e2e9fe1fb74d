"""A gateway over a real socket, on asyncio and trio: calls, order, deadlines, subscriptions, shutdown.

Deterministic: port 0, every wait is for a message or a close, never for a time.
"""

from __future__ import annotations

import pytest
from wsproto.events import Request
from wsproto.frame_protocol import FrameProtocol

from tests.core.conftest import Start, peer, raw
from tests.core.memory import MemoryServer

pytestmark = pytest.mark.anyio


async def test_a_first_conversation(start: Start) -> None:
    async with start() as gateway, peer(gateway) as client:
        before = await client.ask("config.common.get")
        assert before["status"] == "ERROR"
        assert "connect" in before["message"]
        await client.connect()
        answer = await client.ask("config.group.get", group="demo")
        assert answer["status"] == "OK"
        assert answer["result"]["group"] == "demo"
        assert await client.ask("config.group.set", group="demo", copies=3) == {"id": client.next_id, "status": "OK"}
        assert (await client.ask("config.group.get", group="demo"))["result"]["copies"] == 3
        missing = await client.ask("config.group.get", group="test")
        assert missing == {"id": client.next_id, "status": "ERROR", "message": "Cannot find group 'test'"}


async def test_events_are_numbered_without_gaps(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway) as client:
        await client.connect()
        await client.ask("symbol.show", symbol="EURUSD")
        assert (await client.ask("subscribe", event="tick"))["status"] == "OK"
        for number in range(3):
            await client.ask("tick.add", symbol="EURUSD", bid=1.0 + number, ask=1.1 + number)
        events = [await client.message() for _ in range(3)]
        assert [event["event_id"] for event in events] == [0, 1, 2]
        assert events[2]["data"] == {"symbol": "EURUSD", "time": events[2]["data"]["time"], "bid": 3.0, "ask": 3.1}
        assert (await client.ask("unsubscribe", event="tick"))["status"] == "OK"
        await client.ask("tick.add", symbol="EURUSD", bid=1.0, ask=1.1)
        assert client.messages == []


async def test_calls_behind_the_handshake_are_served(start: Start) -> None:
    async with start() as gateway, raw(gateway) as client:
        upgrade = client.ws.send(Request(host="localhost", target="/"))
        frames = FrameProtocol(client=True, extensions=[])
        first = frames.send_data('{"id":0,"name":"subscribe","data":{"event":"connection"}}')
        second = frames.send_data('{"id":1,"name":"nope"}')
        await client.stream.send(upgrade + first + second)
        assert (await client.answer(0)) == {"id": 0, "status": "OK"}
        assert (await client.answer(1))["status"] == "ERROR"
