"""A configuration table over the library, one implementation for all of them.

What is regular in the library is said once: a table called ``X`` is read by ``CfgRequestX``, written row by row by
``CfgUpdateX``, and a row is deleted and moved by its place, ``CfgDeleteX`` and ``CfgShiftX``. A row is written by
difference: what its record does not carry stays what the server has.

The library has no lock, and deletes and moves by place alone: between looking and writing another administrator may
move rows. So every change looks first, compares what it found with what is meant, writes, and looks again. What remains
is the time between two calls of the library, some milliseconds; a change that fell into it answers ``conflict`` and
says what became of the table.
"""

from __future__ import annotations

import hashlib
from typing import Generic, TypeVar

from mt_remote.errors import Conflict, InvalidData, NotFound, ServerError
from mt_remote.records import Draft, Patch, Record
from mt_remote.table import Place
from mt_remote_plugins.manager.library_calls import LibraryCalls

R = TypeVar("R", bound=Record)
K = TypeVar("K", int, str)

_ETAG_DIGITS = 16


class Rows(Generic[R]):
    """What tables of both sorts have in common: ``kind`` is the record of a row, ``native`` the table's name in the
    library's functions, such as ``Symbol``."""

    def __init__(self, library: LibraryCalls, kind: type[R], native: str) -> None:
        self.library = library
        self.kind = kind
        self.native = native

    async def natives(self) -> list[bytes]:
        """The rows as the server has them, in its order. Raises code 7 for a manager without the right ``admin``."""
        return self._settled(await self.library.rows(f"CfgRequest{self.native}", 0))

    def _settled(self, rows: bytes) -> list[bytes]:
        """Rows without the library's own pointers, which say nothing of the row and may be others each time."""
        members = self.library.codec(self.kind).layout.members.values()
        pointers = [(each.offset, each.offset + each.size) for each in members if each.type == "ptr32"]
        found = []
        for row in self.library.split(self.kind, rows):
            for start, end in pointers:
                row = row[:start] + bytes(end - start) + row[end:]
            found.append(row)
        return found

    def blank(self) -> R:
        """What a new row starts from."""
        return self.kind()

    async def write(self, native: bytes, *place: int) -> None:
        """Writes a row, in tables without a key at a place."""
        await self.library.direct(f"CfgUpdate{self.native}", native, *place)


class KeyRows(Rows[R], Generic[R, K]):
    """A table whose rows have a key: the field that the record marks as one.

    ``read`` names the function that :meth:`get` and :meth:`get_all` ask, where there is one that needs no right.
    With ``set_adds`` a row that is not there is added by :meth:`set`.
    """

    read = ""
    set_adds = False

    def __init__(self, library: LibraryCalls, kind: type[R], native: str) -> None:
        super().__init__(library, kind, native)
        self.field = kind.key_field() or ""
        self._member = library.codec(kind).layout.members[kind.wires[self.field].member]

    def key_of(self, row: bytes) -> int | str:
        """A row's key; nothing else of it is read."""
        raw = row[self._member.offset : self._member.offset + self._member.size]
        if self._member.type == "char":
            return self.library.marshal.page.decode(raw)
        return int.from_bytes(raw, "little", signed=True)

    async def rows(self, *, reading: bool = False) -> dict[int | str, bytes]:
        """Native rows by key, in the server's order. ``reading`` asks the function that needs no right."""
        if reading and self.read:
            found = self._settled(await self.library.rows(self.read, 0))
        else:
            found = await self.natives()
        return {self.key_of(row): row for row in found}

    async def get(self, key: K) -> R:
        """One row. Raises :class:`~mt_remote.errors.NotFound`."""
        row = (await self.rows(reading=True)).get(key)
        if row is None:
            raise self.not_found(key)
        return self.library.codec(self.kind).decode(row)

    async def get_all(self) -> list[R]:
        """All rows, in the server's order."""
        return await self.library.decoded(self.kind, b"".join((await self.rows(reading=True)).values()))

    async def add(self, new: Draft[R]) -> None:
        """Adds a row. A key that exists, also in other letters' case, is an error."""
        taken = next((key for key in await self.rows() if _alike(key, new.key)), None)
        if taken is not None:
            raise InvalidData.of(self.field, f"a {self.native.lower()} {_shown(taken)} exists already")
        await self._write_new(new)

    async def _write_new(self, changes: Patch[R]) -> None:
        record = changes.applied_to(self.blank())
        await self._written(self.library.codec(self.kind).encode(record), None, record)

    async def set(self, changes: Patch[R]) -> None:
        """Changes the fields that are present."""
        native = (await self.rows()).get(changes.key)
        if native is None and not self.set_adds:
            raise self.not_found(changes.key)
        if native is None:
            await self._write_new(changes)
            return
        codec = self.library.codec(self.kind)
        old = codec.decode(native)
        new = changes.applied_to(old)
        await self._written(codec.updated(native, old, new), old, new)

    async def _written(self, native: bytes, old: R | None, new: R) -> None:
        try:
            await self.write(native)
        except ServerError as error:
            raise await self.refusal(error, old, new) from None

    async def delete(self, key: K) -> None:
        """Deletes a row. Raises :class:`~mt_remote.errors.NotFound`, and :class:`~mt_remote.errors.Conflict` when
        another administrator moved rows meanwhile, so that another one was deleted."""
        before = list(await self.rows())
        if key not in before:
            raise self.not_found(key)
        try:
            await self.library.direct(f"CfgDelete{self.native}", before.index(key))
        except ServerError as error:
            raise await self.refusal_to_delete(error, key) from None
        after = await self.rows()
        if key in after:
            gone = ", ".join(_shown(each) for each in before if each not in after) or "nothing"
            raise Conflict(f"Rows were moved meanwhile: {_shown(key)} is still there, and {gone} was deleted")

    async def move(self, key: K, to: int) -> None:
        """Moves a row to another place, 0 the first. Raises :class:`~mt_remote.errors.NotFound`, and
        :class:`~mt_remote.errors.Conflict` when another administrator moved rows meanwhile."""
        before = list(await self.rows())
        if key not in before:
            raise self.not_found(key)
        check_place(to, len(before))
        place = before.index(key)
        await self.library.direct(f"CfgShift{self.native}", place, to - place)
        after = list(await self.rows())
        if key not in after or after.index(key) != to:
            raise Conflict(f"Rows were moved meanwhile: {_shown(key)} is not at {to}")

    def not_found(self, key: object) -> NotFound:
        """The error of a key that is none of the table's."""
        return NotFound(f"Cannot find {self.native.lower()} {_shown(key)}")

    # What a table's own rules say

    async def refusal(self, error: ServerError, old: R | None, new: R) -> ServerError:
        """What the library means when it does not take a row; ``old`` is ``None`` for a new one."""
        return error

    async def refusal_to_delete(self, error: ServerError, key: K) -> ServerError:
        """What the library means when it does not delete a row."""
        return error


class PositionRows(Rows[R]):
    """A table whose rows are known by their places alone. What is changed must still have the etag that it was read
    with; else :class:`~mt_remote.errors.Conflict`, and nothing was written."""

    async def get_all(self) -> list[R]:
        """All rows, in the server's order, each with its place and etag."""
        natives = await self.natives()
        records = await self.library.decoded(self.kind, b"".join(natives))
        return [
            record.with_values(dict(place_of(place, native)))
            for place, (record, native) in enumerate(zip(records, natives, strict=True))
        ]

    async def add(self, new: Draft[R]) -> Place:
        """Adds a row at the end, or at its ``position``. Assumed: a row written behind the last one is added."""
        before = await self.natives()
        wanted = new.get("position")
        to = len(before) if wanted is None else int(wanted)
        check_place(to, len(before) + 1, "position")
        native = self.library.codec(self.kind).encode(new.applied_to(self.blank()))
        await self.write(native, len(before))
        after = await self.natives()
        if len(after) <= len(before) or after[: len(before)] != before:
            raise Conflict("Rows were moved meanwhile; whether the new one was added is unknown: read the table again")
        added = place_of(len(before), after[len(before)])
        return added if to == len(before) else await self._moved(after, len(before), to)

    async def set(self, changes: Patch[R]) -> Place:
        """Changes the fields that are present."""
        position = int(changes.key)
        before = await self._compared(position, str(changes.get("etag", "")))
        codec = self.library.codec(self.kind)
        old = codec.decode(before[position])
        written = codec.updated(before[position], old, changes.applied_to(old))
        if written == before[position]:
            return place_of(position, written)
        await self.write(written, position)
        after = await self.natives()
        if not _took_place(position, before, written, after):
            raise Conflict(f"Rows were moved meanwhile; which one was changed is unknown: row {position} is another")
        return place_of(position, after[position])

    async def delete(self, position: int, etag: str) -> None:
        """Deletes the row at a place."""
        before = await self._compared(position, etag)
        await self.library.direct(f"CfgDelete{self.native}", position)
        after = await self.natives()
        if after.count(before[position]) >= before.count(before[position]):
            raise Conflict(f"Rows were moved meanwhile: another row than the one at {position} was deleted")

    async def move(self, position: int, etag: str, to: int) -> Place:
        """Moves the row at a place to another one, 0 the first."""
        before = await self._compared(position, etag)
        check_place(to, len(before))
        return await self._moved(before, position, to)

    async def _moved(self, before: list[bytes], position: int, to: int) -> Place:
        await self.library.direct(f"CfgShift{self.native}", position, to - position)
        after = await self.natives()
        if to >= len(after) or after[to] != before[position]:
            raise Conflict(f"Rows were moved meanwhile: the row is not at {to}")
        return place_of(to, after[to])

    async def _compared(self, position: int, etag: str) -> list[bytes]:
        """The table's rows, when the one at ``position`` is the one that is meant."""
        natives = await self.natives()
        if not 0 <= position < len(natives):
            raise NotFound(f"Cannot find {self.native.lower()} {position}")
        if etag_of(natives[position]) != etag:
            raise Conflict(f"Another {self.native.lower()} is at {position} now: read the table again")
        return natives


def _took_place(position: int, before: list[bytes], written: bytes, after: list[bytes]) -> bool:
    """Whether a row was written over the one that stood at ``position``, and over no other. The server may have put it
    in its own way, and other rows may have changed: but not both, for then nothing tells the two apart."""
    others = [*before[:position], *before[position + 1 :]]
    if position < len(after) and [*after[:position], *after[position + 1 :]] == others:
        return True
    old = before[position]
    return position < len(after) and after[position] == written and after.count(old) < before.count(old)


def etag_of(native: bytes) -> str:
    """A short hash of a row's native bytes."""
    return hashlib.sha256(native).hexdigest()[:_ETAG_DIGITS]


def place_of(position: int, native: bytes) -> Place:
    """Where a row stands, and what it is."""
    return {"position": position, "etag": etag_of(native)}


def check_place(to: int, count: int, path: str = "to") -> None:
    """Raises :class:`~mt_remote.errors.InvalidData` for a place outside a table of ``count`` rows."""
    if not 0 <= to < count:
        raise InvalidData.of(path, f"must be from 0 to {count - 1}, got {to}")


def _alike(key: int | str, other: object) -> bool:
    return key.casefold() == other.casefold() if isinstance(key, str) and isinstance(other, str) else key == other


def _shown(key: object) -> str:
    return f"'{key}'" if isinstance(key, str) else str(key)
