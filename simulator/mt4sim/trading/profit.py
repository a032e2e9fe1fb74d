"""Profit of positions (Semantics 3)."""

from __future__ import annotations

from mt4sim.market.symbols import ProfitMode, Symbol
from mt4sim.money import to_cents
from mt4sim.state.orders import Order
from mt4sim.trading.conversion import Converter
from mt_remote.records import TradeCommand

_AT_THE_BID = (TradeCommand.BUY, TradeCommand.SELL_LIMIT, TradeCommand.SELL_STOP)


def raw_profit(symbol: Symbol, *, buy: bool, volume: int, opened: int, closed: int) -> float:
    """Profit in quote currency of ``volume`` (1/100 lot) from ``opened`` to ``closed`` (points); Semantics 3.1."""
    points = closed - opened if buy else opened - closed
    return points * volume * worth_of_point(symbol) / 100


def worth_of_point(symbol: Symbol) -> float:
    """What one point is worth per lot, in quote currency."""
    if symbol.profit_mode is ProfitMode.FUTURES:
        return symbol.tick_value / (symbol.tick_size or symbol.point) * symbol.point
    return symbol.contract_size / symbol.multiply


def profit_rate(converter: Converter, symbol: Symbol, deposit: str, *, buy: bool, closed: int) -> float:
    """Quote currency to ``deposit``: 1, or 1 / close price where the deposit is the base currency, else the market's
    rate, the bid for buys and the ask for sells (index and stock symbols always the bid); Semantics 3.3."""
    quote = symbol.quote
    if quote == deposit:
        return 1.0
    if symbol.profit_mode is ProfitMode.FOREX and symbol.currency == deposit and closed:
        return symbol.multiply / closed
    return converter.rate(quote, deposit, ask=not buy and symbol.profit_mode is ProfitMode.FOREX)


def rate_symbols(converter: Converter, symbol: Symbol, deposit: str) -> list[str]:
    """The symbols whose quotes :func:`profit_rate` depends on."""
    if symbol.quote != deposit and symbol.profit_mode is ProfitMode.FOREX and symbol.currency == deposit:
        return [symbol.name]
    return converter.symbols_used(symbol.quote, deposit)


def profit(
    converter: Converter, symbol: Symbol, deposit: str, *, buy: bool, volume: int, opened: int, closed: int
) -> int:
    """Profit in cents of ``deposit``."""
    raw = raw_profit(symbol, buy=buy, volume=volume, opened=opened, closed=closed)
    return to_cents(raw * profit_rate(converter, symbol, deposit, buy=buy, closed=closed)) if raw else 0


def closing_price(order: Order, prices: tuple[int, int] | None) -> int:
    """Where it would close at these prices (bid and ask, points): buys at the bid, sells at the ask. Assumed: its own
    price before the first quote."""
    if prices is None:
        return order.open_price
    return prices[0] if order.cmd in _AT_THE_BID else prices[1]
