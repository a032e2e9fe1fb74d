"""Swaps: what holding a position over night costs or brings (Semantics 4.1 - 4.4)."""

from __future__ import annotations

from mt4sim.market.symbols import SwapType
from mt4sim.money import to_cents
from mt4sim.state.orders import Order
from mt4sim.trading.conversion import Converter
from mt4sim.trading.terms import Terms

DAYS_OF_INTEREST_YEAR = 360
"""Assumed: the divisor of interest, for swaps by interest and for interest on free margin."""

SATURDAY, SUNDAY = 5, 6


def nights(rollover3days: int, week_day: int) -> int:
    """How many nights the charge of a weekday counts (0 is Monday): three on the symbol's day, none on weekends."""
    if week_day in (SATURDAY, SUNDAY):
        return 0
    return 3 if week_day == rollover3days else 1


def swap(converter: Converter, terms: Terms, order: Order, closing: int) -> int:
    """Cents for one night; positive is credited. ``closing`` is the price at which it would close, in points."""
    symbol, lots = terms.symbol, order.volume / 100
    rate = terms.swap_long if order.is_buy else terms.swap_short
    if not rate or not symbol.swap_enable or not terms.group.use_swap:
        return 0
    if symbol.swap_type is SwapType.POINTS:
        amount, currency = rate * symbol.point * symbol.contract_size * lots, symbol.quote
    elif symbol.swap_type is SwapType.DOLLARS:
        amount, currency = rate * lots, symbol.currency
    elif symbol.swap_type is SwapType.INTEREST:
        price = symbol.to_price(order.open_price if symbol.swap_openprice else closing)
        amount, currency = rate / 100 / DAYS_OF_INTEREST_YEAR * price * symbol.contract_size * lots, symbol.quote
    else:
        amount, currency = rate * lots, symbol.margin_in
    to_deposit = converter.trade_rate(
        currency, terms.deposit, symbol.name, symbol.to_price(closing), ask=not order.is_buy
    )
    return to_cents(amount * to_deposit)


def interest(free_margin: int, percent: float) -> float:
    """One day's interest on free margin (cents) in account currency, unrounded. Assumed: kept unrounded until it is
    posted."""
    return free_margin / 100 * percent / 100 / DAYS_OF_INTEREST_YEAR if free_margin > 0 else 0.0
