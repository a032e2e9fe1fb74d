"""The terms on which a group trades a symbol, worked out once and kept until group or symbol change."""

from __future__ import annotations

from dataclasses import dataclass

from mt4sim.market.symbols import Symbol, symbol_named
from mt4sim.state import State
from mt4sim.state.accounts import Account
from mt_remote.records import SYMBOLS_OWN, ConGroup, ConGroupSecurity

_NONE = ConGroupSecurity()


@dataclass(frozen=True, slots=True)
class Terms:
    """One group's terms for one symbol: the group's own where it states them, else the symbol's."""

    group: ConGroup
    symbol: Symbol
    security: ConGroupSecurity
    divider: float  # of the margin
    swap_long: float  # for a night; in what the symbol's swap type says
    swap_short: float

    @property
    def spread_diff(self) -> int:
        """Points by which the group's quote is wider (Semantics 1.7)."""
        return self.security.spread_diff

    @property
    def deposit(self) -> str:
        """The accounts' currency."""
        return self.group.currency or "USD"

    @property
    def lot_limits(self) -> tuple[int, int, int]:
        """Least, most and step in 1/100 lot."""
        security = self.security
        return round(security.lot_min * 100), round(security.lot_max * 100), round(security.lot_step * 100)


def margin_divider(symbol: Symbol, margin_pct: float) -> float:
    """D of Semantics 2.1: the group's (100 / ``margin_pct``; 0 means none) before the symbol's. Sources conflict about
    its direction; it divides here. Assumed: a divider that is not positive counts as 1."""
    divider = 100 / margin_pct if margin_pct else symbol.margin_divider
    return divider if divider > 0 else 1.0


class TermsBook:
    """Terms by group and symbol of one server."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._kept: dict[tuple[str, str], Terms] = {}

    def forget(self) -> None:
        """Groups or symbols are others than before: all terms are worked out anew."""
        self._kept.clear()

    def of(self, account: Account, symbol: str) -> Terms:
        """The terms of an account for a symbol."""
        key = (account.info.group, symbol)
        terms = self._kept.get(key)
        if terms is None:
            terms = self._kept[key] = self._make(*key)
        return terms

    def _make(self, group_name: str, symbol_name: str) -> Terms:
        group, symbol = self._state.groups[group_name], symbol_named(self._state.symbols, symbol_name)
        own = group.symbols.get(symbol_name)
        pct, long, short = (own.margin_pct, own.swap_long, own.swap_short) if own else (0.0, SYMBOLS_OWN, SYMBOLS_OWN)
        return Terms(
            group=group,
            symbol=symbol,
            security=group.securities.get(symbol.security, _NONE),
            divider=margin_divider(symbol, pct),
            swap_long=symbol.swap_long if long == SYMBOLS_OWN else long,
            swap_short=symbol.swap_short if short == SYMBOLS_OWN else short,
        )


def leverage_of(account: Account, group: ConGroup) -> int:
    """The account's leverage, its group's default when it has none. Assumed: 1 when neither is stated
    (Semantics 2)."""
    return account.info.leverage or group.default_leverage or 1
