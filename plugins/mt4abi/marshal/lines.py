"""One field of a record on its way to and from native bytes: derived from the field's line and the interface's table.

A line reads whole columns (the same member of many rows) at once and writes single values.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from mt4abi import Layout, Member
from mt4abi.marshal import units
from mt4abi.marshal.locales import langid_of, tag_of
from mt4abi.marshal.text import CodePage
from mt_remote.errors import InvalidData
from mt_remote.records import Record, Unit, Wire

Column = tuple[Any, ...]

CODES = {"int32": "i", "uint32": "I", "time32": "i", "int16": "h", "uint8": "B", "char": "b", "double": "d"}
"""``struct`` code of each scalar that a record's field can be."""

_WHOLE = frozenset(
    {
        Unit.TEXT,
        Unit.MASKS,
        Unit.BYTES,
        Unit.IPV4,
        Unit.IPV4_LIST,
        Unit.LOCALES,
        Unit.SECURITIES,
        Unit.ENTRIES,
        Unit.STRUCT,
        Unit.ROWS,
        Unit.DAYS,
    }
)
"""Units whose member is taken as bytes."""


def _same(column: Column) -> Column:
    return column


@dataclass(frozen=True, slots=True)
class Line:
    """``decode`` turns the column(s) of the member (and of its companion: what counts its elements, or the minute
    beside an hour) into values; ``encode`` one value into the item(s) that ``code`` (and the companion's) pack."""

    attribute: str
    member: Member
    code: str
    companion: Member | None
    items: int
    decode: Callable[..., Iterable[object]]
    encode: Callable[[Any], tuple[Any, ...]]

    @property
    def companion_code(self) -> str:
        """A count is read with a sign whatever its type says: what overflowed is less than none, not four billion."""
        assert self.companion is not None
        return "h" if self.companion.type == "int16" else "i"

    def write(self, native: bytearray, value: object) -> None:
        """Writes one value over the member's bytes, zero-filled to its end."""
        items = self.encode(value)
        if self.companion is not None:
            struct.pack_into(f"<{self.companion_code}", native, self.companion.offset, items[-1])
            items = items[:-1]
        struct.pack_into(f"<{self.code}", native, self.member.offset, *items)


def plain_line(wire: Wire, layout: Layout, page: CodePage) -> Line:
    """The line of a field that holds no other record."""
    member = layout.members[wire.member]
    companion = layout.members[wire.companion] if wire.companion else None
    code = f"{member.size}s" if wire.unit in _WHOLE else f"{member.count}{CODES[member.type]}".removeprefix("1")
    items = (member.count if wire.unit is Unit.NUMBERS else 1) + (1 if companion else 0)
    decode, encode = _conversion(wire, layout, code, page)
    return Line(wire.attribute, member, code, companion, items, decode, encode)


def _conversion(
    wire: Wire, layout: Layout, code: str, page: CodePage
) -> tuple[Callable[..., Iterable[object]], Callable[[Any], tuple[Any, ...]]]:
    path, size, unit = wire.name, wire.size, wire.unit
    where = f"{layout.name}.{wire.member}"
    whole = partial(_integer, code=code, path=path)
    if unit is Unit.TEXT:
        return page.decode_column, lambda value: (page.encode(value, size, path),)
    if unit is Unit.FLAG:
        return partial(map, bool), lambda value: (int(value),)
    if unit in (Unit.INTEGER, Unit.UNSIGNED, Unit.TIME):
        return _same, whole
    if unit is Unit.NUMBER:
        return _same, lambda value: (value,)
    if unit is Unit.NUMBERS:
        return lambda *columns: zip(*columns, strict=True), tuple
    if unit in _SCALED:
        decode_one, encode_one = _SCALED[unit]
        return partial(map, decode_one), lambda value: whole(encode_one(value, path))
    if unit in (Unit.MINUTES, Unit.CLOCK):
        return _time_of_day(wire)
    if unit in (Unit.CHOICE, Unit.NAMED):
        return _numbered(wire, where, whole)
    if unit in (Unit.BITMASK, Unit.DENIALS):
        return _bits(wire)
    if unit is Unit.DIVIDER:
        return partial(map, units.percent_of_divider), lambda value: (units.divider_of_percent(value),)
    if unit is Unit.MASKS:
        return partial(_masks, page), lambda value: (page.encode(",".join(value), size, path),)
    return _BYTES[unit](wire)


_SCALED: dict[Unit, tuple[Callable[[int], Any], Callable[[Any, str], int]]] = {
    Unit.LOTS: (lambda value: value / 100, units.hundredths),
    Unit.DEALING_TIME: (units.unix_of_dealing_time, lambda value, path: units.dealing_time_of_unix(value)),
}


def _time_of_day(wire: Wire) -> tuple[Callable[..., Iterable[object]], Callable[[Any], tuple[Any, ...]]]:
    last = int(wire.high or 0)
    if wire.unit is Unit.MINUTES:
        return partial(map, units.hour_minute), lambda value: (units.minutes_of(value, wire.name, last),)
    return (
        partial(map, lambda hour, minute: f"{hour}:{minute}"),
        lambda value: divmod(units.minutes_of(value, wire.name, last), 60),
    )


def _integer(value: int, *, code: str, path: str) -> tuple[int]:
    bits = struct.calcsize(code) * 8
    low, high = (0, 2**bits - 1) if code.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not low <= value <= high:
        raise InvalidData.of(path, f"must be from {low} to {high}")
    return (int(value),)


def _numbered(
    wire: Wire, where: str, whole: Callable[[int], tuple[int]]
) -> tuple[Callable[..., Iterable[object]], Callable[[Any], tuple[Any, ...]]]:
    if wire.unit is Unit.NAMED:
        known = {number: name for name, number in wire.numbers.items()}
        return (
            partial(map, units.Numbered(where, known).__getitem__),
            lambda value: whole(wire.numbers[value]),
        )
    choices: Any = wire.hint
    return partial(map, units.Numbered(where, {int(c): c for c in choices}).__getitem__), lambda value: whole(
        int(value)
    )


def _bits(wire: Wire) -> tuple[Callable[..., Iterable[object]], Callable[[Any], tuple[Any, ...]]]:
    ordered = sorted(wire.numbers.items(), key=lambda pair: pair[1])
    nothing: Callable[[], list[str] | None] = (lambda: None) if wire.unit is Unit.DENIALS else list

    def names(number: int) -> list[str] | None:
        found = [name for name, bit in ordered if number & bit]
        return found or nothing()

    def encode(value: Sequence[str] | None) -> tuple[int]:
        return (sum(wire.numbers[name] for name in set(value or ())),)

    return partial(map, names), encode


def _masks(page: CodePage, column: Column) -> list[list[str]]:
    return [[mask for mask in text.split(",") if mask] for text in page.decode_column(column)]


def _address_list(wire: Wire) -> tuple[Callable[..., Iterable[object]], Callable[[Any], tuple[Any, ...]]]:
    def encode(value: Sequence[str]) -> tuple[bytes]:
        at_most(wire, len(value))
        return (b"".join(units.raw_of_address(one, f"{wire.name}.{at}") for at, one in enumerate(value)),)

    return partial(map, units.addresses_of), encode


def _locales(wire: Wire) -> tuple[Callable[..., Iterable[object]], Callable[[Any], tuple[Any, ...]]]:
    room = wire.size // 4

    def decode(column: Column, totals: Column) -> list[list[str]]:
        rows = zip(column, totals, strict=True)
        return [[tag_of(n) for n in struct.unpack(f"<{room}I", raw)[: min(max(t, 0), room)]] for raw, t in rows]

    def encode(value: Sequence[str]) -> tuple[bytes, int]:
        at_most(wire, len(value))
        numbers = []
        for at, tag in enumerate(value):
            number = langid_of(tag)
            if number is None:
                raise InvalidData.of(f"{wire.name}.{at}", f"Windows has no language number for {tag!r}")
            numbers.append(number)
        return struct.pack(f"<{len(numbers)}I", *numbers), len(numbers)

    return decode, encode


def at_most(wire: Wire, count: int) -> None:
    """Refuses more elements than the native array has."""
    if count > wire.most:
        raise InvalidData.of(wire.name, f"at most {wire.most} entries, got {count}")


_BYTES: dict[Unit, Callable[[Wire], tuple[Callable[..., Iterable[object]], Callable[[Any], tuple[Any, ...]]]]] = {
    Unit.BYTES: lambda wire: (
        partial(map, units.base64_of),
        lambda value: (units.raw_of_base64(value, wire.size, wire.name),),
    ),
    Unit.IPV4: lambda wire: (partial(map, units.address_of), lambda value: (units.raw_of_address(value, wire.name),)),
    Unit.IPV4_LIST: _address_list,
    Unit.LOCALES: _locales,
}


def inner_kind(wire: Wire) -> type[Record]:
    """The record kind that a field holds, alone, in a list or in a map."""
    hint: Any = wire.hint
    kind: type[Record] = get_args(hint)[-1] if get_args(hint) else hint
    return kind
