"""Spreads: the symbol's own, and what a group adds (Semantics 1.5 to 1.7). All figures are points."""

from __future__ import annotations

from mt4sim.market.symbols import Symbol
from mt4sim.market.ticks import Quote


def with_symbol_spread(symbol: Symbol, bid: int, ask: int) -> tuple[int, int]:
    """A feed's prices under the symbol's spread: floating (0) leaves them, fixed shifts the bid by the spread
    balance and sets the ask (Semantics 1.5)."""
    if symbol.spread <= 0:
        return bid, ask
    bid += symbol.spread_balance
    return bid, bid + symbol.spread


def widened(quote: Quote, spread_diff: int) -> tuple[int, int]:
    """Bid and ask that the clients of a group with this ``spread_diff`` see and trade at (Semantics 1.7)."""
    if not spread_diff:
        return quote.bid, quote.ask
    to_ask, to_bid = split_spread_diff(spread_diff)
    return quote.bid - to_bid, quote.ask + to_ask


def split_spread_diff(spread_diff: int) -> tuple[int, int]:
    """How a group's spread difference is shared between ask and bid.

    Assumed: of an odd difference the extra point goes to the bid side (Semantics 1.7); so too of a negative one.
    """
    to_ask = abs(spread_diff) // 2
    to_bid = abs(spread_diff) - to_ask
    return (to_ask, to_bid) if spread_diff > 0 else (-to_ask, -to_bid)
