"""Market records (protocol, chapter 5)."""

from __future__ import annotations

from mt_remote.records.declare import Record, number, record, text, time32


@record(native="TickInfo", frozen=True)  # whoever asks for the last one is given the same
class Tick(Record):
    """One quote of a symbol."""

    symbol: str = text("symbol", 12, key=True)
    time: int = time32("ctm", doc="Unix seconds in the server's zone")
    bid: float = number("bid")
    ask: float = number("ask")
