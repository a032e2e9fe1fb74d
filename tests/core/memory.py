"""A backend for tests of the core: groups, common settings and prices in memory, as a stranger would write one.

It stands in for the simulator so that the core's tests need nothing but the core.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
from pydantic import BaseModel

from mt_remote.backend import (
    Backend,
    CommonConfig,
    Connection,
    Dealing,
    Event,
    External,
    Groups,
    Listener,
    Managers,
    Market,
    Orders,
    Trades,
    Users,
)  # fmt: skip
from mt_remote.errors import CallTimeout, ConnectionLost, InvalidData, NotFound, ReturnCode, ServerError
from mt_remote.plugin import BackendSpec, hookimpl
from mt_remote.records import (
    ConCommon,
    ConfirmMode,
    ConGroup,
    ConManager,
    Draft,
    Patch,
    Tick,
    TradeCommand,
    TradeRecord,
    UserRecord,
)  # fmt: skip

DENIED = ServerError(ReturnCode.NOT_ENOUGH_RIGHTS)


class MemoryServer(Backend):
    """One server for all connections. ``gate`` holds back balance operations until it is set."""

    name = "memory"

    def __init__(self) -> None:
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
        self.common = MemoryCommon(owner)
        self.groups = MemoryGroups(owner)
        self.managers = NoManagers()
        self.users = NoUsers()
        self.market = MemoryMarket(self)
        self.orders = MemoryOrders(owner)
        self.trades = NoTrades()
        self.dealing = NoDealing()
        self.external = Upper()

    async def watch(self, kind: str) -> None:
        self.kinds.add(kind)

    async def unwatch(self, kind: str) -> None:
        self.kinds.discard(kind)

    async def server_time(self) -> int:
        return 1_600_000_000

    async def aclose(self) -> None:
        if self in self.owner.connections:
            self.owner.connections.remove(self)


class MemoryCommon(CommonConfig):
    def __init__(self, owner: MemoryServer) -> None:
        self.owner = owner

    async def get(self) -> ConCommon:
        return self.owner.config

    async def set(self, patch: Patch[ConCommon]) -> None:
        self.owner.config = patch.applied_to(self.owner.config)


class MemoryGroups(Groups):
    def __init__(self, owner: MemoryServer) -> None:
        self.owner = owner

    async def add(self, draft: Draft[ConGroup]) -> None:
        if draft.key in self.owner.table:
            raise InvalidData.of("group", f"{draft.key!r} exists")
        self.owner.table[draft.key] = draft.build()
        self.owner.emit(Event("group", self.owner.table[draft.key]))

    async def set(self, patch: Patch[ConGroup]) -> None:
        self.owner.table[patch.key] = patch.applied_to(await self.get(patch.key))
        self.owner.emit(Event("group", self.owner.table[patch.key]))

    async def get(self, group: str) -> ConGroup:
        if group not in self.owner.table:
            raise NotFound(f"Cannot find group {group!r}")
        return self.owner.table[group]

    async def get_all(self) -> list[ConGroup]:
        return list(self.owner.table.values())

    async def delete(self, group: str) -> None:
        await self.get(group)
        del self.owner.table[group]


class MemoryMarket(Market):
    def __init__(self, connection: MemoryConnection) -> None:
        self.connection = connection

    async def show(self, symbol: str) -> None:
        self.connection.visible.append(symbol)

    async def hide(self, symbol: str) -> None:
        self.connection.visible.remove(symbol)

    def shown(self) -> Sequence[str]:
        return self.connection.visible

    async def add_tick(self, symbol: str, bid: float, ask: float) -> None:
        self.connection.owner.tick(symbol, bid, ask)

    async def last_ticks(self, symbol: str) -> list[Tick]:
        tick = self.connection.owner.prices.get(symbol)
        return [tick] if tick else []


class MemoryOrders(Orders):
    """Balance operations alone; they wait for the server's gate."""

    def __init__(self, owner: MemoryServer) -> None:
        self.owner = owner

    async def balance(
        self, login: int, command: TradeCommand, amount: float, *, expiration: int = 0, comment: str = ""
    ) -> int:
        self.owner.started += 1
        await self.owner.gate.wait()
        if self.owner.breaking is not None:
            raise self.owner.breaking
        if amount > 1e6:
            raise ServerError(ReturnCode.TRADE_NO_MONEY)
        self.owner.balances.append(amount)
        return len(self.owner.balances)

    async def open(
        self, login: int, symbol: str, command: TradeCommand, volume: float, price: float, *, sl: float = 0.0,
        tp: float = 0.0, expiration: int = 0, comment: str = "",
    ) -> int:  # fmt: skip
        raise DENIED

    async def modify(
        self, order: int, *, price: float | None = None, sl: float | None = None, tp: float | None = None,
        expiration: int | None = None, comment: str | None = None,
    ) -> None:  # fmt: skip
        raise DENIED

    async def close(self, order: int, volume: float, price: float) -> None:
        raise DENIED

    async def close_by(self, order: int, order_by: int) -> None:
        raise DENIED

    async def close_all(self, login: int, symbol: str) -> None:
        raise DENIED

    async def cancel(self, order: int, command: TradeCommand) -> None:
        raise DENIED

    async def activate(self, order: int, price: float) -> None:
        raise DENIED


class NoManagers(Managers):
    async def set(self, patch: Patch[ConManager]) -> None:
        raise DENIED

    async def get(self, login: int) -> ConManager:
        raise DENIED

    async def delete(self, login: int) -> None:
        raise DENIED


class NoUsers(Users):
    async def add(self, draft: Draft[UserRecord]) -> int:
        raise DENIED

    async def set(self, patch: Patch[UserRecord]) -> None:
        raise DENIED

    async def get(self, logins: Sequence[int]) -> list[UserRecord]:
        raise DENIED

    async def get_all(self) -> list[UserRecord]:
        return []

    async def delete(self, logins: Sequence[int]) -> None:
        raise DENIED


class NoTrades(Trades):
    async def get(self, order: int) -> TradeRecord:
        raise NotFound(f"Cannot find order {order}")

    async def get_all(self) -> list[TradeRecord]:
        await anyio.sleep_forever()
        raise AssertionError("never reached")

    async def get_by_login(self, login: int, group: str) -> list[TradeRecord]:
        return []

    async def history(self, login: int, start: int, end: int) -> list[TradeRecord]:
        return []


class NoDealing(Dealing):
    async def confirm(self, request_id: int, bid: float, ask: float, mode: ConfirmMode) -> None:
        raise DENIED

    async def requote(self, request_id: int, bid: float, ask: float) -> None:
        raise DENIED

    async def reject(self, request_id: int) -> None:
        raise DENIED

    async def reset(self, request_id: int) -> None:
        raise DENIED


class Upper(External):
    async def command(self, data: bytes) -> bytes:
        return data.upper()


class NoSettings(BaseModel):
    """Nothing to set."""


@hookimpl
def mt_remote_backends() -> list[BackendSpec]:
    return [BackendSpec("memory", NoSettings, lambda settings: MemoryServer())]
