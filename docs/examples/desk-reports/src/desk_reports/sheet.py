"""What the three reports have in common: a sheet into which trades are entered one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import anyio.lowlevel

from mt_remote.records import TradeCommand, TradeRecord

POSITIONS = frozenset({TradeCommand.BUY, TradeCommand.SELL})
"""Commands of positions. The others are those of pending orders, which bring nothing yet, and of balance records."""

TURN = 200
"""Trades that are entered before other sessions have their turn: a few milliseconds' work."""


class Sheet(Protocol):
    """Whatever takes trades."""

    def enter(self, trade: TradeRecord) -> None: ...


S = TypeVar("S", bound=Sheet)


async def filled(sheet: S, trades: Sequence[TradeRecord]) -> S:
    """The sheet, with all the trades in it. However many they are, the gateway goes on serving meanwhile."""
    for number, trade in enumerate(trades, 1):
        sheet.enter(trade)
        if number % TURN == 0:
            await anyio.lowlevel.checkpoint()
    return sheet
