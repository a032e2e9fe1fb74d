"""What a connection to the simulated server offers: a class an area, each thin; every rule is in the server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Generic, TypeVar, cast

from mt4sim.desk.tables import Store
from mt4sim.gateway.connection import OnSimulator
from mt4sim.state.orders import NewOrder, OrderChange
from mt_remote.area import Area
from mt_remote.errors import Conflict, InvalidData, NotFound
from mt_remote.records import (
    ConCommon,
    ConfirmMode,
    ConGroup,
    ConManager,
    Draft,
    Patch,
    Record,
    Tick,
    TradeCommand,
    TradeRecord,
    UserRecord,
)
from mt_remote.table import KeyTable, Place, Table
from mt_remote_plugins.config import TABLES, Common, Groups, Managers
from mt_remote_plugins.dealing import Dealing
from mt_remote_plugins.external import ExternalBytes
from mt_remote_plugins.market import Market
from mt_remote_plugins.orders import NewTicket, Orders
from mt_remote_plugins.trades import Trades, end_of
from mt_remote_plugins.users import NewLogin, Users

R = TypeVar("R", bound=Record)
K = TypeVar("K", int, str)

_ETAG_DIGITS = 16


class SimulatorCommon(OnSimulator, Common):
    async def get(self) -> ConCommon:
        return self._mt.common()

    async def set(self, changes: Patch[ConCommon], /) -> None:
        self._mt.set_common(changes)


class SimulatorGroups(OnSimulator, Groups):
    async def add(self, new: Draft[ConGroup], /) -> None:
        self._mt.add_group(new)

    async def set(self, changes: Patch[ConGroup], /) -> None:
        self._mt.set_group(changes)

    async def get(self, key: str) -> ConGroup:
        found = self._mt.group(key)
        self._connection.hub.refuse_hidden(self._connection, key)
        return found

    async def get_all(self) -> list[ConGroup]:
        return self._mt.groups()

    async def delete(self, key: str) -> None:
        self._mt.delete_group(key)


class KeyRows(OnSimulator, Generic[R, K]):
    """A table whose rows have a key."""

    native: str
    record: type[Record]

    def _key_of(self, row: R) -> object:
        return getattr(row, self.record.key_field() or "")

    @property
    def _store(self) -> Store[R]:
        return self._mt.table(self.native)

    async def get(self, key: K) -> R:
        store = self._store
        return store.rows()[self._place(store, key)].copy()

    async def get_all(self) -> list[R]:
        return [row.copy() for row in self._store.rows()]

    async def add(self, new: Draft[R], /) -> None:
        store = self._store
        for row in store.rows():
            if _alike(self._key_of(row), new.key):
                problem = f"a {self.native.lower()} {_shown(self._key_of(row))} exists already"
                raise InvalidData.of(self.record.key_field() or "", problem)
        store.write(new.build(), -1)

    async def set(self, changes: Patch[R], /) -> None:
        store = self._store
        place = self._place(store, changes.key)
        store.write(changes.applied_to(store.rows()[place]), place)

    async def delete(self, key: K) -> None:
        store = self._store
        store.delete(self._place(store, key))

    async def move(self, key: K, to: int) -> None:
        store = self._store
        place = self._place(store, key)
        _check_place("to", to, len(store.rows()))
        store.move(place, to)

    def _place(self, store: Store[R], key: object) -> int:
        for place, row in enumerate(store.rows()):
            if self._key_of(row) == key:
                return place
        raise NotFound(f"Cannot find {self.native.lower()} {_shown(key)}")


class PositionRows(OnSimulator, Generic[R]):
    """A table whose rows are known by their places alone."""

    native: str

    @property
    def _store(self) -> Store[R]:
        return self._mt.table(self.native)

    async def get_all(self) -> list[R]:
        return [row.with_values(dict(_place_of(row, place))) for place, row in enumerate(self._store.rows())]

    async def add(self, new: Draft[R], /) -> Place:
        store = self._store
        last, wanted = len(store.rows()), new.get("position")
        to = last if wanted is None else cast(int, wanted)
        _check_place("position", to, last + 1)
        store.write(new.build(), last)
        store.move(last, to)
        return _place_of(store.rows()[to], to)

    async def set(self, changes: Patch[R], /) -> Place:
        store, position = self._store, cast(int, changes.key)
        row = self._meant(store, position, cast(str, changes.get("etag", "")))
        store.write(changes.applied_to(row), position)
        return _place_of(store.rows()[position], position)

    async def delete(self, position: int, etag: str) -> None:
        store = self._store
        self._meant(store, position, etag)
        store.delete(position)

    async def move(self, position: int, etag: str, to: int) -> Place:
        store = self._store
        self._meant(store, position, etag)
        _check_place("to", to, len(store.rows()))
        store.move(position, to)
        return _place_of(store.rows()[to], to)

    def _meant(self, store: Store[R], position: int, etag: str) -> R:
        rows = store.rows()
        if not 0 <= position < len(rows):
            raise NotFound(f"Cannot find {self.native.lower()} {position}")
        if _etag_of(rows[position]) != etag:
            raise Conflict(f"Another {self.native.lower()} is at {position} now: read the table again")
        return rows[position]


class SimulatorManagers(KeyRows[ConManager, int], Managers):
    async def set(self, changes: Patch[ConManager], /) -> None:
        self._mt.set_manager(changes)

    async def delete(self, key: int) -> None:
        self._mt.delete_manager(key)


class SimulatorUsers(OnSimulator, Users):
    async def add(self, new: Draft[UserRecord], /) -> NewLogin:
        return {"login": self._mt.add_user(new)}

    async def set(self, changes: Patch[UserRecord], /) -> None:
        self._mt.set_user(changes)

    async def get(self, logins: list[int]) -> list[UserRecord]:
        return self._mt.users_by(logins)

    async def get_all(self) -> list[UserRecord]:
        return self._mt.users()

    async def delete(self, logins: list[int]) -> None:
        self._mt.delete_users(logins)


class SimulatorMarket(OnSimulator, Market):
    async def show(self, symbol: str) -> None:
        self._mt.symbol(symbol)
        self._connection.show(symbol)

    async def hide(self, symbol: str) -> None:
        self._mt.symbol(symbol)
        self._connection.hide(symbol)

    async def add_tick(self, symbol: str, bid: float, ask: float) -> None:
        self._mt.add_tick(symbol, bid, ask)

    async def last_ticks(self, symbol: str) -> list[Tick]:
        return self._mt.last_ticks(symbol)


class SimulatorOrders(OnSimulator, Orders):
    async def open(
        self,
        login: int,
        symbol: str,
        command: TradeCommand,
        volume: float,
        price: float,
        sl: float = 0.0,
        tp: float = 0.0,
        expiration: int = 0,
        comment: str = "",
    ) -> NewTicket:
        order = NewOrder(symbol, command, volume, price, sl=sl, tp=tp, expiration=expiration, comment=comment)
        return {"order": self._mt.open(login, order)}

    async def modify(
        self,
        order: int,
        price: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        expiration: int | None = None,
        comment: str | None = None,
    ) -> None:
        self._mt.modify(order, OrderChange(price=price, sl=sl, tp=tp, expiration=expiration, comment=comment))

    async def close(self, order: int, volume: float, price: float) -> None:
        self._mt.close(order, volume, price)

    async def close_by(self, order: int, order_by: int) -> None:
        self._mt.close_by(order, order_by)

    async def close_all(self, login: int, symbol: str) -> None:
        self._mt.close_all(login, symbol)

    async def cancel(self, order: int, command: TradeCommand) -> None:
        self._mt.cancel(order, command)

    async def activate(self, order: int, price: float) -> None:
        self._mt.activate(order, price)

    async def balance(
        self, login: int, command: TradeCommand, amount: float, expiration: int = 0, comment: str = ""
    ) -> NewTicket:
        return {"order": self._mt.balance(login, command, amount, expiration=expiration, comment=comment)}


class SimulatorTrades(OnSimulator, Trades):
    async def get(self, order: int) -> TradeRecord:
        return self._mt.trade(order)

    async def get_all(self) -> Sequence[TradeRecord]:
        return self._mt.trades()

    async def get_by_login(self, login: int, group: str) -> list[TradeRecord]:
        return self._mt.trades_of(login, group)

    async def history(self, login: int, from_: int = 0, to: int | None = None) -> list[TradeRecord]:
        return self._mt.history(login, from_, end_of(from_, to, self._mt.now))


class SimulatorDealing(OnSimulator, Dealing):
    async def confirm(self, request_id: int, bid: float, ask: float, mode: ConfirmMode = ConfirmMode.NORMAL) -> None:
        self._mt.confirm_request(request_id, bid, ask, mode)

    async def requote(self, request_id: int, bid: float, ask: float) -> None:
        self._mt.requote_request(request_id, bid, ask)

    async def reject(self, request_id: int) -> None:
        self._mt.reject_request(request_id)

    async def reset(self, request_id: int) -> None:
        self._mt.reset_request(request_id)


class SimulatorExternal(OnSimulator, ExternalBytes):
    async def send(self, data: bytes) -> bytes:
        return self._mt.external(data)


def _regular(table: type[Table[Any]]) -> type[Area]:
    """The implementation of a table that has no rules of its own: its row says all."""
    rows = KeyRows if issubclass(table, KeyTable) else PositionRows
    return cast("type[Area]", type(f"Simulator{table.__name__}", (rows, table), {}))


def _place_of(row: Record, position: int) -> Place:
    return {"position": position, "etag": _etag_of(row)}


def _etag_of(row: Record) -> str:
    """A short hash of what a row holds beside its place."""
    held = {name: value for name, value in row.to_dict().items() if name not in ("position", "etag")}
    return hashlib.sha256(repr(held).encode()).hexdigest()[:_ETAG_DIGITS]


def _check_place(path: str, to: int, count: int) -> None:
    if not 0 <= to < count:
        raise InvalidData.of(path, f"must be from 0 to {count - 1}, got {to}")


def _alike(key: object, other: object) -> bool:
    return key.casefold() == other.casefold() if isinstance(key, str) and isinstance(other, str) else key == other


def _shown(key: object) -> str:
    return f"'{key}'" if isinstance(key, str) else str(key)


_OWN: tuple[type[Table[Any]], ...] = (SimulatorGroups, SimulatorManagers)

AREAS: tuple[type[Area], ...] = (
    SimulatorCommon,
    *_OWN,
    *(_regular(table) for table in TABLES if table not in [own.declared for own in _OWN]),
    SimulatorUsers,
    SimulatorMarket,
    SimulatorTrades,
    SimulatorOrders,
    SimulatorDealing,
    SimulatorExternal,
)
"""A class for each area."""
