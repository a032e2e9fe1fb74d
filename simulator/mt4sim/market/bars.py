"""Bars built from ticks, M1 to MN1. Prices are points of the bid, volumes numbers of ticks.

Rules: a bar holds the ticks from its opening up to the next bar's opening, the latter not included. Its time is its
opening: of M1 to H4 a multiple of the period since midnight, of D1 midnight, of W1 the midnight of Sunday, of MN1 the
midnight of the month's first day. A period without a tick has no bar: nothing is filled in. A tick that repeats the
last pair is not published, so it counts in no bar.

The work per tick is one update of the minute's bar; a finished bar is folded into the next longer period.
"""

from __future__ import annotations

import calendar
import time as _time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from mt4sim.market.sessions import DAY, day_start, week_day


class Period(IntEnum):
    """Length of a bar in minutes, the numbers of the library's ``PERIOD_*``."""

    M1 = 1
    M5 = 5
    M15 = 15
    M30 = 30
    H1 = 60
    H4 = 240
    D1 = 1440
    W1 = 10080
    MN1 = 43200

    def opening(self, time: int) -> int:
        """When the bar opened that ``time`` falls into."""
        if self < Period.D1:
            return time - time % (self * 60)
        midnight = day_start(time)
        if self is Period.D1:
            return midnight
        if self is Period.W1:
            return midnight - week_day(time) * DAY
        return midnight - (_time.gmtime(time).tm_mday - 1) * DAY

    def closing(self, time: int) -> int:
        """When the bar ends that ``time`` falls into; the next one may open then."""
        opening = self.opening(time)
        if self is not Period.MN1:
            return opening + self * 60
        date = _time.gmtime(opening)
        return opening + calendar.monthrange(date.tm_year, date.tm_mon)[1] * DAY


class Bar(NamedTuple):
    """One bar: opening in Unix seconds of the server's zone, prices in points, volume in ticks."""

    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int

    def followed_by(self, later: Bar) -> Bar:
        """This bar with a later part of its period added."""
        return Bar(
            self.time,
            self.open,
            max(self.high, later.high),
            min(self.low, later.low),
            later.close,
            self.volume + later.volume,
        )

    def is_sound(self, period: Period) -> bool:
        """Whether its time is an opening of the period, its prices are prices, and its extremes are extremes."""
        least, most = min(self.open, self.close), max(self.open, self.close)
        return self.time == period.opening(self.time) and 0 < self.low <= least and most <= self.high


_INTO: Mapping[Period, tuple[Period, ...]] = {
    Period.M1: (Period.M5,),
    Period.M5: (Period.M15,),
    Period.M15: (Period.M30,),
    Period.M30: (Period.H1,),
    Period.H1: (Period.H4,),
    Period.H4: (Period.D1,),
    Period.D1: (Period.W1, Period.MN1),
    Period.W1: (),
    Period.MN1: (),
}
"""Which periods a period's finished bars are folded into."""


def _shorter(period: Period) -> list[Period]:
    """The periods that are folded into this one at last, the longest first, M1 left out."""
    chain: list[Period] = []
    while period is not Period.M1:
        period = next(short for short, longs in _INTO.items() if period in longs)
        chain.append(period)
    return chain[:-1]


_SHORTER: Mapping[Period, list[Period]] = {period: _shorter(period) for period in Period}


class _Series:
    """One symbol's bars: finished ones, and the one in progress of each period."""

    __slots__ = ("ends", "kept", "limit", "minute", "open_bars")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.kept: dict[Period, deque[Bar]] = {period: deque(maxlen=limit) for period in Period}
        self.open_bars: dict[Period, Bar] = {}  # longer periods, without the shorter bars in progress
        self.ends: dict[Period, int] = {}
        self.minute: list[int] = []  # the minute in progress: time, open, high, low, close, volume

    def add(self, time: int, price: int) -> None:
        minute = self.minute
        if minute and time < minute[0] + 60:
            if price > minute[2]:
                minute[2] = price
            elif price < minute[3]:
                minute[3] = price
            minute[4] = price
            minute[5] += 1
            return
        if minute:
            self._finish(Period.M1, Bar(*minute))
        self.minute = [time - time % 60, price, price, price, price, 1]

    def _finish(self, period: Period, bar: Bar) -> None:
        """A bar is complete: it is kept, and folded into the next longer ones."""
        self.kept[period].append(bar)
        for longer in _INTO[period]:
            current = self.open_bars.get(longer)
            if current is not None and bar.time < self.ends[longer]:
                self.open_bars[longer] = current.followed_by(bar)
                continue
            if current is not None:
                self._finish(longer, current)
            self.open_bars[longer] = Bar(longer.opening(bar.time), *bar[1:])
            self.ends[longer] = longer.closing(bar.time)

    def all(self, period: Period) -> list[Bar]:
        """The bars kept, the one in progress last: what is finished, and what of shorter bars is still to be folded."""
        bars = list(self.kept[period])
        parts = [self.open_bars[one] for one in (period, *_SHORTER[period]) if one in self.open_bars]
        if self.minute:
            parts.append(Bar(*self.minute))
        for part in parts:
            opening = period.opening(part.time)
            if bars and bars[-1].time == opening:
                bars[-1] = bars[-1].followed_by(part)
            else:
                bars.append(Bar(opening, *part[1:]))
        return bars[-self.limit :]

    def write(self, period: Period, bars: Iterable[Bar], *, replace: bool) -> int:
        kept = {bar.time: bar for bar in self.kept[period]}
        before = self._in_progress(period)
        taken = {
            bar.time: bar
            for bar in bars
            if bar.is_sound(period) and (bar.time in kept) == replace and (before is None or bar.time < before)
        }
        self.kept[period] = deque(sorted({**kept, **taken}.values()), maxlen=self.limit)
        return len(taken)

    def _in_progress(self, period: Period) -> int | None:
        """When the first bar opened that is not finished yet."""
        parts = [self.open_bars[one].time for one in (period, *_SHORTER[period]) if one in self.open_bars]
        return min((period.opening(time) for time in (*parts, *self.minute[:1])), default=None)

    def delete(self, period: Period, times: Iterable[int]) -> int:
        kept, gone = self.kept[period], set(times)
        left = [bar for bar in kept if bar.time not in gone]
        self.kept[period] = deque(left, maxlen=self.limit)
        return len(kept) - len(left)


class BarBook:
    """The bars of every symbol, the last ``limit`` of each period."""

    __slots__ = ("_by_symbol", "limit")

    def __init__(self, limit: int = 10_000) -> None:
        self.limit = limit
        self._by_symbol: dict[str, _Series] = {}

    def add(self, symbol: str, time: int, price: int) -> None:
        """Counts a tick that is not older than the symbol's last."""
        series = self._by_symbol.get(symbol)
        if series is None:
            series = self._by_symbol[symbol] = _Series(self.limit)
        series.add(time, price)

    def between(self, symbol: str, period: Period, start: int, end: int) -> list[Bar]:
        """Bars that opened with ``start <= time <= end``, oldest first, the one in progress included."""
        bars = self._all(symbol, period)
        first = bisect_left(bars, start, key=lambda bar: bar.time)
        return bars[first : bisect_right(bars, end, key=lambda bar: bar.time)]

    def last(self, symbol: str, period: Period, count: int = 1) -> list[Bar]:
        """The last ``count`` bars, oldest first, the one in progress included."""
        return self._all(symbol, period)[-count:] if count > 0 else []

    def _all(self, symbol: str, period: Period) -> list[Bar]:
        series = self._by_symbol.get(symbol)
        return series.all(period) if series else []

    def write(self, symbol: str, period: Period, bars: Iterable[Bar], *, replace: bool) -> int:
        """Writes finished bars into one period, which changes no other: where there is none yet, or with ``replace``
        where there is one. Gives how many were taken: not those whose time is no opening of the period or not before
        the bar in progress, and none that contradicts itself."""
        series = self._by_symbol.setdefault(symbol, _Series(self.limit))
        return series.write(period, bars, replace=replace)

    def delete(self, symbol: str, period: Period, times: Iterable[int]) -> int:
        """Takes finished bars out of one period; gives how many there were."""
        series = self._by_symbol.get(symbol)
        return series.delete(period, times) if series else 0

    def forget(self, symbol: str) -> None:
        """Drops a deleted symbol's bars."""
        self._by_symbol.pop(symbol, None)

    def state(self) -> dict[str, Any]:
        """All of it as plain JSON values, for a snapshot."""
        return {
            name: {
                "kept": {period.name: [list(bar) for bar in kept] for period, kept in series.kept.items()},
                "open": {period.name: list(bar) for period, bar in series.open_bars.items()},
                "minute": list(series.minute),
            }
            for name, series in self._by_symbol.items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Puts back what :meth:`state` gave."""
        self._by_symbol = {name: self._restored(kept) for name, kept in state.items()}

    def _restored(self, state: Mapping[str, Any]) -> _Series:
        series = _Series(self.limit)
        for period, bars in state["kept"].items():
            series.kept[Period[period]].extend(Bar(*bar) for bar in bars)
        series.open_bars = {Period[period]: Bar(*bar) for period, bar in state["open"].items()}
        series.ends = {period: period.closing(bar.time) for period, bar in series.open_bars.items()}
        series.minute = list(state["minute"])
        return series


def bars_of(ticks: Iterable[tuple[int, int]], period: Period) -> list[Bar]:
    """Bars straight from ``(time, price)`` pairs in order of time: what a :class:`BarBook` must agree with."""
    bars: list[Bar] = []
    for time, price in ticks:
        part = Bar(period.opening(time), price, price, price, price, 1)
        if bars and bars[-1].time == part.time:
            bars[-1] = bars[-1].followed_by(part)
        else:
            bars.append(part)
    return bars
