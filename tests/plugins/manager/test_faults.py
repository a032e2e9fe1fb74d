"""A library that misbehaves: the gateway stays up, and everyone learns what happened."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from mt4abi import NotifyFunctionEx, Pump, Trans
from mt_remote.backend import Connection
from mt_remote.errors import Busy, CallTimeout, ConfigurationError, ConnectionLost, NotFound, ServerError
from mt_remote.records import TradeCommand
from mt_remote_plugins.areas import Common, Groups, Market, Orders, Trades, Users
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from mt_remote_plugins.manager.engine.messages import Tuning
from mt_remote_plugins.manager.loop_queue import LoopQueue
from mt_remote_plugins.manager.running_engine import WorkerEngine
from tests.plugins.manager.conftest import Heard, Opening
from tests.plugins.manager.tiny import TinyLibrary, TinyServer, row

pytestmark = pytest.mark.anyio


async def test_garbage_codes_are_errors_with_their_number(opening: Opening, server: TinyServer) -> None:
    async with opening() as connection:
        server.faults["trade_transaction"] = lambda handle, info: -559038737
        with pytest.raises(ServerError, match="Unknown error") as raised:
            await connection[Orders].close(1, 1.0, 1.0)
        assert raised.value.wire_code == "mt4_-559038737"


async def test_a_count_without_an_array_is_an_error(opening: Opening, server: TinyServer) -> None:
    def lie(handle: Any, total: int) -> None:
        handle.array([b""] * 5, total)

    async with opening() as connection:
        server.faults["users_request"] = lie
        with pytest.raises(ServerError, match="gave no array, yet a count of 5"):
            await connection[Users].get_all()
        del server.faults["users_request"]
        assert await connection[Users].get_all() == []


async def test_an_array_with_an_impossible_count_is_freed_and_refused(opening: Opening, server: TinyServer) -> None:
    def lie(handle: Any, total: int) -> int:
        address: int = handle.array([b"x"], total)
        from mt4sim.native.native_values import put_integer

        put_integer(total, -3)
        return address

    async with opening() as connection:
        server.faults["users_request"] = lie
        with pytest.raises(ServerError, match="count of -3"):
            await connection[Users].get_all()
    assert (server.memory.outstanding, server.memory.wrong_frees) == (0, 0)


async def test_an_array_that_makes_no_sense_is_freed(opening: Opening, server: TinyServer) -> None:
    server.trade(1, cmd=77)
    async with opening() as connection:
        with pytest.raises(ServerError, match=r"TradeRecord\.cmd holds 77"):
            await connection[Trades].get_all()
    assert server.memory.outstanding == 0


async def test_a_notification_that_makes_no_sense_is_dropped_and_the_next_one_comes(
    opening: Opening, server: TinyServer, heard: Heard
) -> None:
    async with opening() as connection:
        await connection.watch("trade")
        server.trade(1, cmd=77)
        server.pump(Pump.UPDATE_TRADES, Trans.ADD, b"")
        server.pump(Pump.PING, Trans.ADD, b"x")
        server.trade(2)
        await heard.until(lambda: heard.data("trade"))
        assert [trade.order for trade in heard.data("trade")] == [2]


async def test_a_call_back_after_disconnect_meets_nobody(opening: Opening, server: TinyServer, heard: Heard) -> None:
    kept: list[tuple[int, int]] = []

    def keep(handle: Any, function: int, flags: int, parameter: int) -> int:
        kept.append((function, parameter))
        return 0

    server.faults["pumping_switch_ex"] = keep
    async with opening() as connection:
        await connection.watch("trade")
    function, parameter = kept[0]
    NotifyFunctionEx(function)(Pump.UPDATE_TRADES, Trans.ADD, row("TradeRecord", order=1, login=1), parameter)
    await anyio.lowlevel.checkpoint()
    assert heard.events == []


async def test_a_hanging_call_loses_the_connection_and_says_what_is_known(
    opening: Opening, server: TinyServer, heard: Heard
) -> None:
    begun, release = threading.Event(), threading.Event()

    def hang(handle: Any, total: int) -> None:
        begun.set()
        release.wait(60)

    server.faults["users_request"] = hang
    errors: dict[str, BaseException] = {}

    async def call(name: str, connection: Connection) -> None:
        try:
            await (connection[Users].get_all() if name == "hung" else connection[Common].get())
        except Exception as error:  # noqa: BLE001 - kept for the test
            errors[name] = error

    async with opening(call_timeout=0.3) as connection:
        async with anyio.create_task_group() as group:
            group.start_soon(call, "hung", connection)
            await anyio.to_thread.run_sync(begun.wait)
            group.start_soon(call, "queued", connection)
        assert isinstance(errors["hung"], CallTimeout)
        assert errors["hung"].outcome == "not_done", "it was to change nothing"
        assert str(errors["hung"]).endswith("was stopped")
        assert isinstance(errors["queued"], CallTimeout | ConnectionLost)  # its own deadline is as near
        assert "the call was not begun" in str(errors["queued"])
        assert errors["queued"].outcome == "not_done"
        assert len(heard.lost) == 1
        with pytest.raises(ConnectionLost):
            await connection[Common].get()
        release.set()


async def test_a_handle_takes_no_more_than_its_bound(opening: Opening, server: TinyServer) -> None:
    release = threading.Event()
    server.faults["users_request"] = lambda handle, total: release.wait(10) and None
    async with opening(max_waiting=2) as connection, anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(connection[Users].get_all)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(Busy, match="2 calls wait"):
            await connection[Common].get()
        release.set()


async def test_a_cancelled_call_that_waits_is_never_begun(opening: Opening, server: TinyServer) -> None:
    release = threading.Event()
    server.faults["users_request"] = lambda handle, total: release.wait(10) and None
    async with opening() as connection, anyio.create_task_group() as group:
        group.start_soon(connection[Users].get_all)
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0.05):
            await connection[Orders].open(100, "EURUSD", TradeCommand.BUY, 1.0, 1.0)
        release.set()
        assert await connection[Trades].get_all() == []


async def test_a_lost_connection_is_told_once(opening: Opening, server: TinyServer, heard: Heard) -> None:
    async with opening() as connection:
        for handle in server.handles:
            handle.connected = False
        server.faults["cfg_request_common"] = lambda handle, common: 6
        with pytest.raises(ServerError, match="No connection"):
            await connection[Common].get()
        await heard.until(lambda: heard.lost)
        with pytest.raises(ConnectionLost):
            await connection[Common].get()
        assert len(heard.lost) == 1


async def test_a_restart_that_can_not_succeed_loses_the_connection(
    opening: Opening, server: TinyServer, heard: Heard
) -> None:
    async with opening() as connection:
        await connection.watch("trade")
        server.passwords[1] = b"changed"
        server.stop(Pump.STOP_PUMPING)
        await heard.until(lambda: heard.lost)
        assert "Invalid account" in heard.lost[0].message


async def test_an_idle_connection_that_broke_is_noticed(opening: Opening, server: TinyServer, heard: Heard) -> None:
    async with opening(ping=0.02):
        server.faults["ping"] = lambda handle: 6
        server.handles[0].connected = False
        await heard.until(lambda: heard.lost)


async def test_pumping_that_falls_silent_is_restarted(opening: Opening, server: TinyServer, heard: Heard) -> None:
    async with opening(silence=0.02) as connection:
        await connection.watch("trade")
        server.handles[1].connected = False
        server.trades[1] = row("TradeRecord", order=1, login=100)
        await heard.until(lambda: heard.data("trade"))


def _resident(process: int) -> int:
    """KiB of memory that a process holds."""
    status = Path(f"/proc/{process}/status")
    if not status.is_file():
        pytest.skip("no /proc here to tell a process's memory")
    return int(status.read_text().partition("VmRSS:")[2].split()[0])


async def _grown(lists: Callable[[], Awaitable[None]], *processes: int) -> list[int]:
    """By how many KiB processes grew over 10,000 lists, the first 1,000 left out."""
    for _ in range(1000):
        await lists()
    before = [_resident(process) for process in processes]
    for _ in range(9000):
        await lists()
    return [_resident(process) - old for process, old in zip(processes, before, strict=True)]


FLAT = 4096
"""KiB. A list of five trades is 1,120 bytes: lists that are not given back would be 9,800 KiB more."""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("kind", ["trades", "nonsense"])
async def test_ten_thousand_lists_leak_no_memory(opening: Opening, server: TinyServer, kind: str) -> None:
    for order in range(5):
        server.trade(order, cmd=77 if kind == "nonsense" else 0)
    async with opening() as connection:

        async def lists() -> None:
            if kind == "trades":
                assert len(await connection[Trades].get_all()) == 5
                return
            with pytest.raises(ServerError, match="holds 77"):
                await connection[Trades].get_all()

        (grown,) = await _grown(lists, os.getpid())
    assert grown < FLAT
    assert (server.memory.outstanding, server.memory.wrong_frees) == (0, 0)


async def test_pumping_that_makes_no_sense_loses_the_connection(
    opening: Opening, server: TinyServer, heard: Heard
) -> None:
    def lie(handle: Any, symbol: int, total: int) -> None:
        handle.array([b""] * 5, total)

    async with opening() as connection:
        await connection[Market].show("EURUSD")
        server.faults["tick_info_last"] = lie
        server.tick(b"EURUSD", 1.0, 1.1)
        await heard.until(lambda: heard.lost)
        assert "yet a count of 5" in heard.lost[0].message


async def test_securities_that_can_not_be_read_are_left_out(opening: Opening, server: TinyServer) -> None:
    server.faults["symbols_groups_get"] = lambda handle, groups: 2
    async with opening() as connection:
        assert (await connection[Groups].get("demo")).securities == {}


async def test_a_dealer_who_stops_gives_back_what_he_holds(opening: Opening, server: TinyServer, heard: Heard) -> None:
    async with opening() as connection:
        await connection.watch("trade_request")
        server.request(5)
        await heard.until(lambda: heard.data("trade_request"))
        await connection.unwatch("trade_request")
        assert server.answers == [(5, (0.0, 0.0), -2, 0)]


# In a worker process

_HERE = "tests.plugins.manager.tiny"


@asynccontextmanager
async def _isolated(heard: Heard, library: str, **settings: Any) -> AsyncIterator[Connection]:
    patient = {"login_timeout": 120} | settings  # a loaded machine starts processes slowly
    backend = ManagerBackend(ManagerSettings(library=f"{_HERE}:{library}", **patient))
    connection = await backend.open("tiny:443", 1, "manager", heard)
    try:
        yield connection
    finally:
        await connection.aclose()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_worker_does_what_the_library_does(heard: Heard) -> None:
    async with _isolated(heard, "well_behaved") as connection:
        await connection.watch("trade")
        ticket = (await connection[Orders].open(100, "EURUSD", TradeCommand.BUY, 1.0, 1.1))["order"]
        await heard.until(lambda: heard.data("trade"))
        assert heard.data("trade")[0] == await connection[Trades].get(ticket)
        with pytest.raises(NotFound, match="Cannot find order 99"):
            await connection[Orders].close(99, 1.0, 1.0)
    assert heard.lost == []


async def test_a_crash_ends_one_connection_and_the_next_one_works(heard: Heard) -> None:
    async with _isolated(heard, "crashing") as connection:
        with pytest.raises(ConnectionLost, match=r"The process with the MT4 library (was )?ended") as lost:
            await connection[Users].get_all()
        assert lost.value.outcome == "not_done", "it was to change nothing"
        assert "The process with the MT4 library" in heard.lost[0].message
        with pytest.raises(ConnectionLost):
            await connection[Common].get()
    async with _isolated(heard, "well_behaved") as connection:
        assert (await connection[Common].get()).name == "Tiny"


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[WorkerEngine]:
    """The workers that are started."""
    started: list[WorkerEngine] = []
    begin = WorkerEngine.__init__

    def kept(self: WorkerEngine, *arguments: Any) -> None:
        started.append(self)
        begin(self, *arguments)

    monkeypatch.setattr(WorkerEngine, "__init__", kept)
    return started


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_ten_thousand_lists_leak_no_memory_with_a_worker(heard: Heard, workers: list[WorkerEngine]) -> None:
    async with _isolated(heard, "with_trades") as connection:

        async def lists() -> None:
            assert len(await connection[Trades].get_all()) == 5

        grown = await _grown(lists, os.getpid(), workers[0].process.pid)
    assert max(grown) < FLAT, grown


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_hanging_worker_is_killed(heard: Heard, workers: list[WorkerEngine]) -> None:
    async with _isolated(heard, "hanging", call_timeout=0.5) as connection:
        with pytest.raises(CallTimeout, match=r"was stopped$"):
            await connection[Users].get_all()
        assert len(heard.lost) == 1
    assert workers[0].process.wait(5) != 0


async def test_a_library_that_is_not_there_is_said_so(heard: Heard) -> None:
    backend = ManagerBackend(ManagerSettings(library="no/such/mtmanapi64.dll", isolate=False))
    with pytest.raises(ServerError, match=r"can't be used: there is no library at"):
        await backend.open("tiny:443", 1, "manager", heard)


async def test_a_library_object_stays_in_this_process() -> None:
    with pytest.raises(ConfigurationError, match="set isolate to false"):
        ManagerBackend(ManagerSettings(), library=TinyLibrary())
    with pytest.raises(ConfigurationError, match="module:name"):
        WorkerEngine(TinyLibrary(), Tuning(), LoopQueue(lambda notice: None))
