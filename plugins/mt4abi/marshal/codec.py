"""Records to native bytes and back.

A :class:`Codec` is built once for a record kind out of its fields' lines. Reading is in bulk: one precompiled
``struct`` pass over all rows, then column by column; nothing touches a ctypes field. Writing changes only what differs,
so members that the record does not carry keep what the server had in them.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar, cast

from mt4abi import Layout, Member, table
from mt4abi.marshal.lines import CODES, Column, Line, at_most, inner_kind, plain_line
from mt4abi.marshal.text import CodePage
from mt_remote.errors import InvalidData, Problem
from mt_remote.records import Record, Unit, Wire

R = TypeVar("R", bound=Record)

_CHUNK = 128
"""Rows that one ``struct`` unpacks at once: a flat tuple that is sliced by column, and no tuple a row."""

_NESTED = (Unit.SECURITIES, Unit.ENTRIES, Unit.STRUCT, Unit.ROWS, Unit.DAYS)


class Marshal:
    """Codecs of one connection: its code page and the names of the server's securities, in the server's order."""

    def __init__(self, code_page: str = "cp1252", securities: Sequence[str] = ()) -> None:
        self.page = CodePage(code_page)
        self.securities = tuple(securities)
        self._codecs: dict[type[Record], Codec[Any]] = {}

    def codec(self, kind: type[R]) -> Codec[R]:
        """The codec of one record kind."""
        found = self._codecs.get(kind)
        if found is None:
            found = self._codecs[kind] = Codec(kind, self)
        return cast("Codec[R]", found)

    def text(self, value: str, size: int, path: str) -> bytes:
        """Text for an argument: checked against a field's size as if it went into one."""
        return self.page.encode(value, size, path)


@dataclass(frozen=True, slots=True)
class _Part:
    """A run of items in the row: a member or its companion."""

    member: Member
    code: str
    line: Line


class Codec(Generic[R]):
    """One record kind ↔ its native struct."""

    def __init__(self, kind: type[R], marshal: Marshal) -> None:
        self.kind = kind
        self.layout: Layout = table().layouts[kind.native]
        self.size = self.layout.size
        self._marshal = marshal
        self._lines = {name: self._line(wire) for name, wire in kind.wires.items() if wire.member}
        self._row, places = self._compile()
        self._chunk = struct.Struct("<" + self._row.format[1:] * _CHUNK)
        self._reads = [(getattr(kind, name).__set__, line.decode, places[name]) for name, line in self._lines.items()]
        self._writes = [(name, line.encode, places[name]) for name, line in self._lines.items()]
        self._width = sum(line.items for line in self._lines.values())
        self._secret = [name for name, wire in kind.wires.items() if wire.write_only]
        blank = kind()
        self._unread = [
            (getattr(kind, name).__set__, getattr(blank, name))
            for name, wire in kind.wires.items()
            if wire.write_only or not wire.member
        ]

    def _compile(self) -> tuple[struct.Struct, dict[str, list[int]]]:
        """The row's format, padding and members that no field carries skipped, and each field's places in it."""
        parts = []
        for line in self._lines.values():
            parts.append(_Part(line.member, line.code, line))
            if line.companion is not None:
                parts.append(_Part(line.companion, line.companion_code, line))
        text, at, place = "<", 0, 0
        places: dict[str, list[int]] = {name: [] for name in self._lines}
        for part in sorted(parts, key=lambda part: part.member.offset):
            text += f"{part.member.offset - at}x{part.code}"
            at = part.member.offset + part.member.size
            width = part.line.items - 1 if part.line.companion else part.line.items
            count = 1 if part.member is part.line.companion else width
            places[part.line.attribute] += range(place, place + count)
            place += count
        row = struct.Struct(f"{text}{self.layout.size - at}x")
        return row, self._companions_last(places)

    def _companions_last(self, places: dict[str, list[int]]) -> dict[str, list[int]]:
        for line in self._lines.values():
            if line.companion is not None and line.companion.offset < line.member.offset:
                places[line.attribute].reverse()
        return places

    def decode_many(self, data: bytes) -> list[R]:
        """The records of an array of structs. Write-only fields stay empty (see :meth:`secrets`), and so do those that
        have no member: whoever read the table knows a row's place."""
        records: list[R] = []
        whole = len(data) - len(data) % (_CHUNK * self.size)
        for at in range(0, whole, _CHUNK * self.size):
            flat = self._chunk.unpack_from(data, at)
            records += self._records([flat[place :: self._width] for place in range(self._width)])
        rest = list(zip(*self._row.iter_unpack(memoryview(data)[whole:]), strict=True))
        return records + self._records(rest) if rest else records

    def _records(self, columns: list[Column]) -> list[R]:
        new = cast("Callable[[type[R]], R]", object.__new__)
        records = [new(self.kind) for _ in range(len(columns[0]))]
        for put, decode, places in self._reads:
            deque(map(put, records, decode(*[columns[place] for place in places])), maxlen=0)
        for put, default in self._unread:
            deque(map(put, records, [default] * len(records)), maxlen=0)
        return records

    def decode(self, data: bytes) -> R:
        """The record of one struct."""
        return self.decode_many(data)[0]

    def secrets(self, data: bytes) -> dict[str, str]:
        """The write-only texts of one struct, for who plays the server."""
        found = {}
        for name in self._secret:
            member = self._lines[name].member
            found[name] = self._marshal.page.decode(data[member.offset : member.offset + member.size])
        return found

    def encode_many(self, records: Sequence[R]) -> bytes:
        """An array of structs, everything that the records don't carry zero."""
        pack, width = self._row.pack, self._width
        rows = []
        for record in records:
            items: list[Any] = [None] * width
            for name, encode, places in self._writes:
                for place, item in zip(places, encode(getattr(record, name)), strict=True):
                    items[place] = item
            rows.append(pack(*items))
        return b"".join(rows)

    def encode(self, record: R) -> bytes:
        """One struct."""
        return self.encode_many((record,))

    def updated(self, native: bytes, old: R, new: R) -> bytes:
        """``native``, which is ``old``, changed where ``new`` differs and nowhere else."""
        out = bytearray(native)
        for name, line in self._lines.items():
            before, after = getattr(old, name), getattr(new, name)
            if before == after:
                continue
            wire = self.kind.wires[name]
            if wire.unit in _NESTED:
                self._update_nested(out, wire, line, before, after)
            else:
                line.write(out, after)
        return bytes(out)

    def cleared(self, native: bytes) -> bytes:
        """``native`` without the write-only members, so that reading and writing back leaves passwords alone."""
        out = bytearray(native)
        for name in self._secret:
            member = self._lines[name].member
            out[member.offset : member.offset + member.size] = bytes(member.size)
        return bytes(out)

    def _update_nested(self, out: bytearray, wire: Wire, line: Line, before: Any, after: Any) -> None:
        member = line.member
        inner = self._marshal.codec(inner_kind(wire))
        span = slice(member.offset, member.offset + member.size)
        raw = bytes(out[span])
        if wire.unit is Unit.STRUCT:
            out[span] = _within(wire.name, inner.updated, raw, before, after)
        elif wire.unit is Unit.SECURITIES:
            out[span] = self._updated_securities(wire, inner, raw, before, after)
        elif wire.unit is Unit.DAYS:
            out[span] = self._updated_days(wire, inner, raw, before, after)
        elif wire.unit is Unit.ROWS:
            out[span] = self._updated_rows(wire, inner, raw, after)
        else:
            names = _entry_names(inner, self._marshal.page, raw, len(before))
            old_raw = {name: raw[at * inner.size : (at + 1) * inner.size] for at, name in enumerate(names)}
            body, total = self._entries(wire, inner, after, before, old_raw)
            assert line.companion is not None
            out[span] = body.ljust(member.size, b"\0")
            struct.pack_into("<i", out, line.companion.offset, total)

    def _updated_securities(self, wire: Wire, inner: Codec[Record], raw: bytes, before: Any, after: Any) -> bytes:
        out = bytearray(raw)
        self._known(wire, after)
        for at, name in enumerate(self._marshal.securities):
            if name in after and after[name] != before.get(name):
                span = slice(at * inner.size, (at + 1) * inner.size)
                old = before.get(name) or inner.decode(bytes(out[span]))
                out[span] = _within(f"{wire.name}.{name}", inner.updated, bytes(out[span]), old, after[name])
        return bytes(out)

    def _updated_days(self, wire: Wire, inner: Codec[Record], raw: bytes, before: Any, after: Any) -> bytes:
        out = bytearray(raw)
        for day, place in wire.numbers.items():
            if after[day] != before[day]:
                span = slice(place * inner.size, (place + 1) * inner.size)
                path = f"{wire.name}.{day}"
                out[span] = _within(path, inner.updated, bytes(out[span]), before[day], after[day])
        return bytes(out)

    def _updated_rows(self, wire: Wire, inner: Codec[Record], raw: bytes, after: list[Record]) -> bytes:
        """Place by place, so that a row keeps what the server has beside the fields; unused rows are emptied of these
        alone."""
        at_most(wire, len(after))
        rows = []
        for place in range(wire.most):
            old = raw[place * inner.size : (place + 1) * inner.size]
            new = after[place] if place < len(after) else inner.kind()
            rows.append(_within(f"{wire.name}.{place}", inner.updated, old, inner.decode(old), new))
        return b"".join(rows)

    def _known(self, wire: Wire, value: dict[str, Record]) -> None:
        for name in value:
            self._check_security(name, f"{wire.name}.{name}")

    def _check_security(self, name: str, path: str) -> None:
        if name not in self._marshal.securities:
            has = ", ".join(filter(None, self._marshal.securities)) or "none"
            raise InvalidData.of(path, f"the server has no security of that name (it has {has})")

    def _entries(
        self,
        wire: Wire,
        inner: Codec[Record],
        value: dict[str, Record],
        before: dict[str, Record],
        old_raw: dict[str, bytes],
    ) -> tuple[bytes, int]:
        at_most(wire, len(value))
        key = _key_member(inner)
        rows = []
        for name, record in value.items():
            path = f"{wire.name}.{name}"
            if name in before and name in old_raw:
                rows.append(_within(path, inner.updated, old_raw[name], before[name], record))
            else:
                row = bytearray(_within(path, inner.encode, record))
                row[: key.size] = self._marshal.page.encode(name, key.size, path).ljust(key.size, b"\0")
                rows.append(bytes(row))
        return b"".join(rows), len(rows)

    def _line(self, wire: Wire) -> Line:
        if wire.unit is Unit.SECURITY:
            member = self.layout.members[wire.member]
            return Line(
                wire.attribute, member, CODES[member.type], None, 1, self._security_names, self._security_place(wire)
            )
        if wire.unit not in _NESTED:
            return plain_line(wire, self.layout, self._marshal.page)
        member = self.layout.members[wire.member]
        inner = self._marshal.codec(inner_kind(wire))
        companion = self.layout.members[wire.companion] if wire.companion else None
        make = {
            Unit.STRUCT: self._struct_line,
            Unit.SECURITIES: self._securities_line,
            Unit.ENTRIES: self._entries_line,
            Unit.ROWS: self._rows_line,
            Unit.DAYS: self._days_line,
        }[wire.unit]
        decode, encode = make(wire, inner)
        return Line(wire.attribute, member, f"{member.size}s", companion, 2 if companion else 1, decode, encode)

    def _security_names(self, column: Column) -> list[str]:
        names = self._marshal.securities
        return [names[place] if 0 <= place < len(names) else "" for place in column]

    def _security_place(self, wire: Wire) -> Callable[[str], tuple[int]]:
        def encode(name: str) -> tuple[int]:
            if not name:
                return (0,)
            self._check_security(name, wire.name)
            return (self._marshal.securities.index(name),)

        return encode

    def _struct_line(self, wire: Wire, inner: Codec[Record]) -> tuple[Callable[..., Any], Callable[[Any], Any]]:
        return (
            lambda column: inner.decode_many(b"".join(column)),
            lambda value: (_within(wire.name, inner.encode, value),),
        )

    def _securities_line(self, wire: Wire, inner: Codec[Record]) -> tuple[Callable[..., Any], Callable[[Any], Any]]:
        def decode(column: Column) -> list[dict[str, Record]]:
            names = self._marshal.securities[: wire.most]  # slots past them may hold anything
            every = iter(inner.decode_many(b"".join([raw[: len(names) * inner.size] for raw in column])))
            found = []
            for _ in column:
                found.append(
                    {name: record for name, record in zip(names, islice(every, len(names)), strict=True) if name}
                )
            return found

        def encode(value: dict[str, Record]) -> tuple[bytes]:
            self._known(wire, value)
            rows = [
                _within(f"{wire.name}.{name}", inner.encode, value[name]) if name in value else bytes(inner.size)
                for name in self._marshal.securities
            ]
            return (b"".join(rows),)

        return decode, encode

    def _entries_line(self, wire: Wire, inner: Codec[Record]) -> tuple[Callable[..., Any], Callable[[Any], Any]]:
        def decode(column: Column, totals: Column) -> list[dict[str, Record]]:
            counts = [min(max(total, 0), wire.most) for total in totals]
            used = [raw[: count * inner.size] for raw, count in zip(column, counts, strict=True)]
            every = iter(inner.decode_many(b"".join(used)))
            page = self._marshal.page
            return [
                dict(zip(_entry_names(inner, page, raw, count), every, strict=False)) if count else {}
                for raw, count in zip(used, counts, strict=True)
            ]

        return decode, partial(self._encoded_entries, wire, inner)

    def _rows_line(self, wire: Wire, inner: Codec[Record]) -> tuple[Callable[..., Any], Callable[[Any], Any]]:
        unused = inner.kind()

        def decode(column: Column) -> list[list[Record]]:
            every = iter(inner.decode_many(b"".join(column)))
            return [[row for row in islice(every, wire.most) if row != unused] for _ in column]

        def encode(value: list[Record]) -> tuple[bytes]:
            at_most(wire, len(value))
            rows = (_within(f"{wire.name}.{place}", inner.encode, row) for place, row in enumerate(value))
            return (b"".join(rows),)

        return decode, encode

    def _days_line(self, wire: Wire, inner: Codec[Record]) -> tuple[Callable[..., Any], Callable[[Any], Any]]:
        order = sorted(wire.numbers, key=wire.numbers.__getitem__)

        def decode(column: Column) -> list[dict[str, Record]]:
            every = iter(inner.decode_many(b"".join(column)))
            return [dict(zip(order, islice(every, wire.most), strict=True)) for _ in column]

        def encode(value: dict[str, Record]) -> tuple[bytes]:
            return (b"".join(_within(f"{wire.name}.{day}", inner.encode, value[day]) for day in order),)

        return decode, encode

    def _encoded_entries(self, wire: Wire, inner: Codec[Record], value: dict[str, Record]) -> tuple[bytes, int]:
        return self._entries(wire, inner, value, {}, {})


def _key_member(inner: Codec[Record]) -> Member:
    """An entry's key is its struct's first member."""
    return next(iter(inner.layout.members.values()))


def _entry_names(inner: Codec[Record], page: CodePage, raw: bytes, count: int) -> list[str]:
    size = _key_member(inner).size
    return [page.decode(raw[at * inner.size : at * inner.size + size]) for at in range(count)]


def _within(path: str, convert: Callable[..., bytes], *arguments: Any) -> bytes:
    """Runs an inner conversion; its refusals name the whole path."""
    try:
        return convert(*arguments)
    except InvalidData as error:
        details = [Problem(f"{path}.{detail.path}", detail.problem) for detail in error.details]
        raise InvalidData("; ".join(map(str, details)), details=details) from None
