"""What a broker's clients hold together, symbol by symbol."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from typing_extensions import TypedDict

from desk_reports.figures import NOTHING, decimal, exact, plain, rounded
from desk_reports.sheet import POSITIONS
from mt_remote.records import TradeCommand, TradeRecord


class Exposure(TypedDict):
    """Open positions of one symbol over all accounts. Lots have two places, prices as many as the symbol.

    `net` is `long` less `short`: above zero the clients are long. The two prices are the mean open prices, weighted by
    lots; 0 for a side without positions. `accounts` is how many hold any.
    """

    symbol: str
    net: float
    long: float
    short: float
    long_price: float
    short_price: float
    positions: int
    accounts: int


@dataclass
class Side:
    """Positions of one direction: lots, and lots times open price."""

    lots: Decimal = NOTHING
    worth: Decimal = NOTHING

    def enter(self, trade: TradeRecord) -> None:
        lots = exact(trade.volume)
        self.lots += lots
        self.worth += lots * decimal(trade.open_price)

    def price(self, digits: int) -> float:
        return plain(rounded(self.worth / self.lots, digits)) if self.lots else 0.0


@dataclass
class Book:
    """What is held of one symbol."""

    symbol: str
    digits: int
    long: Side = field(default_factory=Side)
    short: Side = field(default_factory=Side)
    positions: int = 0
    logins: set[int] = field(default_factory=set)

    def enter(self, trade: TradeRecord) -> None:
        self.positions += 1
        self.logins.add(trade.login)
        (self.long if trade.cmd == TradeCommand.BUY else self.short).enter(trade)

    def report(self) -> Exposure:
        return {
            "symbol": self.symbol,
            "net": plain(self.long.lots - self.short.lots),
            "long": plain(self.long.lots),
            "short": plain(self.short.lots),
            "long_price": self.long.price(self.digits),
            "short_price": self.short.price(self.digits),
            "positions": self.positions,
            "accounts": len(self.logins),
        }


class ExposureSheet:
    """Exposure by symbol: of one of them, or, with `None`, of all."""

    def __init__(self, symbol: str | None = None) -> None:
        self._symbol = symbol
        self._books: dict[str, Book] = {}

    def enter(self, trade: TradeRecord) -> None:
        if trade.cmd not in POSITIONS or self._symbol not in (None, trade.symbol):
            return
        if trade.symbol not in self._books:
            self._books[trade.symbol] = Book(trade.symbol, trade.digits)
        self._books[trade.symbol].enter(trade)

    def report(self) -> list[Exposure]:
        """A line for each symbol of which anything is held, by name."""
        return [self._books[symbol].report() for symbol in sorted(self._books)]
