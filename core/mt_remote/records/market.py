"""Market records (protocol, chapter 5)."""

from __future__ import annotations

from mt_remote.records.declare import Record, number, record, text, time32


@record(native="TickInfo", frozen=True)
class Tick(Record):
    """One quote of a symbol. Never changed: all who ask for the last one are given the same."""

    symbol: str = text("symbol", 12, key=True)
    time: int = time32("ctm", doc="Unix seconds in the server's zone")
    bid: float = number("bid")
    ask: float = number("ask")
