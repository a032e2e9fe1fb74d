"""Order, deadlines, safe repetition, bugs of a backend: what becomes of calls."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import structlog
from wsproto.events import TextMessage

from mt_remote.errors import ConnectionLost
from mt_remote.logs import configure
from mt_remote.plugin import Kind, Namespace, hookimpl
from mt_remote.shell.server import Running
from tests.core.conftest import Peer, Start, peer, until
from tests.core.memory import MemoryServer

pytestmark = pytest.mark.anyio

HEADERS = {"MT_SERVER": "Memory", "MT_LOGIN": "1", "MT_PASSWORD": "manager", "VERSION": "2"}


def balance(id_: object, amount: float, **more: object) -> dict[str, Any]:
    data = {"login": 1, "command": "balance", "amount": amount}
    return {"id": id_, "name": "order.balance", "data": data, **more}


async def test_changes_keep_their_order_and_reads_overtake(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway) as client:
        await client.connect()
        memory.gate = anyio.Event()
        for number in range(1, 6):
            await client.send(balance(number, number))
        await client.send({"id": "read", "name": "config.group.get", "data": {"group": "demo"}})
        await client.send({"id": "barrier", "name": "subscribe", "data": {"event": "group"}})
        await client.send({"id": "late read", "name": "config.group.get", "data": {"group": "demo"}})
        assert (await client.message())["id"] == "read"
        assert memory.started == 1, "one change at a time"
        assert gateway.gateway.counters()["calls_waiting"] == 6
        memory.gate.set()
        answers = [await client.message() for _ in range(7)]
        assert [answer["id"] for answer in answers] == [1, 2, 3, 4, 5, "barrier", "late read"]
        assert memory.balances == [1, 2, 3, 4, 5]
        assert [answer["result"]["order"] for answer in answers[:5]] == [1, 2, 3, 4, 5]


async def test_sessions_do_not_wait_for_each_other(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway) as one, peer(gateway) as other:
        await one.connect()
        await other.connect()
        memory.gate = anyio.Event()
        await one.send(balance(1, 1))
        await until(lambda: memory.started)
        assert (await other.ask("config.group.set", group="demo", copies=1))["status"] == "OK"
        memory.gate.set()
        assert (await one.answer(1))["status"] == "OK"


async def test_a_deadline_says_what_is_known_of_the_outcome(start: Start, memory: MemoryServer) -> None:
    deadlines = {"trade": 0.15, "read": 0.15, "change": 30, "session": 0.15}
    async with start(deadlines=deadlines) as gateway, peer(gateway, **HEADERS) as client:
        memory.gate = anyio.Event()
        await client.send(balance("first", 1))
        await client.send(balance("second", 2))
        await client.send({"id": "read", "name": "trades.get"})
        answers = {answer["id"]: answer for answer in [await client.message() for _ in range(3)]}
        assert {answer["code"] for answer in answers.values()} == {"timeout"}
        assert answers["first"]["outcome"] == "unknown"
        assert answers["second"]["outcome"] == "not_done"
        assert answers["read"]["outcome"] == "not_done"
        assert "unknown" in answers["first"]["message"]
        memory.gate.set()
        assert (await client.ask("config.group.get", group="demo"))["status"] == "OK"
        assert memory.balances == []
        async with peer(gateway) as old:
            answer = await old.ask("connect", server="slow", login=1, password="manager")
            assert set(answer) == {"id", "status", "message"}
            assert (await old.ask("config.common.get"))["status"] == "ERROR"
            await old.connect()


# Keys


async def test_a_key_gives_the_first_answer_again(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway, **HEADERS) as client, peer(gateway, **HEADERS) as other:
        for asking, id_ in ((client, 1), (client, "again"), (other, 7)):
            await asking.send(balance(id_, 100, key="k1"))
            assert await asking.answer(id_) == {"id": id_, "status": "OK", "result": {"order": 1}}
        assert memory.balances == [100]
        await client.send(balance(2, 101, key="k1"))
        different = await client.answer(2)
        assert different["code"] == "key_reused"
        await client.send(balance(3, 101, key="k2"))
        assert (await client.answer(3))["result"] == {"order": 2}
        await client.send(balance(4, 2e6, key="poor"))
        assert (await client.answer(4))["code"] == "trade_no_money"
        await client.send(balance(5, 2e6, key="poor"))
        assert (await client.answer(5))["code"] == "trade_no_money"
        assert memory.started == 3, "a refusal of the server is an answer too"


async def test_a_repetition_waits_for_the_first_call(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway, **HEADERS) as one, peer(gateway, **HEADERS) as other:
        memory.gate = anyio.Event()
        await one.send(balance(1, 5, key="k"))
        await until(lambda: memory.started)
        await other.send(balance(2, 5, key="k"))
        await until(lambda: gateway.gateway.counters()["calls_in_flight"] == 2)
        await one.stream.aclose()  # what changes the server is carried through
        memory.gate.set()
        assert (await other.answer(2))["result"] == {"order": 1}
        assert memory.balances == [5]


async def test_a_timed_out_first_call_resolves(start: Start, memory: MemoryServer) -> None:
    async with start(deadlines={"trade": 0.1}) as gateway, peer(gateway, **HEADERS) as client:
        memory.gate = anyio.Event()
        await client.send(balance(1, 5, key="k"))
        late = await client.answer(1)
        assert (late["code"], late["outcome"]) == ("timeout", "unknown")
        async with peer(gateway, **HEADERS) as other:
            for asking, id_ in ((client, 2), (other, 3)):
                await asking.send(balance(id_, 5, key="k"))
                meanwhile = await asking.answer(id_)
                assert (meanwhile["code"], meanwhile["outcome"]) == ("in_progress", "unknown")
            await other.send(balance(4, 6, key="k"))
            assert (await other.answer(4))["code"] == "key_reused"
        memory.gate.set()
        await until(lambda: gateway.gateway.counters()["calls_in_flight"] == 0)
        await client.send(balance(5, 5, key="k"))
        assert await client.answer(5) == {"id": 5, "status": "OK", "result": {"order": 1}}
        assert (memory.balances, client.messages) == ([5], []), "the late end answers nobody by itself"


async def test_what_is_known_not_to_have_happened_may_be_tried_again(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway, VERSION="2") as client:
        await client.send(balance(1, 5, key="k"))
        assert (await client.answer(1))["code"] == "not_connected"
        await client.connect()
        await client.send(balance(2, 5, key="k"))
        assert (await client.answer(2))["status"] == "OK"
        memory.lose()
        await client.send(balance(3, 5, key="lost"))
        assert (await client.answer(3))["code"] == "not_connected"
        await client.connect()
        await client.send(balance(4, 5, key="lost"))
        assert (await client.answer(4))["result"] == {"order": 2}


@pytest.mark.parametrize("outcome", ["unknown", "not_done", ""])
async def test_a_lost_connection_says_what_is_known_of_the_outcome(
    start: Start, memory: MemoryServer, outcome: str
) -> None:
    """And under its key only what is unknown is not tried again: it may have happened. Who says nothing does not
    know."""
    async with start() as gateway, peer(gateway, **HEADERS) as client, peer(gateway) as old:
        memory.breaking = ConnectionLost("The wire broke", outcome=outcome)
        await client.send(balance(1, 5, key="k"))
        answer = await client.answer(1)
        assert (answer["code"], answer.get("outcome", "")) == ("no_connection", outcome or "unknown")
        await old.connect()
        await old.send(balance(1, 5))
        assert await old.answer(1) == {"id": 1, "status": "ERROR", "message": "The wire broke"}
        memory.breaking = None
        await client.send(balance(2, 5, key="k"))
        again = await client.answer(2)
        if outcome != "not_done":
            assert again == {**answer, "id": 2}
            assert memory.balances == []
        else:
            assert again["result"] == {"order": 1}


async def test_calls_while_a_connection_is_restored_are_not_done(start: Start, memory: MemoryServer) -> None:
    async with start() as gateway, peer(gateway, VERSION="2") as client:
        await client.connect(reconnect_delay=60_000)
        memory.lose()
        await client.send(balance(1, 5))
        answer = await client.answer(1)
        assert (answer["code"], answer["outcome"]) == ("no_connection", "not_done")


async def test_keys_are_for_changes_in_dialect_2(start: Start) -> None:
    async with start() as gateway, peer(gateway, **HEADERS) as new, peer(gateway) as old:
        await old.connect()
        await old.send(balance(1, 5, key="k"))
        assert "key: only dialect 2 has it" in (await old.answer(1))["message"]
        await new.send({"id": 1, "name": "trades.get.by_login", "data": {"login": 1, "group": "demo"}, "key": "k"})
        assert (await new.answer(1))["code"] == "invalid_request"


# Bugs and secrets


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_bug_is_an_internal_error_and_secrets_stay_out_of_the_log(
    start: Start, memory: MemoryServer, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    before = structlog.get_config()
    configure("debug", as_json=as_json)
    try:
        async with start(deadlines={"session": 0.3}) as gateway, peer(gateway, VERSION="2") as client:
            told = []
            for server in ("broken", "Memory", "slow"):
                told.append(await client.ask("connect", server=server, login=1, password="hunter-2-secret"))
            assert [answer["code"] for answer in told] == ["internal_error", "bad_account_info", "timeout"]
            await client.send('{"id":9,"name":"connect","data":{"server":1,"login":1,"password":["hunter-2-secret"]}}')
            told.append(await client.answer(9))
            await client.connect(reconnect_delay=10)
            told.append(await client.ask("config.group.set", group="demo", smtp_password="hunter-2-secret", bad=1))
            assert (await client.ask("config.group.set", group="demo", smtp_password="hunter-2-secret"))[
                "status"
            ] == "OK"
            memory.down = True
            memory.lose()
            await until(lambda: "reconnecting failed" in log.getvalue())
            async with peer(gateway, **HEADERS | {"MT_SERVER": "broken", "MT_PASSWORD": "hunter-2-secret"}) as refused:
                told.append(json.loads(refused.body))
        for answer in told:
            assert "Traceback" not in json.dumps(answer)
            assert "ZeroDivision" not in json.dumps(answer)
            assert "hunter" not in json.dumps(answer)
        assert "ZeroDivisionError" in log.getvalue()
        assert "hunter" not in log.getvalue()
        assert 'manager"' not in log.getvalue().replace("'", '"')
    finally:
        structlog.configure(**before)


# The end


async def test_clients_that_die_at_random_leave_nothing(start: Start, memory: MemoryServer) -> None:
    async with start(deadlines={"session": 0.3}) as gateway:

        async def live(number: int, stop_at: int) -> None:
            async with peer(gateway) as client:
                steps: list[Callable[[], Awaitable[object]]] = [
                    client.connect,
                    lambda: client.ask("symbol.show", symbol="EURUSD"),
                    lambda: client.ask("subscribe", event="tick"),
                    lambda: client.ask("subscribe", event="group"),
                    lambda: client.send({"id": "r", "name": "trades.get"}),
                    lambda: client.send(balance("b", number)),
                    lambda: client.send({"id": "c", "name": "disconnect"}),
                    lambda: client.send({"id": "d", "name": "connect", "data": {"server": "slow", "login": 1,
                                                                                "password": "manager"}}),
                ]  # fmt: skip
                for step in steps[:stop_at]:
                    await step()

        memory.gate = anyio.Event()
        async with anyio.create_task_group() as group:
            for number in range(27):
                group.start_soon(live, number, number % 9)
        memory.gate.set()
        memory.tick("EURUSD", 1, 1.1)
        await until(lambda: not any(n for name, n in gateway.gateway.counters().items() if name != "call_tasks"))
        await until(lambda: not memory.connections)


async def test_a_connection_that_opens_after_its_client_left_is_closed(start: Start, memory: MemoryServer) -> None:
    opened = anyio.Event()
    go = anyio.Event()
    real = memory.open

    async def slowly(*arguments: Any, **named: Any) -> Any:
        opened.set()
        await go.wait()
        return await real(*arguments, **named)

    memory.open = slowly  # type: ignore[method-assign]
    async with start() as gateway:
        async with peer(gateway) as client:
            await client.send({"id": 1, "name": "connect",
                               "data": {"server": "Memory", "login": 1, "password": "manager"}})  # fmt: skip
            await opened.wait()
        await until(lambda: not gateway.gateway.sessions)
        go.set()
        await until(lambda: not gateway.gateway.calls.in_flight)
        assert memory.connections == []


async def finished(client: Peer) -> tuple[int, str]:
    ended = await client.until_closed()
    await client.stream.aclose()
    return ended


async def test_a_graceful_end(start: Start, memory: MemoryServer) -> None:
    ends: list[tuple[int, str]] = []
    answers: list[dict[str, Any]] = []
    late: list[bool] = []

    async def wait_for_the_end(client: Peer) -> None:
        await until(lambda: late)
        answers.append(await client.answer("late"))
        memory.gate.set()
        answers.append(await client.answer("held"))
        ends.append(await finished(client))

    async with anyio.create_task_group() as group:
        clients: list[Peer] = []
        async with start() as gateway:
            stream = await anyio.connect_tcp(gateway.host, gateway.port)
            client = Peer(stream)
            clients.append(client)
            await client.handshake()
            await client.connect()
            memory.gate = anyio.Event()
            await client.send(balance("held", 1))
            await until(lambda: memory.started)
            group.start_soon(wait_for_the_end, client)

            async def open_the_gate() -> None:
                await until(lambda: gateway.gateway.stopping)
                with pytest.raises(OSError, match=r".*"):
                    await anyio.connect_tcp(gateway.host, gateway.port)
                await client.send({"id": "late", "name": "config.common.get"})
                late.append(True)

            group.start_soon(open_the_gate)
        assert gateway.gateway.counters()["sessions"] == 0
    assert answers[0] == {"id": "late", "status": "ERROR", "message": "The gateway is shutting down"}
    assert answers[1]["status"] == "OK"
    assert ends == [(1001, "the gateway is shutting down")]
    assert memory.connections == []


async def test_a_call_that_does_not_end_holds_the_shutdown_no_longer_than_the_grace(
    start: Start, memory: MemoryServer
) -> None:
    async with start(shutdown_grace=0.1, close_timeout=0.1) as gateway:
        client = Peer(await anyio.connect_tcp(gateway.host, gateway.port))
        await client.handshake()
        await client.connect()
        memory.gate = anyio.Event()
        await client.send(balance("held", 1))
        await until(lambda: memory.started)
    assert (await finished(client))[0] == 1001
    assert memory.balances == []


strays = Namespace("stray")
WHOSE: ContextVar[int] = ContextVar("WHOSE", default=0)


@strays.function()
async def at_once() -> None:
    """Awaits what was cancelled before."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


@strays.function(kind=Kind.CHANGE)
async def later() -> None:
    """Awaits what is cancelled meanwhile."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.cancel)
    await future


@strays.function()
async def itself() -> None:
    """Cancels the task that it finds itself in, and waits."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await anyio.sleep(1)


@strays.function()
async def behind_itself() -> None:
    """Has the task that carries it cancelled when it is done."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_soon(task.cancel)


@strays.function()
async def past_deadline() -> str:
    """A time that was over before it began."""
    try:
        async with asyncio.timeout(0):
            await anyio.sleep(10)
    except TimeoutError:
        return "over"
    return "not over"


@strays.function()
async def failing_group() -> str:
    """A group of tasks of which one fails: Python leaves a cancellation on the task's record."""

    async def fail() -> None:
        raise ValueError

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(anyio.sleep(10))
    except* ValueError:
        pass
    return "failed"


@strays.function(kind=Kind.CHANGE)
async def whose(number: int, suspends: bool) -> list[int]:
    """What the call's own context said before it was set, and after."""
    before = WHOSE.get()
    WHOSE.set(number)
    if suspends:
        await anyio.lowlevel.checkpoint()
    return [before, WHOSE.get()]


@strays.function()
async def sleeps() -> None:
    """Until its deadline."""
    await anyio.sleep(100)


class Strays:
    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        return [strays]


ONE_LOOP = pytest.mark.parametrize("anyio_backend", ["asyncio"])
"""trio lets nobody but its own scopes cancel."""


@ONE_LOOP
@pytest.mark.parametrize("name", ["at_once", "later", "itself"])
async def test_a_cancellation_that_nobody_asked_for_ends_its_call_alone(start: Start, name: str) -> None:
    """A handler that awaits what others cancel must not take its carrier, the session or the gateway with it."""
    async with start(plugins=(Strays(),), deadlines={"read": 0.3}) as gateway, peer(gateway) as client:
        await client.connect()
        for _ in range(3):
            answer = await client.ask(f"stray.{name}")
            assert answer["status"] == "ERROR"
            assert answer["message"].startswith(f"stray.{name} was broken off inside the gateway")
            assert ("unknown" in answer["message"]) == (name == "later")
        await goes_on(gateway, client)


@ONE_LOOP
@pytest.mark.parametrize(
    ("name", "result"), [("past_deadline", "over"), ("failing_group", "failed"), ("behind_itself", None)]
)
async def test_what_handlers_cancel_themselves_stays_with_them(start: Start, name: str, result: str | None) -> None:
    async with start(plugins=(Strays(),), deadlines={"read": 0.3}) as gateway, peer(gateway) as client:
        await client.connect()
        for _ in range(3):
            answer = await client.ask(f"stray.{name}")
            assert (answer["status"], answer.get("result")) == ("OK", result)
            await anyio.lowlevel.checkpoint()
        await goes_on(gateway, client)


async def goes_on(gateway: Running, client: Peer) -> None:
    """The same carriers serve the next calls, deadlines included."""
    await client.send({"id": "slow", "name": "stray.sleeps"})
    assert "took longer than 0.3 s" in (await client.answer("slow"))["message"]
    assert (await client.ask("config.group.get", group="demo"))["status"] == "OK"
    counters = gateway.gateway.counters()
    assert counters["calls_in_flight"] == counters["calls_waiting"] == 0


async def test_every_call_has_a_context_of_its_own(start: Start) -> None:
    """Whatever another call, of another session even, left in its own."""
    async with start(plugins=(Strays(),)) as gateway, peer(gateway) as one, peer(gateway) as other:
        calls = [{"id": n, "name": "stray.whose", "data": {"number": n, "suspends": n % 3 == 0}} for n in range(1, 20)]
        for client in (one, other):
            frames = [client.ws.send(TextMessage(data=json.dumps(call))) for call in calls]
            await client.stream.send(b"".join(frames))
            answers = {answer["id"]: answer["result"] for answer in [await client.message() for _ in calls]}
            assert answers == {n: [0, n] for n in range(1, 20)}
