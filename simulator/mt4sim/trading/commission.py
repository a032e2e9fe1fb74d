"""Commission (Semantics 5)."""

from __future__ import annotations

from mt4sim.market.symbols import Symbol
from mt4sim.money import to_cents
from mt4sim.trading.conversion import Converter
from mt4sim.trading.profit import profit_rate
from mt4sim.trading.terms import Terms
from mt_remote.records import CommissionMode, CommissionType


def commission(converter: Converter, terms: Terms, *, buy: bool, volume: int, price: int) -> int:
    """What opening costs, in cents and negative: a full round turn, charged at open or activation (Semantics 5.1)."""
    security = terms.security
    if not security.commission_base:
        return 0
    amount = _amount(
        converter,
        terms,
        security.commission_base,
        security.commission_type,
        buy=buy,
        volume=volume,
        price=price,
        per_lot=security.commission_lots_mode is CommissionMode.PER_LOT,
    )
    return -to_cents(amount)


def agent_commission(converter: Converter, terms: Terms, *, buy: bool, volume: int, price: int) -> int:
    """What the agent gets at the close, in cents and positive; no matter of the trader's (Semantics 5.4)."""
    security = terms.security
    if not security.commission_agent:
        return 0
    amount = _amount(
        converter,
        terms,
        security.commission_agent,
        security.commission_agent_type,
        buy=buy,
        volume=volume,
        price=price,
        per_lot=security.commission_agent_mode is CommissionMode.PER_LOT,
    )
    return to_cents(amount)


def _amount(
    converter: Converter,
    terms: Terms,
    rate: float,
    kind: CommissionType,
    *,
    buy: bool,
    volume: int,
    price: int,
    per_lot: bool,
) -> float:
    symbol, lots = terms.symbol, volume / 100
    if kind is CommissionType.MONEY:
        return rate * (lots if per_lot else 1.0)
    to_deposit = profit_rate(converter, symbol, terms.deposit, buy=buy, closed=price)
    if kind is CommissionType.PIPS:
        return rate * symbol.point * symbol.contract_size * (lots if per_lot else 1.0) * to_deposit
    return rate / 100 * notional(symbol, volume, price) * to_deposit


def notional(symbol: Symbol, volume: int, price: int) -> float:
    """Value of a trade in quote currency: contract size, price, lots."""
    return symbol.contract_size * symbol.to_price(price) * volume / 100


def taxes(percent: float, profit: int, charged: int) -> int:
    """Taxes at the close, in cents and negative: ``UserRecord.taxes`` percent of what was gained. Assumed: of profit
    less commission, and none on a loss (Semantics 5.5)."""
    gained = profit + charged
    return -to_cents(gained * percent / 10_000) if percent and gained > 0 else 0
