"""Money as whole cents of an account's currency, rounded in one place (Semantics 3.5)."""

from __future__ import annotations

from math import floor


def to_cents(amount: float) -> int:
    """An amount in cents: half away from zero, on a value corrected for binary error first.

    −40.42000000000012 is −4042. Assumed: the correction; currencies without minor units have two decimals too.
    """
    scaled = round(abs(amount) * 100, 6)
    cents = floor(scaled + 0.5)
    return -cents if amount < 0 else cents


def to_money(cents: int) -> float:
    """The double nearest to so many cents."""
    return cents / 100


def share(total: int, part: int, whole: int) -> int:
    """``part / whole`` of so many cents, half away from zero. What remains is the total less the share, so that cents
    add up (Semantics 6.7)."""
    if whole == 0:
        return 0
    product = abs(total) * part
    cents = (2 * product + whole) // (2 * whole)
    return -cents if total < 0 else cents
