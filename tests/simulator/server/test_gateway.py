"""The simulator as a backend: connections, what each hears, faults and quirks."""

from __future__ import annotations

from typing import Any

import pytest

from mt4sim import NewOrder
from mt4sim.gateway.backend import SimulatorBackend
from mt4sim.gateway.settings import SimulatorSettings
from mt_remote.backend import Connection, Event
from mt_remote.errors import ConnectionLost, NotFound, RequestError, ServerError
from mt_remote.records import ConGroup, ConManager, Draft, Patch, TradeCommand, UserRecord
from mt_remote_plugins.areas import Common, Groups, Managers, Market, Orders, Users

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Ear:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lost: list[RequestError] = []

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def on_lost(self, error: RequestError) -> None:
        self.lost.append(error)


def make(**settings: Any) -> SimulatorBackend:
    return SimulatorBackend(SimulatorSettings(clock="manual", feed="off", **settings))


async def enter(backend: SimulatorBackend, *kinds: str, login: int = 1) -> tuple[Connection, Ear]:
    """A connection that watches these kinds, and EURUSD."""
    ear = Ear()
    connection = await backend.open("demo", login, "manager", ear)
    await connection[Market].show("EURUSD")
    for kind in kinds:
        await connection.watch(kind)
    return connection, ear


async def hire(admin: Connection, backend: SimulatorBackend, **rights: object) -> None:
    """Manager 50."""
    await admin[Managers].set(Patch(ConManager, {"login": 50, "groups": ["demoforex"], **rights}))
    backend.server.manager_passwords[50] = "manager"


async def add_user(connection: Connection, group: str = "demoforex") -> int:
    fields = {"group": group, "name": "N", "password": "Trader1", "enable": True, "leverage": 100}
    return (await connection[Users].add(Draft(UserRecord, fields)))["login"]


async def test_one_event_object_serves_every_unrestricted_connection() -> None:
    backend = make()
    kinds = ("tick", "user", "trade", "group")
    first, ear = await enter(backend, *kinds)
    _, other = await enter(backend, *kinds)
    await first[Market].add_tick("EURUSD", 1.1, 1.2)
    login = await add_user(first)
    await first[Orders].balance(login, TradeCommand.BALANCE, 100.0)
    await first[Orders].open(login, "EURUSD", TradeCommand.BUY, 0.01, 1.1)
    await first[Groups].set(Patch(ConGroup, {"group": "demoforex", "copies": 3}))
    assert {event.kind for event in ear.events} == set(kinds)
    assert len(ear.events) == len(other.events)
    assert all(one is two for one, two in zip(ear.events, other.events, strict=True))


async def test_masks_and_details_hold_for_events_too() -> None:
    backend = make()
    admin, _ = await enter(backend)
    await hire(admin, backend)
    _, ear = await enter(backend, "user", "trade", login=50)
    seen, hidden = await add_user(admin), await add_user(admin, "demopro")
    for login in (seen, hidden):
        await admin[Orders].open(login, "EURUSD", TradeCommand.BUY, 0.01, 1.1)
    logins = {getattr(event.data, "login", 0) for event in ear.events}
    assert logins == {seen}
    assert {event.data.name for event in ear.events if isinstance(event.data, UserRecord)} == {""}


async def test_a_hidden_symbol_is_silent() -> None:
    backend = make()
    connection, ear = await enter(backend, "tick")
    await connection[Market].add_tick("GBPUSD", 1.3, 1.4)
    await connection[Market].hide("EURUSD")
    await connection[Market].add_tick("EURUSD", 1.1, 1.2)
    assert ear.events == []


async def test_deleting_a_connected_manager_breaks_nobody_else() -> None:
    backend = make()
    admin, ear = await enter(backend, "user")
    await hire(admin, backend)
    gone, silent = await enter(backend, "user", "trade", "group", login=50)
    await admin[Managers].delete(50)
    await admin[Orders].open(await add_user(admin), "EURUSD", TradeCommand.BUY, 0.01, 1.1)
    assert ear.events
    assert silent.events == []
    with pytest.raises(ServerError):
        await gone[Common].get()


async def test_a_lost_connection_says_so_once_and_holds_no_request() -> None:
    backend = make()
    connection, ear = await enter(backend, "trade_request")
    login = await add_user(connection, "demodealing")
    await connection[Orders].balance(login, TradeCommand.BALANCE, 10_000.0)
    backend.server.trader(login).open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    assert [event.kind for event in ear.events] == ["trade_request"]
    assert backend.lose_all("a test") == 1
    assert backend.lose_all("a test") == 0
    assert len(ear.lost) == 1
    with pytest.raises(ConnectionLost):
        await connection[Users].get_all()
    _, next_ear = await enter(backend, "trade_request")
    assert len(next_ear.events) == 1


async def test_nobody_gets_in_while_the_server_is_down() -> None:
    backend = make()
    backend.down = True
    with pytest.raises(ConnectionLost):
        await enter(backend)
    backend.down = False
    await enter(backend)


async def test_quirk_a_new_group_is_hidden_until_reconnect() -> None:
    backend = make(realism=["hidden_groups"])
    connection, ear = await enter(backend, "group")
    await connection[Groups].add(Draft(ConGroup, {"group": "new"}))
    assert len(ear.events) == 1
    with pytest.raises(NotFound):
        await connection[Groups].get("new")
    later, _ = await enter(backend)
    assert (await later[Groups].get("new")).group == "new"


async def test_quirk_lagging_events_and_coalesced_ticks_come_with_the_clock() -> None:
    backend = make(realism=["lagging_events", "coalesced_ticks"])
    connection, ear = await enter(backend, "tick", "user")
    for bid in (1.1, 1.11, 1.12):
        await connection[Market].add_tick("EURUSD", bid, 1.2)
    await add_user(connection)
    assert ear.events == []
    backend.advance(1)
    assert [event.kind for event in ear.events] == ["tick", "user"]
    assert getattr(ear.events[0].data, "bid", None) == 1.12
