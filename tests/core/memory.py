"""A backend for tests of the core: groups, common settings and prices in memory, as a stranger would write one.

It stands in for the simulator so that the core's tests need nothing but the core.
"""

from __future__ import annotations

from typing import cast

import anyio
from pydantic import BaseModel

from mt_remote.backend import Backend, Connection, Event, Listener
from mt_remote.errors import CallTimeout, ConnectionLost, InvalidData, NotFound, ReturnCode, ServerError
from mt_remote.plugin import BackendSpec, hookimpl
from mt_remote.records import ConCommon, ConGroup, Draft, Patch, Tick, TradeCommand, TradeRecord, UserRecord
from mt_remote_plugins.areas import Common, Groups, Market, Orders, Trades, Users
from mt_remote_plugins.external import ExternalBytes
from mt_remote_plugins.orders import NewTicket
from mt_remote_plugins.users import NewLogin

DENIED = ServerError(ReturnCode.NOT_ENOUGH_RIGHTS)


class MemoryServer(Backend):
    """One server for all connections. ``gate`` holds back balance operations until it is set."""

    name = "memory"

    def __init__(self) -> None:
        self.areas = AREAS
        self.config = ConCommon(name="Memory")
        self.table: dict[str, ConGroup] = {"demo": ConGroup(group="demo", enable=True)}
        self.prices: dict[str, Tick] = {}
        self.connections: list[MemoryConnection] = []
        self.gate = anyio.Event()
        self.gate.set()
        self.started = 0
        self.balances: list[float] = []
        self.breaking: ConnectionLost | None = None
        self.down = False

    async def open(
        self, server: str, login: int, password: str, listener: Listener, *, peer: str = ""
    ) -> MemoryConnection:
        if self.down:
            raise ConnectionLost
        if server == "slow":
            await anyio.sleep_forever()
        if server == "late":
            raise CallTimeout("The library did not return")
        if server == "broken":
            raise ZeroDivisionError("a bug in a backend")
        if password != "manager":
            raise ServerError(ReturnCode.BAD_ACCOUNT_INFO)
        if login == 64:
            raise ServerError(ReturnCode.ACCOUNT_DISABLED)
        if login == 7:
            raise ServerError(ReturnCode.NOT_ENOUGH_RIGHTS)
        connection = MemoryConnection(self, server, login, listener)
        self.connections.append(connection)
        return connection

    def lose(self) -> None:
        """Every connection breaks."""
        lost, self.connections = self.connections, []
        for connection in lost:
            connection.listener.on_lost(ConnectionLost())

    def emit(self, event: Event) -> None:
        for connection in self.connections:
            if event.kind in connection.kinds and (event.kind != "tick" or event.merge_key in connection.visible):
                connection.listener.on_event(event)

    def tick(self, symbol: str, bid: float, ask: float) -> None:
        tick = Tick(symbol=symbol, time=1_600_000_000 + len(self.prices), bid=bid, ask=ask)
        self.prices[symbol] = tick
        self.emit(Event("tick", tick, symbol))


class MemoryConnection(Connection):
    def __init__(self, owner: MemoryServer, server: str, login: int, listener: Listener) -> None:
        self.owner = owner
        self.server = server
        self.login = login
        self.listener = listener
        self.kinds: set[str] = set()
        self.visible: list[str] = []

    def carried(self) -> list[str]:
        return list(self.visible)

    async def restore(self, carried: object) -> None:
        self.visible = cast("list[str]", carried)

    async def watch(self, kind: str) -> None:
        self.kinds.add(kind)

    async def unwatch(self, kind: str) -> None:
        self.kinds.discard(kind)

    async def server_time(self) -> int:
        return 1_600_000_000

    async def aclose(self) -> None:
        if self in self.owner.connections:
            self.owner.connections.remove(self)


class InMemory:
    """Base of the areas."""

    def __init__(self, connection: MemoryConnection) -> None:
        self.connection = connection
        self.owner = connection.owner


class MemoryCommon(InMemory, Common):
    async def get(self) -> ConCommon:
        return self.owner.config

    async def set(self, changes: Patch[ConCommon], /) -> None:
        self.owner.config = changes.applied_to(self.owner.config)


class MemoryGroups(InMemory, Groups):
    async def add(self, new: Draft[ConGroup], /) -> None:
        if new.key in self.owner.table:
            raise InvalidData.of("group", f"{new.key!r} exists")
        self.owner.table[new.key] = new.build()
        self.owner.emit(Event("group", self.owner.table[new.key]))

    async def set(self, changes: Patch[ConGroup], /) -> None:
        self.owner.table[changes.key] = changes.applied_to(await self.get(changes.key))
        self.owner.emit(Event("group", self.owner.table[changes.key]))

    async def get(self, key: str) -> ConGroup:
        if key not in self.owner.table:
            raise NotFound(f"Cannot find group {key!r}")
        return self.owner.table[key]

    async def get_all(self) -> list[ConGroup]:
        return list(self.owner.table.values())

    async def delete(self, key: str) -> None:
        await self.get(key)
        del self.owner.table[key]


class MemoryMarket(InMemory, Market):
    async def show(self, symbol: str) -> None:
        self.connection.visible.append(symbol)

    async def hide(self, symbol: str) -> None:
        self.connection.visible.remove(symbol)

    async def add_tick(self, symbol: str, bid: float, ask: float) -> None:
        self.owner.tick(symbol, bid, ask)

    async def last_ticks(self, symbol: str) -> list[Tick]:
        tick = self.owner.prices.get(symbol)
        return [tick] if tick else []


class MemoryOrders(InMemory, Orders):
    """Balance operations alone; they wait for the server's gate."""

    async def balance(
        self, login: int, command: TradeCommand, amount: float, expiration: int = 0, comment: str = ""
    ) -> NewTicket:
        self.owner.started += 1
        await self.owner.gate.wait()
        if self.owner.breaking is not None:
            raise self.owner.breaking
        if amount > 1e6:
            raise ServerError(ReturnCode.TRADE_NO_MONEY)
        self.owner.balances.append(amount)
        return {"order": len(self.owner.balances)}


class NoUsers(InMemory, Users):
    async def add(self, new: Draft[UserRecord], /) -> NewLogin:
        raise DENIED

    async def get_all(self) -> list[UserRecord]:
        return []


class NoTrades(InMemory, Trades):
    async def get(self, order: int) -> TradeRecord:
        raise NotFound(f"Cannot find order {order}")

    async def get_all(self) -> list[TradeRecord]:
        await anyio.sleep_forever()
        raise AssertionError("never reached")


class Upper(InMemory, ExternalBytes):
    async def send(self, data: bytes) -> bytes:
        return data.upper()


AREAS = (MemoryCommon, MemoryGroups, MemoryMarket, MemoryOrders, NoUsers, NoTrades, Upper)


class NoSettings(BaseModel):
    """Nothing to set."""


@hookimpl
def mt_remote_backends() -> list[BackendSpec]:
    return [BackendSpec("memory", NoSettings, lambda settings: MemoryServer(), areas=lambda: AREAS)]
