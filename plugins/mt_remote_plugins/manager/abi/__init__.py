"""The binary interface of the MT4 Manager library, from one table."""

from mt_remote_plugins.manager.abi.prototypes import NotifyFunction, NotifyFunctionEx, prototype
from mt_remote_plugins.manager.abi.structures import structure
from mt_remote_plugins.manager.abi.table import (
    UNCALLED,
    Argument,
    Deal,
    Layout,
    Member,
    Method,
    Pump,
    Table,
    Trans,
    Transaction,
    number,
    table,
)  # fmt: skip

__all__ = [
    "UNCALLED", "Argument", "Deal", "Layout", "Member", "Method", "NotifyFunction", "NotifyFunctionEx", "Pump",
    "Table", "Trans", "Transaction", "number", "prototype", "structure", "table",
]  # fmt: skip
