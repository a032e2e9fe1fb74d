"""Enumerations of the protocol (chapter 5). Integer enums are sent as their number, text enums as their name.

The ``*_NUMBERS`` maps give a name's native value in the Manager library.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class DemoType(IntEnum):
    DISABLED = 0
    PROLONG = 1
    FIXED = 2


class StatementMode(IntEnum):
    END_OF_DAY = 0
    START_OF_DAY = 1


class LiveUpdateMode(IntEnum):
    NO = 0
    ALL = 1
    NO_SERVER = 2
    BETA = 3


class MonthlyStatementMode(IntEnum):
    END_OF_MONTH = 0
    START_OF_MONTH = 1


class RolloverMode(IntEnum):
    NORMAL = 0
    REOPEN_BY_CLOSE_PRICE = 1
    REOPEN_BY_BID = 2


class StopReason(IntEnum):
    NONE = 0
    RESTART = 1
    SHUTDOWN = 2
    LIVE_UPDATE = 3


class OtpMode(IntEnum):
    DISABLED = 0
    TOTP_SHA256 = 1


class GroupMarginMode(IntEnum):
    """What a group's free margin counts (``ConGroup.margin_mode``)."""

    DONT_USE = 0
    USE_ALL = 1
    USE_PROFIT = 2
    USE_LOSS = 3


class MarginType(IntEnum):
    PERCENT = 0
    CURRENCY = 1


class NewsMode(IntEnum):
    NO = 0
    TOPICS = 1
    FULL = 2


class ExecutionMode(IntEnum):
    """Who executes a group's requests in a security."""

    MANUAL = 0
    AUTO = 1
    ACTIVITY = 2


class CommissionType(IntEnum):
    MONEY = 0
    PIPS = 1
    PERCENT = 2


class CommissionMode(IntEnum):
    PER_LOT = 0
    PER_DEAL = 1


class AutoCloseOut(IntEnum):
    NONE = 0
    HIHI = 1
    LOLO = 2
    HILO = 3
    LOHI = 4
    FIFO = 5
    LIFO = 6
    INTRADAY_FIFO = 7


class FreeMarginMode(IntEnum):
    """``freemargin_mode`` of a group's security; the library's own header gives no names beyond these."""

    NORMAL = 0
    SOFT = 1


class GroupRight(StrEnum):
    EMAIL = "email"
    TRAILING = "trailing"
    ADVISOR = "advisor"
    EXPIRATION = "expiration"
    SIGNALS_ALL = "signals_all"
    SIGNALS_OWN = "signals_own"
    RISK_WARNING = "risk_warning"
    FORCED_OTP = "forced_otp"


GROUP_RIGHT_NUMBERS = {right: 1 << bit for bit, right in enumerate(GroupRight)}


class TradeDenial(StrEnum):
    """What a group may not do in a security."""

    CLOSE_BY = "deny-close-by"
    MULTIPLE_CLOSE_BY = "deny-multiple-close-by"


TRADE_DENIAL_NUMBERS = {TradeDenial.CLOSE_BY: 1, TradeDenial.MULTIPLE_CLOSE_BY: 2}


class TradeCommand(StrEnum):
    """Type of an order or of a balance record."""

    BUY = "buy"
    SELL = "sell"
    BUY_LIMIT = "buy_limit"
    SELL_LIMIT = "sell_limit"
    BUY_STOP = "buy_stop"
    SELL_STOP = "sell_stop"
    BALANCE = "balance"
    CREDIT = "credit"

    @property
    def is_market(self) -> bool:
        """An open position, not a pending order or a balance record."""
        return self in (TradeCommand.BUY, TradeCommand.SELL)

    @property
    def is_pending(self) -> bool:
        return self in _PENDING


_PENDING = (TradeCommand.BUY_LIMIT, TradeCommand.SELL_LIMIT, TradeCommand.BUY_STOP, TradeCommand.SELL_STOP)
TRADE_COMMAND_NUMBERS = {command: number for number, command in enumerate(TradeCommand)}


class TradeReason(StrEnum):
    """Where a trade came from."""

    CLIENT = "client"
    EXPERT = "expert"
    DEALER = "dealer"
    SIGNAL = "signal"
    GATEWAY = "gateway"
    MOBILE = "mobile"
    WEB = "web"
    API = "api"


TRADE_REASON_NUMBERS = {reason: number for number, reason in enumerate(TradeReason)}
OLDER_TRADE_REASONS = dict.fromkeys((TradeReason.MOBILE, TradeReason.WEB, TradeReason.API), TradeReason.CLIENT)
"""Dialects ``0`` and ``1.00`` don't know the later reasons."""


class RequestStatus(StrEnum):
    """Life of a dealing request; the odd spellings are the protocol's."""

    EMPTY = "empty"
    REQUEST = "request"
    LOCKED = "locked"
    ANSWERED = "answered"
    RESETED = "reseted"
    CANCELED = "canceled"


REQUEST_STATUS_NUMBERS = {status: number for number, status in enumerate(RequestStatus)}


class TransactionType(StrEnum):
    """What a client's trade transaction asks for."""

    PRICES_GET = "prices_get"
    PRICES_REQUOTE = "prices_requote"
    ORDER_IE_OPEN = "order_ie_open"
    ORDER_REQ_OPEN = "order_req_open"
    ORDER_MK_OPEN = "order_mk_open"
    ORDER_PENDING_OPEN = "order_pending_open"
    ORDER_IE_CLOSE = "order_ie_close"
    ORDER_REQ_CLOSE = "order_req_close"
    ORDER_MK_CLOSE = "order_mk_close"
    ORDER_MODIFY = "order_modify"
    ORDER_DELETE = "order_delete"
    ORDER_CLOSE_BY = "order_close_by"
    ORDER_CLOSE_ALL = "order_close_all"


TRANSACTION_TYPE_NUMBERS = {kind: number if number < 2 else 62 + number for number, kind in enumerate(TransactionType)}


class TransactionFlag(StrEnum):
    """Where a client's trade transaction came from."""

    NONE = "none"
    SIGNAL = "signal"
    EXPERT = "expert"
    GATEWAY = "gateway"
    MOBILE = "mobile"
    WEB = "web"
    API = "api"


TRANSACTION_FLAG_NUMBERS = {flag: (1 << number) >> 1 for number, flag in enumerate(TransactionFlag)}


class ConfirmMode(StrEnum):
    """How a dealer confirms: plainly, also adding the prices to the feed, or as a packet."""

    NORMAL = "normal"
    ADD_PRICES = "add_prices"
    PACKET = "packet"


CONFIRM_MODE_NUMBERS = {mode: number for number, mode in enumerate(ConfirmMode)}


class Weekday(StrEnum):
    """A day of the week in the order of a symbol's native sessions."""

    SUNDAY = "sunday"
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"


WEEKDAY_NUMBERS = {day: number for number, day in enumerate(Weekday)}


class SymbolTradeMode(StrEnum):
    """What may be done with a symbol (``ConSymbol.trade``)."""

    NO = "no"
    CLOSE = "close"
    FULL = "full"


SYMBOL_TRADE_MODE_NUMBERS = {mode: number for number, mode in enumerate(SymbolTradeMode)}


class SymbolExecution(StrEnum):
    """How a symbol's requests are executed (``ConSymbol.exemode``)."""

    REQUEST = "request"
    INSTANT = "instant"
    MARKET = "market"


SYMBOL_EXECUTION_NUMBERS = {mode: number for number, mode in enumerate(SymbolExecution)}


class ProfitMode(StrEnum):
    """How a symbol's profit is calculated."""

    FOREX = "forex"
    CFD = "cfd"
    FUTURES = "futures"


PROFIT_MODE_NUMBERS = {mode: number for number, mode in enumerate(ProfitMode)}


class MarginMode(StrEnum):
    """How a symbol's margin is calculated."""

    FOREX = "forex"
    CFD = "cfd"
    FUTURES = "futures"
    CFD_INDEX = "cfd_index"
    CFD_LEVERAGE = "cfd_leverage"


MARGIN_MODE_NUMBERS = {mode: number for number, mode in enumerate(MarginMode)}


class SwapType(StrEnum):
    """What a symbol's swaps are counted in."""

    POINTS = "points"
    DOLLARS = "dollars"
    INTEREST = "interest"
    MARGIN_CURRENCY = "margin_currency"


SWAP_TYPE_NUMBERS = {kind: number for number, kind in enumerate(SwapType)}


class PendingsMode(StrEnum):
    """What the end of a day does to a symbol's pending orders and stops (``ConSymbol.gtc_pendings``)."""

    DAILY = "daily"
    GTC = "gtc"
    DAILY_NO_STOPS = "daily_no_stops"


PENDINGS_MODE_NUMBERS = {mode: number for number, mode in enumerate(PendingsMode)}
