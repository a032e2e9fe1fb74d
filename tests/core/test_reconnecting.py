"""The connection to the MT4 server comes and goes: what the client hears and what is made good."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
import trio

from mt_remote.records import ConGroup, Patch
from tests.core.conftest import Peer, Start, peer, until
from tests.core.memory import MemoryGroups, MemoryServer

pytestmark = pytest.mark.anyio

HEADERS = {"MT_SERVER": "Memory", "MT_LOGIN": "1", "MT_PASSWORD": "manager"}


async def prepared(client: Peer, delay: int) -> None:
    assert (await client.ask("subscribe", event="connection"))["status"] == "OK"
    await client.connect(reconnect_delay=delay)
    assert await client.message() == {"event": "connection", "event_id": 0, "data": True}
    for event in ("group", "tick"):
        assert (await client.ask("subscribe", event=event))["status"] == "OK"
    await client.ask("symbol.show", symbol="EURUSD")


async def test_what_changed_meanwhile_is_made_good_with_one_event_each(start: Start, memory: MemoryServer) -> None:
    for name in ("same", "edited", "secret"):
        memory.table[name] = ConGroup(group=name)
    async with start() as gateway, peer(gateway) as client:
        await prepared(client, 20)
        assert (await client.ask("config.group.set", group="same", copies=1))["status"] == "OK"
        assert (await client.message())["data"]["group"] == "same"
        memory.down = True
        memory.lose()
        assert await client.message() == {"event": "connection", "event_id": 2, "data": False}
        answer = await client.ask("config.group.get", group="demo")
        assert "is down; it is being restored" in answer["message"]
        assert "Already connected" in (await client.ask("connect", server="M", login=1, password="x"))["message"]
        memory.table["edited"] = ConGroup(group="edited", copies=9)
        memory.table["secret"] = ConGroup(group="secret", smtp_password="new")
        memory.table["added"] = ConGroup(group="added")
        del memory.table["demo"]
        memory.down = False
        events = [await client.message() for _ in range(4)]
        assert [event["event_id"] for event in events] == [3, 4, 5, 6]
        assert events[0] == {"event": "connection", "event_id": 3, "data": True}
        assert {event["data"]["group"] for event in events[1:]} == {"edited", "secret", "added"}
        memory.tick("EURUSD", 1.0, 1.1)
        assert (await client.message())["data"]["bid"] == 1.0
        memory.lose()
        assert [(await client.message())["data"] for _ in range(2)] == [False, True]
        assert client.messages == [], "nothing twice"
        assert (await client.ask("disconnect"))["status"] == "OK"
        assert (await client.message())["data"] is False
        assert memory.connections == []


async def test_dialect_0_without_a_delay_may_connect_again(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway) as client:
        await prepared(client, 0)
        memory.lose()
        assert (await client.message())["data"] is False
        assert "call 'connect' first" in (await client.ask("config.common.get"))["message"]
        assert "Not connected" in (await client.ask("disconnect"))["message"]
        await client.connect()
        assert (await client.message())["data"] is True
        memory.tick("EURUSD", 1.0, 1.1)
        assert (await client.ask("unsubscribe", event="tick"))["status"] == "OK", "it lapsed: nobody is told off"
        assert (await client.ask("unsubscribe", event="tick"))["status"] == "ERROR"
        assert (await client.ask("subscribe", event="group"))["status"] == "OK"
        assert (await client.ask("subscribe", event="group"))["status"] == "ERROR"
        assert client.messages == []


async def test_a_session_that_came_by_headers_ends_with_its_connection(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway, **HEADERS) as client:
        await client.ask("subscribe", event="connection")
        memory.lose()
        assert (await client.message())["data"] is False
        assert (await client.until_closed())[0] == 1011


async def test_wrong_credentials_leave_the_session_open(start: Start) -> None:
    async with start() as gateway, peer(gateway) as client:
        for data, words in (
            ({"password": "guess"}, "Invalid account"),
            ({"login": 64}, "Account disabled"),
            ({"login": 7}, "Not enough rights"),
        ):
            answer = await client.ask("connect", **{"server": "M", "login": 1, "password": "manager", **data})
            assert answer == {"id": client.next_id, "status": "ERROR", "message": words}
        await client.connect()
        again = await client.ask("connect", server="M", login=1, password="manager")
        assert again["status"] == "ERROR"
        assert (await client.ask("config.group.get", group="demo"))["status"] == "OK"


async def test_connect_can_choose_dialect_2(start: Start) -> None:
    async with start() as gateway, peer(gateway) as client:
        await client.connect(version="2")
        assert (await client.ask("nope"))["code"] == "unknown_function"


async def test_a_client_that_leaves_while_the_server_is_down_leaves_nothing(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway:
        async with peer(gateway) as client:
            await prepared(client, 10)
            memory.down = True
            memory.lose()
            assert (await client.message())["data"] is False
        await until(lambda: not gateway.gateway.sessions)
        memory.down = False
        async with peer(gateway) as client:
            await client.connect()
            assert len(memory.connections) == 1


async def test_a_bug_while_reconnecting_does_not_end_the_attempts(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway) as client:
        await prepared(client, 10)
        real, attempts = memory.open, 0

        async def broken(*arguments: object, **named: object) -> object:
            nonlocal attempts
            attempts += 1
            if attempts < 3:
                raise ZeroDivisionError("a bug in a backend")
            return await real(*arguments, **named)  # type: ignore[arg-type]

        memory.open = broken  # type: ignore[assignment,method-assign]
        memory.lose()
        assert [(await client.message())["data"] for _ in range(2)] == [False, True]
        assert attempts == 3


async def test_subscribing_and_unsubscribing_take_effect_at_their_answers(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway) as client:
        assert "call 'connect' first" in (await client.ask("subscribe", event="tick"))["message"]
        await client.connect()
        unknown = await client.ask("subscribe", event="tic")
        assert "event: there is no such event; did you mean tick" in unknown["message"]
        for round_ in range(3):
            memory.tick("EURUSD", 1.0, 1.1)
            await client.ask("symbol.show", symbol="EURUSD")
            await client.ask("subscribe", event="tick")
            assert client.messages == []
            memory.tick("EURUSD", 2.0, 2.1)
            await client.ask("unsubscribe", event="tick")
            assert [event["event_id"] for event in client.messages] == [round_]
            client.messages.clear()
        assert gateway.gateway.counters()["subscriptions"] == 0


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_loss_while_things_are_made_good_is_noticed_at_once(
    start: Start, memory: MemoryServer, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    """``hangs``: the read would never answer. Else it answers, and nothing but the listener tells of the loss."""
    real, reads = MemoryGroups.get_all, 0

    async def breaking(self: MemoryGroups) -> list[ConGroup]:
        nonlocal reads
        reads += 1
        if reads == 1:
            if hangs:
                async with anyio.create_task_group() as group:
                    group.start_soon(anyio.sleep_forever)
                    memory.lose()
            memory.lose()
        return await real(self)

    async with start() as gateway, peer(gateway) as client:
        await prepared(client, 20)
        monkeypatch.setattr(MemoryGroups, "get_all", breaking)
        memory.down = True
        memory.lose()
        assert (await client.message())["data"] is False
        memory.table["added"] = ConGroup(group="added")
        memory.down = False
        with anyio.fail_after(10):
            assert (await client.message())["data"] is True
            assert (await client.message())["data"]["group"] == "added", "the first attempt told nothing"
        assert reads == 2
        assert len(memory.connections) == 1, "the client's connection is the one that stands"
        assert (await client.ask("config.group.get", group="added"))["status"] == "OK"
        assert client.messages == []


async def test_nothing_older_follows_what_is_told_while_things_are_made_good(
    start: Start, memory: MemoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change behind the read of what was missed is told at once; what was read of that group is old by then."""
    real, reads = MemoryGroups.get_all, 0

    async def overtaken(self: MemoryGroups) -> list[ConGroup]:
        nonlocal reads
        reads += 1
        read = await real(self)
        if reads == 1:
            await self.set(Patch(ConGroup, {"group": "busy", "copies": 3}))
            await anyio.lowlevel.checkpoint()
        return read

    memory.table["busy"] = ConGroup(group="busy", copies=1)
    memory.table["quiet"] = ConGroup(group="quiet", copies=1)
    async with start() as gateway, peer(gateway) as client:
        await prepared(client, 20)
        monkeypatch.setattr(MemoryGroups, "get_all", overtaken)
        memory.down = True
        memory.lose()
        assert (await client.message())["data"] is False
        memory.table["busy"] = ConGroup(group="busy", copies=2)
        memory.table["quiet"] = ConGroup(group="quiet", copies=2)
        memory.down = False
        await until(lambda: reads and gateway.gateway.counters()["connections"])
        assert (await client.ask("config.group.get", group="busy"))["result"]["copies"] == 3
        told = [(each["data"]["group"], each["data"]["copies"]) for each in client.messages if each["event"] == "group"]
        assert told == [("busy", 3), ("quiet", 2)]
        client.messages.clear()
        memory.lose()
        assert [(await client.message())["data"] for _ in range(2)] == [False, True]
        assert (await client.ask("config.group.get", group="busy"))["status"] == "OK"
        assert client.messages == [], "it is known as it was told"


async def test_a_loss_told_in_a_plain_callback_from_a_thread(
    start: Start, memory: MemoryServer, anyio_backend: str
) -> None:
    if anyio_backend == "trio":
        soon: Callable[..., object] = trio.lowlevel.current_trio_token().run_sync_soon
    else:
        soon = asyncio.get_running_loop().call_soon_threadsafe
    async with start() as gateway, peer(gateway) as client:
        await prepared(client, 20)
        threading.Thread(target=soon, args=(memory.lose,)).start()
        assert [(await client.message())["data"] for _ in range(2)] == [False, True]


async def test_spawning_on_another_thread_is_refused(start: Start) -> None:
    async with start() as gateway:
        with pytest.raises(RuntimeError, match="another thread than the event loop's"):
            await anyio.to_thread.run_sync(gateway.gateway.spawn, anyio.sleep_forever)
