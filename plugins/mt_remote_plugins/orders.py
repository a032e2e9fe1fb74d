"""Orders, carried out at once and as given with the manager's authority (protocol, chapter 3, Orders)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from mt_remote.plugin import Connection, InvalidData, Kind, Namespace
from mt_remote.records import TradeCommand
from mt_remote.values import Comment, Login, Lots, Money, Price, PriceLevel, SymbolName, Ticket, UnixTime

order = Namespace("order", help="Orders, carried out with the manager's authority")

OpenCommand = Annotated[
    Literal["buy", "sell", "buy_limit", "buy_stop", "sell_limit", "sell_stop"], Field(description="type of order")
]
PendingCommand = Annotated[
    Literal["buy_limit", "buy_stop", "sell_limit", "sell_stop"], Field(description="the pending order's type")
]
BalanceCommand = Annotated[Literal["balance", "credit"], Field(description="which of the two it changes")]


class NewOrder(TypedDict):
    """The ticket of a new record."""

    order: int


@order.function(
    "open",
    kind=Kind.TRADE,
    example={"login": 100, "symbol": "EURUSD", "command": "buy", "volume": 0.01, "price": 2.0},
    errors=("not_found", "trade_bad_volume", "bad_account_info"),
)
async def order_open(
    mt: Connection,
    login: Login,
    symbol: SymbolName,
    command: OpenCommand,
    volume: Lots,
    price: Price,
    sl: PriceLevel = 0.0,
    tp: PriceLevel = 0.0,
    expiration: UnixTime = 0,
    comment: Comment = "",
) -> NewOrder:
    """Opens a position or places a pending order."""
    ticket = await mt.orders.open(
        login, symbol, TradeCommand(command), volume, price, sl=sl, tp=tp, expiration=expiration, comment=comment
    )
    return {"order": ticket}


@order.function("modify", kind=Kind.TRADE, example={"order": 1, "sl": 1.0, "tp": 3.0}, errors=("not_found",))
async def order_modify(
    mt: Connection,
    order: Ticket,
    price: Price | None = None,
    sl: PriceLevel | None = None,
    tp: PriceLevel | None = None,
    expiration: UnixTime | None = None,
    comment: Comment | None = None,
) -> None:
    """Changes the fields that are present; the rest stays."""
    await mt.orders.modify(order, price=price, sl=sl, tp=tp, expiration=expiration, comment=comment)


@order.function(
    "close",
    kind=Kind.TRADE,
    example={"order": 1, "volume": 0.01, "price": 2.0},
    errors=("not_found", "trade_bad_volume"),
)
async def order_close(mt: Connection, order: Ticket, volume: Lots, price: Price) -> None:
    """Closes a position at a price; a volume smaller than what is open closes in part."""
    await mt.orders.close(order, volume, price)


@order.function(kind=Kind.TRADE, example={"order": 1, "order_by": 2}, errors=("not_found",))
async def close_by(mt: Connection, order: Ticket, order_by: Ticket) -> None:
    """Closes two opposite positions of one login and symbol against each other."""
    if order == order_by:
        raise InvalidData.of("order_by", "must be another order than 'order'")
    await mt.orders.close_by(order, order_by)


@order.function(kind=Kind.TRADE, example={"login": 100, "symbol": "EURUSD"}, errors=("not_found",))
async def close_all(mt: Connection, login: Login, symbol: SymbolName) -> None:
    """Closes opposite positions against each other until one side is left, which stays open."""
    await mt.orders.close_all(login, symbol)


@order.function(kind=Kind.TRADE, example={"order": 1, "command": "buy_limit"}, errors=("not_found",))
async def cancel(mt: Connection, order: Ticket, command: PendingCommand) -> None:
    """Deletes a pending order."""
    await mt.orders.cancel(order, TradeCommand(command))


@order.function(kind=Kind.TRADE, example={"order": 1, "price": 1.1}, errors=("not_found",))
async def activate(mt: Connection, order: Ticket, price: Price) -> None:
    """Makes a pending order a position at a price, under the same ticket."""
    await mt.orders.activate(order, price)


@order.function(
    "balance",
    kind=Kind.TRADE,
    example={"login": 100, "command": "balance", "amount": 1000.0, "comment": "Deposit"},
    errors=("not_found", "trade_no_money"),
)
async def order_balance(
    mt: Connection,
    login: Login,
    command: BalanceCommand,
    amount: Money,
    expiration: UnixTime = 0,
    comment: Comment = "",
) -> NewOrder:
    """Deposits (or withdraws, below zero) balance or credit; credit needs an expiration in the future."""
    if amount == 0:
        raise InvalidData.of("amount", "must not be 0")
    ticket = await mt.orders.balance(login, TradeCommand(command), amount, expiration=expiration, comment=comment)
    return {"order": ticket}
