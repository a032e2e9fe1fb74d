"""Symbols and prices as native structs."""

from __future__ import annotations

import ctypes
from typing import Any

from mt4abi import structure
from mt4abi.marshal import CodePage
from mt4sim.quotes import Quote
from mt4sim.symbols import DaySessions, Symbol, Window

_NUMBERS = (
    "digits", "background_color", "starting", "expiration", "filter", "filter_counter", "filter_limit",
    "filter_smoothing", "spread", "spread_balance", "swap_long", "swap_short", "swap_rollover3days", "contract_size",
    "tick_value", "tick_size", "stops_level", "margin_initial", "margin_maintenance", "margin_hedged",
    "margin_divider", "point", "multiply", "instant_max_volume", "freeze_level", "value_date", "quotes_delay",
)  # fmt: skip
_INTEGERS = (
    "trade", "realtime", "profit_mode", "logging", "swap_enable", "swap_type", "gtc_pendings", "margin_mode",
    "long_only", "margin_hedged_strong", "swap_openprice", "swap_variation_margin",
)  # fmt: skip
_TEXTS = {"name": "symbol", "description": "description", "source": "source", "currency": "currency"}


def con_symbol(symbol: Symbol, place: int, securities: list[str], page: CodePage) -> bytes:
    """A symbol's configuration; ``place`` is its number on the server."""
    made: Any = structure("ConSymbol")()
    for name in _NUMBERS:
        setattr(made, name, getattr(symbol, name))
    for name in _INTEGERS:
        setattr(made, name, int(getattr(symbol, name)))
    for name, member in _TEXTS.items():
        room = type(made).__dict__[member].size
        setattr(made, member, page.encode(getattr(symbol, name), room, member))
    made.margin_currency = page.encode(symbol.margin_in, 12, "margin_currency")
    made.type = securities.index(symbol.security)
    made.exemode = int(symbol.execution)
    made.count = made.count_original = place
    for native, day in zip(made.sessions, symbol.sessions, strict=True):
        _put_day(native, day)
    return bytes(made)


def _put_day(native: Any, day: DaySessions) -> None:
    for rows, windows in ((native.quote, day.quote), (native.trade, day.trade)):
        for row, window in zip(rows, windows, strict=False):
            _put_window(row, window)


def _put_window(row: Any, window: Window) -> None:
    row.open, row.close = window
    row.open_hour, row.open_min = divmod(window[0], 60)
    row.close_hour, row.close_min = divmod(window[1], 60)


def symbol_info(symbol: Symbol, quote: Quote | None, place: int, securities: list[str], *, visible: bool) -> bytes:
    """A symbol in the market watch."""
    info: Any = structure("SymbolInfo")(
        symbol=symbol.name.encode("ascii", "replace"), digits=symbol.digits, count=place, visible=int(visible),
        type=securities.index(symbol.security), point=symbol.point, spread=symbol.spread,
        spread_balance=symbol.spread_balance, direction=2,
    )  # fmt: skip
    if quote is not None:
        info.lasttime, info.direction = quote.time, int(quote.direction)
        info.bid, info.ask = symbol.to_price(quote.bid), symbol.to_price(quote.ask)
        info.high, info.low = symbol.to_price(quote.high), symbol.to_price(quote.low)
    return bytes(info)


def tick_info(symbol: Symbol, quote: Quote) -> bytes:
    """A tick."""
    made: Any = structure("TickInfo")(symbol=symbol.name.encode("ascii", "replace"), ctm=quote.time)
    made.bid, made.ask = symbol.to_price(quote.bid), symbol.to_price(quote.ask)
    return bytes(made)


def security_groups(names: list[str], page: CodePage) -> bytes:
    """The server's 32 places for securities."""
    kind: Any = structure("ConSymbolGroup") * 32
    rows = kind()
    for row, name in zip(rows, names, strict=False):
        row.name = page.encode(name, 16, "security")
    return ctypes.string_at(ctypes.addressof(rows), ctypes.sizeof(rows))
