"""A table of the configuration: ``CfgRequest…``, ``CfgUpdate…``, ``CfgDelete…`` and ``CfgShift…``, written once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from mt4sim.desk.tables import Store
from mt4sim.native.calls import Calls, Function, listing, request
from mt4sim.native.connection import OK, Connection
from mt4sim.native.native_values import struct_at
from mt4sim.native.tables import SimulatedTable
from mt4sim.native.vtable import method_name
from mt_remote.errors import InvalidData
from mt_remote.records import Record

R = TypeVar("R", bound=Record)

_VERBS = ("Request", "Update", "Delete", "Shift")


def table_functions(table: SimulatedTable[R]) -> list[str]:
    """The names of its four functions' methods."""
    return [method_name(f"Cfg{verb}{table.native}") for verb in _VERBS]


class TableCalls(Calls, Generic[R]):
    """The functions of one table. All want the right ``admin``."""

    def __init__(self, connection: Connection, table: SimulatedTable[R]) -> None:
        super().__init__(connection)
        self._table = table

    def functions(self) -> Iterator[tuple[str, Function]]:
        return zip(table_functions(self._table), (self._request, self._update, self._delete, self._shift), strict=True)

    @property
    def _store(self) -> Store[R]:
        return self.manager.table(self._table.native)

    @listing()
    def _request(self, total: int) -> int | None:
        return self.rows(self._natives, total)

    def _natives(self) -> list[bytes]:
        store = self._store
        completed = self._table.completed
        return [completed(self.encoded(row), place, self.server) for place, row in enumerate(store.rows())]

    @request
    def _update(self, address: int, place: int = -1) -> int:
        """Writes a row: over the one of its key, in tables without one over that at ``place``; else adds it. Assumed:
        a place behind the last row, and one below 0, add at the end."""
        store, kind = self._store, self._table.kind
        store.write(self.shared.marshal.codec(kind).decode(struct_at(kind.native, address)), place)
        return OK

    @request
    def _delete(self, place: int) -> int:
        store = self._store
        store.delete(self._place(store, place))
        return OK

    @request
    def _shift(self, place: int, shift: int) -> int:
        """Moves a row so many places down, up when negative. Assumed: not beyond the table's ends."""
        store = self._store
        last = len(store.rows()) - 1
        store.move(self._place(store, place), min(max(0, place + shift), last))
        return OK

    def _place(self, store: Store[R], place: int) -> int:
        """3 for a place that is none."""
        if not 0 <= place < len(store.rows()):
            raise InvalidData.of("pos", f"there is no row {place}")
        return place
