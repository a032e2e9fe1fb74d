"""The gateway as the ``websockets`` library meets it: its client shares no code with ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.core.conftest import Start
from tests.core.memory import MemoryServer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


async def ask(client: ClientConnection, id_: object, name: str, /, **data: Any) -> dict[str, Any]:
    await client.send(json.dumps({"id": id_, "name": name, "data": data}))
    while True:
        answer: dict[str, Any] = json.loads(await client.recv())
        if "event" not in answer:
            assert answer["id"] == id_
            return answer


LOGIN: dict[str, Any] = {"server": "Memory", "login": 1, "password": "manager", "reconnect_delay": 0}


async def test_a_conversation(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, connect(gateway.url) as client:
        assert await ask(client, 0, "connect", **LOGIN) == {"id": 0, "status": "OK"}
        assert await ask(client, "uuid", "subscribe", event="group") == {"id": "uuid", "status": "OK"}
        await client.send(json.dumps({"id": 2, "name": "config.group.set", "data": {"group": "demo", "copies": 2}}))
        event, answer = [json.loads(await client.recv()) for _ in range(2)]
        assert answer == {"id": 2, "status": "OK"}
        assert (event["event"], event["event_id"], event["data"]["copies"]) == ("group", 0, 2)
        await (await client.ping())
        await client.close(1000, "bye")
    assert memory.connections == []


async def test_fragments_and_what_ends_a_session(start: Start) -> None:
    def pieces() -> Iterator[str]:
        yield from ('{"id": 1, ', "", '"name": "config.', 'group.get", "data": {"group": "demo"}}')

    async with start() as gateway:
        async with connect(gateway.url) as client:
            await ask(client, 0, "connect", **LOGIN)
            await client.send(pieces())
            assert json.loads(await client.recv())["status"] == "OK"
            await client.send(b"\0")
            with pytest.raises(ConnectionClosed) as caught:
                await client.recv()
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1003
        async with connect(gateway.url, max_size=None) as client:
            with contextlib.suppress(ConnectionClosed):
                await client.send("x" * 20_000_000)
            with pytest.raises(ConnectionClosed) as caught:
                await client.recv()
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1009


async def test_refusals_before_the_upgrade(start: Start) -> None:
    headers = {"MT-SERVER": "Memory", "MT-LOGIN": "1", "MT-PASSWORD": "guess", "VERSION": "1.00"}
    async with start() as gateway:
        for changed, status in ({}, 401), ({"VERSION": "9"}, 426), ({"MT-LOGIN": "x"}, 400):
            with pytest.raises(InvalidStatus) as caught:
                await connect(gateway.url, additional_headers=headers | changed)
            assert caught.value.response.status_code == status
            assert json.loads(caught.value.response.body or b"")["status"] == "ERROR"


async def test_a_thousand_pipelined_calls_of_a_hundred_clients(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway:

        async def one(number: int) -> None:
            async with connect(gateway.url) as client:
                await ask(client, "c", "connect", **LOGIN)
                await ask(client, "s", "subscribe", event="tick")
                await ask(client, "w", "symbol.show", symbol=f"S{number}")
                for id_ in range(10):
                    data = {"symbol": f"S{number}", "bid": 1 + id_, "ask": 2 + id_}
                    await client.send(json.dumps({"id": id_, "name": "tick.add", "data": data}))
                received = [json.loads(await client.recv()) for _ in range(20)]
                assert sorted(each["id"] for each in received if "id" in each) == list(range(10))
                events = [each for each in received if "event" in each]
                assert [event["event_id"] for event in events] == list(range(10))
                assert [event["data"]["bid"] for event in events] == [1 + id_ for id_ in range(10)]

        await asyncio.gather(*(one(number) for number in range(100)))
    assert memory.connections == []
