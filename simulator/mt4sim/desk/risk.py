"""What a broker's risk desk looks at: clients' positions summed by symbol and by currency (right ``riskman``).

Assumed throughout (no source states the formulas): sums are over the positions of accounts that the manager sees,
results count in dollars, nothing is covered elsewhere, and a currency's exposure is what would have to be exchanged if
every position were settled at its open price.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from mt4sim.desk.managers import ManagerSession
from mt4sim.market.symbols import ProfitMode, symbol_named
from mt4sim.money import to_money
from mt4sim.state.orders import Order

CURRENCY = "USD"
"""What summaries' profit counts in."""


@dataclass(slots=True)
class Side:
    """Positions of one direction: 1/100 lots, and their sum weighted with open prices (points)."""

    volume: int = 0
    priced: int = 0

    @property
    def price(self) -> float:
        """The average open price in points, 0 without positions."""
        return self.priced / self.volume if self.volume else 0.0


@dataclass(slots=True)
class Summary:
    """Clients' positions in one symbol, or in one security; ``profit`` in :data:`CURRENCY`."""

    name: str
    orders: int = 0
    buys: Side = field(default_factory=Side)
    sells: Side = field(default_factory=Side)
    profit: float = 0.0


def _positions(manager: ManagerSession) -> Iterator[Order]:
    manager.need("riskman")
    accounts = manager.rooms.state.accounts
    for order in manager.rooms.state.orders.all_open():
        account = accounts.find(order.login)
        if order.cmd.is_market and account is not None and manager.sees_group(account.group):
            yield order


def _profit(manager: ManagerSession, order: Order) -> float:
    engine = manager.rooms.trading.engine
    deposit = engine.terms_of(order).deposit
    return to_money(engine.floating(order)) * engine.converter.rate(deposit, CURRENCY, ask=False)


def summaries(manager: ManagerSession) -> dict[str, Summary]:
    """By symbol, those with positions, in the symbols' order. Raises 7 without the right ``riskman``."""
    found: dict[str, Summary] = {}
    for order in _positions(manager):
        summary = found.setdefault(order.symbol, Summary(order.symbol))
        summary.orders += 1
        side = summary.buys if order.is_buy else summary.sells
        side.volume += order.volume
        side.priced += order.volume * order.open_price
        summary.profit += _profit(manager, order)
    return {name: found[name] for name in manager.rooms.state.symbols if name in found}


def security_summary(manager: ManagerSession, security: str) -> Summary:
    """All symbols of a security together; average prices have no meaning there and stay 0."""
    whole = Summary(security)
    for name, summary in summaries(manager).items():
        if manager.rooms.state.symbols[name].security == security:
            whole.orders += summary.orders
            whole.buys.volume += summary.buys.volume
            whole.sells.volume += summary.sells.volume
            whole.profit += summary.profit
    return whole


def exposures(manager: ManagerSession) -> dict[str, float]:
    """Net amounts by currency, positive where clients hold it. Raises 7 without the right ``riskman``."""
    found: dict[str, float] = defaultdict(float)
    for order in _positions(manager):
        symbol = symbol_named(manager.rooms.state.symbols, order.symbol)
        amount = (1 if order.is_buy else -1) * order.volume / 100 * symbol.contract_size
        price = symbol.to_price(order.open_price)
        if symbol.profit_mode is ProfitMode.FOREX:
            found[symbol.currency] += amount
            found[symbol.quote] -= amount * price
        else:
            found[symbol.quote] += amount * price
    return dict(sorted(found.items()))
