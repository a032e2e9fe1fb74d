"""Managers' transactions: carried out at once and as given (Semantics 6.1)."""

from __future__ import annotations

from math import isfinite

from mt4sim.events import Change
from mt4sim.market.symbols import Symbol, symbol_named
from mt4sim.money import to_cents
from mt4sim.state.accounts import Account
from mt4sim.state.orders import NewOrder, Order, OrderChange
from mt4sim.trading.closing import COMMENT_LENGTH, Closing
from mt4sim.trading.engine import Engine, then_supervised
from mt4sim.trading.expiry import Expiry
from mt_remote.errors import InvalidData, ReturnCode, ServerError
from mt_remote.records import TradeCommand


class Transactions:
    """Prices as floats in quote currency, volumes in lots; whatever the market, the stops level, hours or margin."""

    def __init__(self, engine: Engine, closing: Closing, expiry: Expiry) -> None:
        self._engine = engine
        self._closing = closing
        self._expiry = expiry

    @then_supervised
    def open(self, login: int, new: NewOrder) -> int:
        """Opens a position or places a pending, as given; gives its ticket."""
        engine, command = self._engine, new.command
        account = engine.state.accounts.get(login)
        symbol = symbol_named(engine.state.symbols, new.symbol)
        if not (command.is_market or command.is_pending):
            raise InvalidData.of("command", f"'{command}' is no order")
        units, points = _units(new.volume), _price(symbol, new.price)
        stops = _level(symbol, new.sl, "sl"), _level(symbol, new.tp, "tp")
        _check_comment(new.comment)
        terms = engine.terms.of(account, new.symbol)
        order = Order(engine.next_ticket(), login, new.symbol, symbol.digits, command, units, points, engine.now)
        order.sl, order.tp = stops
        order.comment, order.reason, order.magic = new.comment, new.reason, new.magic
        order.expiration = new.expiration if command.is_pending else 0
        engine.start(order, terms)
        return order.ticket

    @then_supervised
    def modify(self, ticket: int, change: OrderChange) -> None:
        """Changes what is stated. Assumed: a position's open price too."""
        engine = self._engine
        order = engine.book.find_open(ticket)
        symbol = symbol_named(engine.state.symbols, order.symbol)
        points = order.open_price if change.price is None else _price(symbol, change.price)
        stops = (
            order.sl if change.sl is None else _level(symbol, change.sl, "sl"),
            order.tp if change.tp is None else _level(symbol, change.tp, "tp"),
        )
        if change.comment is not None:
            _check_comment(change.comment)
        engine.changing(order)
        if points != order.open_price:
            self._move(order, points)
        order.sl, order.tp = stops
        if change.expiration is not None and order.cmd.is_pending:
            order.expiration = change.expiration
        if change.comment is not None:
            order.comment = change.comment
        order.timestamp = engine.now
        engine.tell_watchers(order)
        engine.emit(Change.UPDATE, order)

    def _move(self, order: Order, points: int) -> None:
        engine, held = self._engine, order.cmd.is_market
        if held:
            engine.expose(order, -1)
        order.open_price = points
        engine.price_rates(order, engine.terms_of(order))
        if held:
            engine.expose(order, 1)

    def comment(self, ticket: int, comment: str) -> None:
        """Changes the comment alone."""
        order = self._engine.book.find_open(ticket)
        _check_comment(comment)
        self._engine.changing(order)
        order.comment = comment
        order.timestamp = self._engine.now
        self._engine.emit(Change.UPDATE, order)

    @then_supervised
    def close(self, ticket: int, volume: float, price: float) -> None:
        """Closes a position, in part when ``volume`` is smaller. Assumed: more than is open answers 131."""
        order = self._position(ticket)
        units = _units(volume)
        if units > order.volume:
            problem = f"volume: at most the {order.volume / 100:g} lots that are open, got {volume:g}"
            raise ServerError(ReturnCode.TRADE_BAD_VOLUME, problem, path="volume")
        points = _price(symbol_named(self._engine.state.symbols, order.symbol), price)
        self._closing.close(order, units, points)

    def _position(self, ticket: int) -> Order:
        order = self._engine.book.find_open(ticket)
        if not order.cmd.is_market:
            raise InvalidData.of("order", f"{ticket} is a pending order ({order.cmd}), not a position")
        return order

    @then_supervised
    def close_by(self, ticket: int, other: int) -> None:
        """Closes two opposite positions of one account and symbol against each other."""
        one, two = self._position(ticket), self._position(other)
        if one.login != two.login:
            raise InvalidData.of("order_by", f"{other} belongs to another login than {ticket}")
        if one.symbol != two.symbol:
            raise InvalidData.of("order_by", f"{other} is in {two.symbol}, {ticket} in {one.symbol}")
        if one.cmd is two.cmd:
            raise InvalidData.of("order_by", f"{other} is a {two.cmd} as {ticket} is; opposite sides are needed")
        self._closing.close_by(one, two)

    @then_supervised
    def close_all(self, login: int, symbol: str) -> None:
        """Closes opposite positions until one side is left."""
        self._engine.state.accounts.get(login)
        symbol_named(self._engine.state.symbols, symbol)
        self._closing.close_all(login, symbol)

    @then_supervised
    def delete(self, ticket: int, comment: str = "cancelled by dealer") -> None:
        """Deletes an open record. Assumed: a position too goes without profit."""
        self._engine.drop(self._engine.book.find_open(ticket), comment)

    def cancel(self, ticket: int, command: TradeCommand) -> None:
        """Deletes a pending of that type."""
        order = self._engine.book.find_open(ticket)
        if order.cmd is not command:
            raise InvalidData.of("command", f"order {ticket} is a {order.cmd}, not a {command}")
        self.delete(ticket)

    @then_supervised
    def activate(self, ticket: int, price: float) -> None:
        """Makes a pending a position at ``price``, whatever the margin."""
        order = self._engine.book.find_open(ticket)
        if not order.cmd.is_pending:
            raise InvalidData.of("order", f"{ticket} is a {order.cmd}, not a pending order")
        points = _price(symbol_named(self._engine.state.symbols, order.symbol), price)
        self._engine.activate(order, points)

    @then_supervised
    def balance(
        self, login: int, command: TradeCommand, amount: float, *, expiration: int = 0, comment: str = ""
    ) -> int:
        """A balance or credit operation of so much account currency (Semantics 7.3, 7.4); gives its ticket. Credit
        ends at ``expiration``, Unix seconds in the server's zone."""
        account = self._engine.state.accounts.get(login)
        if command not in (TradeCommand.BALANCE, TradeCommand.CREDIT):
            raise InvalidData.of("command", f"'{command}' is no balance operation")
        cents = amount_in_cents(amount)
        _check_comment(comment)
        if command is TradeCommand.CREDIT and expiration <= self._engine.now:
            raise InvalidData.of("expiration", "credit needs one in the future")
        if cents < 0:
            self._check_funds(account, -cents, command)
        record = self._engine.book_money(account, cents, command, comment, expiration)
        if command is TradeCommand.CREDIT:
            self._expiry.watch_credit(record)
        return record.ticket

    def _check_funds(self, account: Account, cents: int, command: TradeCommand) -> None:
        """Assumed: no more can be withdrawn than is free, no more credit taken back than was given (Semantics 7.4)."""
        if command is TradeCommand.CREDIT:
            free = account.credit
        else:
            engine = self._engine
            figures = engine.margin_level(account.login)
            free = min(account.balance, figures.equity - figures.margin)
        if cents > free:
            problem = f"amount: at most {max(free, 0) / 100:.2f} can be withdrawn, got {cents / 100:.2f}"
            raise ServerError(ReturnCode.TRADE_NO_MONEY, problem, path="amount")


def amount_in_cents(amount: float, path: str = "amount") -> int:
    """A stated amount of money in cents. Raises 3 for one that has no cent in it."""
    if not isfinite(amount):
        raise InvalidData.of(path, f"must be a number, got {amount}")
    cents = to_cents(amount)
    if not cents:
        raise InvalidData.of(path, "must be at least one cent")
    return cents


def _units(volume: float) -> int:
    """Lots as 1/100 lot."""
    units = round(volume * 100) if isfinite(volume) else 0
    if units <= 0:
        raise InvalidData.of("volume", f"must be at least 0.01 lot, got {volume:g}")
    return units


def _price(symbol: Symbol, price: float) -> int:
    """A price that has to be stated, in points."""
    points = symbol.to_points(price) if isfinite(price) else 0
    if points <= 0:
        raise InvalidData.of("price", f"must be at least one point of {symbol.name}, got {price}")
    return points


def _level(symbol: Symbol, price: float, path: str) -> int:
    """A stop's price in points, 0 for none."""
    if not isfinite(price) or price < 0:
        raise InvalidData.of(path, f"must be a price, or 0 for none, got {price}")
    return symbol.to_points(price)


def _check_comment(comment: str) -> None:
    if len(comment) > COMMENT_LENGTH:
        raise InvalidData.of("comment", f"at most {COMMENT_LENGTH} characters, got {len(comment)}")
