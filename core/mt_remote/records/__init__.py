"""The protocol's types, each declared once (see :mod:`mt_remote.records.declare`)."""

from mt_remote.records.config import (
    SYMBOLS_OWN,
    ConCommon,
    ConGroup,
    ConGroupMargin,
    ConGroupSecurity,
    ConManager,
    ConManagerSecurity,
)  # fmt: skip
from mt_remote.records.declare import DIALECTS, Record, Unit, Wire, record
from mt_remote.records.enums import (
    AutoCloseOut,
    CommissionMode,
    CommissionType,
    ConfirmMode,
    DemoType,
    ExecutionMode,
    FreeMarginMode,
    GroupMarginMode,
    GroupRight,
    LiveUpdateMode,
    MarginType,
    MonthlyStatementMode,
    NewsMode,
    OtpMode,
    RequestStatus,
    RolloverMode,
    StatementMode,
    StopReason,
    TradeCommand,
    TradeDenial,
    TradeReason,
    TransactionFlag,
    TransactionType,
)  # fmt: skip
from mt_remote.records.market import Tick
from mt_remote.records.patch import Draft, Patch
from mt_remote.records.trades import TradeRecord, TradeRequest, TradeTransaction
from mt_remote.records.users import UserRecord

RECORDS: tuple[type[Record], ...] = (
    ConCommon, ConGroup, ConGroupSecurity, ConGroupMargin, ConManager, ConManagerSecurity, UserRecord, Tick,
    TradeRecord, TradeTransaction, TradeRequest,
)  # fmt: skip
"""Every record kind of the protocol."""

__all__ = [
    "DIALECTS", "RECORDS", "SYMBOLS_OWN", "AutoCloseOut", "CommissionMode", "CommissionType", "ConCommon", "ConGroup",
    "ConGroupMargin", "ConGroupSecurity", "ConManager", "ConManagerSecurity", "ConfirmMode", "DemoType", "Draft",
    "ExecutionMode", "FreeMarginMode", "GroupMarginMode", "GroupRight", "LiveUpdateMode", "MarginType",
    "MonthlyStatementMode", "NewsMode", "OtpMode", "Patch", "Record", "RequestStatus", "RolloverMode",
    "StatementMode", "StopReason", "Tick", "TradeCommand", "TradeDenial", "TradeReason", "TradeRecord",
    "TradeRequest", "TradeTransaction", "TransactionFlag", "TransactionType", "Unit", "UserRecord", "Wire", "record",
]  # fmt: skip
