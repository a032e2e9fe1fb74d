"""The MT4 Manager library as a program sees it: one table of its structs and functions, and what is derived from it.

:mod:`~mt4abi.table` reads ``table.json``; :mod:`~mt4abi.structures` and :mod:`~mt4abi.prototypes` make ctypes of it,
:mod:`~mt4abi.header` a C++ header, :mod:`~mt4abi.marshal` turns records into native bytes and back, and
:mod:`~mt4abi.library` loads a library. The backend ``manager`` calls such a library, the simulated library is one: both
stand on this package and on nothing of each other.
"""

from mt4abi.prototypes import NotifyFunction, NotifyFunctionEx, prototype
from mt4abi.structures import structure
from mt4abi.table import (
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
)

__all__ = [
    "UNCALLED",
    "Argument",
    "Deal",
    "Layout",
    "Member",
    "Method",
    "NotifyFunction",
    "NotifyFunctionEx",
    "Pump",
    "Table",
    "Trans",
    "Transaction",
    "number",
    "prototype",
    "structure",
    "table",
]
