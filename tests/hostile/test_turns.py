"""One client can't hold the others: a turn of the loop has a budget. Time is what the tests say it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

import mt_remote_plugins
from mt_remote.clock import Clock
from mt_remote.dispatch.call_order import CallOrder
from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.functions import Function
from mt_remote.gateway.call_runner import Inbox
from mt_remote.plugin import Declared, Kind, Namespace, hookimpl
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import plugin_manager
from mt_remote.session.session import WebSocketSession
from mt_remote.session.turns import SLICE_SECONDS, Turns
from mt_remote.settings import Settings
from mt_remote.shell.server import Running, running
from mt_remote.wire.websocket import WebSocket
from tests.core.conftest import peer, until
from tests.core.frames import PING, frame, sent, upgrade
from tests.core.memory import MemoryServer
from tests.core.test_session import Desk, line, opened


class HandClock(Clock):
    """Time that passes when somebody says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


# A session, without a loop


class Slow(Desk):
    """Each call takes as long as the slice, and so does finding out that there is no such function."""

    def __init__(self, desk: Desk) -> None:
        self.__dict__.update(desk.__dict__)
        self.clock = HandClock()  # type: ignore[assignment]
        self.turns = Turns(self.clock.now, self.later.append)
        parse = desk.parse

        def slowly(message: bytes, dialect: str) -> ParsedCall:
            self.clock.seconds += SLICE_SECONDS  # type: ignore[attr-defined]
            return parse(message, dialect)

        self.parse = cast(Any, slowly)


def slow_pair(logged_in: bool = True) -> tuple[WebSocketSession, WebSocketSession, Slow]:
    one, other = opened(dialect="2"), opened(dialect="2")
    desk = Slow(cast(Desk, one.gateway))
    for session in (one, other):
        session.gateway = cast(Any, desk)
        if logged_in:
            session.connection = cast(Any, object())
    return one, other, desk


def request(number: int, name: str = "own.double") -> bytes:
    return frame(json.dumps({"id": number, "name": name, "data": {"number": 1}}).encode())


def answered(session: WebSocketSession) -> list[int]:
    session.outbox.flush()
    return [json.loads(message)["id"] for message in messages_of(session)]


def messages_of(session: WebSocketSession) -> list[bytes]:
    return sent(b"".join(line(session)))[0]


@pytest.mark.parametrize("name", ["own.double", "own.doubel"])
def test_another_sessions_call_comes_before_the_floods_third(name: str) -> None:
    flooding, other, desk = slow_pair()
    flooding.data_received(b"".join(request(number, name) for number in range(1000)))
    other.data_received(request(7))
    assert answered(other) == [7]
    assert len(answered(flooding)) <= 2
    desk.take_turns()
    assert answered(flooding) == list(range(1000)), "each once, in their order"


def test_sessions_that_flood_take_turns() -> None:
    one, other, desk = slow_pair()
    for session in (one, other):
        session.data_received(b"".join(request(number) for number in range(100)))
    while desk.later:
        desk.later.pop(0)()
        assert abs(len(answered(one)) - len(answered(other))) <= 4
    assert answered(one) == answered(other) == list(range(100))


def test_before_the_log_in_a_turn_has_few_calls() -> None:
    session = opened()
    session.data_received(b"".join(request(number) for number in range(100)))
    desk = cast(Desk, session.gateway)
    counts = [len(answered(session))]
    while desk.later:
        desk.later.pop(0)()
        counts.append(len(answered(session)))
    steps = [after - before for before, after in zip([0, *counts], counts, strict=False)]
    assert (max(steps), counts[-1]) == (16, 100)


def test_what_comes_meanwhile_comes_behind() -> None:
    session, _, desk = slow_pair()
    stream = b"".join(request(number) for number in range(60))
    session.data_received(stream[: len(stream) // 2])
    for place in range(len(stream) // 2, len(stream), 7):  # a transport that does not stop reading
        session.data_received(stream[place : place + 7])
    desk.take_turns()
    assert answered(session) == list(range(60))


def test_a_client_that_does_not_read_is_not_worked_for() -> None:
    session, _, desk = slow_pair()
    session.data_received(b"".join(request(number) for number in range(100)))
    done = len(answered(session))
    session.writing_paused()
    desk.take_turns()
    assert len(answered(session)) == done
    session.writing_resumed()
    desk.take_turns()
    assert answered(session) == list(range(100))


def test_output_has_its_slice_too() -> None:
    session = opened(dialect="2")
    session.connection = cast(Any, object())
    desk = cast(Desk, session.gateway)
    submit, calls = desk.submit, 0

    def long_answer(session: WebSocketSession, call: ParsedCall) -> None:
        nonlocal calls
        calls += 1
        session.outbox.pieces.append(b"")
        session.outbox.volume += 100_000
        session.outbox.full = session.outbox.volume > 256 * 1024
        submit(session, call)

    desk.submit = long_answer  # type: ignore[method-assign]
    desk.clock = HandClock()  # type: ignore[assignment]  # it stands still
    desk.turns = Turns(desk.clock.now, desk.later.append)
    session.data_received(b"".join(request(number) for number in range(100)))
    assert calls == 3
    desk.later.pop(0)()
    assert calls == 6


def test_a_session_that_is_over_does_nothing_more() -> None:
    session, _, desk = slow_pair()
    session.data_received(b"".join(request(number) for number in range(100)))
    done, waiting = len(answered(session)), len(desk.turns)
    session.close(1001, "over")
    desk.take_turns()
    assert (waiting, len(answered(session))) == (1, done)
    session, _, desk = slow_pair()
    session.data_received(b"".join(request(number) for number in range(100)))
    session.connection_lost()
    desk.take_turns()


def test_pings_and_frames_are_read_in_parts() -> None:
    websocket = WebSocket(1000)
    websocket.receive(upgrade())
    websocket.accept()
    websocket.out.clear()
    websocket.receive(frame(b"", PING) * 1000)
    assert (len(websocket.out), websocket.more) == (64, True)
    rounds = 1
    while websocket.more:
        websocket.receive(b"")
        rounds += 1
    assert (len(websocket.out), rounds) == (1000, 16)
    assert len(websocket.receive(frame(b"") * 40_000)) < 12_000
    assert websocket.more


# Whose call is next


def test_sessions_take_turns_in_the_inbox() -> None:
    full: set[str] = set()
    inbox: Inbox[str, int] = Inbox(full.__contains__)
    for number in range(1000):
        inbox.put("flood", number)
    inbox.put("other", 0)
    inbox.put("other", 1)
    assert [inbox.take() for _ in range(4)] == [("flood", 0), ("other", 0), ("flood", 1), ("other", 1)]
    full.add("flood")
    assert (inbox.take(), inbox.is_ready, len(inbox)) == (None, False, 998)
    inbox.drop(lambda session, number: number % 2 == 0)
    full.clear()
    assert (inbox.take(), len(inbox)) == (("flood", 3), 498)


def all_things() -> list[int]:
    return []


LIST = Function(Declared("own.all", all_things, Kind.READ), "tests")


def test_few_lists_are_under_way_at_once() -> None:
    order = CallOrder()
    calls = [ParsedCall(b"%d" % number, LIST, {}, None, None) for number in range(100)]
    running = [call for call in calls if order.admit(call) or order.wait(call, 0.0)]  # type: ignore[func-returns-value]
    assert len(running) == 32
    ended = 0
    while running:
        running += [call for call, _ in order.done(running.pop(0))]
        ended += 1
        assert len(running) <= 32
    assert (ended, order.calls) == (100, 0)


# The whole gateway


class House:
    """A plugin whose calls take a millisecond of the clock each, and one that takes none."""

    __name__ = "house"

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.done = 0
        self.most_places = 0
        self.house = Namespace("house")
        for function in (self.slow, self.changing, self.how_many, self.many):
            kind = Kind.CHANGE if function == self.changing else Kind.READ
            self.house.function(function.__name__, kind=kind)(function)

    async def slow(self) -> None:
        self.clock.seconds += 0.001
        self.done += 1

    async def changing(self) -> None:
        if self.done == 0:
            await anyio.lowlevel.checkpoint()
        await self.slow()

    def how_many(self) -> int:
        return self.done

    def many(self) -> list[int]:
        self.done += 1
        return list(range(40_000))

    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        return [self.house]


@asynccontextmanager
async def house(memory: MemoryServer, **settings: Any) -> AsyncIterator[tuple[Running, House]]:
    clock = HandClock()
    plugin = House(clock)
    hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, plugin], entry_points=False))
    async with running(Settings(port=0, **settings), hooks, memory, clock=clock) as gateway:
        yield gateway, plugin


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["house.slow", "house.changing"])
async def test_others_are_served_while_a_client_floods(memory: MemoryServer, name: str) -> None:
    async with house(memory) as (gateway, plugin), peer(gateway) as flooding, peer(gateway) as other:
        await flooding.connect()
        await other.connect()
        await flooding.stream.send(
            b"".join(frame(b'{"id":%d,"name":"%b"}' % (number, name.encode())) for number in range(900))
        )
        await until(lambda: plugin.done)
        answer = await other.ask("house.how_many")
        assert answer["result"] < 200
        assert [(await flooding.message())["id"] for _ in range(900)] == list(range(900))


@pytest.mark.anyio
async def test_lists_are_made_as_they_are_read(memory: MemoryServer) -> None:
    async with house(memory, write_high_water=10_000) as (gateway, plugin), peer(gateway) as client:
        await client.connect()
        (session,) = gateway.gateway.sessions
        await client.stream.send(b"".join(frame(b'{"id":%d,"name":"house.many"}' % number) for number in range(300)))
        await until(lambda: session.outbox.slow)
        assert plugin.done < 100
        assert session.websocket.waiting < 1_000_000
        for number in range(300):
            answer = await client.message()
            assert (answer["id"], len(answer["result"])) == (number, 40_000)


@pytest.mark.anyio
async def test_a_log_in_is_not_needed_to_be_fair(memory: MemoryServer) -> None:
    async with house(memory) as (gateway, _), peer(gateway) as flooding, peer(gateway) as other:
        await flooding.stream.send(frame(b'{"id":1,"name":"users.gett"}') * 5000)
        assert (await other.ask("house.how_many"))["status"] == "OK"
        for _ in range(5000):
            assert (await flooding.message())["message"] == "Unknown function 'users.gett'"
