"""Symbols shown to this session, and prices (protocol, chapter 3, Market)."""

from __future__ import annotations

from mt_remote.plugin import Connection, Kind, Listing, Namespace
from mt_remote.records import Tick
from mt_remote.values import Price, SymbolName

symbol = Namespace("symbol", help="Which symbols' ticks this session gets")
tick = Namespace("tick", help="Prices thrown in")
ticks = Namespace("ticks", help="Prices known")


@symbol.function(kind=Kind.SESSION, example={"symbol": "EURUSD"}, errors=("not_found",))
async def show(mt: Connection, symbol: SymbolName) -> None:
    """Shows a symbol: its ticks reach this session from now on, if it subscribed to `tick`."""
    await mt.market.show(symbol)


@symbol.function(kind=Kind.SESSION, example={"symbol": "EURUSD"}, errors=("not_found",))
async def hide(mt: Connection, symbol: SymbolName) -> None:
    """Hides a symbol; no tick of it follows."""
    await mt.market.hide(symbol)


@tick.function(
    "add", kind=Kind.CHANGE, example={"symbol": "EURUSD", "bid": 1.1141, "ask": 1.1142}, errors=("not_found",)
)
async def tick_add(mt: Connection, symbol: SymbolName, bid: Price, ask: Price) -> None:
    """Throws a dealer's price in: it becomes the last price at once."""
    await mt.market.add_tick(symbol, bid, ask)


@ticks.function("get", example={"symbol": "EURUSD"}, errors=("not_found",), listing=Listing("time"))
async def ticks_get(mt: Connection, symbol: SymbolName) -> list[Tick]:
    """The last tick known, a list of one; empty when none came yet."""
    return await mt.market.last_ticks(symbol)
