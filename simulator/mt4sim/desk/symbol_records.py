"""Symbols and holidays of the simulator as records of the configuration, and back."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

from mt4sim.market.sessions import Holiday
from mt4sim.market.symbols import (
    DAY_MINUTES,
    DaySessions,
    Execution,
    GtcMode,
    MarginMode,
    ProfitMode,
    SwapType,
    Symbol,
    TradeMode,
    Window,
)
from mt_remote.errors import InvalidData
from mt_remote.records import ConHoliday, ConSession, ConSessions, ConSymbol, Weekday, enums
from mt_remote.records.units import divider_of_percent, hour_minute, hundredths, minutes_of, percent_of_divider

_S = TypeVar("_S", bound=StrEnum)

_SAME = (
    "description",
    "source",
    "currency",
    "security",
    "digits",
    "realtime",
    "filter",
    "filter_limit",
    "filter_smoothing",
    "spread",
    "spread_balance",
    "swap_enable",
    "swap_long",
    "swap_short",
    "swap_variation_margin",
    "contract_size",
    "tick_value",
    "tick_size",
    "stops_level",
    "freeze_level",
    "margin_initial",
    "margin_maintenance",
    "margin_hedged",
    "margin_hedged_strong",
    "long_only",
    "value_date",
    "quotes_delay",
)
"""Fields that have one name and one unit in both."""

_RENAMED = {
    "symbol": "name",
    "color": "background_color",
    "starts": "starting",
    "expires": "expiration",
    "log_quotes": "logging",
    "swap_triple_day": "swap_rollover3days",
    "swap_open_price": "swap_openprice",
}
"""A record's fields that have another name in a :class:`Symbol`."""

_CHOICES: dict[str, tuple[str, type[IntEnum], dict[Any, int]]] = {
    "trade_mode": ("trade", TradeMode, enums.SYMBOL_TRADE_MODE_NUMBERS),
    "execution_mode": ("execution", Execution, enums.SYMBOL_EXECUTION_NUMBERS),
    "profit_mode": ("profit_mode", ProfitMode, enums.PROFIT_MODE_NUMBERS),
    "swap_type": ("swap_type", SwapType, enums.SWAP_TYPE_NUMBERS),
    "pendings_mode": ("gtc_pendings", GtcMode, enums.PENDINGS_MODE_NUMBERS),
    "margin_mode": ("margin_mode", MarginMode, enums.MARGIN_MODE_NUMBERS),
}
"""A record's choices: where a :class:`Symbol` has them, as what, and their numbers."""


def symbol_record(symbol: Symbol) -> ConSymbol:
    """A symbol's configuration."""
    return ConSymbol(
        **{name: getattr(symbol, name) for name in _SAME},
        **{name: getattr(symbol, own) for name, own in _RENAMED.items()},
        **{name: _name_of(getattr(symbol, own), numbers) for name, (own, _, numbers) in _CHOICES.items()},
        margin_currency=symbol.margin_in,
        margin_pct=percent_of_divider(symbol.margin_divider),
        instant_max_lots=symbol.instant_max_volume / 100,
        sessions={day: _day_record(windows) for day, windows in zip(Weekday, symbol.sessions, strict=True)},
    )


def symbol_of(record: ConSymbol, known: Symbol | None, securities: Sequence[str]) -> Symbol:
    """The symbol of a record; what a record does not carry is as in ``known``. Raises
    :class:`~mt_remote.errors.InvalidData` for terms that can't be."""
    if not record.symbol:
        raise InvalidData.of("symbol", "a symbol needs a name")
    if record.security not in securities:
        raise InvalidData.of("security", f"the server has no security '{record.security}'")
    if not 0 <= record.digits <= 8:
        raise InvalidData.of("digits", f"must be from 0 to 8, got {record.digits}")
    if record.contract_size <= 0:
        raise InvalidData.of("contract_size", f"must be above 0, got {record.contract_size:g}")
    if min(record.spread, record.stops_level, record.freeze_level, record.filter, record.filter_smoothing) < 0:
        raise InvalidData.of("spread", "spread, levels and filters are not below 0")
    fields: dict[str, Any] = {
        **{name: getattr(record, name) for name in _SAME},
        **{own: getattr(record, name) for name, own in _RENAMED.items()},
        **{own: kind(numbers[getattr(record, name)]) for name, (own, kind, numbers) in _CHOICES.items()},
        "margin_currency": record.margin_currency,
        "margin_divider": divider_of_percent(record.margin_pct),
        "instant_max_volume": hundredths(record.instant_max_lots, "instant_max_lots"),
        "sessions": tuple(_day_of(record.sessions[day], f"sessions.{day}") for day in Weekday),
    }
    if known is None:
        return Symbol(**fields)
    if record.margin_currency == known.margin_in:  # the base currency, which a record states and a symbol need not
        fields["margin_currency"] = known.margin_currency
    return known.changed(**fields)


def _name_of(choice: IntEnum, numbers: dict[_S, int]) -> _S:
    return next(name for name, number in numbers.items() if number == choice)


def _day_record(day: DaySessions) -> ConSessions:
    return ConSessions(quotes=list(map(_window_record, day.quote)), trades=list(map(_window_record, day.trade)))


def _window_record(window: Window) -> ConSession:
    return ConSession(from_=hour_minute(window[0]), to=hour_minute(window[1]))


def _day_of(day: ConSessions, path: str) -> DaySessions:
    return DaySessions(quote=_windows_of(day.quotes, f"{path}.quotes"), trade=_windows_of(day.trades, f"{path}.trades"))


def _windows_of(rows: Sequence[ConSession], path: str) -> tuple[Window, ...]:
    windows: list[Window] = []
    for at, row in enumerate(rows):
        opens = minutes_of(row.from_, f"{path}.{at}.from", DAY_MINUTES)
        closes = minutes_of(row.to, f"{path}.{at}.to", DAY_MINUTES)
        if not opens < closes:
            raise InvalidData.of(f"{path}.{at}", "must open before it closes, both on one day")
        if windows and opens < windows[-1][1]:
            raise InvalidData.of(f"{path}.{at}", "must come after the window before it")
        windows.append((opens, closes))
    return tuple(windows)


def holiday_record(holiday: Holiday) -> ConHoliday:
    """A holiday's row."""
    return ConHoliday(
        year=holiday.year,
        month=holiday.month,
        day=holiday.day,
        from_=hour_minute(holiday.start),
        to=hour_minute(holiday.end),
        symbol=holiday.symbol,
        description=holiday.description,
        enable=holiday.enable,
    )


def holiday_of(record: ConHoliday) -> Holiday:
    """The holiday of a row. Raises :class:`~mt_remote.errors.InvalidData` for a day that can't be."""
    if not (1 <= record.month <= 12 and 1 <= record.day <= 31):
        raise InvalidData.of("day", f"there is no day {record.day}.{record.month}.")
    return Holiday(
        record.month,
        record.day,
        record.year,
        minutes_of(record.from_, "from", DAY_MINUTES),
        minutes_of(record.to, "to", DAY_MINUTES),
        record.symbol or "All",
        record.description,
        record.enable,
    )
