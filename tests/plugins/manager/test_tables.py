"""Changes of a table while another administrator moves its rows between two calls of the library."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, cast

import pytest

from mt4abi.marshal import Marshal
from mt_remote.errors import Conflict
from mt_remote.records import ConHoliday, ConSymbol, Draft, Patch
from mt_remote_plugins.manager.library_calls import LibraryCalls
from mt_remote_plugins.manager.tables import KeyRows, PositionRows, etag_of

pytestmark = pytest.mark.anyio

MARSHAL = Marshal("cp1252", ("Forex",))
SYMBOLS = MARSHAL.codec(ConSymbol)
HOLIDAYS = MARSHAL.codec(ConHoliday)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class ScriptedLibrary:
    """One table, and what somebody else does to it right before the next change."""

    def __init__(self, rows: list[bytes], key_size: int = 0) -> None:
        self.table = rows
        self.meanwhile: Callable[[list[bytes]], object] = lambda rows: None
        self.marshal = MARSHAL
        self.codec = MARSHAL.codec
        self._key_size = key_size

    async def rows(self, key: str, *values: object) -> bytes:
        return b"".join(self.table)

    def split(self, kind: Any, rows: bytes) -> list[bytes]:
        size = self.codec(kind).size
        return [rows[at : at + size] for at in range(0, len(rows), size)]

    async def decoded(self, kind: Any, rows: bytes) -> list[Any]:
        return self.codec(kind).decode_many(rows)

    async def direct(self, key: str, *values: Any) -> None:
        self.meanwhile(self.table)
        verb = key.removeprefix("Cfg")[:6]
        if verb == "Delete":
            del self.table[values[0]]
        elif verb == "Update" and self._key_size:
            self._update_by_key(values[0])
        elif verb == "Update":
            self.table[values[1] : values[1] + 1] = [values[0]]
        else:
            place, shift = values
            self.table.insert(place + shift, self.table.pop(place))

    def _update_by_key(self, row: bytes) -> None:
        keys = [each[: self._key_size] for each in self.table]
        place = keys.index(row[: self._key_size]) if row[: self._key_size] in keys else len(keys)
        self.table[place : place + 1] = [row]


def symbols(*names: str) -> tuple[ScriptedLibrary, KeyRows[ConSymbol, str]]:
    library = ScriptedLibrary([SYMBOLS.encode(ConSymbol(symbol=name)) for name in names], key_size=12)
    return library, KeyRows(cast(LibraryCalls, library), ConSymbol, "Symbol")


def holidays(*days: int) -> tuple[ScriptedLibrary, PositionRows[ConHoliday]]:
    library = ScriptedLibrary([HOLIDAYS.encode(ConHoliday(day=day)) for day in days])
    return library, PositionRows(cast(LibraryCalls, library), ConHoliday, "Holiday")


def names_of(library: ScriptedLibrary) -> list[str]:
    return [SYMBOLS.decode(row).symbol for row in library.table]


def days_of(library: ScriptedLibrary) -> list[int]:
    return [HOLIDAYS.decode(row).day for row in library.table]


async def test_a_delete_that_met_another_row_says_which() -> None:
    library, rows = symbols("A", "B", "C")
    library.meanwhile = list.reverse
    with pytest.raises(Conflict, match="'A' is still there, and 'C' was deleted"):
        await rows.delete("A")
    assert names_of(library) == ["B", "A"]


async def test_a_move_that_met_another_row_says_so() -> None:
    library, rows = symbols("A", "B", "C")
    library.meanwhile = list.reverse
    with pytest.raises(Conflict, match="'A' is not at 1"):
        await rows.move("A", 1)


async def test_a_row_is_written_by_its_key_wherever_it_went() -> None:
    library, rows = symbols("A", "B", "C")
    library.meanwhile = list.reverse
    await rows.set(Patch(ConSymbol, {"symbol": "A", "digits": 3}))
    assert [(row.symbol, row.digits) for row in await rows.get_all()] == [("C", 0), ("B", 0), ("A", 3)]


async def test_what_a_record_does_not_carry_is_written_back() -> None:
    library, rows = symbols("A")
    member = SYMBOLS.layout.members["point"]
    noisy = bytearray(library.table[0])
    struct.pack_into("<d", noisy, member.offset, 0.125)
    library.table[0] = bytes(noisy)
    await rows.set(Patch(ConSymbol, {"symbol": "A", "digits": 3}))
    assert struct.unpack_from("<d", library.table[0], member.offset) == (0.125,)
    assert SYMBOLS.decode(library.table[0]).digits == 3


async def test_a_place_that_was_taken_meanwhile_is_a_conflict() -> None:
    library, rows = holidays(1, 2, 3)
    etag = etag_of(library.table[0])
    library.meanwhile = list.reverse
    with pytest.raises(Conflict, match="another row than the one at 0 was deleted"):
        await rows.delete(0, etag)
    library, rows = holidays(1, 2, 3)
    library.meanwhile = list.reverse
    with pytest.raises(Conflict, match="the row is not at 1"):
        await rows.move(0, etag, 1)
    library, rows = holidays(1, 2, 3)
    library.meanwhile = lambda table: table.insert(0, HOLIDAYS.encode(ConHoliday(day=9)))
    with pytest.raises(Conflict, match="which one was changed is unknown"):
        await rows.set(Patch(ConHoliday, {"position": 1, "etag": etag_of(library.table[1]), "day": 20}))


async def test_a_new_row_that_met_others_is_a_conflict() -> None:
    library, rows = holidays(1, 2)
    library.meanwhile = list.reverse
    with pytest.raises(Conflict, match="whether the new one was added is unknown"):
        await rows.add(Draft(ConHoliday, {"month": 1, "day": 3}))


async def test_a_new_row_is_at_the_end_or_where_it_should() -> None:
    library, rows = holidays(1, 2)
    assert (await rows.add(Draft(ConHoliday, {"month": 1, "day": 3})))["position"] == 2
    assert (await rows.add(Draft(ConHoliday, {"month": 1, "day": 4, "position": 1})))["position"] == 1
    assert days_of(library) == [1, 4, 2, 3]


async def test_a_row_that_the_server_puts_in_its_own_way_is_no_conflict() -> None:
    """A description that the server trims, say: the row is another than was sent, and at its place."""
    library, rows = holidays(1, 2)
    direct = library.direct

    async def trimming(key: str, *values: Any) -> None:
        await direct(key, HOLIDAYS.encode(ConHoliday(day=5, description="trimmed")), values[1])

    library.direct = trimming  # type: ignore[method-assign]
    changes = {"position": 1, "etag": etag_of(library.table[1]), "description": " trimmed "}
    place = await rows.set(Patch(ConHoliday, changes))
    assert place == {"position": 1, "etag": etag_of(library.table[1])}
