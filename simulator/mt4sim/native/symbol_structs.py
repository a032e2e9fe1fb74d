"""Symbols and prices as native structs."""

from __future__ import annotations

import ctypes
from typing import Any

from mt4abi import structure
from mt4abi.marshal import CodePage
from mt4sim.desk.symbol_records import symbol_record
from mt4sim.market.symbols import Symbol
from mt4sim.market.ticks import Quote
from mt4sim.native.shared_server import SharedServer
from mt4sim.server import Server
from mt_remote.records import ConSymbol


def completed_symbol(native: bytes, place: int, server: Server) -> bytes:
    """A symbol's struct with what the server works out itself and no record carries."""
    made: Any = structure("ConSymbol").from_buffer_copy(native)
    symbol = list(server.symbols.values())[place]
    made.count = made.count_original = place
    made.filter_counter = symbol.filter_counter
    made.point, made.multiply = symbol.point, symbol.multiply
    for day, windows in zip(made.sessions, symbol.sessions, strict=True):
        for rows, spans in ((day.quote, windows.quote), (day.trade, windows.trade)):
            for row, span in zip(rows, spans, strict=False):
                row.open, row.close = span
    return bytes(made)


def native_symbol(name: str, shared: SharedServer) -> bytes:
    """A symbol's whole struct."""
    symbols = shared.server.symbols
    record = symbol_record(symbols[name])
    return completed_symbol(shared.marshal.codec(ConSymbol).encode(record), list(symbols).index(name), shared.server)


def symbol_info(symbol: Symbol, quote: Quote | None, place: int, securities: list[str], *, visible: bool) -> bytes:
    """A symbol in the market watch."""
    info: Any = structure("SymbolInfo")(
        symbol=symbol.name.encode("ascii", "replace"),
        digits=symbol.digits,
        count=place,
        visible=int(visible),
        type=securities.index(symbol.security),
        point=symbol.point,
        spread=symbol.spread,
        spread_balance=symbol.spread_balance,
        direction=2,
    )
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
