"""A server's own units, and those of records: minutes and times of day, hundredths and lots, dividers and percent."""

from __future__ import annotations

import math

from mt_remote.errors import InvalidData

DBL_MAX = 1.7976931348623157e308


def hour_minute(minutes: int) -> str:
    """Minutes since midnight as ``H:M`` without padding."""
    return f"{minutes // 60}:{minutes % 60}"


def minutes_of(value: str, path: str, last: int) -> int:
    """``H:M`` as minutes since midnight, at most ``last``."""
    hour, colon, minute = value.partition(":")
    if not (
        colon and hour.isdecimal() and minute.isdecimal() and int(minute) < 60 and int(hour) * 60 + int(minute) <= last
    ):
        raise InvalidData.of(path, f'must be a time of day "H:M" from "0:0" to "{hour_minute(last)}"')
    return int(hour) * 60 + int(minute)


def hundredths(value: float, path: str) -> int:
    """Lots as a whole number of hundredths; refuses what is none."""
    scaled = value * 100
    if not math.isfinite(scaled) or abs(scaled - round(scaled)) > 1e-6:
        raise InvalidData.of(path, "must be a multiple of 0.01 lot")
    return round(scaled)


def _inverse(value: float) -> float:
    """100 / value, as the shorter of two numbers that both lead back to ``value``: people's dividers and percentages
    survive there and back again."""
    exact = 100.0 / value
    short = float(f"{exact:.15g}")
    return short if short and 100.0 / short == value else exact


def percent_of_divider(divider: float) -> float:
    """Percent of a margin divider; 0 for DBL_MAX, the symbol's own. A divider that is not above zero counts as 1."""
    if divider == DBL_MAX or divider == math.inf:
        return 0.0
    return _inverse(divider) if divider > 0 else 100.0


def divider_of_percent(percent: float) -> float:
    """Margin divider of a percentage."""
    return _inverse(percent) if percent else DBL_MAX
