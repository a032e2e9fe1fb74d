"""What is told of a call whose library is killed, at every step of every changing call: held against the server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest

from mt4sim import NewOrder
from mt4sim.native.library import SimulatedLibrary
from mt4sim.native.shared_server import SharedServer
from mt_remote import outcomes
from mt_remote.backend import Connection
from mt_remote.errors import RequestError
from mt_remote.outcomes import Known
from mt_remote.records import (
    ConCommon,
    ConGroup,
    ConHoliday,
    ConManager,
    ConSymbol,
    Draft,
    Patch,
    TradeCommand,
    UserRecord,
)
from mt_remote_plugins.areas import AREAS, Common, Groups, Holidays, Managers, Market, Orders, Symbols, Users
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from mt_remote_plugins.manager.connection import LibraryConnection
from mt_remote_plugins.manager.engine.messages import Notice, Task
from mt_remote_plugins.manager.running_engine import LocalEngine, RunningEngine
from tests.native.current import serving
from tests.native.test_session import Heard

pytestmark = pytest.mark.anyio

LOGIN = 100


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def shared() -> Iterator[SharedServer]:
    with serving() as served:
        yield served


class Doomed(RunningEngine):
    """An engine that is killed at its ``last`` task: before the library did it, or before anybody heard that it did."""

    def __init__(self, library: SimulatedLibrary, connection: LibraryConnection, settings: ManagerSettings) -> None:
        self.left: int | None = None
        self.does_the_last = False
        self.tasks = 0
        self._killed_at: int | None = None
        self._notices = connection.notices
        self._put = connection.notices.put
        connection.notices.put = self._pass_on  # type: ignore[method-assign,assignment]
        self._engine = LocalEngine(library, settings.tuning, connection.notices)

    def _pass_on(self, notice: Notice) -> None:
        if self._killed_at is None:
            self._put(notice)
        elif notice[0] == "reply" and notice[1] == self._killed_at:
            self._put(("exit", "was ended by signal 9"))

    def submit(self, task: Task) -> None:
        self.tasks += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self._killed_at = task.id
                if not self.does_the_last:
                    self._put(("exit", "was ended by signal 9"))
                    return
        self._engine.submit(task)

    def kill(self) -> None:
        self._engine.kill()

    def close(self) -> None:
        self._engine.close()


class DoomedBackend(ManagerBackend):
    def __init__(self, shared: SharedServer) -> None:
        self.source = SimulatedLibrary(shared)
        super().__init__(ManagerSettings(isolate=False), library=self.source)
        self.engines: list[Doomed] = []

    def _start(self, connection: LibraryConnection) -> RunningEngine:
        self.engines.append(Doomed(self.source, connection, self.settings))
        return self.engines[-1]


Call = Callable[[Connection, dict[str, Any]], Awaitable[object]]

CALLS: dict[str, Call] = {
    "config.common.set": lambda mt, at: mt[Common].set(Patch(ConCommon, {"timeout": 77})),
    "config.group.add": lambda mt, at: mt[Groups].add(Draft(ConGroup, {"group": "new"})),
    "config.group.set": lambda mt, at: mt[Groups].set(Patch(ConGroup, {"group": "empty", "copies": 3})),
    "config.group.del": lambda mt, at: mt[Groups].delete("empty"),
    "config.manager.set": lambda mt, at: mt[Managers].set(Patch(ConManager, {"login": 77, "name": "New"})),
    "config.manager.del": lambda mt, at: mt[Managers].delete(50),
    "config.symbol.add": lambda mt, at: mt[Symbols].add(
        Draft(ConSymbol, {"symbol": "NEW", "security": "Forex", "digits": 5, "contract_size": 1.0})
    ),
    "config.symbol.set": lambda mt, at: mt[Symbols].set(Patch(ConSymbol, {"symbol": "EURUSD", "stops_level": 77})),
    "config.symbol.move": lambda mt, at: mt[Symbols].move("EURUSD", 3),
    "config.symbol.del": lambda mt, at: mt[Symbols].delete("USDJPY"),
    "config.holiday.add": lambda mt, at: mt[Holidays].add(Draft(ConHoliday, {"month": 1, "day": 2, "position": 0})),
    "config.holiday.set": lambda mt, at: mt[Holidays].set(
        Patch(ConHoliday, {"position": 0, "etag": at["etag"], "description": "other"})
    ),
    "config.holiday.move": lambda mt, at: mt[Holidays].move(0, at["etag"], 1),
    "config.holiday.del": lambda mt, at: mt[Holidays].delete(0, at["etag"]),
    "user.add": lambda mt, at: mt[Users].add(
        Draft(UserRecord, {"group": "miniforex", "name": "B", "password": "Pass1", "enable": True})
    ),
    "user.set": lambda mt, at: mt[Users].set(Patch(UserRecord, {"login": LOGIN, "city": "Riga"})),
    "users.del": lambda mt, at: mt[Users].delete([LOGIN]),
    "tick.add": lambda mt, at: mt[Market].add_tick("EURUSD", 1.2, 1.2002),
    "order.open": lambda mt, at: mt[Orders].open(LOGIN, "EURUSD", TradeCommand.BUY, 0.1, 1.1),
    "order.modify": lambda mt, at: mt[Orders].modify(at["buy"], sl=1.0),
    "order.close": lambda mt, at: mt[Orders].close(at["buy"], 0.1, 1.1),
    "order.close_by": lambda mt, at: mt[Orders].close_by(at["buy"], at["sell"]),
    "order.close_all": lambda mt, at: mt[Orders].close_all(LOGIN, "EURUSD"),
    "order.cancel": lambda mt, at: mt[Orders].cancel(at["limit"], TradeCommand.BUY_LIMIT),
    "order.activate": lambda mt, at: mt[Orders].activate(at["limit"], 1.05),
    "order.balance": lambda mt, at: mt[Orders].balance(LOGIN, TradeCommand.BALANCE, 100.0),
}
"""A call of every function that changes something by itself."""

REFUSED: dict[str, Call] = {
    "order.balance, too much": lambda mt, at: mt[Orders].balance(LOGIN, TradeCommand.BALANCE, -1e9),
    "order.balance, late credit": lambda mt, at: mt[Orders].balance(LOGIN, TradeCommand.CREDIT, 1.0, expiration=1),
    "order.open, nobody": lambda mt, at: mt[Orders].open(99_999, "EURUSD", TradeCommand.BUY, 0.1, 1.1),
    "order.open, nothing": lambda mt, at: mt[Orders].open(LOGIN, "NOPE", TradeCommand.BUY, 0.1, 1.1),
    "order.close_by, itself": lambda mt, at: mt[Orders].close_by(at["buy"], at["buy"]),
    "config.group.del, used": lambda mt, at: mt[Groups].delete("miniforex"),
    "user.add, twice": lambda mt, at: mt[Users].add(
        Draft(UserRecord, {"login": LOGIN, "group": "miniforex", "name": "B", "password": "Pass1"})
    ),
}
"""Calls that the server refuses: who asks it why may be killed over that."""


def prepared(shared: SharedServer) -> dict[str, Any]:
    """What the calls are about."""
    with shared.lock:
        manager = shared.server.login(1, "manager")
        fields = {
            "login": LOGIN,
            "group": "miniforex",
            "name": "A",
            "password": "Pass1",
            "enable": True,
            "leverage": 100,
        }
        manager.add_user(Draft(UserRecord, fields))
        manager.balance(LOGIN, TradeCommand.BALANCE, 10_000.0)
        manager.add_tick("EURUSD", 1.1, 1.1002)
        manager.add_group(Draft(ConGroup, {"group": "empty"}))
        manager.set_manager(Patch(ConManager, {"login": 50, "name": "Other"}))
        at: dict[str, Any] = {
            "buy": manager.open(LOGIN, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.1)),
            "sell": manager.open(LOGIN, NewOrder("EURUSD", TradeCommand.SELL, 0.1, 1.1)),
            "limit": manager.open(LOGIN, NewOrder("EURUSD", TradeCommand.BUY_LIMIT, 0.1, 1.05)),
        }
        shared.server.quotes.calendar.holidays = ()
        store = manager.table("Holiday")
        for day in (24, 25):
            store.write(ConHoliday(month=12, day=day, description="kept"), -1)
    return at


def ledger(shared: SharedServer) -> str:
    with shared.lock:
        return json.dumps(shared.server.snapshot(), sort_keys=True, default=repr)


async def attempt(call: Call, steps: int | None, *, does_the_last: bool) -> tuple[Known | None, bool, int]:
    """What was told (``None``: success), whether the server changed, and how many steps it took."""
    with serving() as shared:
        at = prepared(shared)
        backend = DoomedBackend(shared)
        mt = await backend.open("demo:443", 1, "manager", Heard())
        at["etag"] = (await mt[Holidays].get_all())[0].etag
        engine, before = backend.engines[0], ledger(shared)
        engine.tasks, engine.left, engine.does_the_last = 0, steps, does_the_last
        changes = outcomes.begin()
        told: Known | None = None
        try:
            with anyio.fail_after(60):
                await call(mt, at)
        except RequestError as error:
            told = changes.after(error)
        finally:
            with anyio.CancelScope(shield=True):
                await mt.aclose()
        return told, ledger(shared) != before, engine.tasks


@pytest.mark.parametrize("name", CALLS)
async def test_what_happened_is_never_told_as_not_done(name: str) -> None:
    told, changed, steps = await attempt(CALLS[name], None, does_the_last=False)
    assert (told, changed) == (None, True)
    certain = 0
    for step in range(steps):
        for does_the_last in (False, True):
            told, changed, _ = await attempt(CALLS[name], step, does_the_last=does_the_last)
            assert told is not None, "it was killed"
            assert told is not Known.NOT_DONE or not changed, (step, does_the_last)
            assert told is not Known.DONE or changed, (step, does_the_last)
            certain += told is not Known.UNKNOWN
    assert certain >= steps - 1, "what comes before and after the one change is known"


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal_stays_one_when_nobody_can_say_why(name: str) -> None:
    told, changed, steps = await attempt(REFUSED[name], None, does_the_last=False)
    assert (told, changed) == (Known.NOT_DONE, False)
    for step in range(1, steps):
        told, changed, _ = await attempt(REFUSED[name], step, does_the_last=True)
        assert told in (Known.NOT_DONE, Known.UNKNOWN)
        assert not changed


def test_every_function_that_changes_something_is_tried() -> None:
    rows = [row for area in AREAS for row in area.functions if row.kind in ("change", "trade")]
    others = {"external.command"} | {row.name for row in rows if row.name.startswith("request.")}
    assert {row.name for row in rows} - others == set(CALLS)
