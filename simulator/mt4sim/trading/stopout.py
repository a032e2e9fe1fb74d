"""Margin calls and stop-outs, supervised at each tick at a cost that does not grow with the positions (Semantics 6.9).

An account can only come to harm when a price moves far enough against it. So for each account that has thresholds a
band of prices is worked out for each symbol it depends on (its positions' and those that convert their results),
within which neither threshold can be reached whatever the other symbols do inside theirs. The bands' edges wait in
ordered levels; an account is looked at again only when a price leaves a band, or when its money or positions change.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from mt4sim.events import Change
from mt4sim.quotes import Quote
from mt4sim.symbols import Symbol
from mt4sim.trading.closing import Closing
from mt4sim.trading.engine import Engine, OrderWatcher
from mt4sim.trading.levels import Levels
from mt4sim.trading.margin import LevelType, MarginLevel
from mt4sim.trading.orders import Activation, Order
from mt4sim.trading.profit import profit_rate, worth_of_point
from mt_remote.records import ConGroup, ExecutionMode, MarginType

if TYPE_CHECKING:
    from mt4sim.accounts import Account

_SAFETY = 0.5
"""Share of an account's room that its bands use up: rates move with prices, and cents are rounded."""


class Supervisor(OrderWatcher):
    """Watches every account with positions and thresholds."""

    def __init__(self, engine: Engine, closing: Closing) -> None:
        self._engine = engine
        self._closing = closing
        self._falls: dict[str, Levels[int]] = {}
        self._rises: dict[str, Levels[int]] = {}
        self._banded: dict[int, list[str]] = {}
        self._stale: dict[int, None] = {}
        self.called: dict[int, LevelType] = {}
        self.looks = 0
        engine.watchers.append(self)

    # What changes an account's room

    def order_changed(self, order: Order) -> None:
        if order.cmd.is_market:
            self._stale[order.login] = None

    def account_changed(self, account: Account) -> None:
        self._stale[account.login] = None

    def forget(self, login: int) -> None:
        """The account is gone."""
        self._unband(login)
        self._stale.pop(login, None)
        self.called.pop(login, None)

    def restore_called(self, called: list[tuple[int, int]]) -> None:
        """Who had a margin call when a snapshot was made."""
        self.called = {login: LevelType(kind) for login, kind in called}

    # A tick

    def on_quote(self, symbol: Symbol, quote: Quote) -> None:
        """Looks at the accounts whose band this price left, and at those that changed since."""
        falls = self._falls.get(symbol.name)
        if falls is not None:
            for login in falls.reached(quote.bid):
                self._stale[login] = None
            for login in self._rises[symbol.name].reached(quote.ask):
                self._stale[login] = None
        if self._stale:
            stale, self._stale = sorted(self._stale), {}
            for login in stale:
                self._look(login)

    def _look(self, login: int) -> None:
        self.looks += 1
        self._unband(login)
        account = self._engine.server.accounts.find(login)
        if account is None:
            return
        group = self._engine.server.groups[account.group]
        if not (group.margin_call or group.margin_stopout) or login not in self._engine.exposures:
            self._tell(login, LevelType.OK, None)
            return
        level = self._engine.margin_level(login)
        while self._must_stop_out(level, group) and self._stop_out(account, level):
            if login not in self._engine.exposures:
                self._tell(login, LevelType.OK, None)
                return
            level = self._engine.margin_level(login)
        self._stale.pop(login, None)
        self._tell(login, level.level_type, level)
        self._band(level, group)

    def _must_stop_out(self, level: MarginLevel, group: ConGroup) -> bool:
        if level.level_type is LevelType.STOP_OUT:
            return True
        return hedged_to_death(level, group)

    def _tell(self, login: int, kind: LevelType, level: MarginLevel | None) -> None:
        """Margin calls are told when they begin, change and end."""
        before = self.called.pop(login, LevelType.OK)
        if kind is not LevelType.OK:
            self.called[login] = kind
        if kind is before:
            return
        change = Change.DELETE if kind is LevelType.OK else Change.ADD if before is LevelType.OK else Change.UPDATE
        self._engine.server.events.emit("margin_call", change, (login, level))

    def _stop_out(self, account: Account, level: MarginLevel) -> bool:
        """Closes the position with the largest floating loss at the market; pendings stay. Assumed: the lower ticket
        of two equal ones. ``False`` when nothing can be closed (a dealer has to)."""
        engine = self._engine
        positions = [order for order in engine.book.open_of(account.login) if order.cmd.is_market]
        worst = min(positions, key=lambda order: (engine.floating(order), order.ticket))
        terms = engine.terms_of(worst)
        if terms.security.execution_mode is ExecutionMode.MANUAL:
            if worst.activation is not Activation.STOPOUT:
                worst.activation = Activation.STOPOUT
                engine.server.events.emit("activation", Change.ADD, worst)
            return False
        price = engine.closing_price(worst, terms)
        self._closing.close(worst, worst.volume, price, comment=stop_out_comment(level))
        return True

    # Bands

    def _unband(self, login: int) -> None:
        for name in self._banded.pop(login, ()):
            self._falls[name].drop(login)
            self._rises[name].drop(login)

    def _band(self, level: MarginLevel, group: ConGroup) -> None:
        """Sets the prices at which the account has to be looked at again."""
        room = self._room(level, group) * _SAFETY
        weights = self._weights(level.login)
        self._banded[level.login] = list(weights)
        for name, (falling, rising) in weights.items():
            quote = self._engine.server.quotes.last(name)
            if quote is None:
                continue
            each = room / len(weights)
            if name not in self._falls:
                self._falls[name], self._rises[name] = Levels(down=True), Levels(down=False)
            if falling:
                self._falls[name].set(level.login, quote.bid - max(1, int(each / falling)))
            if rising:
                self._rises[name].set(level.login, quote.ask + max(1, int(each / rising)))

    def _room(self, level: MarginLevel, group: ConGroup) -> float:
        """Cents that equity may lose (or gain, while called) before something changes."""
        own = level.equity if group.margin_type is MarginType.PERCENT else level.free
        edges = [t for t in (group.margin_call, group.margin_stopout) if t]
        rooms = []
        for threshold in edges:
            edge = level.margin * threshold / 100 if group.margin_type is MarginType.PERCENT else threshold * 100
            rooms.append(abs(own - edge))
        if not level.margin:
            rooms.append(abs(level.equity))
        return max(0.0, min(rooms, default=0.0) - 2 * self._engine.book.count_of(level.login))

    def _weights(self, login: int) -> dict[str, tuple[float, float]]:
        """Cents an account's equity may change by when a symbol falls, or rises, by one point; both directions count
        each side's whole exposure, whatever hedges it."""
        engine, weights = self._engine, dict[str, tuple[float, float]]()
        account = engine.server.accounts.get(login)
        for name, exposure in engine.exposures.get(login, {}).items():
            terms = engine.terms.of(account, name)
            symbol, prices = terms.symbol, engine.client_quote(terms)
            closed = prices[0] if prices else 0
            rate = profit_rate(engine.converter, symbol, terms.deposit, buy=True, closed=closed)
            gross = (exposure.buys.volume + exposure.sells.volume) * worth_of_point(symbol) * rate
            _add(weights, name, gross)
            moved = abs(self._result(exposure.buys.at_price, exposure.buys.volume, closed))
            moved += abs(self._result(exposure.sells.at_price, exposure.sells.volume, closed))
            value = moved * worth_of_point(symbol) * rate + gross
            for converting in engine.converter.symbols_used(symbol.quote, terms.deposit):
                quote = engine.server.quotes.last(converting)
                if quote is not None and converting != name:
                    _add(weights, converting, ceil(value / max(quote.bid, 1)))
        return weights

    @staticmethod
    def _result(at_price: int, volume: int, closed: int) -> int:
        return closed * volume - at_price


def _add(weights: dict[str, tuple[float, float]], name: str, weight: float) -> None:
    falling, rising = weights.get(name, (0.0, 0.0))
    weights[name] = (falling + weight, rising + weight)


def hedged_to_death(level: MarginLevel, group: ConGroup) -> bool:
    """A fully hedged account that binds no margin is stopped out when its equity is below zero, unless the group skips
    hedged accounts (Semantics 6.9)."""
    return bool(group.margin_stopout) and not level.margin and level.equity < 0 and not group.stopout_skip_hedged


def stop_out_comment(level: MarginLevel) -> str:
    """``so: 47.7%/169.20/354.40``: level, equity, margin."""
    percent = level.equity / level.margin * 100 if level.margin else 0.0
    return f"so: {percent:.1f}%/{level.equity / 100:.2f}/{level.margin / 100:.2f}"[:31]
