"""Orders held against terms: arithmetic, without any server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mt_remote.records import Tick, TradeCommand, TradeRecord
from risk_limits.limits import HUNDREDTHS, Terms

GRAIN = 1e-6
"""Points by which floating arithmetic may be wrong."""


class Side(StrEnum):
    """Where an order leads once it is a position."""

    LONG = "long"
    SHORT = "short"


SIDES = {
    TradeCommand.BUY: Side.LONG,
    TradeCommand.BUY_LIMIT: Side.LONG,
    TradeCommand.BUY_STOP: Side.LONG,
    TradeCommand.SELL: Side.SHORT,
    TradeCommand.SELL_LIMIT: Side.SHORT,
    TradeCommand.SELL_STOP: Side.SHORT,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is refused: the field of the call that is wrong, and the limit that it breaks.

    `value` and `allowed` are lots or points, `None` where the limit has no number; `code` is for clients' programs.
    """

    limit: str
    field: str
    message: str
    value: float | None = None
    allowed: float | None = None
    code: str = "risk_limit"


def hundredths(lots: float) -> int:
    """Lots as the whole number of hundredths that they are."""
    return round(lots * HUNDREDTHS)


def ban(terms: Terms, symbol: str, field: str) -> Refusal | None:
    """A symbol that nothing may be opened in."""
    if not terms.banned:
        return None
    return Refusal("banned", field, f"{symbol} is banned: nothing may be opened")


def too_large(terms: Terms, symbol: str, lots: float, field: str) -> Refusal | None:
    """An order of too many lots."""
    if terms.max_lots is None or hundredths(lots) <= hundredths(terms.max_lots):
        return None
    message = f"{lots:g} lots are more than max_lots allows of {symbol}: {terms.max_lots:g}"
    return Refusal("max_lots", field, message, lots, terms.max_lots)


def too_far(terms: Terms, symbol: str, price: float, tick: Tick) -> Refusal | None:
    """A price too far from the last tick: below the lower, or above the higher of bid and ask."""
    if terms.max_points is None:
        return None
    if terms.digits is None:
        return unchecked("price", f"no limits tell the digits of {symbol}, so nobody knows what max_points are")
    low, high = sorted((tick.bid, tick.ask))
    points = max(low - price, price - high, 0.0) * 10**terms.digits
    if points <= terms.max_points + GRAIN:
        return None
    message = (
        f"{price:g} is {points:.0f} points from the last tick of {symbol}, {tick.bid:g}/{tick.ask:g};"
        f" max_points allows {terms.max_points}"
    )
    return Refusal("max_points", "price", message, round(points, 1), float(terms.max_points))


def side_volume(trades: Iterable[TradeRecord], symbol: str, side: Side) -> int:
    """Hundredths of a lot that an account has open on one side of a symbol, pending orders included."""
    return sum(hundredths(trade.volume) for trade in trades if trade.symbol == symbol and SIDES.get(trade.cmd) is side)


def too_much(terms: Terms, symbol: str, side: Side, volume: int, field: str) -> Refusal | None:
    """A side of an account's position that would hold more than its net position may. `volume` is in hundredths."""
    if terms.max_net_lots is None or volume <= hundredths(terms.max_net_lots):
        return None
    lots = volume / HUNDREDTHS
    message = (
        f"the account's {side} lots of {symbol} would be {lots:g}, orders under way and pending ones included;"
        f" max_net_lots allows {terms.max_net_lots:g}"
    )
    return Refusal("max_net_lots", field, message, lots, terms.max_net_lots)


def unchecked(field: str, reason: str, code: str = "risk_unchecked") -> Refusal:
    """What can't be held against the limits, and so does not pass."""
    return Refusal("unchecked", field, f"can't be held against the limits: {reason}", code=code)
