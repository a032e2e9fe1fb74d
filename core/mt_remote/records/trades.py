"""Orders, balance records and dealing requests (protocol, chapter 5)."""

from __future__ import annotations

from mt_remote.records.declare import (
    Record,
    Unit,
    integer,
    lots,
    named,
    number,
    pair,
    raw,
    record,
    struct,
    text,
    time32,
)
from mt_remote.records.enums import (
    OLDER_TRADE_REASONS,
    REQUEST_STATUS_NUMBERS,
    TRADE_COMMAND_NUMBERS,
    TRADE_REASON_NUMBERS,
    TRANSACTION_FLAG_NUMBERS,
    TRANSACTION_TYPE_NUMBERS,
    RequestStatus,
    TradeCommand,
    TradeReason,
    TransactionFlag,
    TransactionType,
)  # fmt: skip


@record(native="TradeRecord")
class TradeRecord(Record):
    """An order, open or closed, pending or not, or a balance record. What a closed one brought its account is
    `profit` + `storage` + `commission` + `taxes`, each with its sign."""

    order: int = integer("order", key=True, doc="ticket")
    login: int = integer("login")
    symbol: str = text("symbol", 12)
    digits: int = integer("digits")
    cmd: TradeCommand = named("cmd", TradeCommand.BUY, TRADE_COMMAND_NUMBERS)
    reason: TradeReason = named("reason", TradeReason.CLIENT, TRADE_REASON_NUMBERS, size=1, older=OLDER_TRADE_REASONS)
    volume: float = lots("volume", doc="lots")
    open_time: int = time32("open_time")
    close_time: int = time32("close_time", doc="0 while open")
    expiration: int = time32("expiration")
    open_price: float = number("open_price")
    close_price: float = number("close_price", doc="the price it would close at while open")
    sl: float = number("sl", doc="0: none")
    tp: float = number("tp", doc="0: none")
    conv_rates: tuple[float, float] = pair("conv_rates", doc="at open, at close")
    commission: float = number("commission", doc="deposit currency; below 0: charged, at the opening")
    commission_agent: float = number(
        "commission_agent", doc="deposit currency; what the agent gets at the close, no part of the result"
    )
    storage: float = number("storage", doc="swap up to now, deposit currency; below 0: charged, above 0: credited")
    profit: float = number("profit", doc="deposit currency, without commission, swap and taxes")
    taxes: float = number("taxes", doc="deposit currency; below 0: charged, at the close; 0 while open")
    magic: int = integer("magic")
    comment: str = text("comment", 32)
    margin_rate: float = number("margin_rate")
    timestamp: int = time32("timestamp", doc="last modification")
    api_data: str = raw("api_data", 16)


@record(native="TradeTransInfo")
class TradeTransaction(Record):
    """What a client asks for in a dealing request."""

    type: TransactionType = named("type", TransactionType.PRICES_GET, TRANSACTION_TYPE_NUMBERS, size=1)
    flags: TransactionFlag = named(
        "flags", TransactionFlag.NONE, TRANSACTION_FLAG_NUMBERS, size=1, dialects=("1.00", "2")
    )
    cmd: TradeCommand = named("cmd", TradeCommand.BUY, TRADE_COMMAND_NUMBERS, size=2)
    order: int = integer("order")
    order_by: int = integer("orderby")
    symbol: str = text("symbol", 12)
    volume: float = lots("volume", doc="lots")
    price: float = number("price")
    sl: float = number("sl")
    tp: float = number("tp")
    ie_deviation: int = integer("ie_deviation", doc="points")
    comment: str = text("comment", 32)
    expiration: int = time32("expiration")
    crc: int = integer("crc", doc="signed")


@record(native="RequestInfo")
class TradeRequest(Record):
    """A client's request, offered to a dealer."""

    id: int = integer("id", key=True)
    status: RequestStatus = named("status", RequestStatus.EMPTY, REQUEST_STATUS_NUMBERS, size=1)
    time: int = time32("time", unit=Unit.DEALING_TIME)
    manager: int = integer("manager", doc="login of the dealer that holds it")
    login: int = integer("login")
    group: str = text("group", 16)
    balance: float = number("balance")
    credit: float = number("credit")
    prices: tuple[float, float] = pair("prices", doc="bid, ask")
    trade: TradeTransaction = struct("trade", TradeTransaction, size=96)
