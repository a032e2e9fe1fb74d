"""A client that takes less than there is for it: what is merged, what is kept, and where it ends."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mt_remote.plugin import Event, EventKind, hookimpl
from mt_remote.shell.server import Running
from tests.core.conftest import Peer, Start, peer, until
from tests.core.memory import MemoryServer

pytestmark = pytest.mark.anyio

BIG = "x" * 200_000


async def fill(gateway: Running, kind: str) -> int:
    """Publishes until the one session is congested; gives how many events that took."""
    (session,) = gateway.gateway.sessions
    count = 0
    while not session.outbox.congested:
        gateway.gateway.publish(Event(kind, [count, BIG]))
        count += 1
        await anyio.lowlevel.checkpoint()
    return count


async def prepared(client: Peer) -> None:
    for kind in ("price", "connection"):
        assert (await client.ask("subscribe", event=kind))["status"] == "OK"


class Loud:
    """A plugin whose events are big, so that buffers fill."""

    __name__ = "loud"

    @hookimpl
    def mt_remote_event_kinds(self) -> list[EventKind]:
        return [EventKind("price", list[str | int])]


SETTINGS: dict[str, Any] = {"plugins": (Loud(),), "write_high_water": 1}


async def test_prices_are_merged_by_key_and_nothing_else_is_dropped(start: Start) -> None:
    async with start(**SETTINGS) as gateway, peer(gateway) as client:
        await prepared(client)
        sent = await fill(gateway, "price")
        for number in range(50):
            gateway.gateway.publish(Event("price", [number, "EURUSD"], "EURUSD"))
            gateway.gateway.publish(Event("price", [number, "GOLD"], "GOLD"))
            if number % 10 == 0:
                gateway.gateway.publish(Event("connection", number % 20 == 0))
        assert gateway.gateway.counters()["events_waiting"] == 7
        events = [await client.message() for _ in range(sent + 7)]
        assert [event["event_id"] for event in events] == list(range(sent + 7))
        assert [event["data"][0] for event in events[:sent]] == list(range(sent))
        rest = [event["data"] for event in events[sent:]]
        assert rest == [True, False, True, False, True, [49, "EURUSD"], [49, "GOLD"]]
        assert (await client.ask("unsubscribe", event="price"))["status"] == "OK", "it is read again"


async def test_past_the_bound_the_session_ends_with_1008(start: Start) -> None:
    async with start(**SETTINGS, max_backlog=20, close_timeout=60) as gateway, peer(gateway) as client:
        await prepared(client)
        sent = await fill(gateway, "price")
        for number in range(20):
            gateway.gateway.publish(Event("price", [number, "kept"]))
        (session,) = gateway.gateway.sessions
        assert session.is_open
        gateway.gateway.publish(Event("price", [20, "one too many"]))
        assert not session.is_open
        gateway.gateway.publish(Event("price", [21, "nobody hears"]))
        code, reason = await client.until_closed()
        assert (code, "slow reader: more than 20 events" in reason) == (1008, True)
        assert [event["event_id"] for event in client.messages] == list(range(sent))
        await client.stream.aclose()
        await until(lambda: not gateway.gateway.sessions)


async def test_one_that_never_reads_is_cut_off(start: Start) -> None:
    async with start(**SETTINGS, max_backlog=1, close_timeout=0.1) as gateway, peer(gateway) as client:
        await prepared(client)
        await fill(gateway, "price")
        for _ in range(2):
            gateway.gateway.publish(Event("price", []))
        await until(lambda: not gateway.gateway.sessions)


async def test_a_stuck_reader_is_silent_and_one_that_takes_something_is_not(start: Start) -> None:
    async with start(**SETTINGS, ping_interval=0.15) as gateway, peer(gateway) as client:
        await prepared(client)
        await fill(gateway, "price")
        for _ in range(60):  # some 12 MB more, taken in sips for longer than a silent client would live
            gateway.gateway.publish(Event("price", [0, BIG]))
        (session,) = gateway.gateway.sessions
        alive = anyio.current_time() + 0.8
        while anyio.current_time() < alive:
            await client.stream.receive(100_000)
            assert session in gateway.gateway.sessions
            await anyio.sleep(0.01)
        await until(lambda: not gateway.gateway.sessions)


async def test_unsubscribing_forgets_what_was_kept(start: Start) -> None:
    async with start(**SETTINGS) as gateway, peer(gateway) as client:
        await prepared(client)
        (session,) = gateway.gateway.sessions
        sent = await fill(gateway, "price")
        gateway.gateway.publish(Event("price", [0, "kept"]))
        gateway.gateway.publish(Event("connection", True))
        await session.unsubscribe("price")
        events = [await client.message() for _ in range(sent + 1)]
        assert events[-1] == {"event": "connection", "event_id": sent, "data": True}


@pytest.mark.parametrize("anyio_backend", ["asyncio", ("asyncio", {"use_uvloop": True}), "trio"], ids=str)
async def test_a_connection_that_is_lost_holds_nobody_back(start: Start, memory: MemoryServer) -> None:
    """What was to be written to it goes with it; the others, due in the same turn, get theirs."""
    async with start() as gateway, peer(gateway) as first, peer(gateway) as second, peer(gateway) as third:
        for client in (first, second, third):
            await client.connect()
            await client.ask("symbol.show", symbol="EURUSD")
            await client.ask("subscribe", event="tick")
        lost = min(gateway.gateway.sessions, key=lambda session: session.id)
        lost.transport.abort()
        for number in range(3):
            memory.tick("EURUSD", 1.1, 1.2 + number)
            for client in (second, third):
                with anyio.fail_after(5):
                    assert (await client.message())["data"]["ask"] == 1.2 + number
        await until(lambda: lost not in gateway.gateway.sessions)
        assert (lost.outbox.pieces, lost.outbox.waiting, lost.outbox.subscriptions) == ([], 0, frozenset())


async def test_a_connection_that_can_not_be_written_to_ends_alone(
    start: Start, memory: MemoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of a wire is that session's: the others that are due in the same turn get theirs."""
    async with start() as gateway, peer(gateway) as first, peer(gateway) as second:
        for client in (first, second):
            await client.connect()
            await client.ask("symbol.show", symbol="EURUSD")
            await client.ask("subscribe", event="tick")
        broken = min(gateway.gateway.sessions, key=lambda session: session.id)

        def fails(self: object, data: bytes) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(broken.outbox, "_sink", type("Broken", (), {"write": fails})())
        for number in range(2):
            memory.tick("EURUSD", 1.1, 1.2 + number)
            with anyio.fail_after(5):
                assert (await second.message())["data"]["ask"] == 1.2 + number
        await until(lambda: broken not in gateway.gateway.sessions)
        assert first.messages == []
