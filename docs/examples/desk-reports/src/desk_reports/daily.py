"""What came into an account and left it, day by day. A server's times are in its own zone, and so are these days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from typing_extensions import TypedDict

from desk_reports.figures import NOTHING, exact, plain
from desk_reports.sheet import POSITIONS
from mt_remote.records import TradeCommand, TradeRecord

LAST_SECOND = 86_399
"""Seconds from a day's beginning to its last."""


class Daily(TypedDict):
    """What was booked on one day, in the account's currency, to the cent: above zero what came in, below what left.

    `positions` and `lots` were closed; `profit`, `swaps`, `commission` and `taxes` are theirs. `net` is the change of
    the balance: these four, `deposits` and `withdrawals`. `credit` is the change of the credit, which is no part of the
    balance.
    """

    date: str
    positions: int
    lots: float
    profit: float
    swaps: float
    commission: float
    taxes: float
    deposits: float
    withdrawals: float
    net: float
    credit: float


@dataclass
class Day:
    """One day's sums."""

    positions: int = 0
    lots: Decimal = NOTHING
    profit: Decimal = NOTHING
    swaps: Decimal = NOTHING
    commission: Decimal = NOTHING
    taxes: Decimal = NOTHING
    deposits: Decimal = NOTHING
    withdrawals: Decimal = NOTHING
    credit: Decimal = NOTHING

    def enter(self, trade: TradeRecord) -> None:
        if trade.cmd in POSITIONS:
            self._close(trade)
        elif trade.cmd == TradeCommand.CREDIT:
            self.credit += exact(trade.profit)
        elif trade.profit > 0:
            self.deposits += exact(trade.profit)
        else:
            self.withdrawals += exact(trade.profit)

    def _close(self, trade: TradeRecord) -> None:
        self.positions += 1
        self.lots += exact(trade.volume)
        self.profit += exact(trade.profit)
        self.swaps += exact(trade.storage)
        self.commission += exact(trade.commission)
        self.taxes += exact(trade.taxes)

    def report(self, day: date) -> Daily:
        closed = self.profit + self.swaps + self.commission + self.taxes
        return {
            "date": day.isoformat(),
            "positions": self.positions,
            "lots": plain(self.lots),
            "profit": plain(self.profit),
            "swaps": plain(self.swaps),
            "commission": plain(self.commission),
            "taxes": plain(self.taxes),
            "deposits": plain(self.deposits),
            "withdrawals": plain(self.withdrawals),
            "net": plain(closed + self.deposits + self.withdrawals),
            "credit": plain(self.credit),
        }


BOOKED = POSITIONS | {TradeCommand.BALANCE, TradeCommand.CREDIT}
"""Commands of what is booked when it closes; a cancelled pending order is in the history too, and books nothing."""


class DailySheet:
    """One account's history, by the day of the close."""

    def __init__(self) -> None:
        self._days: dict[date, Day] = {}

    def enter(self, trade: TradeRecord) -> None:
        if trade.cmd in BOOKED:
            self._days.setdefault(day_of(trade.close_time), Day()).enter(trade)

    def report(self) -> list[Daily]:
        """A line for each day on which anything was booked, the oldest first."""
        return [self._days[day].report(day) for day in sorted(self._days)]


def day_of(seconds: int) -> date:
    """The day of a moment, both in the server's zone: its Unix seconds count as if that were UTC."""
    return datetime.fromtimestamp(seconds, UTC).date()


def seconds_of(first: date, last: date) -> tuple[int, int]:
    """The first second of one day and the last of another."""
    begin, end = (int(datetime.combine(day, time(), UTC).timestamp()) for day in (first, last))
    return begin, end + LAST_SECOND
