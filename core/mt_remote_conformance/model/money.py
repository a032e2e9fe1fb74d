"""What things cost and earn, in decimal numbers: the formulas of the server's semantics, as short as they can be.

Nothing here comes from the simulator. Where the sources of a rule are thin nothing is predicted (``None``).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")


def exact(value: float | int) -> Decimal:
    """The number as it is written."""
    return Decimal(repr(value))


def cents(value: Decimal) -> Decimal:
    """To whole cents, half away from zero (S3.5)."""
    return value.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Instrument:
    """What the laws must know of a symbol; the protocol does not tell it. Profit as of a currency pair."""

    name: str
    base: str
    quote: str
    digits: int
    contract: Decimal
    security: str = "Forex"
    margin_hedged: Decimal = Decimal(50_000)
    stops_level: int = 10
    typical: float = 1.0
    """A price near the market."""

    @property
    def point(self) -> Decimal:
        return Decimal(1).scaleb(-self.digits)

    def points(self, count: float | Decimal) -> Decimal:
        return Decimal(count) * self.point

    def normal(self, price: Decimal) -> Decimal:
        """To the symbol's digits, half away from zero (S1.3)."""
        return price.quantize(self.point, ROUND_HALF_UP)


EURUSD = Instrument("EURUSD", "EUR", "USD", 5, Decimal(100_000), typical=1.08)
GBPUSD = Instrument("GBPUSD", "GBP", "USD", 5, Decimal(100_000), typical=1.22)
USDJPY = Instrument("USDJPY", "USD", "JPY", 3, Decimal(100_000), typical=106.85)
XAUUSD = Instrument(
    "XAUUSD", "XAU", "USD", 2, Decimal(100), security="Metals", margin_hedged=Decimal(50), stops_level=20, typical=1716
)
INSTRUMENTS = {each.name: each for each in (EURUSD, GBPUSD, USDJPY, XAUUSD)}
"""Symbols of the demo broker; another server's usual ones are the same, or are stated."""

ACCOUNT = "USD"
"""Currency of the group that the kit makes."""


def profit(instrument: Instrument, side: int, volume: Decimal, opened: Decimal, closed: Decimal) -> Decimal | None:
    """Of a position in account currency (S3.1, S3.3). ``side`` is 1 for buys, -1 for sells."""
    raw = (closed - opened) * instrument.contract * volume * side
    if instrument.quote == ACCOUNT:
        return cents(raw)
    if instrument.base == ACCOUNT:
        return cents(raw / closed)
    return None


def commission(instrument: Instrument, security: dict[str, Any], volume: Decimal, price: Decimal) -> Decimal | None:
    """Charged at open, below zero (S5.1 - S5.3)."""
    base = exact(security["commission_base"])
    lots = volume if security["commission_lots_mode"] == 0 else Decimal(1)
    if security["commission_type"] == 0 or not base:
        return -cents(base * lots)
    if instrument.quote != ACCOUNT:
        return None
    if security["commission_lots_mode"] != 0:
        return None  # a share of the deal, once a deal: sources say nothing
    if security["commission_type"] == 1:
        return -cents(base * instrument.point * instrument.contract * volume)
    return -cents(base / 100 * instrument.contract * volume * price)


def rates(instrument: Instrument, price: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """(conv_rate, margin_rate) of a trade at a price (S2.3, S3.6)."""
    if instrument.quote == ACCOUNT and instrument.security == "Forex":
        return price, price
    if instrument.base == ACCOUNT:
        return None, Decimal(1)
    return None, None


def widened(instrument: Instrument, bid: Decimal, ask: Decimal, spread_diff: int) -> tuple[Decimal, Decimal]:
    """The quote that a group sees (S1.7); even differences alone are certain."""
    half = instrument.points(spread_diff // 2)
    return bid - half - (instrument.point if spread_diff % 2 else 0), ask + half


@dataclass(frozen=True, slots=True)
class Leg:
    """What a position weighs in the margin."""

    side: int
    volume: Decimal
    margin_rate: Decimal


def margin(instrument: Instrument, legs: list[Leg], leverage: int, *, large_leg: bool = False) -> Decimal:
    """Margin of one symbol's positions in account currency, margin mode of currency pairs (S2.4, S2.5)."""
    buys = [leg for leg in legs if leg.side > 0]
    sells = [leg for leg in legs if leg.side < 0]
    if not legs:
        return Decimal(0)
    if large_leg:
        return max(_plain(instrument, buys, leverage), _plain(instrument, sells, leverage))
    total = sum((leg.volume for leg in legs), Decimal(0))
    average = sum((leg.volume * leg.margin_rate for leg in legs), Decimal(0)) / total
    bought, sold = (sum((leg.volume for leg in each), Decimal(0)) for each in (buys, sells))
    hedged, unhedged = 2 * min(bought, sold), abs(bought - sold)
    return average * (hedged * instrument.margin_hedged + unhedged * instrument.contract) / leverage


def _plain(instrument: Instrument, legs: list[Leg], leverage: int) -> Decimal:
    return sum((leg.volume * instrument.contract * leg.margin_rate for leg in legs), Decimal(0)) / leverage
