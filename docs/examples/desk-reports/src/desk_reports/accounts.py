"""What the accounts of a group come to."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from typing_extensions import TypedDict

from desk_reports.figures import NOTHING, exact, plain
from desk_reports.sheet import POSITIONS
from mt_remote.records import TradeRecord, UserRecord


class Account(TypedDict):
    """An account's money in `currency`, to the cent.

    `floating` is what its open positions would bring now, swaps and commission included. `equity` is `balance`,
    `credit` and `floating` together.
    """

    login: int
    currency: str
    balance: float
    credit: float
    floating: float
    equity: float
    positions: int


class AccountSheet:
    """Accounts of one currency. Trades of others may be entered too and are left out."""

    def __init__(self, currency: str, users: Iterable[UserRecord]) -> None:
        self._currency = currency
        self._users = list(users)
        self._results: dict[int, list[Decimal]] = {user.login: [] for user in self._users}

    def enter(self, trade: TradeRecord) -> None:
        if trade.cmd in POSITIONS and trade.login in self._results:
            self._results[trade.login].append(exact(trade.profit) + exact(trade.storage) + exact(trade.commission))

    def report(self) -> list[Account]:
        """A line for each account, in the order in which the users came."""
        return [self._line(user, self._results[user.login]) for user in self._users]

    def _line(self, user: UserRecord, results: list[Decimal]) -> Account:
        balance, credit, floating = exact(user.balance), exact(user.credit), sum(results, NOTHING)
        return {
            "login": user.login,
            "currency": self._currency,
            "balance": plain(balance),
            "credit": plain(credit),
            "floating": plain(floating),
            "equity": plain(balance + credit + floating),
            "positions": len(results),
        }
