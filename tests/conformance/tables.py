"""Tables of the configuration in memory, as a plugin: what the kit's laws about tables are tried on until the backends
have them. They are kept for a gateway's life, and know no rule of an MT4 server."""

from __future__ import annotations

import hashlib
from typing import Any

from mt_remote.backend import Connection
from mt_remote.errors import NotFound, RequestError
from mt_remote.plugin import Gateway, Listing, Namespace, hookimpl
from mt_remote.records import ConHoliday, ConManager, ConSymbol, Draft, Patch
from mt_remote.records.declare import integer, minutes, record, text
from mt_remote.table import KeyTable, Place, PositionTable
from mt_remote.values import SymbolName


class Conflict(RequestError):
    code = "conflict"


class Exists(RequestError):
    code = "common_error"


@record(native="ConHoliday")
class Holiday(ConHoliday):
    position: int = integer("", key=True, low=0)
    etag: str = text("", 65)
    from_: str = minutes("from", high=24 * 60)


class Symbols(KeyTable[ConSymbol, SymbolName], one="config.symbol", all="config.symbols", filters=("symbol",)):
    """Symbols."""


class Holidays(PositionTable[Holiday], one="config.holiday", all="config.holidays"):
    """Days without trading."""


class MemorySymbols(Symbols):
    rows: list[ConSymbol] = []  # noqa: RUF012  emptied when a gateway starts

    def __init__(self, connection: Connection) -> None: ...

    def _find(self, key: str) -> int:
        found = [place for place, row in enumerate(self.rows) if row.symbol == key]
        if not found:
            raise NotFound(f"Cannot find symbol {key!r}")
        return found[0]

    async def get(self, key: str) -> ConSymbol:
        return self.rows[self._find(key)]

    async def get_all(self) -> list[ConSymbol]:
        return list(self.rows)

    async def add(self, new: Draft[ConSymbol], /) -> None:
        row = new.build()
        if row.symbol.lower() in [each.symbol.lower() for each in self.rows]:
            raise Exists(f"Symbol {row.symbol!r} exists")
        self.rows.append(row)

    async def set(self, changes: Patch[ConSymbol], /) -> None:
        place = self._find(str(changes.key))
        self.rows[place] = changes.applied_to(self.rows[place])

    async def delete(self, key: str) -> None:
        del self.rows[self._find(key)]

    async def move(self, key: str, to: int) -> None:
        self.rows.insert(to, self.rows.pop(self._find(key)))


class MemoryHolidays(Holidays):
    rows: list[Holiday] = []  # noqa: RUF012  emptied when a gateway starts

    def __init__(self, connection: Connection) -> None: ...

    def _etag(self, row: Holiday) -> str:
        fields = {name: value for name, value in row.to_dict().items() if name not in ("position", "etag")}
        return hashlib.sha256(str(fields).encode()).hexdigest()[:16]

    def _place(self, position: int) -> Place:
        return {"position": position, "etag": self._etag(self.rows[position])}

    def _same(self, position: int, etag: object) -> None:
        if position >= len(self.rows):
            raise NotFound(f"There is no row {position}")
        if self._etag(self.rows[position]) != etag:
            raise Conflict("Another row is there")

    async def get_all(self) -> list[Holiday]:
        return [row.with_values(dict(self._place(place))) for place, row in enumerate(self.rows)]

    async def add(self, new: Draft[Holiday], /) -> Place:
        row, given = new.build(), new.changes
        place = int(str(given.get("position", len(self.rows))))
        self.rows.insert(place, row)
        return self._place(place)

    async def set(self, changes: Patch[Holiday], /) -> Place:
        position = int(str(changes.key))
        self._same(position, changes.get("etag"))
        self.rows[position] = changes.applied_to(self.rows[position])
        return self._place(position)

    async def delete(self, position: int, etag: str) -> None:
        self._same(position, etag)
        del self.rows[position]

    async def move(self, position: int, etag: str, to: int) -> Place:
        self._same(position, etag)
        self.rows.insert(to, self.rows.pop(position))
        return self._place(to)


managers = Namespace("config.managers.get")


@managers.function("all", listing=Listing("login"))
async def managers_get_all(mt: Connection) -> list[ConManager]:
    """All managers that the kit could have made, and the first."""
    found = []
    for login in (1, *range(7_700_050, 7_700_061)):
        try:
            found.append(await mt.managers.get(login))
        except NotFound:
            continue
    return found


@hookimpl
def mt_remote_namespaces() -> list[Any]:
    return [Symbols, Holidays, managers]


@hookimpl
def mt_remote_implementations(backend: str) -> list[Any]:
    return [MemorySymbols, MemoryHolidays] if backend == "simulator" else []


@hookimpl
def mt_remote_gateway_starting(gateway: Gateway) -> None:
    MemorySymbols.rows.clear()
    MemoryHolidays.rows.clear()
