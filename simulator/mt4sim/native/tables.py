"""The configuration's tables that the simulated library has: a row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mt4sim.native.symbol_structs import completed_symbol
from mt4sim.server import Server
from mt_remote.records import Record
from mt_remote.table import Table
from mt_remote_plugins.config import TABLES as DECLARED

R = TypeVar("R", bound=Record)


def _as_it_is(native: bytes, place: int, server: Server) -> bytes:
    return native


@dataclass(frozen=True, slots=True)
class SimulatedTable(Generic[R]):
    """One table: its name in the library's functions, its record, and what the server adds to a row of its own (the
    row's bytes, its place and the server give its bytes)."""

    native: str
    kind: type[R]
    completed: Callable[[bytes, int, Server], bytes] = _as_it_is


_COMPLETED = {"Symbol": completed_symbol}


def _of(table: type[Table[Any]]) -> SimulatedTable[Any]:
    return SimulatedTable(table.native, table.record, _COMPLETED.get(table.native, _as_it_is))


TABLES = tuple(_of(table) for table in DECLARED if table.native)
"""Every table that the simulated library has."""
