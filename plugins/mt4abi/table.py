"""The Manager library's interface, read from the one table in this package (``table.json``).

Everything that depends on the binary interface is derived from it: ctypes structures, vtable prototypes, the generated
C++ header, and the marshalling of records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a native struct. ``size`` is in bytes, arrays whole; ``dims`` the array's dimensions, outer first.
    ``target`` is what a ``ptr32`` points to inside the library; it is never followed."""

    name: str
    type: str
    offset: int
    size: int
    dims: tuple[int, ...] = ()
    target: str = ""

    @property
    def count(self) -> int:
        """Elements in all dimensions; 1 for a scalar."""
        total = 1
        for dim in self.dims:
            total *= dim
        return total


@dataclass(frozen=True, slots=True)
class Layout:
    """One native struct: its packing, size and alignment in bytes, and its members in order."""

    name: str
    pack: int
    size: int
    align: int
    members: Mapping[str, Member]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a method, its type as the header spells it."""

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """One slot of the interface's table of functions. ``key`` is unique where ``name`` is overloaded."""

    index: int
    returns: str
    name: str
    arguments: tuple[Argument, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Table:
    """The whole interface."""

    program_version: int
    program_build: int
    constants: Mapping[str, int]
    enums: tuple[tuple[str | None, Mapping[str, int]], ...]
    layouts: Mapping[str, Layout]
    methods: Mapping[str, Method]

    @property
    def version_argument(self) -> int:
        """What ``MtManCreate`` wants: program version in the high word, build in the low one."""
        return (self.program_version << 16) | self.program_build


def _layouts(raw: Mapping[str, Any]) -> dict[str, Layout]:
    layouts = {}
    for name, (pack, size, align, rows) in raw.items():
        members = {row[0]: Member(*row[:4], *((tuple(row[4]), *row[5:]) if len(row) > 4 else ())) for row in rows}
        layouts[name] = Layout(name, pack, size, align, members)
    return layouts


def _methods(raw: list[Any]) -> dict[str, Method]:
    methods: dict[str, Method] = {}
    for index, returns, name, arguments in raw:
        key = name if name not in methods else f"{name}ById"
        methods[key] = Method(index, returns, name, tuple(Argument(*pair) for pair in arguments), key)
    return methods


@cache
def table() -> Table:
    """The table, read once."""
    raw = json.loads(resources.files(__package__).joinpath("table.json").read_text("utf-8"))
    return Table(
        program_version=raw["api"]["program_version"],
        program_build=raw["api"]["program_build"],
        constants=raw["constants"],
        enums=tuple((name, values) for name, values in raw["enums"]),
        layouts=_layouts(raw["structs"]),
        methods=_methods(raw["vtable"]),
    )


UNCALLED = frozenset({
    "QueryInterface", "AddRef", "WorkingDirectory", "LoginSecured", "KeysSend", "ChartRequestObsolete",
    "ChartAddObsolete", "ChartUpdateObsolete", "ChartDeleteObsolete", "AdmBalanceCheckObsolete",
    "SymbolChangeObsolete", "LicenseCheck", "LogsOut", "LogsMode",
})  # fmt: skip
"""Slots that are declared and never called: obsolete or internal ones."""


def number(name: str) -> int:
    """The value of an enumerator or constant of the library's header, e.g. ``PUMP_UPDATE_TRADES``."""
    return _numbers()[name]


@cache
def _numbers() -> dict[str, int]:
    found = dict(table().constants)
    for _, values in table().enums:
        found.update(values)
    return found


class Pump(IntEnum):
    """Notification codes of a pumping connection."""

    START_PUMPING = 0
    UPDATE_SYMBOLS = 1
    UPDATE_GROUPS = 2
    UPDATE_USERS = 3
    UPDATE_ONLINE = 4
    UPDATE_BIDASK = 5
    UPDATE_NEWS = 6
    UPDATE_NEWS_BODY = 7
    UPDATE_MAIL = 8
    UPDATE_TRADES = 9
    UPDATE_REQUESTS = 10
    UPDATE_PLUGINS = 11
    UPDATE_ACTIVATION = 12
    UPDATE_MARGINCALL = 13
    STOP_PUMPING = 14
    PING = 15
    UPDATE_NEWS_NEW = 16


class Deal(IntEnum):
    """Notification codes of a dealing connection."""

    START_DEALING = 0
    REQUEST_NEW = 1
    STOP_DEALING = 2


class Trans(IntEnum):
    """What a pumping notification's ``type`` says happened."""

    ADD = 0
    DELETE = 1
    UPDATE = 2
    CHANGE_GRP = 3


class Transaction(IntEnum):
    """Types of a manager's own trade transactions."""

    OPEN = 75
    CLOSE = 76
    DELETE = 77
    CLOSE_BY = 78
    CLOSE_ALL = 79
    MODIFY = 80
    ACTIVATE = 81
    COMMENT = 82
    BALANCE = 83
