"""Orders: what opens and changes one, what it is, and where orders are kept.

:class:`NewOrder` and :class:`OrderChange` are in the units that people see. Inside, in :class:`Order`, volumes are
1/100 lot, prices points of the symbol, money cents of the account's currency, times Unix seconds of the server's zone.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from mt_remote.errors import NotFound
from mt_remote.records import TradeCommand, TradeReason


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be opened: a position, or a pending one that waits for its price. Whose it is says the account that
    it is opened for."""

    symbol: str
    command: TradeCommand
    volume: float  # lots
    price: float = 0.0  # quote currency; a trader's 0 stands for the market's price
    sl: float = 0.0  # quote currency, 0: none
    tp: float = 0.0  # quote currency, 0: none
    expiration: int = 0  # of a pending order: Unix seconds in the server's zone, 0: never
    comment: str = ""  # 31 characters at most
    magic: int = 0  # the expert advisor's number for it
    reason: TradeReason = TradeReason.DEALER


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChange:
    """What becomes other on an order; ``None`` leaves it as it is."""

    price: float | None = None  # quote currency
    sl: float | None = None  # quote currency, 0: none
    tp: float | None = None  # quote currency, 0: none
    expiration: int | None = None  # of a pending order: Unix seconds in the server's zone, 0: never
    comment: str | None = None  # 31 characters at most


class OrderState(IntEnum):
    """Natively ``TS_*`` (Semantics 7.5)."""

    OPEN_NORMAL = 0
    OPEN_REMAND = 1
    OPEN_RESTORED = 2
    CLOSED_NORMAL = 3
    CLOSED_PART = 4
    CLOSED_BY = 5
    DELETED = 6


class Activation(IntEnum):
    """What a dealer is asked to carry out; negative: the price has gone back (natively ``ACTIVATION_*``)."""

    NONE = 0
    SL = 1
    TP = 2
    PENDING = 3
    STOPOUT = 4
    SL_ROLLBACK = -1
    TP_ROLLBACK = -2
    PENDING_ROLLBACK = -3
    STOPOUT_ROLLBACK = -4


class Place(Protocol):
    """Where an order's price levels wait for the market, among those of its symbol and spread difference (points)."""

    spread_diff: int

    def drop(self, ticket: int, /) -> None:
        """The order waits for nothing here any more."""


_FIELDS = (
    "ticket",
    "login",
    "symbol",
    "digits",
    "cmd",
    "volume",
    "open_time",
    "close_time",
    "expiration",
    "open_price",
    "close_price",
    "sl",
    "tp",
    "state",
    "reason",
    "commission",
    "commission_agent",
    "storage",
    "profit",
    "taxes",
    "conv_open",
    "conv_close",
    "margin_rate",
    "magic",
    "comment",
    "timestamp",
    "api_data",
    "activation",
)


class Order:
    """One record: a position, a pending order, or a balance or credit operation."""

    __slots__ = (*_FIELDS, "place")

    def __init__(
        self,
        ticket: int,
        login: int,
        symbol: str,
        digits: int,
        cmd: TradeCommand,
        volume: int,
        open_price: int,
        now: int,
    ) -> None:
        self.ticket = ticket
        self.login = login
        self.symbol = symbol
        self.digits = digits
        self.cmd = cmd
        self.volume = volume
        self.open_time = self.timestamp = now
        self.close_time = self.expiration = 0
        self.open_price = open_price
        self.close_price = self.sl = self.tp = 0
        self.state = OrderState.OPEN_NORMAL
        self.reason = TradeReason.DEALER
        self.commission = self.commission_agent = self.storage = self.profit = self.taxes = 0
        self.conv_open = self.conv_close = self.margin_rate = 0.0
        self.magic = 0
        self.comment = ""
        self.api_data = ""
        self.activation = Activation.NONE
        self.place: Place | None = None

    @property
    def is_open(self) -> bool:
        """Not in the history."""
        return not self.close_time

    @property
    def is_buy(self) -> bool:
        """A position that gains when the price rises."""
        return self.cmd is TradeCommand.BUY

    @property
    def result(self) -> int:
        """What closing it does to the balance, in cents (Semantics 7.6)."""
        return self.profit + self.storage + self.commission + self.taxes

    def __repr__(self) -> str:
        return f"<Order {self.ticket} {self.cmd} {self.volume / 100:g} {self.symbol} of {self.login}>"

    def state_dict(self) -> dict[str, Any]:
        """Every field as plain JSON values."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Order:
        """The order of which :meth:`state_dict` gave this."""
        order = object.__new__(cls)
        for name in _FIELDS:
            setattr(order, name, state[name])
        order.cmd = TradeCommand(order.cmd)
        order.reason = TradeReason(order.reason)
        order.state = OrderState(order.state)
        order.activation = Activation(order.activation)
        order.place = None
        return order


class OrderBook:
    """All orders of a server. A ticket is never used twice."""

    def __init__(self) -> None:
        self.open: dict[int, Order] = {}
        self.closed: dict[int, Order] = {}
        self._newest = 0
        self._in_order = True
        self._open_of: dict[int, list[Order]] = {}  # by ticket; a list of one takes a third of a dict's memory
        self._closed_of: dict[int, list[Order]] = {}  # in the order in which they were closed

    def find(self, ticket: int) -> Order:
        """An order, open or closed. Raises :class:`~mt_remote.errors.NotFound`."""
        order = self.open.get(ticket) or self.closed.get(ticket)
        if order is None:
            raise NotFound(f"Cannot find order {ticket}")
        return order

    def find_open(self, ticket: int) -> Order:
        """An open order. Raises :class:`~mt_remote.errors.NotFound`."""
        order = self.open.get(ticket)
        if order is None:
            closed = ": it is closed" if ticket in self.closed else ""
            raise NotFound(f"Cannot find order {ticket}{closed}")
        return order

    def all_open(self) -> list[Order]:
        """All open orders and pendings, by ticket. They come in that order but for rare ones, so that it is kept."""
        if not self._in_order:
            self.open = dict(sorted(self.open.items()))
            self._in_order = True
        return list(self.open.values())

    def open_of(self, login: int) -> list[Order]:
        """One account's open orders and pendings, by ticket."""
        return list(self._open_of.get(login, ()))

    def each_open_of(self, login: int) -> Iterator[Order]:
        """The same without a copy: don't change the book meanwhile."""
        return iter(self._open_of.get(login, ()))

    def accounts_with_orders(self) -> list[int]:
        """Logins that have open orders."""
        return sorted(self._open_of)

    def count_of(self, login: int) -> int:
        """How many orders an account has open, pendings included."""
        return len(self._open_of.get(login, ()))

    def closed_of(self, login: int) -> list[Order]:
        """One account's history, by ticket."""
        return sorted(self._closed_of.get(login, ()), key=_by_ticket)

    def each_closed_of(self, login: int) -> Iterator[Order]:
        """The same, the last closed first, without a copy: don't change the book meanwhile."""
        return reversed(self._closed_of.get(login, ()))

    def history(self, login: int, start: int, end: int) -> list[Order]:
        """One account's records closed in the range, both ends included, by ticket."""
        return [order for order in self.closed_of(login) if start <= order.close_time <= end]

    def add(self, order: Order) -> None:
        """A new record."""
        if order.is_open:
            if order.ticket < self._newest:
                self._in_order = False
            self._newest = max(self._newest, order.ticket)
            self.open[order.ticket] = order
            insort(self._open_of.setdefault(order.login, []), order, key=_by_ticket)
        else:
            self.closed[order.ticket] = order
            self._closed_of.setdefault(order.login, []).append(order)

    def finish(self, order: Order) -> None:
        """An open order was closed: to the history with it."""
        del self.open[order.ticket]
        orders = self._open_of[order.login]
        del orders[bisect_left(orders, order.ticket, key=_by_ticket)]
        if not orders:
            del self._open_of[order.login]
        self.add(order)

    def erase(self, login: int) -> None:
        """An account's orders and history are gone."""
        for order in self._open_of.pop(login, ()):
            del self.open[order.ticket]
        for order in self._closed_of.pop(login, ()):
            del self.closed[order.ticket]


def _by_ticket(order: Order) -> int:
    return order.ticket
