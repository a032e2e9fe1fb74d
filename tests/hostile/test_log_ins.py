"""Passwords that are tried, by many at once, over many processes; and reconnections without an end."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest

from mt_remote.backend import Listener
from mt_remote.errors import ReturnCode, ServerError
from tests.cli.command import command
from tests.core.conftest import Peer, Start, peer, raw, until
from tests.core.memory import MemoryConnection, MemoryServer
from tests.stories.client import client
from tests.workers.desks import open_workers

pytestmark = pytest.mark.anyio

GUESS = {"server": "Memory", "login": 1, "password": "guess-no-1", "reconnect_delay": 0}
GOOD = {**GUESS, "password": "manager"}
HEADERS = {"MT_SERVER": "Memory", "MT_LOGIN": "1", "MT_PASSWORD": "guess-no-1"}


class Watched(MemoryServer):
    """Counts log-ins that reach it; each takes as long as the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.reached: list[str] = []
        self.at_once = self.most_at_once = 0
        self.let_go = anyio.Event()

    async def open(
        self, server: str, login: int, password: str, listener: Listener, *, peer: str = ""
    ) -> MemoryConnection:
        self.reached.append(peer)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.let_go.wait()
            return await super().open(server, login, password, listener, peer=peer)
        finally:
            self.at_once -= 1


@pytest.fixture
async def memory(anyio_backend: object) -> Watched:
    return Watched()


async def all_at_once(gateway: Any, count: int, watched: Watched, data: dict[str, Any]) -> list[dict[str, Any]]:
    """So many clients call ``connect`` before any is answered; gives the answers."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(peer(gateway, VERSION="2")) for _ in range(count)]
        for each in clients:
            await each.send({"id": 1, "name": "connect", "data": data})
        limiter = gateway.gateway.log_ins.limiter
        await until(lambda: limiter.waiting + limiter.under_way == count)
        watched.let_go.set()
        return [await each.answer(1) for each in clients]


async def test_parallel_guesses_are_as_many_as_single_ones(start: Start, memory: Watched) -> None:
    async with start(login_failures=10) as gateway:
        answers = await all_at_once(gateway, 24, memory, GUESS)
        assert len(memory.reached) == 10
        assert Counter(answer["code"] for answer in answers) == {"bad_account_info": 10, "too_many_logins": 14}
        assert memory.most_at_once <= gateway.gateway.settings.max_concurrent_logins


async def test_parallel_guesses_by_handshake(start: Start, memory: Watched) -> None:
    async with start(login_failures=10) as gateway, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw(gateway)) for _ in range(24)]
        statuses: list[int] = []

        async def shake_hands(each: Peer) -> None:
            await each.handshake(**HEADERS)
            assert each.rejected is not None
            statuses.append(each.rejected[0])

        async with anyio.create_task_group() as group:
            for each in clients:
                group.start_soon(shake_hands, each)
            limiter = gateway.gateway.log_ins.limiter
            await until(lambda: limiter.waiting + limiter.under_way == 24)
            memory.let_go.set()
        assert Counter(statuses) == {401: 10, 429: 14}
        assert len(memory.reached) == 10


async def test_honest_ones_come_in_however_many_at_once(start: Start, memory: Watched) -> None:
    async with start(login_failures=3, max_concurrent_logins=4) as gateway:
        answers = await all_at_once(gateway, 40, memory, GOOD)
        assert {answer["status"] for answer in answers} == {"OK"}
        assert memory.most_at_once == 3, "three may fail, so no more are tried before one is known to be good"


async def test_the_queue_has_an_end(start: Start, memory: Watched) -> None:
    async with start(max_concurrent_logins=1, max_waiting_logins=4) as gateway, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(peer(gateway, VERSION="2")) for _ in range(3)]
        for each in clients:
            await each.send({"id": 1, "name": "connect", "data": GOOD})
        busy = await clients[2].answer(1)
        assert busy["code"] == "busy"
        memory.let_go.set()
        assert [(await each.answer(1))["status"] for each in clients[:2]] == ["OK", "OK"]


async def test_who_hangs_up_has_tried(start: Start, memory: Watched) -> None:
    async with start(login_failures=2) as gateway:
        limiter = gateway.gateway.log_ins.limiter
        for _ in range(2):
            async with peer(gateway) as each:
                await each.send({"id": 1, "name": "connect", "data": GUESS})
                await until(lambda: memory.at_once)
            await until(lambda: not gateway.gateway.sessions)
            memory.let_go.set()
            await until(lambda: not limiter.under_way)
            memory.let_go = anyio.Event()
        async with peer(gateway, VERSION="2") as each:
            assert (await each.ask("connect", **GOOD))["code"] == "too_many_logins"


async def test_the_log_names_who_tried_and_no_password(
    start: Start, memory: Watched, logged: list[dict[str, Any]]
) -> None:
    memory.let_go.set()
    async with start(refusals_logged=5) as gateway:
        async with peer(gateway) as each:
            for _ in range(20):
                await each.ask("connect", **GUESS)
        lines = [line for line in logged if line["event"] == "log-in failed"]
        assert 5 <= len(lines) <= 10
        assert lines[0]["login"] == 1
        assert lines[0]["peer"].startswith("127.0.0.1:")
        assert lines[0]["session"] == 1
        assert lines[0]["code"] == "bad_account_info"
        assert "guess" not in str(logged)


async def test_reconnecting_stops_when_the_credentials_are_refused(
    start: Start, memory: Watched, logged: list[dict[str, Any]]
) -> None:
    memory.let_go.set()
    async with start(reconnect_delay_min=0.01) as gateway, peer(gateway, VERSION="2") as each:
        await each.ask("subscribe", event="connection")
        await each.connect(reconnect_delay=1)
        assert (await each.message())["data"] is True

        async def disabled(*_: object, **__: object) -> MemoryConnection:
            memory.reached.append("again")
            raise ServerError(ReturnCode.ACCOUNT_DISABLED)

        memory.open = disabled  # type: ignore[method-assign]
        memory.lose()
        assert [(await each.message())["data"] for _ in range(2)] == [False, False]
        assert (await each.ask("users.get.all"))["code"] == "not_connected"
        assert memory.reached.count("again") == 1
        (line,) = [line for line in logged if line["event"] == "reconnecting given up"]
        assert (line["code"], line["login"], line["session"]) == ("account_disabled", 1, 1)


async def test_a_server_that_drops_everybody_is_not_hammered(start: Start, memory: Watched) -> None:
    """Let in and dropped at once, with the shortest delay that a client can ask for: each pause is twice the last."""
    memory.let_go.set()
    async with start(reconnect_delay_min=0.02, reconnect_delay_max=60) as gateway, peer(gateway) as each:
        await each.ask("subscribe", event="connection")
        await each.connect(reconnect_delay=1)
        began = anyio.current_time()
        for _ in range(5):
            while not (await each.message())["data"]:
                pass
            memory.lose()
        assert anyio.current_time() - began >= 0.02 + 0.04 + 0.08 + 0.16


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_workers_count_together(anyio_backend: str) -> None:
    """Whoever tries passwords reaches another worker with each connection."""
    async with open_workers(2, login_failures=6) as workers, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(client(workers.desks[number % 2].url, headers={"VERSION": "2"}))
            for number in range(24)
        ]
        guess = {"server": "Demo", "login": 1, "password": "guess"}
        ids = [await each.send("connect", guess) for each in clients]
        answers = [await each.answer(id_) for each, id_ in zip(clients, ids, strict=True)]
        assert Counter(answer["code"] for answer in answers) == {"bad_account_info": 6, "too_many_logins": 18}


@pytest.mark.parametrize("flags", [("--host", "0.0.0.0"), ("--trusted-proxies", "10.0.0.0/8")])
def test_a_gateway_that_reaches_out_names_its_servers(flags: tuple[str, ...]) -> None:
    plugin = ("--plugin", "mt_remote_plugins.manager.plugin", "--plugin", "mt4sim.native.plugin")
    backend = ("--backend", "manager", "--library", "mt4sim.native:Library")
    done = command("serve", *plugin, *backend, *flags)
    assert done.code == 2
    for word in ("--servers", "MT_REMOTE_SERVERS", "servers = ["):
        assert word in done.errors
    assert "Traceback" not in done.errors
