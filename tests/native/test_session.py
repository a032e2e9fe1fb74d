"""A whole session of the backend on the shared library. Runs on Linux, and in a Windows Python under Wine
(``MT_REMOTE_TEST_LIBRARY``)."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from mt4abi import table
from mt4abi.library import open_library
from mt4sim import NewOrder
from mt4sim.native.shared_server import SharedServer
from mt_remote.backend import Connection, Event
from mt_remote.errors import ServerError
from mt_remote.records import ConCommon, ConfirmMode, ConGroup, Draft, Patch, TradeCommand, UserRecord
from mt_remote_plugins.areas import Common, Dealing, Groups, Managers, Market, Orders, Trades, Users
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from tests.native.current import serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Heard:
    """Keeps events and lets a test wait for them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lost: list[Exception] = []
        self._changed = anyio.Event()

    def on_event(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def on_lost(self, error: Exception) -> None:
        self.lost.append(error)
        self._changed.set()

    def data(self, kind: str) -> list[Any]:
        return [event.data for event in self.events if event.kind == kind]

    async def until(self, condition: Callable[[], object]) -> None:
        with anyio.fail_after(60):
            while not condition():
                self._changed = anyio.Event()
                await self._changed.wait()


@pytest.fixture
def shared() -> Iterator[SharedServer]:
    with serving() as served:
        yield served


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def mt(anyio_backend: str, shared: SharedServer, heard: Heard, shared_object: Path) -> AsyncIterator[Connection]:
    backend = ManagerBackend(ManagerSettings(library=str(shared_object), isolate=False))
    connection = await backend.open("demo:443", 1, "manager", heard)
    try:
        yield connection
    finally:
        await connection.aclose()


async def _user(mt: Connection, group: str = "miniforex") -> int:
    draft = Draft(UserRecord, {"group": group, "name": "A", "password": "Pass1", "enable": True, "leverage": 100})
    login = (await mt[Users].add(draft))["login"]
    await mt[Orders].balance(login, TradeCommand.BALANCE, 10_000.0)
    return login


def test_it_is_the_version_that_the_table_describes(shared_object: Path) -> None:
    assert open_library(str(shared_object)).version() == table().version_argument


async def test_a_wrong_password(shared: SharedServer, heard: Heard, shared_object: Path) -> None:
    backend = ManagerBackend(ManagerSettings(library=str(shared_object), isolate=False))
    with pytest.raises(ServerError, match="Invalid account"):
        await backend.open("demo:443", 1, "wrong", heard)


async def test_configuration_there_and_back(mt: Connection, shared: SharedServer) -> None:
    common = await mt[Common].get()
    assert common == shared.server.config.common()
    await mt[Common].set(Patch(ConCommon, {"timeout": 77}))
    assert (await mt[Common].get()).timeout == 77
    groups = await mt[Groups].get_all()
    assert groups == shared.server.config.groups()
    await mt[Groups].add(Draft(ConGroup, {"group": "new", "symbols": {"EURUSD": {"swap_long": 1.5}}}))
    await mt[Groups].set(Patch(ConGroup, {"group": "new", "securities": {"Forex": {"lot_min": 0.01}}}))
    new = await mt[Groups].get("new")
    assert (new.securities["Forex"].lot_min, new.symbols["EURUSD"].swap_long) == (0.01, 1.5)
    await mt[Groups].set(Patch(ConGroup, {"group": "new", "symbols": {"EURUSD": None}}))
    assert (await mt[Groups].get("new")).symbols == {}
    await mt[Groups].delete("new")
    assert await mt[Groups].get_all() == groups
    assert await mt[Managers].get(1) == shared.server.config.manager(1)


async def test_users_and_orders(mt: Connection, shared: SharedServer, heard: Heard) -> None:
    for kind in ("user", "trade"):
        await mt.watch(kind)
    login = await _user(mt)
    ticket = (await mt[Orders].open(login, "EURUSD", TradeCommand.BUY, 0.1, 1.1, comment="à la carte"))["order"]
    assert await mt[Trades].get(ticket) == shared.server.record(shared.server.trading.engine.book.find(ticket))
    await mt[Orders].modify(ticket, sl=1.0)
    await mt[Orders].close(ticket, 0.1, 1.2)
    assert [trade.order for trade in await mt[Trades].history(login, 0, 2**31 - 1)][-1] == ticket
    await heard.until(lambda: [t for t in heard.data("trade") if t.close_time and t.order == ticket])
    told = [(trade.sl, trade.close_time > 0) for trade in heard.data("trade") if trade.order == ticket]
    assert told == [(0.0, False), (1.0, False), (1.0, True)]
    assert (await mt[Users].get([login]))[0].balance == 11_000.0
    await mt[Users].delete([login])
    assert await mt[Users].get([login]) == []


async def test_twenty_thousand_callbacks_from_a_foreign_thread(
    mt: Connection, shared: SharedServer, heard: Heard
) -> None:
    await mt.watch("tick")
    await mt[Market].show("EURUSD")
    await mt.watch("trade")
    login = await _user(mt)
    await heard.until(lambda: len(heard.data("trade")) == 1)  # the deposit

    def storm() -> None:
        symbol = shared.server.symbols["EURUSD"]
        for number in range(18_000):
            with shared.lock:
                shared.server.quotes.tick("EURUSD", symbol.to_points(1.1) + number, symbol.to_points(1.3))
            if number % 18 == 0:
                with shared.lock:
                    shared.server.trading.transactions.balance(login, TradeCommand.BALANCE, 1.0)
        with shared.lock:
            shared.server.quotes.tick("EURUSD", symbol.to_points(1.25), symbol.to_points(1.3))

    thread = threading.Thread(target=storm)
    thread.start()
    await heard.until(lambda: len(heard.data("trade")) == 1001)
    await heard.until(lambda: heard.data("tick")[-1].bid == 1.25)
    thread.join()
    bids = [tick.bid for tick in heard.data("tick")[:-1]]
    assert bids == sorted(bids)
    tickets = [trade.order for trade in heard.data("trade")]
    assert tickets == sorted(tickets)
    assert heard.lost == []


async def test_dealing(mt: Connection, shared: SharedServer, heard: Heard) -> None:
    login = await _user(mt, "demodealing")
    shared.server.tick("EURUSD", 1.1, 1.2)
    await mt.watch("trade_request")
    with shared.lock:
        deal = shared.server.trader(login).open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    await heard.until(lambda: heard.data("trade_request"))
    request = heard.data("trade_request")[0]
    assert (request.id, request.login, request.trade.volume) == (deal.id, login, 0.1)
    await mt[Dealing].confirm(request.id, 1.1, 1.2, ConfirmMode.NORMAL)
    assert deal.answer is not None
    assert deal.answer.order
    assert [trade.open_price for trade in await mt[Trades].get_by_login(login, "demodealing")] == [1.2]


async def test_a_broken_network_is_made_good(shared: SharedServer, heard: Heard, shared_object: Path) -> None:
    settings = ManagerSettings(library=str(shared_object), isolate=False, retry_first=0.01, ping=0.05)
    connection = await ManagerBackend(settings).open("demo:443", 1, "manager", heard)
    await connection.watch("trade")
    shared.drop_connections()
    await heard.until(lambda: heard.lost)
    await connection.aclose()
