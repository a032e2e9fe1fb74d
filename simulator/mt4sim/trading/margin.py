"""Margin: what positions bind, by symbol and account (Semantics 2).

An account's margin in a symbol depends on sums over its positions alone, so the sums are kept (exactly, as integers)
and a position that comes or goes changes them without looking at the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mt4sim.market.symbols import MarginMode, Symbol
from mt4sim.money import to_cents
from mt4sim.state.orders import Order
from mt4sim.trading.terms import Terms

RATE_SCALE = 10**8
"""Margin rates are summed as integers of this many parts."""


@dataclass(slots=True)
class Leg:
    """Sums over one side: 1/100 lots, lots times rate, lots times rate times open price (points)."""

    volume: int = 0
    rated: int = 0
    priced: int = 0
    at_price: int = 0

    def add(self, volume: int, margin_rate: float, price: int) -> None:
        """So much came at this price; a negative volume went."""
        rate = round(margin_rate * RATE_SCALE)
        self.volume += volume
        self.rated += volume * rate
        self.priced += volume * rate * price
        self.at_price += volume * price


class Exposure:
    """One account's positions in one symbol, as sums. ``margin`` is in cents, ``costs`` too: swap, commission and
    taxes, signs included."""

    __slots__ = ("buys", "costs", "count", "margin", "sells")

    def __init__(self) -> None:
        self.buys = Leg()
        self.sells = Leg()
        self.count = 0
        self.margin = 0
        self.costs = 0

    def add(self, order: Order, sign: int = 1, *, price: int = 0) -> None:
        """A position came (``sign`` 1) or went (−1). ``price`` stands for its open price when stated (points)."""
        leg = self.buys if order.is_buy else self.sells
        leg.add(sign * order.volume, order.margin_rate, price or order.open_price)
        self.count += sign
        self.costs += sign * (order.storage + order.commission + order.taxes)

    def gained(self, bid: int, ask: int) -> int:
        """Points times 1/100 lots that all positions together gain at these prices."""
        buys, sells = self.buys, self.sells
        return buys.volume * bid - buys.at_price + sells.at_price - sells.volume * ask

    def copy(self) -> Exposure:
        """One that can be changed apart."""
        new = Exposure()
        new.buys, new.sells = replace(self.buys), replace(self.sells)
        new.count, new.margin, new.costs = self.count, self.margin, self.costs
        return new


def margin_of(exposure: Exposure, terms: Terms, leverage: int, *, opening: bool = False) -> int:
    """Margin in cents of an account's positions in a symbol, with the hedging rules (Semantics 2.4, 2.5). ``opening``
    asks for what it takes to open them, which differs from what holding them binds in futures."""
    if not exposure.count:
        return 0
    per_lot = _per_lot(terms.symbol, opening=opening)
    if terms.group.hedge_large_leg:
        legs = (_locked(leg, Leg(), terms, leverage, per_lot, hedge=False) for leg in (exposure.buys, exposure.sells))
        return max(to_cents(margin) for margin in legs)
    return to_cents(_locked(exposure.buys, exposure.sells, terms, leverage, per_lot, hedge=True))


def _locked(one: Leg, other: Leg, terms: Terms, leverage: int, per_lot: float, *, hedge: bool) -> float:
    symbol = terms.symbol
    volume = one.volume + other.volume
    if not volume:
        return 0.0
    hedged = 2 * min(one.volume, other.volume) if hedge else 0
    unhedged = volume - hedged
    lots = (hedged * symbol.margin_hedged + unhedged * per_lot) / 100
    if symbol.margin_mode in (MarginMode.FOREX, MarginMode.FUTURES):
        average = (one.rated + other.rated) / volume / RATE_SCALE
    else:
        average = (one.priced + other.priced) / volume / RATE_SCALE / symbol.multiply
    return average * lots * _scale(symbol) / (terms.divider * _leverage(symbol, leverage))


def _per_lot(symbol: Symbol, *, opening: bool) -> float:
    """What stands for K: ``margin_initial`` replaces it in forex; futures hold ``margin_maintenance`` if stated."""
    if symbol.margin_mode is MarginMode.FUTURES:
        return symbol.margin_initial if opening else symbol.margin_maintenance or symbol.margin_initial
    if symbol.margin_mode is MarginMode.FOREX and symbol.margin_initial > 0:
        return symbol.margin_initial
    return symbol.contract_size


def _scale(symbol: Symbol) -> float:
    if symbol.margin_mode is MarginMode.CFD_INDEX:
        return symbol.tick_value / (symbol.tick_size or symbol.point)
    return 1.0


def _leverage(symbol: Symbol, leverage: int) -> float:
    """Leverage counts in forex and CFD-leverage modes alone."""
    return leverage if symbol.margin_mode in (MarginMode.FOREX, MarginMode.CFD_LEVERAGE) else 1
