"""Margin calls and stop-outs, supervised at each tick at a cost that does not grow with the positions (Semantics 6.9).

An account can only come to harm when a price moves far enough against it. So for each account that has thresholds a
band of prices is worked out for each symbol it depends on (its positions' and those that convert their results),
within which neither threshold can be reached whatever the other symbols do inside theirs. The bands' edges wait in
ordered levels; an account is looked at again only when a price leaves a band, or when its money or positions change.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from mt4sim.events import Change
from mt4sim.market.symbols import Symbol
from mt4sim.market.ticks import Quote
from mt4sim.state.accounts import Account
from mt4sim.state.figures import LevelType, MarginLevel
from mt4sim.state.orders import Activation, Order
from mt4sim.trading.closing import Closing
from mt4sim.trading.engine import Engine, OrderWatcher
from mt4sim.trading.levels import Levels
from mt4sim.trading.margin import Exposure
from mt4sim.trading.profit import profit_rate, rate_symbols, worth_of_point
from mt4sim.trading.terms import Terms
from mt4sim.trading.triggers import Triggers
from mt_remote.records import ConGroup, ExecutionMode, MarginType

_SAFETY = 0.5
_WIDEST = 0.1
"""A band of converted results is never wider than this part of the price, so that rates change by little inside it, and
uses up this share of the account's room alone, which makes up for that little."""


class Supervisor(OrderWatcher):
    """Watches every account with positions and thresholds."""

    def __init__(self, engine: Engine, closing: Closing, triggers: Triggers) -> None:
        self._engine = engine
        self._closing = closing
        self._triggers = triggers
        self._bands: dict[str, Bands] = {}
        self._banded: dict[int, tuple[str, ...]] = {}
        self._sets: dict[tuple[str, ...], tuple[str, ...]] = {}  # accounts in the same symbols share one
        self._stale: dict[int, None] = {}
        self._asked: dict[int, Order] = {}
        self._looking = False
        self.called = engine.state.margin_calls  # the state's own: clients were told of them
        self.looks = 0

    # What changes an account's room

    def exposure_changed(self, login: int) -> None:
        self._stale[login] = None

    def order_changed(self, order: Order) -> None:
        if order.activation is Activation.STOPOUT:
            self._asked[order.login] = order

    def costs_changed(self, order: Order) -> None:
        self._stale[order.login] = None

    def money_changed(self, account: Account) -> None:
        self._stale[account.login] = None

    def account_changed(self, account: Account) -> None:
        self._stale[account.login] = None

    def forget(self, login: int) -> None:
        """The account is gone."""
        self._unband(login)
        self._stale.pop(login, None)
        self._asked.pop(login, None)
        self.called.pop(login, None)

    def rebuild(self) -> None:
        """The state was filled from a snapshot: those who had a margin call then are looked at first."""
        self._stale.update(dict.fromkeys(self.called))

    # When accounts are looked at

    def on_quote(self, symbol: Symbol, quote: Quote) -> None:
        """Looks at the accounts whose band this price left."""
        bands = self._bands.get(symbol.name)
        if bands is not None:
            for login in bands.left(quote):
                self._stale[login] = None
        if self._stale:
            self.catch_up()

    def catch_up(self) -> None:
        """Looks at the accounts that changed, and at those that a stop-out changed in turn: it may pay an agent.
        Assumed: at once, not at the next tick only (Semantics 6.9)."""
        if self._looking:
            return
        self._looking = True
        try:
            while self._stale:
                for login in sorted(self._stale):
                    self._look(login)
        finally:
            self._looking = False

    def _look(self, login: int) -> None:
        """Finds out how an account stands, and when it has to be looked at again. Position by position it is valued
        only when its sums come close to a threshold."""
        self.looks += 1
        self._unband(login)
        account = self._engine.state.accounts.find(login)
        if account is None:
            self._stale.pop(login, None)
            return
        group = self._engine.state.groups[account.group]
        if not (group.margin_call or group.margin_stopout) or login not in self._engine.exposures:
            self._stale.pop(login, None)
            self._settle(login, LevelType.OK, None)
            return
        standing = self._standing(account, group)
        if standing.room > 0 and standing.kind is self.called.get(login, LevelType.OK) is not LevelType.STOP_OUT:
            self._stale.pop(login, None)
            self._band(login, standing)
            return
        level = self._engine.margin_level(login)
        while must_stop_out(level, group) and self._stop_out(level, group):
            level = self._engine.margin_level(login)
        self._stale.pop(login, None)
        holds = login in self._engine.exposures
        self._settle(login, level.level_type, level if holds else None)
        if holds:
            self._band(login, self._standing(account, group))

    def _standing(self, account: Account, group: ConGroup) -> Standing:
        """How an account stands by the sums over its positions; its room allows for the cents that rounding each
        position would make."""
        engine, floating, count, margin = self._engine, 0.0, 0, 0
        weights: dict[str, Weight] = {}
        for name, exposure in engine.exposures[account.login].items():
            terms = engine.terms.of(account, name)
            floating += value_of(engine, exposure, terms, weights)
            count += exposure.count
            margin += exposure.margin
        cents = round(floating)
        equity = account.balance + account.credit + cents
        free = engine.free_margin(account, cents, margin)
        dead = hedged_to_death(group, equity, margin)
        kind = LevelType.STOP_OUT if dead else engine.level_of(group, equity, free, margin)
        return Standing(kind, room_of(group, equity, free, margin) - count - 1, weights)

    def _settle(self, login: int, kind: LevelType, level: MarginLevel | None) -> None:
        """Tells what came of a look."""
        asked = self._asked.get(login)
        if asked is not None and kind is not LevelType.STOP_OUT:
            del self._asked[login]
            if asked.activation is Activation.STOPOUT:
                self._triggers.mark(asked, Activation.STOPOUT_ROLLBACK)
        self._tell(login, kind, level)

    def _tell(self, login: int, kind: LevelType, level: MarginLevel | None) -> None:
        """Margin calls are told when they begin, change and end."""
        before = self.called.pop(login, LevelType.OK)
        if kind is not LevelType.OK:
            self.called[login] = kind
        if kind is before:
            return
        change = Change.DELETE if kind is LevelType.OK else Change.ADD if before is LevelType.OK else Change.UPDATE
        self._engine.state.events.emit("margin_call", change, (login, level))

    def _stop_out(self, level: MarginLevel, group: ConGroup) -> bool:
        """Closes at the market, the largest floating loss first, until the level is above the threshold; pendings stay.
        Assumed: the lower ticket of two equal ones. Prices don't move meanwhile, so each position is valued once.
        Positions that a dealer has to close are left; he is asked for the worst of them when nothing else could be
        closed, which is what ``False`` says."""
        engine, login, closed = self._engine, level.login, False
        left: Order | None = None
        positions = [order for order in engine.book.each_open_of(login) if order.cmd.is_market]
        for order in sorted(positions, key=lambda order: (engine.floating(order), order.ticket)):
            terms = engine.terms_of(order)
            if terms.security.execution_mode is ExecutionMode.MANUAL:
                left = left or order
            elif order.is_open:
                price = engine.closing_price(order, terms)
                self._closing.close(order, order.volume, price, comment=stop_out_comment(level))
                closed = True
                level = engine.margin_level(login)
                if not must_stop_out(level, group):
                    break
        if left is not None and not closed:
            self._ask(left)
        return closed

    def _ask(self, order: Order) -> None:
        """A dealer is asked to stop a position out, unless he is asked for another one of the account already."""
        asked = self._asked.get(order.login)
        if asked is None or asked.activation is not Activation.STOPOUT:
            self._triggers.mark(order, Activation.STOPOUT)
            self._asked[order.login] = order

    # Bands

    def _unband(self, login: int) -> None:
        for name in self._banded.pop(login, ()):
            self._bands[name].drop(login)

    def _band(self, login: int, standing: Standing) -> None:
        """Sets the prices at which the account has to be looked at again."""
        names = tuple(standing.weights)
        self._banded[login] = self._sets.setdefault(names, names)
        share = max(0.0, standing.room) / max(1, len(standing.weights))
        for name, weight in standing.weights.items():
            bands = self._bands.get(name)
            if bands is None:
                bands = self._bands[name] = Bands()
            quote = self._engine.state.quotes.last(name)
            if quote is None:
                bands.wait(login)
            else:
                bands.set(login, quote, share, weight, safe=standing.kind is LevelType.OK)


@dataclass(slots=True)
class Weight:
    """Cents that a move of a symbol by one point makes: at most, whatever moves how; of the buys and of the sells where
    nothing but their own price counts."""

    most: float = 0.0
    buys: float = 0.0
    sells: float = 0.0
    converted: bool = False


class Standing(NamedTuple):
    """How an account stands: the kind of its level, the cents that it may lose or gain before that can change, and what
    weight each symbol has."""

    kind: LevelType
    room: float
    weights: dict[str, Weight]


class Bands:
    """The prices of one symbol at which accounts have to be looked at.

    An account whose result is linear in the price is bounded by what it gains or loses net, and relies on the spread
    not growing beyond what was allowed for; the bound of any other is what all its positions together could make when
    bid and ask move as they please.
    """

    __slots__ = ("_levels", "_spread", "_unpriced")

    def __init__(self) -> None:
        self._levels: tuple[Levels, Levels, Levels, Levels] = (
            Levels(down=True),
            Levels(down=False),
            Levels(down=True),
            Levels(down=False),
        )
        self._unpriced: dict[int, None] = {}
        self._spread = 0

    def wait(self, login: int) -> None:
        """The symbol has no price yet: its first, whatever it is, concerns the account."""
        self._unpriced[login] = None

    def set(self, login: int, quote: Quote, room: float, weight: Weight, *, safe: bool) -> None:
        """The account may lose or gain ``room`` cents by this symbol; when it is ``safe`` no gain matters."""
        widest = max(1.0, quote.bid * _WIDEST)
        width = min(room * _SAFETY / weight.most, widest) if weight.most else widest
        if not weight.converted:
            linear = self._linear_width(quote, room, weight)
            if linear > width:
                points = max(1, int(linear))
                if not safe or weight.buys >= weight.sells:
                    self._levels[0].set(login, quote.bid - points)
                if not safe or weight.buys < weight.sells:
                    self._levels[1].set(login, quote.bid + points)
                return
        points = max(1, int(width))
        for levels, level in zip(self._levels, band_of(quote, points), strict=True):
            levels.set(login, level)

    def _relying(self) -> AbstractSet[int]:
        """Accounts that rely on the spread: they wait for no ask."""
        down, up, sinks, _ = self._levels
        return (down.owners() | up.owners()) - sinks.owners()

    def _linear_width(self, quote: Quote, room: float, weight: Weight) -> float:
        """By how much the bid may move, after what the spread may make of the sells."""
        spread = quote.ask - quote.bid
        if spread < 0:
            return 0.0
        if not self._levels[0] and not self._levels[1]:  # nobody relies on less
            self._spread = max(self._spread, 2 * spread)
        left = room - weight.sells * max(spread, self._spread - spread)
        net = abs(weight.buys - weight.sells)
        return min(left / net, quote.bid) if net > 0 else quote.bid if left > 0 else 0.0

    def drop(self, login: int) -> None:
        """The account waits for nothing here."""
        self._unpriced.pop(login, None)
        for levels in self._levels:
            levels.drop(login)

    def left(self, quote: Quote) -> list[int]:
        """Accounts whose band the quote has left."""
        down, up, sinks, climbs = self._levels
        bid, ask = quote.bid, quote.ask
        if self._unpriced:
            return list(self._unpriced)
        if not 0 <= ask - bid <= self._spread:
            self._spread = max(self._spread, 2 * (ask - bid))
            return [*self._relying(), *down.reached(bid), *up.reached(bid), *sinks.reached(ask), *climbs.reached(ask)]
        if down.quiet(bid) and up.quiet(bid) and sinks.quiet(ask) and climbs.quiet(ask):
            return []
        return [*down.reached(bid), *up.reached(bid), *sinks.reached(ask), *climbs.reached(ask)]


def band_of(quote: Quote, points: int) -> tuple[int, int, int, int]:
    """The prices so far below and above the bid, below and above the ask."""
    return quote.bid - points, quote.bid + points, quote.ask - points, quote.ask + points


def value_of(engine: Engine, exposure: Exposure, terms: Terms, weights: dict[str, Weight]) -> float:
    """Cents that an account's positions in a symbol would bring now, unrounded, costs included. Adds to ``weights``
    what a move by one point of the symbol, and of those that convert its result, makes."""
    symbol, prices = terms.symbol, engine.client_quote(terms)
    weight = weights.setdefault(symbol.name, Weight())
    if prices is None:
        return exposure.costs
    worth, (buys, sells) = worth_of_point(symbol), (exposure.buys, exposure.sells)
    bid_rate = profit_rate(engine.converter, symbol, terms.deposit, buy=True, closed=prices[0])
    ask_rate = profit_rate(engine.converter, symbol, terms.deposit, buy=False, closed=prices[1])
    bought = (buys.volume * prices[0] - buys.at_price) * worth
    sold = (sells.at_price - sells.volume * prices[1]) * worth
    rate = max(bid_rate, ask_rate)
    weight.buys, weight.sells = buys.volume * worth, sells.volume * worth
    weight.most += (weight.buys + weight.sells) * rate
    if symbol.quote != terms.deposit:
        weight.converted = True
        converted = (abs(bought) + abs(sold)) * rate
        for name in rate_symbols(engine.converter, symbol, terms.deposit):
            other = weights.setdefault(name, Weight())
            other.converted = True
            quote = engine.state.quotes.last(name)
            if quote is not None:
                other.most += converted / max(1, min(quote.bid, quote.ask))
    return bought * bid_rate + sold * ask_rate + exposure.costs


def room_of(group: ConGroup, equity: int, free: int, margin: int) -> float:
    """Cents from the nearest threshold."""
    if not margin:
        return abs(equity)
    thresholds = [threshold for threshold in (group.margin_call, group.margin_stopout) if threshold]
    if group.margin_type is MarginType.PERCENT:
        return min(abs(equity - margin * threshold / 100) for threshold in thresholds)
    return min(abs(free - threshold * 100) for threshold in thresholds)


def hedged_to_death(group: ConGroup, equity: int, margin: int) -> bool:
    """A fully hedged account that binds no margin is stopped out when its equity is below zero, unless the group skips
    hedged accounts (Semantics 6.9)."""
    return bool(group.margin_stopout) and not margin and equity < 0 and not group.stopout_skip_hedged


def must_stop_out(level: MarginLevel, group: ConGroup) -> bool:
    """Whether positions have to go at these figures."""
    return level.level_type is LevelType.STOP_OUT or hedged_to_death(group, level.equity, level.margin)


def stop_out_comment(level: MarginLevel) -> str:
    """``so: 47.7%/169.20/354.40``: level, equity, margin."""
    percent = level.equity / level.margin * 100 if level.margin else 0.0
    return f"so: {percent:.1f}%/{level.equity / 100:.2f}/{level.margin / 100:.2f}"[:31]
