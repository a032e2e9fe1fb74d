"""The configuration's tables from the backend's side down to the simulated server, through the library's functions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest

from mt4abi import structure, table
from mt4sim.market.sessions import Holiday
from mt4sim.native.library import SimulatedLibrary
from mt4sim.native.shared_server import SharedServer
from mt_remote.backend import Connection
from mt_remote.errors import Conflict, InvalidData, NotFound, ServerError
from mt_remote.records import ConGroup, ConHoliday, ConManager, ConSession, ConSymbol, Draft, Patch, Weekday
from mt_remote_plugins.areas import Groups, Holidays, Managers, Symbols
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from mt_remote_plugins.manager.tables import PositionRows
from tests.native.current import serving
from tests.native.test_session import Heard

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def shared() -> Iterator[SharedServer]:
    with serving() as served:
        yield served


@pytest.fixture
async def mt(anyio_backend: str, shared: SharedServer) -> AsyncIterator[Connection]:
    backend = ManagerBackend(ManagerSettings(isolate=False), library=SimulatedLibrary(shared))
    connection = await backend.open("demo:443", 1, "manager", Heard())
    try:
        yield connection
    finally:
        await connection.aclose()


def christmas(day: int, **more: object) -> Draft[ConHoliday]:
    return Draft(ConHoliday, {"month": 12, "day": day, "to": "12:0", "enable": True, **more})


# A table over a key


async def test_a_symbol_is_read_as_it_is_configured(mt: Connection, shared: SharedServer) -> None:
    symbols = mt[Symbols]
    found = await symbols.get("EURUSD")
    own = shared.server.symbols["EURUSD"]
    assert (found.security, found.digits, found.contract_size) == (own.security, own.digits, own.contract_size)
    assert (found.trade_mode, found.currency) == ("full", own.currency)
    assert list(found.sessions) == list(Weekday)
    assert [each.symbol for each in await symbols.get_all()] == list(shared.server.symbols)
    with pytest.raises(NotFound, match="Cannot find symbol 'NONE'"):
        await symbols.get("NONE")


async def test_a_change_of_a_symbol_leaves_the_rest(mt: Connection, shared: SharedServer) -> None:
    symbols = mt[Symbols]
    before, own = await symbols.get("EURUSD"), shared.server.symbols["EURUSD"]
    shared.server.symbols["EURUSD"] = own.changed(filter_counter=7)
    friday = {"friday": {"trades": [{"from_": "1:0", "to": "12:30"}]}}
    await symbols.set(Patch(ConSymbol, {"symbol": "EURUSD", "spread": 12, "sessions": friday, "trade_mode": "close"}))
    after, own = await symbols.get("EURUSD"), shared.server.symbols["EURUSD"]
    assert (own.spread, own.filter_counter, own.sessions[5].trade) == (12, 7, ((60, 750),))
    before.spread, before.trade_mode = 12, after.trade_mode
    before.sessions[Weekday.FRIDAY].trades = [ConSession(from_="1:0", to="12:30")]
    assert after == before
    assert after.trade_mode == "close"


async def test_a_symbol_is_added_moved_and_deleted(mt: Connection, shared: SharedServer) -> None:
    symbols = mt[Symbols]
    names = list(shared.server.symbols)
    week = {day: {"trades": [{"from_": "9:0", "to": "24:0"}]} for day in Weekday}
    fields = {"symbol": "NEW", "security": "Forex", "digits": 3, "contract_size": 10.0, "margin_pct": 50.0}
    await symbols.add(Draft(ConSymbol, {**fields, "currency": "USD", "instant_max_lots": 2.5, "sessions": week}))
    own = shared.server.symbols["NEW"]
    assert (own.digits, own.margin_divider, own.instant_max_volume, own.point) == (3, 2.0, 250, 0.001)
    assert own.sessions[0].trade == ((540, 1440),)
    for taken in ("NEW", "new", "eurusd"):
        with pytest.raises(InvalidData, match="exists already"):
            await symbols.add(Draft(ConSymbol, {"symbol": taken, "contract_size": 1.0, "security": "Forex"}))
    await symbols.move("NEW", 0)
    assert list(shared.server.symbols) == ["NEW", *names]
    with pytest.raises(InvalidData, match=f"to: must be from 0 to {len(names)}"):
        await symbols.move("NEW", len(names) + 1)
    await symbols.delete("NEW")
    assert list(shared.server.symbols) == names
    with pytest.raises(NotFound, match="Cannot find symbol 'NEW'"):
        await symbols.delete("NEW")


async def test_terms_that_can_not_be_are_refused(mt: Connection) -> None:
    symbols = mt[Symbols]
    with pytest.raises(InvalidData, match=r"security: the server has no security of that name \(it has Forex"):
        await symbols.set(Patch(ConSymbol, {"symbol": "EURUSD", "security": "Nothing"}))
    backwards = {"monday": {"trades": [{"from_": "12:0", "to": "11:0"}]}}
    for changes in ({"contract_size": 0.0}, {"digits": 3}, {"sessions": backwards}):
        with pytest.raises(ServerError) as caught:
            await symbols.set(Patch(ConSymbol, {"symbol": "EURUSD", **changes}))
        assert caught.value.return_code == 3


async def test_groups_and_managers_move(mt: Connection, shared: SharedServer) -> None:
    groups, managers = mt[Groups], mt[Managers]
    names = list(shared.server.groups)
    await groups.move(names[-1], 0)
    assert list(shared.server.groups) == [names[-1], *names[:-1]]
    await managers.set(Patch(ConManager, {"login": 77, "name": "Late", "groups": ["*"]}))
    await managers.move(77, 0)
    first, *_ = await managers.get_all()
    assert first.login == 77
    with pytest.raises(InvalidData, match=f"group: a group '{names[0]}' exists already"):
        await groups.add(Draft(ConGroup, {"group": names[0].upper()}))


async def test_a_table_wants_its_right(mt: Connection, shared: SharedServer) -> None:
    shared.server.config.set_manager(Patch(ConManager, {"login": 1, "admin": False}))
    for call in (mt[Symbols].get_all, mt[Holidays].get_all, mt[Managers].get_all):
        with pytest.raises(ServerError, match="the manager has no 'admin'"):
            await call()
    assert await mt[Groups].get_all(), "groups are read without it"


# A table of places


async def test_a_holidays_life(mt: Connection, shared: SharedServer) -> None:
    holidays = mt[Holidays]
    shared.server.quotes.calendar.holidays = _none()
    first = await holidays.add(christmas(24, symbol="Forex", description="Eve"))
    second = await holidays.add(christmas(25))
    assert (first["position"], second["position"]) == (0, 1)
    before = await holidays.add(christmas(23, position=0))
    rows = await holidays.get_all()
    assert [(row.position, row.day, row.symbol) for row in rows] == [(0, 23, "All"), (1, 24, "Forex"), (2, 25, "All")]
    assert rows[0].etag == before["etag"]
    assert len({row.etag for row in rows}) == 3
    changes = {"position": 1, "etag": rows[1].etag, "from_": "8:0", "to": "24:0", "year": 2025}
    changed = await holidays.set(Patch(ConHoliday, changes))
    assert changed["position"] == 1
    assert changed["etag"] != rows[1].etag
    own = shared.server.quotes.calendar.holidays[1]
    assert (own.year, own.month, own.day, own.start, own.end) == (2025, 12, 24, 480, 1440)
    assert (own.symbol, own.description) == ("Forex", "Eve")
    moved = await holidays.move(1, changed["etag"], 2)
    assert moved == {"position": 2, "etag": changed["etag"]}
    await holidays.delete(2, moved["etag"])
    assert [each.day for each in shared.server.quotes.calendar.holidays] == [23, 25]


async def test_what_another_moved_is_not_touched(mt: Connection, shared: SharedServer) -> None:
    holidays = mt[Holidays]
    calendar = shared.server.quotes.calendar
    calendar.holidays = _none()
    for day in (24, 25):
        await holidays.add(christmas(day))
    rows = await holidays.get_all()
    calendar.holidays = kept = (calendar.holidays[1], calendar.holidays[0])
    with pytest.raises(Conflict, match="Another holiday is at 0 now"):
        await holidays.delete(0, rows[0].etag)
    with pytest.raises(Conflict):
        await holidays.set(Patch(ConHoliday, {"position": 0, "etag": rows[0].etag, "day": 1}))
    with pytest.raises(Conflict):
        await holidays.move(1, rows[1].etag, 0)
    with pytest.raises(NotFound, match="Cannot find holiday 2"):
        await holidays.delete(2, rows[1].etag)
    with pytest.raises(InvalidData, match="position: must be from 0 to 2, got 3"):
        await holidays.add(christmas(26, position=3))
    assert calendar.holidays == kept


async def test_the_servers_pointers_are_no_part_of_a_row(mt: Connection) -> None:
    """What a library has of its own in a row may be another each time; the etag does not change with it."""
    holidays = cast(PositionRows[ConHoliday], mt[Holidays])
    plain: Any = structure("ConHoliday")(month=12, day=24)
    pointed: Any = structure("ConHoliday")(month=12, day=24, next=0x7FFF0000)
    one, other = holidays._settled(bytes(plain) + bytes(pointed))
    assert one == other
    assert len(one) == table().layouts["ConHoliday"].size


def _none() -> tuple[Holiday, ...]:
    return ()
