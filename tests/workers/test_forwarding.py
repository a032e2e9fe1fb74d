"""Workers and the backend's process: order, keys, cancellation, losses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import anyio
import pytest

from mt4sim import NewOrder
from mt4sim.gateway.connection import SimulatorConnection
from mt_remote.area import Area, call, implementing
from mt_remote.backend import Event
from mt_remote.errors import ConnectionLost
from mt_remote.plugin import Call, Connection, Kind, Namespace, Refused, Session, hookimpl, vetoes
from mt_remote.records import Draft, TradeCommand, UserRecord
from mt_remote.workers.far import FarConnection, forwarding
from mt_remote_plugins.areas import AREAS
from tests.core.conftest import until
from tests.stories.client import CallFailed, client, manager
from tests.workers.desks import WorkerDesks, open_workers

pytestmark = pytest.mark.anyio


class Numbers(Area, namespace="numbers"):
    """An area of a plugin's."""

    @call("numbers.below", kind=Kind.CHANGE)
    async def below(self, most: int, start: int = 0) -> list[int]:  # type: ignore[empty-body]
        """The numbers from `start` on."""

    @call()
    async def missing(self) -> int:  # type: ignore[empty-body]
        """What nobody implements."""


class SimulatedNumbers(Numbers):
    def __init__(self, connection: SimulatorConnection) -> None:
        self.connection = connection

    async def below(self, most: int, start: int = 0) -> list[int]:
        assert isinstance(self.connection, SimulatorConnection), "it runs where the backend is"
        return list(range(start, most))


class Gate:
    """A function of the backend's own that waits, one that breaks, one that says what session it sees."""

    __name__ = "gate"

    def __init__(self) -> None:
        self.open = anyio.Event()
        self.entered = 0
        self.cancelled = 0
        self.space = Namespace("gate")
        self.space.function("wait", kind=Kind.CHANGE)(self.wait)
        self.space.function("broken")(self.broken)
        self.space.function("who")(self.who)
        self.space.function("connected")(self.connected)

    async def wait(self, amount: int) -> int:
        self.entered += 1
        try:
            await self.open.wait()
        except BaseException:
            self.cancelled += 1
            raise
        return amount

    def broken(self) -> None:
        raise ZeroDivisionError

    def who(self, session: Session) -> list[str | int]:
        asked = cast(int, session.state.get("asked", 0)) + 1
        session.state["asked"] = asked
        return [session.server, session.login, session.dialect, asked]

    async def connected(self, mt: Connection) -> int:
        return await mt.server_time()

    @hookimpl
    def mt_remote_namespaces(self) -> list[type[Area]]:
        return [Numbers]

    @hookimpl
    def mt_remote_implementations(self, backend: str) -> list[type[Area]]:
        return [SimulatedNumbers]

    @hookimpl
    def mt_remote_backend_namespaces(self, backend: str) -> list[Namespace]:
        return [self.space]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def gate(anyio_backend: str) -> Gate:
    return Gate()


@pytest.fixture
async def two(gate: Gate) -> AsyncIterator[WorkerDesks]:
    async with open_workers(2, plugins=(gate,), deadlines={"change": 0.3}) as opened:
        yield opened


def fill(opened: WorkerDesks, trades: int) -> list[int]:
    server = opened.desks[0].server
    draft = {"group": "demoforex", "name": "Many", "password": "Pass1", "enable": True, "leverage": 100}
    login = server.accounts.add(Draft(UserRecord, draft)).login
    server.tick("EURUSD", 1.1, 1.1001)
    return [
        server.trading.transactions.open(login, NewOrder("EURUSD", TradeCommand.BUY, 0.01, 1.1)) for _ in range(trades)
    ]


async def test_what_one_worker_does_the_other_hears(two: WorkerDesks) -> None:
    async with manager(two.desks[0].url) as one, manager(two.desks[1].url) as other:
        await other.call("symbol.show", symbol="EURUSD")
        await other.call("subscribe", event="tick")
        await one.call("tick.add", symbol="EURUSD", bid=1.25, ask=1.26)
        assert (await other.event("tick"))["bid"] == 1.25


async def test_a_long_list_is_one_moment_and_newer_events_follow_it(two: WorkerDesks) -> None:
    tickets = fill(two, 1500)
    async with manager(two.desks[0].url) as one, manager(two.desks[1].url) as other:
        await one.call("subscribe", event="trade")
        asked = await one.send("trades.get")
        closing = await other.send("order.close", {"order": tickets[-1], "volume": 0.01, "price": 1.1})
        await other.answer(closing)
        order: list[object] = []
        while len(order) < 2:
            message = json.loads(await one.connection.recv())
            order.append(message.get("event", message.get("id")))
            if message.get("id") == asked:
                listed = {trade["order"]: trade["close_time"] for trade in message["result"]}
        assert (list(listed), set(listed.values())) == (tickets, {0}) or list(listed) == tickets[:-1]
        if len(listed) == len(tickets):
            assert order == [asked, "trade"], "the list does not know of the close yet, so it comes first"


async def test_an_area_is_carried_out_where_the_backend_is(two: WorkerDesks) -> None:
    async with manager(two.desks[0].url) as one:
        assert await one.call("numbers.below", most=4, start=1) == [1, 2, 3]
        assert await one.call("numbers.below", most=1500) == list(range(1500))
        with pytest.raises(CallFailed, match=r"numbers\.missing is not offered"):
            await one.call("numbers.missing")


async def test_an_event_behind_an_answer_stays_behind_it(two: WorkerDesks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both come in one read; the handler has not seen the answer when the event is there already."""
    far = two.far[0]
    async with manager(two.desks[0].url) as one:
        await one.call("subscribe", event="trade")
        (number,) = far.listeners
        record = fill_one(two)
        assert await one.event("trade")
        channel = far._channel
        assert channel is not None
        monkeypatch.setattr(channel, "send", lambda *_: None)  # the answer comes from this test
        asked = await one.send("trade.get", {"order": record.order})
        await until(lambda: far._waiting)
        (request,) = far._waiting
        far._take(channel, [("reply", request, record), ("event", "trade", record, None, [number])])
        messages = [json.loads(await one.connection.recv()) for _ in range(2)]
        assert [message.get("event", message.get("id")) for message in messages] == [asked, "trade"]
        monkeypatch.undo()


def fill_one(opened: WorkerDesks) -> Any:
    (ticket,) = fill(opened, 1)
    server = opened.desks[0].server
    return server.record(server.state.orders.find(ticket))


async def test_sessions_of_a_worker_share_an_event(two: WorkerDesks, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Event] = []
    for far in two.far:
        original = far._on_event

        def listen(*values: Any, original: Any = original) -> None:
            heard.append(values[3])
            original(*values)

        monkeypatch.setattr(far, "_on_event", listen)
    url = two.desks[0].url
    async with manager(url) as one, manager(url) as other, manager(two.desks[1].url) as third:
        for each in (one, other, third):
            await each.call("symbol.show", symbol="EURUSD")
            await each.call("subscribe", event="tick")
        two.desks[0].server.tick("EURUSD", 1.3, 1.3001)
        for each in (one, other, third):
            assert (await each.event("tick"))["bid"] == 1.3
    assert sorted(map(len, heard)) == [1, 2], "one message a worker"  # type: ignore[arg-type]


async def test_a_key_counts_for_all_workers(two: WorkerDesks) -> None:
    async with manager(two.desks[0].url, dialect="2") as one, manager(two.desks[1].url, dialect="2") as other:
        user = {"group": "demoforex", "name": "Once", "password": "Pass1", "enable": True}
        login = await one.call_with("user.add", user, key="k")
        assert await other.call_with("user.add", user, key="k") == login
        answer = await other.answer(await other.send("user.add", {**user, "name": "Twice"}, key="k"))
        assert answer["code"] == "key_reused"
        money = {"login": login["login"], "command": "balance", "amount": 5.0}
        ticket = await other.call_with("order.balance", money, key="m")
        assert await one.call_with("order.balance", money, key="m") == ticket
        assert (await one.call("users.get", logins=[login["login"]]))[0]["balance"] == 5.0


class Night:
    """Refuses accounts while it is night."""

    def __init__(self) -> None:
        self.falls = True
        self.asked = 0

    @hookimpl
    @vetoes("user.add")
    def mt_remote_call_started(self, call: Call) -> None:
        self.asked += 1
        if self.falls:
            raise Refused("Come back in the morning")


async def test_a_veto_and_a_key_over_workers(anyio_backend: str) -> None:
    night, user = Night(), {"group": "demoforex", "name": "Once", "password": "Pass1", "enable": True}
    async with (
        open_workers(2, plugins=(night,)) as two,
        manager(two.desks[0].url, dialect="2") as one,
        manager(two.desks[1].url, dialect="2") as other,
    ):
        answer = await one.answer(await one.send("user.add", user, key="k"))
        assert answer["code"] == "refused"
        night.falls = False
        login = await other.call_with("user.add", user, key="k")
        night.falls = True
        assert await one.call_with("user.add", user, key="k") == login
        assert night.asked == 2, "a repetition is not asked about"


async def test_a_key_whose_worker_died_has_an_unknown_outcome(two: WorkerDesks, gate: Gate) -> None:
    async with manager(two.desks[0].url, dialect="2") as one, manager(two.desks[1].url, dialect="2") as other:
        await one.send("gate.wait", {"amount": 1}, key="k")
        await until(lambda: gate.entered)
        channel = two.far[0]._channel
        assert channel is not None
        assert channel._transport is not None
        channel._transport.abort()
        answer = await other.answer(await other.send("gate.wait", {"amount": 1}, key="k"))
        assert (answer["code"], answer["outcome"], gate.entered) == ("timeout", "unknown", 1)


async def test_a_deadline_reaches_the_backend(two: WorkerDesks, gate: Gate) -> None:
    async with manager(two.desks[0].url, dialect="2") as one:
        answer = await one.answer(await one.send("gate.wait", {"amount": 1}))
        assert answer["code"] == "timeout"
        await until(lambda: gate.cancelled)
        assert not two.host.calls.in_flight
        assert (await one.call("gate.who"))[:3] == ["Demo", 1, "2"], "the crew goes on"


async def test_the_backends_own_functions_see_a_session(two: WorkerDesks) -> None:
    async with manager(two.desks[0].url, dialect="2") as one, manager(two.desks[0].url, dialect="2") as other:
        assert [(await one.call("gate.who"))[3] for _ in range(2)] == [1, 2]
        assert (await other.call("gate.who"))[3] == 1
        assert await one.call("gate.connected") == two.desks[0].server.now
        assert (await one.fails("gate.broken")).code == "internal_error"


async def test_sessions_that_end_leave_nothing(two: WorkerDesks) -> None:
    url = two.desks[0].url
    async with manager(url) as one, manager(url) as other:
        await one.call("subscribe", event="trade_request")
        await other.call("subscribe", event="trade")
        assert sum(len(worker.connections) for worker in two.host.workers.values()) == 2
    await until(lambda: not any(worker.connections or worker.ears for worker in two.host.workers.values()))
    await until(lambda: not two.desks[0].server_backend.connections)
    assert not two.far[0].listeners


async def test_wrong_credentials_and_a_session_that_leaves_while_it_connects(two: WorkerDesks) -> None:
    async with manager(two.desks[0].url) as one:
        pass
    far = two.far[0]
    with anyio.move_on_after(5) as scope:
        with anyio.CancelScope() as inner:
            inner.cancel()
            await far.open("Demo", 1, "manager", Deaf())
        await until(lambda: not two.desks[0].server_backend.connections)
    assert not scope.cancelled_caught
    assert one.connection.close_code == 1000


class Deaf:
    def on_event(self, event: Event) -> None: ...
    def on_lost(self, error: Exception) -> None: ...


async def test_the_end_of_the_backends_process(two: WorkerDesks) -> None:
    async with manager(two.desks[0].url) as one:
        await one.call("subscribe", event="connection")
        for worker in list(two.host.workers.values()):
            worker.channel.close()
        assert await one.event("connection") is False
        await until(lambda: two.gone == 2)
        assert not two.host.workers


async def test_a_call_under_way_at_the_end_of_the_backends_process_is_unknown(gate: Gate) -> None:
    async with (
        open_workers(1, plugins=(gate,)) as opened,
        client(opened.desks[0].url, headers={"VERSION": "2"}) as one,
    ):
        await one.login()
        waiting = await one.send("gate.wait", {"amount": 1})
        await until(lambda: gate.entered)
        for worker in list(opened.host.workers.values()):
            worker.channel.close()
        answer = await one.answer(waiting)
        assert (answer["code"], answer["outcome"]) == ("no_connection", "unknown")
        late = await one.answer(await one.send("gate.wait", {"amount": 2}))
        assert (late["code"], late["outcome"], gate.entered) == ("no_connection", "not_done", 1)


async def test_a_worker_that_is_behind_gets_the_newest_prices(two: WorkerDesks) -> None:
    async with manager(two.desks[0].url) as one:
        for symbol in ("EURUSD", "GBPUSD"):
            await one.call("symbol.show", symbol=symbol)
        await one.call("subscribe", event="tick")
        await one.call("subscribe", event="user")
        channel = next(w.channel for w in two.host.workers.values() if w.connections)
        channel.pause_writing()
        server = two.desks[0].server
        for number in range(50):
            server.tick("EURUSD", 1.2 + number / 1e4, 1.3)
            server.tick("GBPUSD", 1.4 + number / 1e4, 1.5)
        server.accounts.add(Draft(UserRecord, {"group": "demoforex", "name": "New", "password": "Pass1"}))
        assert len(channel._outbox) == 3
        channel.resume_writing()
        assert (await one.event("user"))["name"] == "New"
        ticks = [(event["data"]["symbol"], event["data"]["bid"]) for event in one.events]
        assert ticks == [("EURUSD", 1.2049), ("GBPUSD", 1.4049)]


async def test_every_area_of_the_backend_is_forwarded(two: WorkerDesks) -> None:
    connection = FarConnection(two.far[0], 1, "Demo", 1)
    connection.implemented = implementing([forwarding(area) for area in AREAS])
    assert all(row.offered_by(type(connection[area])) for area in AREAS for row in area.functions)


async def test_a_claim_whose_connection_is_lost_meanwhile_is_settled(
    two: WorkerDesks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session has no connection any more when the claim's number comes back: the key that was claimed is freed,
    not that of whoever the session is now."""
    far, desk = two.far[0], two.desks[0]
    money = {"login": 1, "command": "balance", "amount": 5.0}
    async with manager(desk.url, dialect="2") as one, manager(two.desks[1].url, dialect="2") as other:
        monkeypatch.setattr(far, "_drain", lambda: None)
        await one.send("order.balance", money, key="k")
        await until(lambda: any(kind == "reply" for kind, *_ in far._arrived))
        (session,) = desk.gateway.gateway.sessions
        session.mt4.on_lost(ConnectionLost())
        assert session.mt4.account == ("", 0)
        monkeypatch.undo()
        far._drain()
        repeated = await other.answer(await other.send("order.balance", money, key="k"))
        assert repeated.get("code") not in ("timeout", "in_progress")
        await until(lambda: not any(worker.claims for worker in two.host.workers.values()))
