# mypy: disable-error-code="empty-body"
"""Orders, carried out at once and as given with the manager's authority (protocol, chapter 3, Orders)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from mt_remote.area import Area, Kind, call
from mt_remote.errors import InvalidData
from mt_remote.records import TradeCommand
from mt_remote.values import Comment, Login, Lots, Money, OneOf, Price, PriceLevel, SymbolName, Ticket, UnixTime

_PENDING = (TradeCommand.BUY_LIMIT, TradeCommand.BUY_STOP, TradeCommand.SELL_LIMIT, TradeCommand.SELL_STOP)

OpenCommand = Annotated[
    TradeCommand, OneOf(TradeCommand.BUY, TradeCommand.SELL, *_PENDING), Field(description="type of order")
]
PendingCommand = Annotated[TradeCommand, OneOf(*_PENDING), Field(description="the pending order's type")]
BalanceCommand = Annotated[
    TradeCommand, OneOf(TradeCommand.BALANCE, TradeCommand.CREDIT), Field(description="which of the two it changes")
]

_TRADES = ("trades",)


class NewTicket(TypedDict):
    """The ticket of a new record."""

    order: int


def _two_orders(order: int, order_by: int) -> None:
    if order == order_by:
        raise InvalidData.of("order_by", "must be another order than 'order'")


def _something(amount: float, **others: object) -> None:
    if amount == 0:
        raise InvalidData.of("amount", "must not be 0")


class Orders(Area, namespace="order"):
    """Orders, carried out with the manager's authority"""

    @call(
        kind=Kind.TRADE,
        rights=_TRADES,
        errors=("not_found", "trade_bad_volume", "bad_account_info"),
        example={"login": 100, "symbol": "EURUSD", "command": "buy", "volume": 0.01, "price": 2.0},
    )
    async def open(
        self,
        login: Login,
        symbol: SymbolName,
        command: OpenCommand,
        volume: Lots,
        price: Price,
        sl: PriceLevel = 0.0,
        tp: PriceLevel = 0.0,
        expiration: UnixTime = 0,
        comment: Comment = "",
    ) -> NewTicket:
        """Opens a position or places a pending order."""

    @call(kind=Kind.TRADE, rights=_TRADES, errors=("not_found",), example={"order": 1, "sl": 1.0, "tp": 3.0})
    async def modify(
        self,
        order: Ticket,
        price: Price | None = None,
        sl: PriceLevel | None = None,
        tp: PriceLevel | None = None,
        expiration: UnixTime | None = None,
        comment: Comment | None = None,
    ) -> None:
        """Changes the fields that are present; the rest stays."""

    @call(
        kind=Kind.TRADE,
        rights=_TRADES,
        errors=("not_found", "trade_bad_volume"),
        example={"order": 1, "volume": 0.01, "price": 2.0},
    )
    async def close(self, order: Ticket, volume: Lots, price: Price) -> None:
        """Closes a position at a price; a volume smaller than what is open closes in part."""

    @call(
        kind=Kind.TRADE,
        rights=_TRADES,
        errors=("not_found",),
        example={"order": 1, "order_by": 2},
        check=_two_orders,
    )
    async def close_by(self, order: Ticket, order_by: Ticket) -> None:
        """Closes two opposite positions of one login and symbol against each other."""

    @call(kind=Kind.TRADE, rights=_TRADES, errors=("not_found",), example={"login": 100, "symbol": "EURUSD"})
    async def close_all(self, login: Login, symbol: SymbolName) -> None:
        """Closes opposite positions against each other until one side is left, which stays open."""

    @call(kind=Kind.TRADE, rights=_TRADES, errors=("not_found",), example={"order": 1, "command": "buy_limit"})
    async def cancel(self, order: Ticket, command: PendingCommand) -> None:
        """Deletes a pending order."""

    @call(kind=Kind.TRADE, rights=_TRADES, errors=("not_found",), example={"order": 1, "price": 1.1})
    async def activate(self, order: Ticket, price: Price) -> None:
        """Makes a pending order a position at a price, under the same ticket."""

    @call(
        kind=Kind.TRADE,
        rights=("money",),
        errors=("not_found", "trade_no_money"),
        example={"login": 100, "command": "balance", "amount": 1000.0, "comment": "Deposit"},
        check=_something,
    )
    async def balance(
        self, login: Login, command: BalanceCommand, amount: Money, expiration: UnixTime = 0, comment: Comment = ""
    ) -> NewTicket:
        """Deposits (or withdraws, below zero) balance or credit; credit needs an expiration in the future."""
