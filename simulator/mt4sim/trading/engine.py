"""The trading engine's core: what every kind of trade is made of. Rules of who may do what are elsewhere:
:mod:`~mt4sim.trading.transactions` for managers, :mod:`~mt4sim.trading.clients` for clients,
:mod:`~mt4sim.trading.triggers` and :mod:`~mt4sim.trading.stopout` for the server itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from math import ceil, floor
from typing import Concatenate, ParamSpec, Protocol, TypeVar
from weakref import WeakSet

from mt4sim.events import Change
from mt4sim.market.spreads import widened
from mt4sim.market.symbols import MarginMode, Symbol
from mt4sim.market.ticks import Quote
from mt4sim.money import share, to_cents
from mt4sim.state import State
from mt4sim.state.accounts import Account
from mt4sim.state.figures import LevelType, MarginLevel
from mt4sim.state.orders import Order, OrderState
from mt4sim.trading.commission import agent_commission, commission, taxes
from mt4sim.trading.conversion import Converter
from mt4sim.trading.margin import Exposure, margin_of
from mt4sim.trading.profit import closing_price, profit, profit_rate, worth_of_point
from mt4sim.trading.terms import Terms, TermsBook, leverage_of
from mt_remote.records import ConGroup, GroupMarginMode, MarginType, TradeCommand, TradeReason

POSITION_OF = {
    TradeCommand.BUY_LIMIT: TradeCommand.BUY,
    TradeCommand.BUY_STOP: TradeCommand.BUY,
    TradeCommand.SELL_LIMIT: TradeCommand.SELL,
    TradeCommand.SELL_STOP: TradeCommand.SELL,
}
"""What a pending order becomes."""


class Keeper(Protocol):
    """Reads open orders as they were at a moment."""

    def keep(self, order: Order, /) -> None:
        """The order is about to change."""


class Engine:
    """Orders, exposures and the money that moves with them. ``watchers`` are told of every position or pending that
    comes, changes or goes, so that triggers and stop-out levels stay right; who they are, and in which order they are
    told, says :mod:`mt4sim.reactions`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.book = state.orders
        self.terms = TermsBook(state)
        self.converter = Converter(state)
        self.exposures: dict[int, dict[str, Exposure]] = {}
        self._floating: dict[int, int] = {}  # known until the next tick
        self.watchers: tuple[OrderWatcher, ...] = ()
        self.readings: WeakSet[Keeper] = WeakSet()

    # Small things

    @property
    def now(self) -> int:
        """Unix seconds in the server's zone."""
        return self.state.timeline.now

    def next_ticket(self) -> int:
        """One counter for every record; its value is ``ConCommon.lastorder`` (Semantics 7.1)."""
        self.state.common.last_order += 1
        return self.state.common.last_order

    def emit(self, change: Change, order: Order) -> None:
        self.state.events.emit("trade", change, order)

    def account_told(self, account: Account) -> None:
        """An account's record changed: listeners are told. Assumed: also after each change of its balance
        (Semantics 10.7)."""
        self.state.events.emit("user", Change.UPDATE, account)

    def changing(self, order: Order) -> None:
        """An order that is in the book is about to change: whoever reads the book keeps it as it was."""
        if self.readings:
            for reading in self.readings:
                reading.keep(order)

    def account(self, order: Order) -> Account:
        return self.state.accounts.get(order.login)

    def terms_of(self, order: Order) -> Terms:
        return self.terms.of(self.account(order), order.symbol)

    def client_quote(self, terms: Terms) -> tuple[int, int] | None:
        """Bid and ask in points as the group sees them; ``None`` before the first."""
        quote = self.state.quotes.last(terms.symbol.name)
        return None if quote is None else widened(quote, terms.spread_diff)

    def closing_price(self, order: Order, terms: Terms) -> int:
        """Where it would close now."""
        prices = self.client_quote(terms)
        return closing_price(order, prices)

    # Valuation

    def profit_of(self, order: Order, volume: int, price: int, terms: Terms) -> int:
        """Cents that ``volume`` of a position gains when closed at ``price``."""
        return profit(
            self.converter,
            terms.symbol,
            terms.deposit,
            buy=order.is_buy,
            volume=volume,
            opened=order.open_price,
            closed=price,
        )

    def floating(self, order: Order) -> int:
        """Cents that closing a position now would bring, swap, commission and taxes included."""
        terms = self.terms_of(order)
        now = self.profit_of(order, order.volume, self.closing_price(order, terms), terms)
        return now + order.storage + order.commission + order.taxes

    def floating_of(self, login: int) -> int:
        """The same for all of an account's positions. Where every result is a whole number of cents the sums over the
        positions do; else each position is rounded by itself."""
        known = self._floating.get(login)
        if known is not None:
            return known
        total, singly = self._worths(login)
        if not singly:
            return total
        found = self._floating[login] = total + self._singly(login, singly)
        return found

    def forget_floating(self) -> None:
        """Prices changed, or everything did."""
        self._floating.clear()

    def quote_changed(self, _symbol: Symbol, _quote: Quote) -> None:
        """A price changed: any result may depend on it, by way of a conversion."""
        self._floating.clear()

    def floating_about(self, login: int) -> tuple[int, int]:
        """Least and most that :meth:`floating_of` can be, without a look at single positions."""
        total, singly = self._worths(login)
        if not singly:
            return total, total
        unrounded, slack = 0.0, 1
        for name, (bid, ask, bought, sold) in singly.items():
            exposure = self.exposures[login][name]
            buys, sells = exposure.buys, exposure.sells
            unrounded += (buys.volume * bid - buys.at_price) * bought + (sells.at_price - sells.volume * ask) * sold
            slack += exposure.count
        return total + floor(unrounded) - slack, total + ceil(unrounded) + slack

    def _worths(self, login: int) -> tuple[int, dict[str, tuple[int, int, float, float]]]:
        """What an account's sums alone say, in cents, and for each symbol whose results have to be rounded one by one
        bid, ask, and what a point of a lot is worth bought and sold."""
        account, total = self.state.accounts.get(login), 0
        singly: dict[str, tuple[int, int, float, float]] = {}
        for name, exposure in self.exposures.get(login, {}).items():
            terms = self.terms.of(account, name)
            prices = self.client_quote(terms)
            total += exposure.costs
            if prices is None:
                continue
            symbol, (bid, ask) = terms.symbol, prices
            worth = worth_of_point(symbol)
            if symbol.quote == terms.deposit and worth.is_integer():
                total += int(worth) * exposure.gained(bid, ask)
            else:
                rate = partial(profit_rate, self.converter, symbol, terms.deposit)
                singly[name] = (bid, ask, worth * rate(buy=True, closed=bid), worth * rate(buy=False, closed=ask))
        return total, singly

    def _singly(self, login: int, worths: dict[str, tuple[int, int, float, float]]) -> int:
        total = 0
        for order in self.book.each_open_of(login):
            known = worths.get(order.symbol)
            if known is None or not order.cmd.is_market:
                continue
            bid, ask, bought, sold = known
            if order.cmd is TradeCommand.BUY:
                total += to_cents((bid - order.open_price) * order.volume * bought / 100)
            else:
                total += to_cents((order.open_price - ask) * order.volume * sold / 100)
        return total

    def margin_of(self, login: int) -> int:
        """Cents that an account's positions bind."""
        return sum(exposure.margin for exposure in self.exposures.get(login, {}).values())

    def free_margin(self, account: Account, floating: int, margin: int) -> int:
        """Cents, by the group's margin mode (Semantics 2.8)."""
        mode = self.state.groups[account.group].margin_mode
        own = account.balance + account.credit - margin
        if mode is GroupMarginMode.USE_ALL:
            return own + floating
        if mode is GroupMarginMode.USE_PROFIT:
            return own + max(0, floating)
        return own + min(0, floating) if mode is GroupMarginMode.USE_LOSS else own

    def margin_level(self, login: int) -> MarginLevel:
        """An account's figures. Raises 65 for an unknown login."""
        account = self.state.accounts.get(login)
        group = self.state.groups[account.group]
        floating, margin = self.floating_of(login), self.margin_of(login)
        equity = account.balance + account.credit + floating
        level = round(equity / margin * 100, 2) if margin else 0.0
        free = self.free_margin(account, floating, margin)
        volume = sum(e.buys.volume + e.sells.volume for e in self.exposures.get(login, {}).values())
        kind = self.level_of(group, equity, free, margin)
        return MarginLevel(
            login,
            account.group,
            leverage_of(account, group),
            account.balance,
            account.credit,
            floating,
            equity,
            volume,
            margin,
            free,
            level,
            kind,
        )

    @staticmethod
    def level_of(group: ConGroup, equity: int, free: int, margin: int) -> LevelType:
        """Whether these figures (cents) make a margin call or a stop-out (Semantics 6.9)."""
        if not margin:
            return LevelType.OK
        if group.margin_type is MarginType.PERCENT:
            return level_type(equity * 100, margin, group.margin_call, group.margin_stopout)
        return level_type(free, 100, group.margin_call, group.margin_stopout)

    # Exposure

    def expose(self, order: Order, sign: int) -> None:
        """A position came (1) or went (−1): margin of its account and symbol follow."""
        if order.login in self._floating:
            self._floating[order.login] += sign * self.floating(order)
        table = self.exposures.setdefault(order.login, {})
        exposure = table.setdefault(order.symbol, Exposure())
        exposure.add(order, sign)
        if exposure.count:
            self._remargin(order.login, order.symbol, exposure)
        else:
            del table[order.symbol]
            if not table:
                del self.exposures[order.login]
        for watcher in self.watchers:
            watcher.exposure_changed(order.login)

    def _remargin(self, login: int, symbol: str, exposure: Exposure) -> None:
        account = self.state.accounts.get(login)
        terms = self.terms.of(account, symbol)
        exposure.margin = margin_of(exposure, terms, leverage_of(account, terms.group))

    def remargin(self, account: Account) -> None:
        """Terms or leverage changed: the account's margin is worked out anew."""
        self._floating.pop(account.login, None)
        for symbol, exposure in self.exposures.get(account.login, {}).items():
            self._remargin(account.login, symbol, exposure)

    def margin_with(self, account: Account, order: Order) -> int:
        """What the account's margin would be with one more position: what is bound now, and what it takes to open the
        new one. A candidate of the CFD modes counts at the price at which it would close (Semantics 2.2)."""
        terms = self.terms.of(account, order.symbol)
        leverage = leverage_of(account, terms.group)
        held = self.exposures.get(account.login, {}).get(order.symbol, Exposure())
        trial = held.copy()
        cfd = terms.symbol.margin_mode not in (MarginMode.FOREX, MarginMode.FUTURES)
        trial.add(order, price=self.closing_price(order, terms) if cfd else 0)
        more = margin_of(trial, terms, leverage, opening=True) - margin_of(held, terms, leverage, opening=True)
        return self.margin_of(account.login) + more

    # What trades are made of

    def price_rates(self, order: Order, terms: Terms) -> None:
        """Conversion and margin rate at the order's own price (Semantics 2.3, 3.6)."""
        symbol, ask = terms.symbol, order.cmd in (TradeCommand.BUY, TradeCommand.BUY_LIMIT, TradeCommand.BUY_STOP)
        price = symbol.to_price(order.open_price)
        rate = self.converter.trade_rate
        order.margin_rate = rate(symbol.margin_in, terms.deposit, symbol.name, price, ask=ask)
        same = symbol.margin_in == symbol.currency
        order.conv_open = (
            order.margin_rate if same else rate(symbol.currency, terms.deposit, symbol.name, price, ask=ask)
        )

    def start(self, order: Order, terms: Terms, change: Change = Change.ADD) -> None:
        """Puts a position or a pending into the book."""
        self.price_rates(order, terms)
        if order.cmd.is_market:
            order.commission = commission(
                self.converter, terms, buy=order.is_buy, volume=order.volume, price=order.open_price
            )
        if change is Change.ADD:
            self.book.add(order)
        if order.cmd.is_market:
            self.expose(order, 1)
        self.tell_watchers(order)
        self.emit(change, order)

    def activate(self, order: Order, price: int) -> None:
        """A pending becomes a position at ``price`` under its ticket (Semantics 6.1)."""
        self.changing(order)
        order.cmd = POSITION_OF[order.cmd]
        order.open_price = price
        order.open_time = order.timestamp = self.now
        order.expiration = 0
        self.start(order, self.terms_of(order), Change.UPDATE)

    def settle(self, order: Order, price: int, state: OrderState, *, profit: int | None = None) -> None:
        """Closes a whole position: rates, profit, taxes, the agent's part, the account's balance."""
        self.changing(order)
        terms, account = self.terms_of(order), self.account(order)
        self.expose(order, -1)
        ask = order.is_buy
        order.close_price = price
        order.profit = self.profit_of(order, order.volume, price, terms) if profit is None else profit
        order.conv_close = self.converter.trade_rate(
            terms.symbol.currency, terms.deposit, order.symbol, terms.symbol.to_price(price), ask=ask
        )
        order.taxes = taxes(account.info.taxes, order.profit, order.commission)
        order.state = state
        order.close_time = order.timestamp = self.now
        self.book.finish(order)
        account.balance += order.result
        self.tell_watchers(order)
        self.emit(Change.DELETE, order)
        self._pay_agent(order, account, terms)
        self.account_told(account)

    def _pay_agent(self, order: Order, account: Account, terms: Terms) -> None:
        """The agent's commission is booked at the close; that of an unknown agent goes to the server's own account
        for it (Semantics 5.4). Assumed: the comment; nothing is booked when that account does not exist either."""
        agent_login = account.info.agent_account
        if not agent_login or not order.volume:
            return
        amount = agent_commission(self.converter, terms, buy=order.is_buy, volume=order.volume, price=order.open_price)
        accounts = self.state.accounts
        agent = accounts.find(agent_login) or accounts.find(self.state.common.lost_commission_login)
        if amount and agent is not None:
            order.commission_agent = amount
            self.book_money(agent, amount, TradeCommand.BALANCE, f"agent '{account.login}' - #{order.ticket}")

    def split(self, order: Order, volume: int) -> Order:
        """Takes ``volume`` out of a position: what is left gets the next ticket and its share of costs, so that cents
        add up (Semantics 6.7). The rest is not in the book yet."""
        self.changing(order)
        self.expose(order, -1)
        whole = order.volume
        rest = Order(
            self.next_ticket(),
            order.login,
            order.symbol,
            order.digits,
            order.cmd,
            whole - volume,
            order.open_price,
            order.open_time,
        )
        rest.sl, rest.tp, rest.magic, rest.reason = order.sl, order.tp, order.magic, order.reason
        rest.margin_rate, rest.conv_open, rest.api_data = order.margin_rate, order.conv_open, order.api_data
        rest.timestamp = self.now
        for name in ("commission", "storage"):
            total = getattr(order, name)
            part = share(total, volume, whole)
            setattr(order, name, part)
            setattr(rest, name, total - part)
        order.volume = volume
        self.expose(order, 1)
        return rest

    def keep(self, rest: Order) -> None:
        """Puts what was left of a position into the book."""
        self.book.add(rest)
        self.expose(rest, 1)
        self.tell_watchers(rest)
        self.emit(Change.ADD, rest)

    def charge_swap(self, order: Order, cents: int) -> None:
        """Adds a swap to what the position has gathered; positive is credited (Semantics 4.1)."""
        self.changing(order)
        order.storage += cents
        order.timestamp = self.now
        self.exposures[order.login][order.symbol].costs += cents
        if order.login in self._floating:
            self._floating[order.login] += cents
        for watcher in self.watchers:
            watcher.costs_changed(order)
        self.emit(Change.UPDATE, order)

    def drop(self, order: Order, comment: str, *, price: int = 0) -> None:
        """A pending goes to the history without profit (Semantics 3.7, 6.1)."""
        self.changing(order)
        if order.cmd.is_market:
            self.expose(order, -1)
        order.comment = comment
        order.close_price = price
        order.profit = order.storage = order.commission = order.taxes = 0
        order.state = OrderState.DELETED
        order.close_time = order.timestamp = self.now
        self.book.finish(order)
        self.tell_watchers(order)
        self.emit(Change.DELETE, order)

    def book_money(self, account: Account, cents: int, cmd: TradeCommand, comment: str, expiration: int = 0) -> Order:
        """A balance or credit record: straight to the history (Semantics 7.3)."""
        order = Order(self.next_ticket(), account.login, "", 0, cmd, 1, 0, self.now)
        order.profit = cents
        order.comment = comment
        order.reason = TradeReason.CLIENT
        order.expiration = expiration
        order.state = OrderState.CLOSED_NORMAL
        order.close_time = order.open_time
        self.book.add(order)
        if cmd is TradeCommand.CREDIT:
            account.credit += cents
        else:
            account.balance += cents
        for watcher in self.watchers:
            watcher.money_changed(account)
        self.emit(Change.ADD, order)
        self.account_told(account)
        return order

    def supervise(self) -> None:
        """What was done is done: accounts that it brought to harm are looked after. To be called at the end of whatever
        changes positions, money or terms."""
        for watcher in self.watchers:
            watcher.catch_up()

    def tell_watchers(self, order: Order) -> None:
        """A position or pending came, changed or went."""
        for watcher in self.watchers:
            watcher.order_changed(order)


Told = ParamSpec("Told")
Given = TypeVar("Given")


class Room(Protocol):
    """What works on the engine."""

    _engine: Engine


R = TypeVar("R", bound=Room)


def then_supervised(act: Callable[Concatenate[R, Told], Given]) -> Callable[Concatenate[R, Told], Given]:
    """What the method did may have brought accounts to harm: they are looked after before it returns."""

    @wraps(act)
    def acting(room: R, /, *args: Told.args, **kwargs: Told.kwargs) -> Given:
        given = act(room, *args, **kwargs)
        room._engine.supervise()
        return given

    return acting


class OrderWatcher:
    """Keeps something in step with the orders."""

    def order_changed(self, order: Order) -> None:
        """An order came, changed or, when it is not open, went."""

    def exposure_changed(self, login: int) -> None:
        """An account's positions are others than before."""

    def costs_changed(self, order: Order) -> None:
        """A swap came to a position."""

    def money_changed(self, account: Account) -> None:
        """Money was booked on an account."""

    def account_changed(self, account: Account) -> None:
        """An account's terms or leverage changed."""

    def catch_up(self) -> None:
        """A transaction, a timer or a change of terms is through."""


def level_type(measured: int, unit: int, call: int, stop_out: int) -> LevelType:
    """Margin call and stop-out by the group's thresholds of so many units each, both inclusive (Semantics 6.9); in
    whole numbers, since a quotient may lie a little beside the threshold that it should meet. Assumed: a threshold of
    0 is switched off, also for accounts whose equity is below zero."""
    if stop_out and measured <= stop_out * unit:
        return LevelType.STOP_OUT
    return LevelType.MARGIN_CALL if call and measured <= call * unit else LevelType.OK
