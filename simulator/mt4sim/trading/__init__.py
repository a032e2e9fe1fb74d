"""The trading engine: accounts' orders, the money that moves with them, and what ticks and days do to them.

:class:`Trading` is the door; behind it each subject has its room: :mod:`~mt4sim.trading.orders` (records),
:mod:`~mt4sim.trading.engine` (what every trade is made of), :mod:`~mt4sim.trading.transactions` (managers),
:mod:`~mt4sim.trading.requests` (clients), :mod:`~mt4sim.trading.closing`, :mod:`~mt4sim.trading.triggers`,
:mod:`~mt4sim.trading.stopout`, :mod:`~mt4sim.trading.expiry`, :mod:`~mt4sim.trading.rollover`,
:mod:`~mt4sim.trading.reading` (long lists of open orders), and the formulas in
``profit``, ``margin``, ``commission``, ``swaps``, ``conversion``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from mt4sim.trading.closing import Closing
from mt4sim.trading.engine import Engine
from mt4sim.trading.expiry import Expiry
from mt4sim.trading.margin import Exposure, MarginLevel
from mt4sim.trading.orders import Order, OrderBook
from mt4sim.trading.reading import Reading, open_record, record_of
from mt4sim.trading.requests import ClientRequest, Requests
from mt4sim.trading.rollover import DailyReport, Rollover
from mt4sim.trading.stopout import Supervisor
from mt4sim.trading.transactions import Transactions
from mt4sim.trading.triggers import Triggers
from mt_remote.errors import ReturnCode, ServerError
from mt_remote.records import ConGroup, TradeCommand, TradeReason, TradeRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mt4sim.accounts import Account
    from mt4sim.events import Happened
    from mt4sim.quotes import Quote
    from mt4sim.server import Server
    from mt4sim.symbols import Symbol

_FEW = 500
"""Records that are made at once: some 5 ms."""

__all__ = ["ClientRequest", "DailyReport", "MarginLevel", "Order", "Trading"]

Told = ParamSpec("Told")
Given = TypeVar("Given")


def then_supervised(act: Callable[Concatenate[Trading, Told], Given]) -> Callable[Concatenate[Trading, Told], Given]:
    """What the method did may have brought accounts to harm: they are looked after before it returns."""

    @wraps(act)
    def acting(trading: Trading, /, *args: Told.args, **kwargs: Told.kwargs) -> Given:
        given = act(trading, *args, **kwargs)
        trading.engine.supervise()
        return given

    return acting


class Trading:
    """All trading of one server. Prices are floats in quote currency and volumes lots at this door, points and 1/100
    lots behind it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.engine = Engine(server)
        closing = Closing(self.engine)
        self._transactions = Transactions(self.engine, closing)
        self._requests = Requests(self.engine, closing)
        self.triggers = Triggers(self.engine, closing)
        self.supervisor = Supervisor(self.engine, closing, self.triggers)
        self.expiry = Expiry(self.engine)
        self.rollover = Rollover(self.engine)
        server.quotes.subscribe(self._on_quote)
        server.events.listen(self._hear)

    def _on_quote(self, symbol: Symbol, quote: Quote) -> None:
        """Pendings, then stops, then margins. Assumed: the order (Semantics 6.4)."""
        self.triggers.on_quote(symbol, quote)
        self.supervisor.on_quote(symbol, quote)

    def _hear(self, happened: Happened) -> None:
        """Terms changed: margins, levels and bands of everybody whom it concerns are worked out anew."""
        if happened.kind not in ("group", "symbol"):
            return
        group = happened.data.group if isinstance(happened.data, ConGroup) else None
        for login in self.engine.book.accounts_with_orders():
            account = self._server.accounts.get(login)
            if group in (None, account.group):
                self.account_changed(account)

    # Managers' transactions

    @then_supervised
    def open(
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
        magic: int = 0,
        reason: TradeReason = TradeReason.DEALER,
    ) -> int:
        """Opens a position or places a pending order as given; gives its ticket."""
        return self._transactions.open(login, symbol, command, volume, price, sl=sl, tp=tp, expiration=expiration,
                                       comment=comment, reason=reason, magic=magic)  # fmt: skip

    @then_supervised
    def modify(
        self,
        ticket: int,
        *,
        price: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        expiration: int | None = None,
        comment: str | None = None,
    ) -> None:
        """Changes what is not ``None``."""
        self._transactions.modify(ticket, price=price, sl=sl, tp=tp, expiration=expiration, comment=comment)

    def comment(self, ticket: int, comment: str) -> None:
        """Changes the comment alone."""
        self._transactions.comment(ticket, comment)

    @then_supervised
    def close(self, ticket: int, volume: float, price: float) -> None:
        """Closes a position, in part when ``volume`` is smaller than what is open."""
        self._transactions.close(ticket, volume, price)

    @then_supervised
    def close_by(self, ticket: int, other: int) -> None:
        """Closes two opposite positions against each other."""
        self._transactions.close_by(ticket, other)

    @then_supervised
    def close_all(self, login: int, symbol: str) -> None:
        """Closes opposite positions against each other until one side is left."""
        self._transactions.close_all(login, symbol)

    @then_supervised
    def delete(self, ticket: int) -> None:
        """Deletes an open record of any type."""
        self._transactions.delete(ticket)

    def cancel(self, ticket: int, command: TradeCommand) -> None:
        """Deletes a pending order of that type."""
        self._transactions.cancel(ticket, command)

    @then_supervised
    def activate(self, ticket: int, price: float) -> None:
        """Makes a pending order a position at ``price``."""
        self._transactions.activate(ticket, price)

    def clear_rollback(self, ticket: int) -> None:
        """Takes away the mark that asks a dealer to carry an order out."""
        self.triggers.clear(self.engine.book.find_open(ticket))

    def by_market(self) -> list[Order]:
        """Orders that wait for a dealer to carry out what the market reached, by ticket."""
        return self.triggers.marked()

    @then_supervised
    def balance(
        self, login: int, command: TradeCommand, amount: float, *, expiration: int = 0, comment: str = ""
    ) -> int:
        """A balance or credit operation; gives its ticket."""
        record = self._transactions.balance(login, command, amount, expiration=expiration, comment=comment)
        if command is TradeCommand.CREDIT and expiration:
            self.expiry.watch_credit(record)
        return record.ticket

    # Clients

    def check_client(self, request: ClientRequest) -> None:
        """Raises the code that refuses a client's request (Semantics 6.2)."""
        self._requests.check(request)

    @then_supervised
    def execute_client(self, request: ClientRequest, price: int) -> int:
        """Carries out an accepted request at ``price`` (points); gives the ticket it is about."""
        return self._requests.execute(request, price)

    def client_quote(self, login: int, symbol: str) -> tuple[int, int]:
        """Bid and ask in points as an account sees them. Raises 136 before the first."""
        prices = self.engine.client_quote(self.engine.terms.of(self._server.accounts.get(login), symbol))
        if prices is None:
            raise ServerError(ReturnCode.TRADE_OFFQUOTES)
        return prices

    # Reading

    def get(self, ticket: int) -> Order:
        """An order, open or closed. Raises :class:`~mt_remote.errors.NotFound`."""
        return self.engine.book.find(ticket)

    def open_orders(self, login: int | None = None) -> list[Order]:
        """Open orders and pendings, by ticket: an account's or all."""
        if login is not None:
            return self.engine.book.open_of(login)
        return self.engine.book.all_open()

    def reading(self, orders: Sequence[Order]) -> Sequence[TradeRecord]:
        """Records of open orders as of now: made at once for a few, for many as they are asked for."""
        if len(orders) > _FEW:
            return Reading(self.engine, orders)
        return [self.record(order) for order in orders]

    def history(self, login: int, start: int, end: int) -> list[Order]:
        """An account's records closed in the range, both ends included, by ticket."""
        return [order for order in self.engine.book.closed_of(login) if start <= order.close_time <= end]

    def margin_level(self, login: int) -> MarginLevel:
        """An account's figures (Semantics 2.8)."""
        return self.engine.margin_level(login)

    def daily_reports(self, login: int, start: int, end: int) -> list[DailyReport]:
        """An account's daily reports of the range, by time."""
        return self.rollover.daily_reports(login, start, end)

    def record(self, order: Order) -> TradeRecord:
        """An order as clients see it; an open position's close price and profit follow the last quote."""
        if not order.is_open:
            return record_of(order, order.close_price, order.profit)
        engine = self.engine
        terms = engine.terms_of(order)
        return open_record(order, terms, engine.client_quote(terms), engine.converter)

    # Accounts

    def account_changed(self, account: Account) -> None:
        """An account's group or leverage changed: margin, levels and bands follow."""
        self.engine.remargin(account)
        for watcher in self.engine.watchers:
            watcher.account_changed(account)

    def about_to_erase(self, login: int) -> None:
        """An account will go: readings keep its orders while it is still there to value them for."""
        for order in self.engine.book.each_open_of(login):
            self.engine.changing(order)

    def erase(self, login: int) -> None:
        """An account goes with its orders and history."""
        for order in self.engine.book.open_of(login):
            order.close_time = self._server.now  # what watches it lets go
            self.engine.tell_watchers(order)
        self.engine.book.erase(login)
        self.engine.exposures.pop(login, None)
        self.engine.forget_floating()
        self.supervisor.forget(login)
        self.rollover.forget(login)

    # Snapshots

    def state(self) -> dict[str, Any]:
        """All orders, open and closed, as plain JSON values."""
        book = self.engine.book
        return {
            "open": [order.state_dict() for order in self.open_orders()],
            "closed": [book.closed[ticket].state_dict() for ticket in sorted(book.closed)],
            "called": sorted([login, int(kind)] for login, kind in self.supervisor.called.items()),
            "reports": self.rollover.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """The orders of which :meth:`state` gave this; exposures, levels and timers are worked out from them."""
        engine = self.engine
        engine.book = OrderBook()
        engine.exposures = dict[int, dict[str, Exposure]]()
        engine.forget_floating()
        closed = sorted(state["closed"], key=lambda row: (row["close_time"], row["ticket"]))
        for row in (*closed, *state["open"]):
            order = Order.from_state(row)
            engine.book.add(order)
            if order.is_open and order.cmd.is_market:
                engine.expose(order, 1)
            if order.is_open:
                engine.tell_watchers(order)
            elif order.cmd is TradeCommand.CREDIT and order.profit > 0 and order.expiration > self._server.now:
                self.expiry.watch_credit(order)
        self.supervisor.restore_called(state["called"])
        self.rollover.restore(state["reports"])
