"""What a connection to an MT4 server can do.

A :class:`Backend` opens :class:`Connection` objects; nothing above knows whether a DLL or a simulator is behind them.
Everything is in domain terms: lots, account currency, enums, Unix seconds in the server's zone. Calls are asynchronous,
raise :class:`~mt_remote.errors.ServerError` with the server's result code (or
:class:`~mt_remote.errors.NotFound`, :class:`~mt_remote.errors.InvalidData` where a name or a field can be named), and
never return half a result. A call that raises has changed nothing unless it says so.

What changes on the server reaches a connection's :class:`Listener` as :class:`Event` objects, in the order in which it
happened, on the event loop's own thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar, cast

from mt_remote.area import Area
from mt_remote.errors import NotOffered, RequestError
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

A = TypeVar("A", bound=Area)


class Event:
    """Something that happened. One object serves every session that hears it.

    ``merge_key`` names what a newer event of the same key makes obsolete (a tick's symbol); ``None`` for events that
    must never be dropped. ``shared`` is for whoever sends the event on: what those that hear it can share.
    """

    __slots__ = ("data", "kind", "merge_key", "shared")

    def __init__(self, kind: str, data: object, merge_key: str | None = None) -> None:
        self.kind = kind
        self.data = data
        self.merge_key = merge_key
        self.shared: object = None

    def __repr__(self) -> str:
        return f"Event({self.kind!r}, {self.data!r})"


class Listener(Protocol):
    """Hears a connection. Both are called on the event loop's thread, inside a task or in a plain callback of the loop
    (``call_soon_threadsafe``, ``run_sync_soon``), and never before :meth:`Backend.open` was called. They must not block
    and must not raise.
    """

    def on_event(self, event: Event) -> None:
        """An event of a kind that the connection watches."""

    def on_lost(self, error: RequestError) -> None:
        """The connection is gone; no event follows and every call on it fails with ``no_connection``."""


class CommonConfig(ABC):
    """The server's common configuration."""

    @abstractmethod
    async def get(self) -> ConCommon: ...

    @abstractmethod
    async def set(self, patch: Patch[ConCommon]) -> None: ...


class Groups(ABC):
    """Groups of accounts."""

    @abstractmethod
    async def add(self, draft: Draft[ConGroup]) -> None:
        """Adds a group with every security of the server, all zero where the draft says nothing. A name that exists
        is an error."""

    @abstractmethod
    async def set(self, patch: Patch[ConGroup]) -> None:
        """Changes what the patch has. :class:`~mt_remote.errors.NotFound` for an unknown group."""

    @abstractmethod
    async def get(self, group: str) -> ConGroup:
        """Raises :class:`~mt_remote.errors.NotFound`."""

    @abstractmethod
    async def get_all(self) -> list[ConGroup]:
        """The groups that this connection's manager sees."""

    @abstractmethod
    async def delete(self, group: str) -> None:
        """Raises :class:`~mt_remote.errors.NotFound`; refused while the group has users."""


class Managers(ABC):
    """Manager accounts and their rights."""

    @abstractmethod
    async def set(self, patch: Patch[ConManager]) -> None:
        """Adds or updates."""

    @abstractmethod
    async def get(self, login: int) -> ConManager:
        """Raises :class:`~mt_remote.errors.NotFound`."""

    @abstractmethod
    async def delete(self, login: int) -> None:
        """Raises :class:`~mt_remote.errors.NotFound`."""


class Users(ABC):
    """Accounts."""

    @abstractmethod
    async def add(self, draft: Draft[UserRecord]) -> int:
        """Returns the login; one of 0 or none lets the server choose."""

    @abstractmethod
    async def set(self, patch: Patch[UserRecord]) -> None:
        """Changes what the patch has; an empty password stays. :class:`~mt_remote.errors.NotFound` for an unknown
        login."""

    @abstractmethod
    async def get(self, logins: Sequence[int]) -> list[UserRecord]:
        """In the order asked; logins that are unknown, or of groups that the manager does not see, are left out."""

    @abstractmethod
    async def get_all(self) -> list[UserRecord]:
        """The accounts in groups that this connection's manager sees, managers' own included."""

    @abstractmethod
    async def delete(self, logins: Sequence[int]) -> None:
        """Deletes users with their open orders and history. :class:`~mt_remote.errors.NotFound` when one is unknown;
        nothing is deleted then."""


class Market(ABC):
    """Symbols and prices. What is shown is a property of this connection."""

    @abstractmethod
    async def show(self, symbol: str) -> None:
        """Ticks of the symbol come from now on. Raises :class:`~mt_remote.errors.NotFound`."""

    @abstractmethod
    async def hide(self, symbol: str) -> None: ...

    @abstractmethod
    def shown(self) -> Sequence[str]:
        """The symbols that this connection shows; also after it was lost."""

    @abstractmethod
    async def add_tick(self, symbol: str, bid: float, ask: float) -> None:
        """A dealer's throw-in price; becomes the last price at once."""

    @abstractmethod
    async def last_ticks(self, symbol: str) -> list[Tick]:
        """The last tick, a list of one; empty when none came yet. Raises :class:`~mt_remote.errors.NotFound` for an
        unknown symbol."""


class Orders(ABC):
    """A manager's transactions: carried out at once and as given. Volumes in lots, prices in quote currency."""

    @abstractmethod
    async def open(
        self,
        login: int,
        symbol: str,
        command: TradeCommand,
        volume: float,
        price: float,
        *,
        sl: float = 0.0,
        tp: float = 0.0,
        expiration: int = 0,
        comment: str = "",
    ) -> int:
        """Opens a position or places a pending order; returns its ticket."""

    @abstractmethod
    async def modify(
        self,
        order: int,
        *,
        price: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        expiration: int | None = None,
        comment: str | None = None,
    ) -> None:
        """Changes what is not ``None``."""

    @abstractmethod
    async def close(self, order: int, volume: float, price: float) -> None:
        """Closes a position, in part when ``volume`` is smaller than what is open."""

    @abstractmethod
    async def close_by(self, order: int, order_by: int) -> None:
        """Closes two opposite positions of one login and symbol against each other."""

    @abstractmethod
    async def close_all(self, login: int, symbol: str) -> None:
        """Closes opposite positions against each other until one side is left."""

    @abstractmethod
    async def cancel(self, order: int, command: TradeCommand) -> None:
        """Deletes a pending order of that type."""

    @abstractmethod
    async def activate(self, order: int, price: float) -> None:
        """Makes a pending order a position at ``price`` under the same ticket."""

    @abstractmethod
    async def balance(
        self, login: int, command: TradeCommand, amount: float, *, expiration: int = 0, comment: str = ""
    ) -> int:
        """A balance or credit operation in account currency, negative to withdraw; returns its ticket."""


class Trades(ABC):
    """Orders and history, read."""

    @abstractmethod
    async def get(self, order: int) -> TradeRecord:
        """Open or closed. Raises :class:`~mt_remote.errors.NotFound`."""

    @abstractmethod
    async def get_all(self) -> Sequence[TradeRecord]:
        """The open orders and pendings of all accounts that this connection's manager sees, by ticket, as of now. Of
        very many the records may be made only when they are read: they are still those of the moment of the call."""

    @abstractmethod
    async def get_by_login(self, login: int, group: str) -> list[TradeRecord]:
        """One account's open orders and pendings, by ticket. An unknown login answers ``bad_account_info``, not an
        empty list; an unknown group raises :class:`~mt_remote.errors.NotFound`."""

    @abstractmethod
    async def history(self, login: int, start: int, end: int) -> list[TradeRecord]:
        """Records closed in ``start`` … ``end`` (Unix seconds, both included), by ticket, balance records inside. An
        unknown login answers ``bad_account_info``, not an empty list."""


class Dealing(ABC):
    """Answers to requests that this connection's dealer holds. It holds none before :meth:`Connection.watch` of
    ``trade_request`` made it a dealer: every call fails then."""

    @abstractmethod
    async def confirm(self, request_id: int, bid: float, ask: float, mode: ConfirmMode) -> None: ...

    @abstractmethod
    async def requote(self, request_id: int, bid: float, ask: float) -> None: ...

    @abstractmethod
    async def reject(self, request_id: int) -> None: ...

    @abstractmethod
    async def reset(self, request_id: int) -> None:
        """Gives the request back; the next dealer in line gets it."""


class External(ABC):
    """Commands to the server's own plugins."""

    @abstractmethod
    async def command(self, data: bytes) -> bytes: ...


class Connection(ABC):
    """One manager's connection to an MT4 server, divided the way the functions are. ``mt[Area]`` gives what carries out
    an area's functions (:mod:`mt_remote.area`)."""

    server: str
    login: int
    common: CommonConfig
    groups: Groups
    managers: Managers
    users: Users
    market: Market
    orders: Orders
    trades: Trades
    dealing: Dealing
    external: External
    implemented: Mapping[type[Area], type[Area]] = {}
    """The classes by the areas that they implement, the backend's and those that plugins bring for it. Set by the
    gateway."""
    _areas: dict[type[Area], Area] | None = None

    def __getitem__(self, area: type[A]) -> A:
        """The area's implementation on this connection. Raises :class:`~mt_remote.errors.NotOffered` where the backend
        has none."""
        if self._areas is None:
            self._areas = {}
        made = self._areas.get(area)
        if made is None:
            kind = self.implemented.get(area)
            if kind is None:
                raise NotOffered(area.namespace, why=f"the backend has no {area.__name__}")
            made = self._areas[area] = self.make_area(kind)
        return cast(A, made)

    def make_area(self, kind: type[Area]) -> Area:
        """Makes an implementation, of ours or of a plugin that brings one for this backend: ``kind(connection)``."""
        return cast("type[_Made]", kind)(self)

    @property
    def canonical_server(self) -> str:
        """One name for one MT4 server, however a client spells it; idempotency keys belong to it and the login. A
        backend that knows what the server calls itself says that; otherwise it is the spelling in lower case, without
        MT4's own port."""
        return self.server.strip().casefold().removesuffix(":443")

    @property
    def rights(self) -> frozenset[str] | None:
        """Names of the rights that the manager is known to have; ``None`` where nobody knows: the server decides."""
        return None

    async def learn_rights(self) -> frozenset[str] | None:
        """Asks the server anew for what :attr:`rights` says. It is called before a manager is refused for a right that
        he did not have when it was last looked at."""
        return self.rights

    def carried(self) -> object:
        """What calls made of this connection beside what it watches (the symbols that it shows), for the next one to
        :meth:`restore`; also after it was lost."""
        return tuple(self.market.shown())

    async def restore(self, carried: object) -> None:
        """Makes this connection what the one before was, of which :meth:`carried` gave this."""
        for symbol in cast("tuple[str, ...]", carried or ()):
            await self.market.show(symbol)

    @abstractmethod
    async def watch(self, kind: str) -> None:
        """From the moment this returns, events of ``kind`` reach the listener. Watching ``trade_request`` makes the
        connection a dealer. Watching twice changes nothing."""

    @abstractmethod
    async def unwatch(self, kind: str) -> None:
        """Ends it at once. A dealer's held requests go to the next in line."""

    @abstractmethod
    async def server_time(self) -> int:
        """The server's clock: Unix seconds in its zone."""

    @abstractmethod
    async def aclose(self) -> None:
        """Logs out; a dealer's held requests go to the next in line. The listener hears nothing of it."""


class _Made(Area, abstract=True):
    """The shape of an implementation's constructor."""

    def __init__(self, connection: Connection) -> None: ...


class Backend(ABC):
    """Opens connections. One object serves the whole gateway."""

    name: str
    areas: Iterable[type[Area]] = ()
    """The classes that implement areas on its connections; they count before those that plugins bring."""

    @abstractmethod
    async def open(self, server: str, login: int, password: str, listener: Listener, *, peer: str = "") -> Connection:
        """Logs a manager in. ``peer`` is the client's address, for servers that filter by it.

        Raises :class:`~mt_remote.errors.ServerError`: ``account_disabled``, ``bad_account_info``,
        ``not_enough_rights``, ``no_connection`` …
        """

    async def run(self) -> None:
        """Runs what the backend needs beside its connections (a clock, a feed) until cancelled. The gateway starts it
        once, before the first session."""

    async def aclose(self) -> None:
        """Frees everything; no connection is open any more."""

    def describe(self) -> str:
        """One line for people: what this backend serves."""
        return self.name


__all__ = [
    "Backend", "CommonConfig", "Connection", "Dealing", "Event", "External", "Groups", "Listener", "Managers",
    "Market", "Orders", "Trades", "Users",
]  # fmt: skip
