"""Clients' requests: their checks in the documented order, their execution (Semantics 6.2, 6.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from mt4sim.events import Change
from mt4sim.market.sessions import alive
from mt4sim.market.symbols import Symbol, TradeMode, symbol_named
from mt4sim.state.accounts import Account
from mt4sim.state.orders import Order
from mt4sim.state.requests import CLOSE_BYS, CLOSES, OPENS, PENDING, ClientRequest
from mt4sim.trading.closing import Closing
from mt4sim.trading.engine import POSITION_OF, Engine, then_supervised
from mt4sim.trading.opening import may_open
from mt4sim.trading.terms import Terms
from mt_remote.errors import ReturnCode, ServerError
from mt_remote.records import (
    GroupRight,
    TradeCommand,
    TradeDenial,
    TradeReason,
    TransactionFlag,
    TransactionType,
)

_REASONS = {
    TransactionFlag.NONE: TradeReason.CLIENT,
    TransactionFlag.EXPERT: TradeReason.EXPERT,
    TransactionFlag.SIGNAL: TradeReason.SIGNAL,
    TransactionFlag.GATEWAY: TradeReason.GATEWAY,
    TransactionFlag.MOBILE: TradeReason.MOBILE,
    TransactionFlag.WEB: TradeReason.WEB,
    TransactionFlag.API: TradeReason.API,
}


def refuse(code: ReturnCode, path: str = "") -> NoReturn:
    raise ServerError(code, path=path)


class ClientRequests:
    """Checks and carries out clients' requests."""

    def __init__(self, engine: Engine, closing: Closing) -> None:
        self._engine = engine
        self._closing = closing

    # Checks

    def check(self, request: ClientRequest) -> None:
        """Raises the first code that applies, in the documented order."""
        account = self._engine.state.accounts.get(request.login)
        self._check_account(account)
        terms = self._engine.terms.of(account, request.symbol)
        if request.type in OPENS or request.type is PENDING:
            self._check_open(request, account, terms)
        elif request.type in CLOSES:
            self._check_close(request, terms)
        elif request.type in CLOSE_BYS:
            self._check_close_by(request, terms)
        else:
            self._check_change(request, terms)

    def _check_account(self, account: Account) -> None:
        """Assumed: the code for a read-only account (Semantics 9.4)."""
        group = self._engine.state.groups[account.group]
        if not account.enable or not group.enable:
            refuse(ReturnCode.ACCOUNT_DISABLED)
        if account.read_only:
            refuse(ReturnCode.TRADE_DISABLE)

    def _check_open(self, request: ClientRequest, account: Account, terms: Terms) -> None:
        symbol = terms.symbol
        if not (request.cmd.is_pending if request.type is PENDING else request.cmd.is_market):
            refuse(ReturnCode.INVALID_DATA, "cmd")
        buys = POSITION_OF.get(request.cmd, request.cmd) is TradeCommand.BUY
        if symbol.long_only and not buys:
            refuse(ReturnCode.TRADE_LONG_ONLY, "cmd")
        if symbol.trade is not TradeMode.FULL:
            refuse(ReturnCode.TRADE_DISABLE)
        self._check_grid(symbol, request)
        self._check_session(terms)
        self._check_volume(request.volume, terms)
        self._check_stops(request, terms)
        trial = self._order(request, request.price, 0)
        self._engine.price_rates(trial, terms)
        if trial.margin_rate <= 0:
            refuse(no_rate_code())
        if request.cmd.is_market and not may_open(self._engine, trial):
            refuse(ReturnCode.TRADE_NO_MONEY, "volume")
        self._check_limits(request, account, terms)

    def _check_limits(self, request: ClientRequest, account: Account, terms: Terms) -> None:
        """Assumed: the place of these in the order."""
        group, book = terms.group, self._engine.book
        if group.max_positions and book.count_of(account.login) >= group.max_positions:
            refuse(ReturnCode.TRADE_TOO_MANY_ORDERS)
        if group.hedge_prohibited and request.cmd.is_market and self._has_opposite(request):
            refuse(ReturnCode.TRADE_HEDGE_PROHIBITED)
        self._check_expiration(request.expiration, terms)

    def _check_expiration(self, expiration: int, terms: Terms) -> None:
        if expiration and GroupRight.EXPIRATION not in terms.group.rights:
            refuse(ReturnCode.TRADE_EXPIRATION_DENIED, "expiration")
        if expiration and expiration <= self._engine.now:
            refuse(ReturnCode.INVALID_DATA, "expiration")

    def _has_opposite(self, request: ClientRequest) -> bool:
        positions = (order for order in self._engine.book.each_open_of(request.login) if order.cmd.is_market)
        return any(order.symbol == request.symbol and order.cmd is not request.cmd for order in positions)

    def _check_grid(self, symbol: Symbol, request: ClientRequest) -> None:
        if request.off_grid or request.price <= 0 or request.price % symbol.grid:
            refuse(ReturnCode.TRADE_BAD_PRICES, "price")

    def _check_session(self, terms: Terms) -> None:
        """Assumed: symbols that are not real-time, not begun or expired answer as disabled ones (Semantics 11.4)."""
        quotes, symbol, now = self._engine.state.quotes, terms.symbol, self._engine.now
        if not (terms.security.show and terms.security.trade and symbol.realtime and alive(symbol, now)):
            refuse(ReturnCode.TRADE_DISABLE)
        if not quotes.calendar.trade_open(symbol, now):
            refuse(ReturnCode.TRADE_MARKET_CLOSED)
        if quotes.last(symbol.name) is None:
            refuse(ReturnCode.TRADE_OFFQUOTES)

    def _check_volume(self, volume: int, terms: Terms) -> None:
        """Semantics 1.2. Assumed: multiples of the step count from zero."""
        least, most, step = terms.lot_limits
        if not least <= volume <= most or volume <= 0 or (step and volume % step):
            refuse(ReturnCode.TRADE_BAD_VOLUME, "volume")

    def _check_stops(self, request: ClientRequest, terms: Terms) -> None:
        prices = self._engine.client_quote(terms)
        if prices is None:
            refuse(ReturnCode.TRADE_OFFQUOTES)
        check_stops(request.cmd, request.price, request.sl, request.tp, *prices, terms.symbol.stops_level)

    def _own(self, request: ClientRequest, ticket: int) -> Order:
        order = self._engine.book.open.get(ticket)
        if order is None or order.login != request.login or order.symbol != request.symbol:
            raise ServerError(
                ReturnCode.INVALID_DATA, f"order: {ticket} is none of the open ones in {request.symbol}", path="order"
            )
        return order

    def _position(self, request: ClientRequest, ticket: int) -> Order:
        order = self._own(request, ticket)
        if not order.cmd.is_market:
            refuse(ReturnCode.INVALID_DATA, "order")
        return order

    def _check_close(self, request: ClientRequest, terms: Terms) -> None:
        order = self._position(request, request.order)
        symbol = terms.symbol
        self._check_grid(symbol, request)
        if symbol.trade is TradeMode.NO:
            refuse(ReturnCode.TRADE_DISABLE)
        self._check_session(terms)
        self._check_part(request.volume, order, terms)
        self._check_freeze(order, terms)
        if terms.group.close_fifo and self._oldest(order) is not order:
            refuse(ReturnCode.TRADE_PROHIBITED_BY_FIFO, "order")

    def _check_part(self, volume: int, order: Order, terms: Terms) -> None:
        least, _, step = terms.lot_limits
        whole = volume == order.volume
        if volume > order.volume or volume <= 0 or (not whole and (volume < least or (step and volume % step))):
            refuse(ReturnCode.TRADE_BAD_VOLUME, "volume")

    def _oldest(self, order: Order) -> Order:
        """Assumed: FIFO counts the positions of the same symbol."""
        positions = (o for o in self._engine.book.open_of(order.login) if o.symbol == order.symbol and o.cmd.is_market)
        return min(positions, key=lambda each: (each.open_time, each.ticket))

    def _check_close_by(self, request: ClientRequest, terms: Terms) -> None:
        """Assumed: the code of a denial (Semantics 6.8)."""
        denied = terms.security.trade_rights or []
        denial = TradeDenial.CLOSE_BY
        if request.type is TransactionType.ORDER_CLOSE_ALL:
            denial = TradeDenial.MULTIPLE_CLOSE_BY
        if denial in denied:
            refuse(ReturnCode.TRADE_DISABLE)
        self._check_session(terms)
        if request.type is TransactionType.ORDER_CLOSE_ALL:
            return
        one, two = self._position(request, request.order), self._position(request, request.order_by)
        if one.symbol != two.symbol or one.cmd is two.cmd:
            refuse(ReturnCode.INVALID_DATA, "order_by")

    def _check_change(self, request: ClientRequest, terms: Terms) -> None:
        order = self._own(request, request.order)
        if terms.symbol.trade is TradeMode.NO:
            refuse(ReturnCode.TRADE_DISABLE)
        self._check_session(terms)
        if request.type is TransactionType.ORDER_DELETE:
            if not order.cmd.is_pending:
                refuse(ReturnCode.INVALID_DATA, "order")
        else:
            price = request.price if order.cmd.is_pending else order.open_price
            changed = replace(request, cmd=order.cmd, price=price)
            if order.cmd.is_pending:
                self._check_grid(terms.symbol, request)
            self._check_stops(changed, terms)
            if order.cmd.is_pending and request.expiration != order.expiration:
                self._check_expiration(request.expiration, terms)
        self._check_freeze(order, terms)

    def _check_freeze(self, order: Order, terms: Terms) -> None:
        """Refused unless the distance to what would set it off is more than the freeze level (Semantics 6.5)."""
        freeze, prices = terms.symbol.freeze_level, self._engine.client_quote(terms)
        if not freeze or prices is None:
            return
        bid, ask = prices
        if order.cmd.is_pending:
            market = ask if POSITION_OF[order.cmd] is TradeCommand.BUY else bid
            distances = [abs(market - order.open_price)]
        else:
            market = bid if order.is_buy else ask
            distances = [abs(market - level) for level in (order.sl, order.tp) if level]
        if any(distance <= freeze for distance in distances):
            refuse(ReturnCode.TRADE_MODIFY_DENIED)

    def quote(self, login: int, symbol: str) -> tuple[int, int]:
        """Bid and ask in points as an account sees them. Raises 136 before the first."""
        prices = self._engine.client_quote(self._engine.terms.of(self._engine.state.accounts.get(login), symbol))
        if prices is None:
            raise ServerError(ReturnCode.TRADE_OFFQUOTES)
        return prices

    # Execution

    @then_supervised
    def execute(self, request: ClientRequest, price: int) -> int:
        """Carries out an accepted request at ``price`` (points); gives the ticket it is about. Money is checked once
        more: the price may be another one now."""
        kind = request.type
        if kind in OPENS or kind is PENDING:
            return self._open(request, price)
        if kind in CLOSES:
            order = self._position(request, request.order)
            self._closing.close(order, min(request.volume, order.volume), price)
            return order.ticket
        if kind is TransactionType.ORDER_CLOSE_BY:
            one, two = self._position(request, request.order), self._position(request, request.order_by)
            self._closing.close_by(one, two)
            return one.ticket
        if kind is TransactionType.ORDER_CLOSE_ALL:
            self._closing.close_all(request.login, request.symbol)
            return 0
        order = self._own(request, request.order)
        if kind is TransactionType.ORDER_DELETE:
            self._engine.drop(order, "cancelled")
        else:
            self._modify(order, request)
        return order.ticket

    def _order(self, request: ClientRequest, price: int, ticket: int) -> Order:
        engine = self._engine
        digits = symbol_named(engine.state.symbols, request.symbol).digits
        order = Order(ticket, request.login, request.symbol, digits, request.cmd, request.volume, price, engine.now)
        order.sl, order.tp, order.comment = request.sl, request.tp, request.comment
        order.reason = _REASONS[request.flags]
        order.expiration = request.expiration if request.cmd.is_pending else 0
        return order

    def _open(self, request: ClientRequest, price: int) -> int:
        engine = self._engine
        terms = engine.terms.of(engine.state.accounts.get(request.login), request.symbol)
        trial = self._order(request, price, 0)
        engine.price_rates(trial, terms)
        if request.cmd.is_market and not may_open(engine, trial):
            refuse(ReturnCode.TRADE_NO_MONEY, "volume")
        order = self._order(request, price, engine.next_ticket())
        engine.start(order, terms)
        return order.ticket

    def _modify(self, order: Order, request: ClientRequest) -> None:
        self._engine.changing(order)
        order.sl, order.tp = request.sl, request.tp
        if order.cmd.is_pending:
            order.open_price, order.expiration = request.price, request.expiration
            self._engine.price_rates(order, self._engine.terms_of(order))
        order.timestamp = self._engine.now
        self._engine.tell_watchers(order)
        self._engine.emit(Change.UPDATE, order)


def no_rate_code() -> ReturnCode:
    """What a client hears when there is no way to convert the margin. Assumed: 136 (Semantics 2.3)."""
    return ReturnCode.TRADE_OFFQUOTES


def check_stops(cmd: TradeCommand, price: int, sl: int, tp: int, bid: int, ask: int, stops_level: int) -> None:
    """SL, TP and a pending's price keep their distance from the market (boundaries inclusive); all in points. Raises
    130 (Semantics 6.5). Assumed: the code for a pending's price."""
    distance = {
        TradeCommand.BUY_LIMIT: ask - price,
        TradeCommand.BUY_STOP: price - ask,
        TradeCommand.SELL_LIMIT: price - bid,
        TradeCommand.SELL_STOP: bid - price,
    }.get(cmd)
    if distance is not None and (distance < stops_level or distance < 0):
        refuse(ReturnCode.TRADE_BAD_STOPS, "price")
    buys = POSITION_OF.get(cmd, cmd) is TradeCommand.BUY
    market = price if cmd.is_pending else bid if buys else ask
    sign = 1 if buys else -1
    if sl and sign * (market - sl) < stops_level:
        refuse(ReturnCode.TRADE_BAD_STOPS, "sl")
    if tp and sign * (tp - market) < stops_level:
        refuse(ReturnCode.TRADE_BAD_STOPS, "tp")
