# mypy: disable-error-code="empty-body"
"""Symbols shown to this session, and prices (protocol, chapter 3, Market)."""

from __future__ import annotations

from mt_remote.area import Area, Kind, Listing, call
from mt_remote.records import Tick
from mt_remote.values import Price, SymbolName


class Market(Area, namespace=""):
    """Symbols shown to this session, and prices"""

    @call("symbol.show", kind=Kind.SESSION, errors=("not_found",), example={"symbol": "EURUSD"})
    async def show(self, symbol: SymbolName) -> None:
        """Shows a symbol: its ticks reach this session from now on, if it subscribed to `tick`."""

    @call("symbol.hide", kind=Kind.SESSION, errors=("not_found",), example={"symbol": "EURUSD"})
    async def hide(self, symbol: SymbolName) -> None:
        """Hides a symbol; no tick of it follows."""

    @call(
        "tick.add",
        kind=Kind.CHANGE,
        rights=("market_watch",),
        errors=("not_found",),
        example={"symbol": "EURUSD", "bid": 1.1141, "ask": 1.1142},
    )
    async def add_tick(self, symbol: SymbolName, bid: Price, ask: Price) -> None:
        """Throws a dealer's price in: it becomes the last price at once."""

    @call("ticks.get", errors=("not_found",), example={"symbol": "EURUSD"}, listing=Listing("time"))
    async def last_ticks(self, symbol: SymbolName) -> list[Tick]:
        """The last tick known, a list of one; empty when none came yet."""
