"""What ticks set off: pending orders, stop losses, take profits (Semantics 6.4)."""

from __future__ import annotations

from mt4sim.events import Change
from mt4sim.market.spreads import widened
from mt4sim.market.symbols import Symbol, TradeMode
from mt4sim.market.ticks import Quote
from mt4sim.state.accounts import Account
from mt4sim.state.orders import Activation, Order
from mt4sim.trading.closing import Closing, with_suffix
from mt4sim.trading.engine import POSITION_OF, Engine, OrderWatcher
from mt4sim.trading.levels import Levels
from mt4sim.trading.opening import may_open
from mt_remote.records import ExecutionMode, TradeCommand

_PENDING_MARKS = (Activation.PENDING, Activation.PENDING_ROLLBACK)
_POSITION_MARKS = tuple(set(Activation) - {Activation.NONE, *_PENDING_MARKS})
_KINDS = {cmd: _PENDING_MARKS if cmd.is_pending else _POSITION_MARKS for cmd in TradeCommand}
"""Which marks an order of a type can have."""

_GAPS_FILL_AT_MARKET = (TradeCommand.BUY_STOP, TradeCommand.SELL_STOP)


class SymbolLevels:
    """The levels of one symbol under one spread difference, by what reaches them."""

    __slots__ = ("ask_down", "ask_up", "bid_down", "bid_up", "spread_diff")

    def __init__(self, spread_diff: int) -> None:
        self.spread_diff = spread_diff
        self.bid_down: Levels = Levels(down=True)  # SL of buys, SELL_STOP
        self.bid_up: Levels = Levels(down=False)  # TP of buys, SELL_LIMIT
        self.ask_down: Levels = Levels(down=True)  # TP of sells, BUY_LIMIT
        self.ask_up: Levels = Levels(down=False)  # SL of sells, BUY_STOP

    def drop(self, ticket: int, /) -> None:
        """An order waits for nothing here any more."""
        self.bid_down.drop(ticket)
        self.bid_up.drop(ticket)
        self.ask_down.drop(ticket)
        self.ask_up.drop(ticket)

    def reached(self, bid: int, ask: int) -> list[int]:
        """Takes out the orders that these prices reach, by ticket."""
        down, up, sinks, climbs = self.bid_down, self.bid_up, self.ask_down, self.ask_up
        if down.quiet(bid) and up.quiet(bid) and sinks.quiet(ask) and climbs.quiet(ask):
            return []
        return sorted({*down.reached(bid), *up.reached(bid), *sinks.reached(ask), *climbs.reached(ask)})


class Triggers(OrderWatcher):
    """Keeps the levels of all orders and carries out what a tick reaches: pendings first, then SL and TP. Assumed:
    that order, and that a pending activated by a tick can hit its stops at the next one at the earliest."""

    def __init__(self, engine: Engine, closing: Closing) -> None:
        self._engine = engine
        self._closing = closing
        self._books: dict[str, dict[int, SymbolLevels]] = {}
        self._marked: dict[str, dict[int, Order]] = {}

    # Keeping the levels

    def order_changed(self, order: Order) -> None:
        self._forget(order)
        if order.activation is not Activation.NONE:
            self._keep_mark(order)
        if order.is_open and (order.cmd.is_pending or order.sl or order.tp):
            self._register(order)

    def _keep_mark(self, order: Order) -> None:
        """A mark stands while what it was made for is as it was."""
        wanted = order.is_open and order.activation in _KINDS[order.cmd]
        marked = self._marked.setdefault(order.symbol, {})
        if wanted:
            marked[order.ticket] = order
            return
        marked.pop(order.ticket, None)
        order.activation = Activation.NONE
        self._engine.state.events.emit("activation", Change.DELETE, order)

    def marked(self) -> list[Order]:
        """What waits for a dealer to carry it out, by ticket."""
        orders = {ticket: order for each in self._marked.values() for ticket, order in each.items()}
        return [orders[ticket] for ticket in sorted(orders)]

    def clear(self, ticket: int) -> None:
        """Takes the mark of an open order away."""
        order = self._engine.book.find_open(ticket)
        if self._marked.get(order.symbol, {}).pop(order.ticket, None) is not None:
            order.activation = Activation.NONE
            self._engine.state.events.emit("activation", Change.DELETE, order)

    def account_changed(self, account: Account) -> None:
        """The group may have changed, and with it the spread difference."""
        for order in self._engine.book.open_of(account.login):
            place = order.place
            if place is not None and place.spread_diff != self._engine.terms_of(order).spread_diff:
                self.order_changed(order)

    @staticmethod
    def _forget(order: Order) -> None:
        if order.place is not None:
            order.place.drop(order.ticket)
            order.place = None

    def _register(self, order: Order) -> None:
        spread_diff = self._engine.terms_of(order).spread_diff
        books = self._books.setdefault(order.symbol, {})
        levels = books.get(spread_diff)
        if levels is None:
            levels = books[spread_diff] = SymbolLevels(spread_diff)
        order.place = levels
        ticket, cmd = order.ticket, order.cmd
        if cmd is TradeCommand.BUY:
            self._stops(levels.bid_down, levels.bid_up, order)
        elif cmd is TradeCommand.SELL:
            self._stops(levels.ask_up, levels.ask_down, order)
        elif cmd is TradeCommand.BUY_LIMIT:
            levels.ask_down.set(ticket, order.open_price)
        elif cmd is TradeCommand.BUY_STOP:
            levels.ask_up.set(ticket, order.open_price)
        elif cmd is TradeCommand.SELL_LIMIT:
            levels.bid_up.set(ticket, order.open_price)
        else:
            levels.bid_down.set(ticket, order.open_price)

    def _stops(self, losses: Levels, gains: Levels, order: Order) -> None:
        if order.sl:
            losses.set(order.ticket, order.sl)
        if order.tp:
            gains.set(order.ticket, order.tp)

    # A tick

    def on_quote(self, symbol: Symbol, quote: Quote) -> None:
        """Carries out what the new quote reaches, in the order of tickets."""
        books = self._books.get(symbol.name)
        if not books:
            return
        for spread_diff, levels in list(books.items()):
            bid, ask = widened(quote, spread_diff)
            reached = levels.reached(bid, ask)
            if reached:
                self._carry_out(symbol, reached, bid, ask)
        if self._marked.get(symbol.name):
            self._roll_back(symbol, quote)

    def _roll_back(self, symbol: Symbol, quote: Quote) -> None:
        """The price has gone back from what was marked: the mark is negative from now on, and the level waits anew."""
        for order in list(self._marked[symbol.name].values()):
            bid, ask = widened(quote, self._engine.terms_of(order).spread_diff)
            if order.activation > 0 and order.activation is not Activation.STOPOUT and not _reaches(order, bid, ask):
                order.activation = Activation(-order.activation)
                self._forget(order)
                self._register(order)
                self._engine.state.events.emit("activation", Change.UPDATE, order)

    def _carry_out(self, symbol: Symbol, tickets: list[int], bid: int, ask: int) -> None:
        orders = [order for order in map(self._engine.book.open.get, tickets) if order is not None]
        positions = [order for order in orders if order.cmd.is_market]
        for order in orders:
            if order.is_open and order.cmd.is_pending:
                self._on_pending(symbol, order, bid, ask)
        for order in positions:
            if order.is_open:
                self._on_stop(order, bid, ask)

    def _is_manual(self, order: Order) -> bool:
        """In groups that dealers execute the server only marks what was reached (Semantics 6.4)."""
        return self._engine.terms_of(order).security.execution_mode is ExecutionMode.MANUAL

    def mark(self, order: Order, activation: Activation) -> None:
        """A dealer is asked to carry it out."""
        if order.activation is activation:
            return
        change = Change.ADD if order.activation is Activation.NONE else Change.UPDATE
        order.activation = activation
        self._marked.setdefault(order.symbol, {})[order.ticket] = order
        self._engine.state.events.emit("activation", change, order)

    def _on_pending(self, symbol: Symbol, order: Order, bid: int, ask: int) -> None:
        if self._is_manual(order):
            self.mark(order, Activation.PENDING)
            return
        buys = POSITION_OF[order.cmd] is TradeCommand.BUY
        market = ask if buys else bid
        price = market if order.cmd in _GAPS_FILL_AT_MARKET else order.open_price
        if symbol.trade is not TradeMode.FULL:
            self._engine.drop(order, "deleted [close only]", price=market)
        elif not self._can_pay(order, price):
            self._engine.drop(order, "deleted [no money]", price=market)
        else:
            self._engine.activate(order, price)

    def _can_pay(self, order: Order, price: int) -> bool:
        engine = self._engine
        trial = Order(0, order.login, order.symbol, order.digits, POSITION_OF[order.cmd], order.volume, price, 0)
        engine.price_rates(trial, engine.terms_of(order))
        return may_open(engine, trial)

    def _on_stop(self, order: Order, bid: int, ask: int) -> None:
        """A stop loss fills at its level, beyond a gap at the market; a take profit always at its level."""
        market = bid if order.is_buy else ask
        lost = _stopped(order, market)
        if self._is_manual(order):
            self.mark(order, Activation.SL if lost else Activation.TP)
        elif lost:
            self._closing.close(order, order.volume, market, comment=with_suffix(order.comment, "[sl]"))
        else:
            self._closing.close(order, order.volume, order.tp, comment=with_suffix(order.comment, "[tp]"))


def _stopped(order: Order, market: int) -> bool:
    return bool(order.sl) and (market <= order.sl if order.is_buy else market >= order.sl)


def _reaches(order: Order, bid: int, ask: int) -> bool:
    """Whether these prices set off what the order is marked for."""
    if order.cmd.is_market:
        market = bid if order.is_buy else ask
        if order.activation is Activation.SL:
            return _stopped(order, market)
        return market >= order.tp if order.is_buy else market <= order.tp
    market = ask if POSITION_OF[order.cmd] is TradeCommand.BUY else bid
    falling = order.cmd in (TradeCommand.BUY_LIMIT, TradeCommand.SELL_STOP)
    return market <= order.open_price if falling else market >= order.open_price
