"""When a symbol is quoted and traded: weekly windows, holidays, its life; and when clients may connect.

All times are Unix seconds in the server's zone, so a day is ``time // 86400`` (Semantics 7.2, 11).
"""

from __future__ import annotations

import time as _time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from mt4sim.market.symbols import DAY_MINUTES, Symbol, Window

DAY = 86_400
_HORIZON_DAYS = 400


def week_day(time: int) -> int:
    """0 for Sunday to 6 for Saturday, the order of ``ConSymbol.sessions`` (Semantics 11.1)."""
    return (time // DAY + 4) % 7


def day_start(time: int) -> int:
    """Midnight before ``time``."""
    return time - time % DAY


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day of other working hours (natively ``ConHoliday``).

    ``symbol`` is a symbol's name, a security's name or ``All``. ``start`` and ``end`` are the minutes between which
    work goes on; 0 and 0 close the day (Semantics 11.2).
    """

    month: int
    day: int
    year: int = 0  # 0: every year
    start: int = 0
    end: int = 0
    symbol: str = "All"
    description: str = ""
    enable: bool = True

    def concerns(self, symbol: Symbol) -> bool:
        return self.symbol in ("All", symbol.name, symbol.security)

    def falls_on(self, time: int) -> bool:
        """Assumed: year 0 means every year (Semantics 11.2)."""
        date = _time.gmtime(time)
        return (date.tm_mon, date.tm_mday) == (self.month, self.day) and self.year in (0, date.tm_year)


def in_windows(windows: Iterable[Window], time: int) -> bool:
    """Whether ``time`` lies in a window of its day. Assumed: open included, close not (Semantics 11.1)."""
    second = time % DAY
    return any(start * 60 <= second < end * 60 for start, end in windows)


def working_hours(symbol: Symbol, time: int, holidays: Sequence[Holiday]) -> tuple[int, int]:
    """The minutes of ``time``'s day that holidays leave; (0, 1440) on an ordinary day, an empty span when closed.

    Assumed: of several rows that concern a symbol, each applies.
    """
    start, end = 0, DAY_MINUTES
    for holiday in holidays:
        if holiday.enable and holiday.concerns(symbol) and holiday.falls_on(time):
            start, end = max(start, holiday.start), min(end, holiday.end)
    return start, end


def alive(symbol: Symbol, time: int) -> bool:
    """Whether the symbol has begun and not expired. Assumed (Semantics 11.4)."""
    return symbol.starting <= time and (not symbol.expiration or time < symbol.expiration)


def trade_open(symbol: Symbol, time: int, holidays: Sequence[Holiday] = ()) -> bool:
    """Whether the symbol's trade session is open (Semantics 11.1, 11.2). Says nothing of :class:`TradeMode`."""
    if not in_windows(symbol.sessions[week_day(time)].trade, time):
        return False
    return not holidays or _at_work(symbol, time, holidays)


def quote_open(symbol: Symbol, time: int, holidays: Sequence[Holiday] = ()) -> bool:
    """Whether a feed's quotes are taken: inside a quote session, its ``quotes_delay`` over (Semantics 11.1)."""
    second = time % DAY
    return any(first <= second < last for first, last in _open_spans(symbol, time, holidays))


def _quote_spans(symbol: Symbol, time: int) -> Iterator[tuple[int, int]]:
    """The seconds of ``time``'s day between which quotes are taken. A session that goes on over midnight opens once,
    so the delay does not count again."""
    today = week_day(time)
    goes_on = any(end == DAY_MINUTES for _, end in symbol.sessions[today - 1].quote)
    for start, end in symbol.sessions[today].quote:
        delay = 0 if start == 0 and goes_on else symbol.quotes_delay
        yield start * 60 + delay, end * 60


def _at_work(symbol: Symbol, time: int, holidays: Sequence[Holiday]) -> bool:
    start, end = working_hours(symbol, time, holidays)
    return start * 60 <= time % DAY < end * 60


def next_quote_time(symbol: Symbol, time: int, holidays: Sequence[Holiday] = ()) -> int | None:
    """The first second from ``time`` on at which a feed's quotes are taken; ``None`` if there is none in sight
    (no session at all, the symbol not real-time or expired)."""
    if not symbol.realtime or not any(day.quote for day in symbol.sessions):
        return None
    time = max(time, symbol.starting)
    for _ in range(_HORIZON_DAYS):
        found = _first_of_day(symbol, time, holidays)
        if found is not None:
            return found if alive(symbol, found) else None
        time = day_start(time) + DAY
    return None


def _open_spans(symbol: Symbol, time: int, holidays: Sequence[Holiday]) -> Iterator[tuple[int, int]]:
    """The seconds of ``time``'s day between which quotes are taken, holidays considered; empty spans left out."""
    start, end = working_hours(symbol, time, holidays) if holidays else (0, DAY_MINUTES)
    for first, last in _quote_spans(symbol, time):
        if max(first, start * 60) < min(last, end * 60):
            yield max(first, start * 60), min(last, end * 60)


def _first_of_day(symbol: Symbol, time: int, holidays: Sequence[Holiday]) -> int | None:
    midnight = day_start(time)
    moments = (
        midnight + max(first, time - midnight)
        for first, last in _open_spans(symbol, time, holidays)
        if time - midnight < last
    )
    return min(moments, default=None)


class _Day(NamedTuple):
    """A symbol's open quote spans of one day, and what they were made from."""

    midnight: int
    sessions: object
    delay: int
    security: str
    holidays: object
    spans: tuple[tuple[int, int], ...]  # Unix seconds, the first included, the last not


class Calendar:
    """A server's holidays and the hours at which clients may connect (``ConTime``).

    ``holidays`` is a tuple: to change the holidays, set another.
    """

    __slots__ = ("_days", "holidays", "hours")

    def __init__(self, holidays: Iterable[Holiday] = (), hours: Sequence[Sequence[bool]] | None = None) -> None:
        self.holidays: tuple[Holiday, ...] = tuple(holidays)
        self.hours: list[list[bool]] = [list(day) for day in hours] if hours else [[True] * 24 for _ in range(7)]
        self._days: dict[str, _Day] = {}

    def trade_open(self, symbol: Symbol, time: int) -> bool:
        """Whether the trade session is open, holidays considered; outside it trading answers 132."""
        return trade_open(symbol, time, self.holidays)

    def quote_open(self, symbol: Symbol, time: int) -> bool:
        """Whether a feed's quotes are taken, holidays considered."""
        for first, last in self._spans(symbol, time):  # noqa: SIM110 - every tick of a feed comes by here
            if first <= time < last:
                return True
        return False

    def next_quote_time(self, symbol: Symbol, time: int) -> int | None:
        """The first second from ``time`` on at which a feed's quotes are taken; ``None`` if there is none in sight."""
        if symbol.realtime and alive(symbol, time) and self.quote_open(symbol, time):
            return time
        return next_quote_time(symbol, time, self.holidays)

    def clients_welcome(self, time: int) -> bool:
        """Whether clients may connect in this hour (Semantics 11.3)."""
        return self.hours[week_day(time)][time % DAY // 3600]

    def state(self) -> dict[str, Any]:
        """All of it as plain JSON values, for a snapshot."""
        return {"holidays": [asdict(holiday) for holiday in self.holidays], "hours": [list(day) for day in self.hours]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Puts back what :meth:`state` gave."""
        self.holidays = tuple(Holiday(**fields) for fields in state["holidays"])
        self.hours = [list(day) for day in state["hours"]]

    def _spans(self, symbol: Symbol, time: int) -> tuple[tuple[int, int], ...]:
        """The day's spans, worked out once a day: every tick of a feed asks for them."""
        kept = self._days.get(symbol.name)
        if (
            kept is None
            or not kept.midnight <= time < kept.midnight + DAY
            or kept.sessions is not symbol.sessions
            or kept.holidays is not self.holidays
            or kept.delay != symbol.quotes_delay
            or kept.security != symbol.security
        ):
            midnight = day_start(time)
            kept = self._days[symbol.name] = _Day(
                midnight,
                symbol.sessions,
                symbol.quotes_delay,
                symbol.security,
                self.holidays,
                tuple((midnight + first, midnight + last) for first, last in _open_spans(symbol, time, self.holidays)),
            )
        return kept.spans
