"""Money and lots as exact numbers.

Records have both as floats, whose sums are not exact: ten times 0.1 is not 1.0. Here an amount becomes a decimal of two
places when it is read, sums are taken of those, and a float again is what leaves. So the figures of a report agree with
each other to the cent.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

NOTHING = Decimal("0.00")


def exact(amount: float) -> Decimal:
    """Account currency, or lots: two places, half away from zero."""
    return rounded(decimal(amount), 2)


def decimal(number: float) -> Decimal:
    """The decimal that a person would write: 0.1 for 0.1, not 0.1000000000000000055."""
    return Decimal(repr(number))


def rounded(number: Decimal, places: int) -> Decimal:
    """A number with so many places, half away from zero."""
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def plain(number: Decimal) -> float:
    """A figure for the wire; never -0.0."""
    return float(number) + 0.0
