"""Hypothesis strategies for records and native structs, derived from the records' own lines."""

from __future__ import annotations

import base64
import struct
from typing import Any

from hypothesis import strategies as st

from mt4abi import table
from mt4abi.marshal.lines import CODES, inner_kind
from mt4abi.marshal.locales import tag_of
from mt_remote.records import Record, Unit, Wire

SECURITIES = ("Forex", "CFD", "Metals", "Индексы")
"""Securities of the server in the tests; the page is cp1251, so that bytes and characters differ from ASCII's."""

PAGE = "cp1251"
_LETTERS = [*map(chr, range(32, 127)), *"абвгдежзийклмнопрстуфхцчшщъыьэюяЁ€№"]
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_PEOPLES = st.integers(1, 10**9).map(lambda n: n / 1000)
_OCTETS = st.integers(0, 255)
_ADDRESSES = st.tuples(_OCTETS, _OCTETS, _OCTETS, _OCTETS).map(lambda parts: ".".join(map(str, parts)))
_TAGS = st.sampled_from([0x0409, 0x0419, 0x0407, 0x1000, 0x0809, 0x7777]).map(tag_of)


def _texts(limit: int) -> st.SearchStrategy[str]:
    return st.text(alphabet=_LETTERS, max_size=limit)


def _raw(size: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=size, max_size=size).map(lambda raw: base64.b64encode(raw).decode() if any(raw) else "")


def _integers(wire: Wire) -> st.SearchStrategy[int]:
    return st.integers(int(wire.low or 0), int(wire.high or 0))


def _nested(wire: Wire) -> st.SearchStrategy[Any]:
    inner = records(inner_kind(wire))
    if wire.unit is Unit.STRUCT:
        return inner
    if wire.unit is Unit.SECURITIES:
        return st.fixed_dictionaries(dict.fromkeys(SECURITIES, inner))
    if wire.unit is Unit.DAYS:
        return st.fixed_dictionaries(dict.fromkeys(wire.numbers, inner))
    if wire.unit is Unit.ROWS:
        return st.lists(inner.filter(lambda row: row != inner_kind(wire)()), max_size=wire.most)
    return st.dictionaries(_texts(11).filter(bool), inner, max_size=3)


def _times_of_day(wire: Wire) -> st.SearchStrategy[str]:
    return st.integers(0, int(wire.high or 0)).map(lambda n: f"{n // 60}:{n % 60}")


def _names(wire: Wire) -> st.SearchStrategy[Any]:
    order = sorted(wire.numbers, key=lambda name: wire.numbers[name])
    chosen = st.sets(st.sampled_from(order)).map(lambda names: [name for name in order if name in names])
    return chosen.map(lambda names: names or None) if wire.unit is Unit.DENIALS else chosen


def values(wire: Wire) -> st.SearchStrategy[Any]:
    """Everything that one field can hold."""
    hint: Any = wire.hint
    simple: dict[Unit, Any] = {
        Unit.TEXT: lambda: _texts(wire.longest),
        Unit.FLAG: st.booleans,
        Unit.INTEGER: lambda: _integers(wire),
        Unit.UNSIGNED: lambda: _integers(wire),
        Unit.NUMBER: lambda: _NUMBERS,
        Unit.LOTS: lambda: st.integers(0, 2**31 - 1).map(lambda n: n / 100),
        Unit.CHOICE: lambda: st.sampled_from(list(hint)),
        Unit.NAMED: lambda: st.sampled_from(list(wire.numbers)),
        Unit.BITMASK: lambda: _names(wire),
        Unit.DENIALS: lambda: _names(wire),
        Unit.TIME: lambda: _integers(wire),
        Unit.DEALING_TIME: lambda: st.integers(0, 1_200_000_000).map(lambda v: (v << 24) // 10**7),
        Unit.MINUTES: lambda: _times_of_day(wire),
        Unit.CLOCK: lambda: _times_of_day(wire),
        Unit.SECURITY: lambda: st.sampled_from(SECURITIES),
        Unit.IPV4: lambda: _ADDRESSES,
        Unit.IPV4_LIST: lambda: st.lists(_ADDRESSES.filter(lambda a: a != "0.0.0.0"), max_size=wire.most),
        Unit.LOCALES: lambda: st.lists(_TAGS, max_size=wire.most),
        Unit.MASKS: lambda: st.lists(st.sampled_from(["*", "mini*", "!demo", "группа"]), max_size=5),
        Unit.BYTES: lambda: _raw(wire.size),
        Unit.NUMBERS: lambda: st.tuples(_NUMBERS, _NUMBERS),
        Unit.DIVIDER: lambda: st.one_of(st.just(0.0), _PEOPLES),
    }
    return simple[wire.unit]() if wire.unit in simple else _nested(wire)


def carried(kind: type[Record]) -> list[str]:
    """The fields that native bytes bring back."""
    return [name for name, wire in kind.wires.items() if wire.member and not wire.write_only]


def records(kind: type[Record]) -> st.SearchStrategy[Any]:
    """Whole records. The dealing clock's field keeps to moments that the clock can show."""
    return st.builds(kind, **{name: values(kind.wires[name]) for name in carried(kind)})


@st.composite
def natives(draw: st.DrawFn, kind: type[Record]) -> bytes:
    """A struct full of noise, whose members that the record carries hold something that has a meaning."""
    layout = table().layouts[kind.native]
    out = bytearray(draw(st.binary(min_size=64, max_size=64)) * (layout.size // 64 + 1))[: layout.size]
    for wire in filter(lambda wire: wire.member, kind.wires.values()):
        member = layout.members[wire.member]
        raw = draw(_member_bytes(wire, member.type, member.count))
        out[member.offset : member.offset + len(raw)] = raw
        if wire.total:
            counter = layout.members[wire.total]
            struct.pack_into("<i", out, counter.offset, draw(st.integers(0, min(wire.most, 4))))
        if wire.minute:
            struct.pack_into("<h", out, layout.members[wire.minute].offset, draw(st.integers(0, 59)))
    return bytes(out)


def _member_bytes(wire: Wire, scalar: str, count: int) -> st.SearchStrategy[bytes]:
    unit = wire.unit
    if unit in (Unit.TEXT, Unit.MASKS):
        mask = unit is Unit.MASKS
        chars = st.text(alphabet=[c for c in _LETTERS if c != ","] if mask else _LETTERS, max_size=wire.longest)
        return chars.map(lambda text: text.encode(PAGE) + b"\0")
    if unit in (Unit.BYTES, Unit.IPV4):
        return st.binary(min_size=wire.size, max_size=wire.size)
    if unit is Unit.IPV4_LIST:
        return st.lists(_ADDRESSES.filter(lambda a: a != "0.0.0.0"), max_size=wire.most).map(_packed_addresses(wire))
    if unit is Unit.LOCALES:
        return st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8).map(lambda ns: struct.pack("<8I", *ns))
    if unit in (Unit.SECURITIES, Unit.ENTRIES):
        rows = st.lists(natives(inner_kind(wire)), min_size=4, max_size=4)
        return rows.map(_keyed if unit is Unit.ENTRIES else b"".join)
    if unit in (Unit.ROWS, Unit.DAYS):
        return st.lists(natives(inner_kind(wire)), min_size=wire.most, max_size=wire.most).map(b"".join)
    if unit is Unit.STRUCT:
        return natives(inner_kind(wire))
    return _numbers(wire, scalar, count)


def _keyed(rows: list[bytes]) -> bytes:
    return b"".join(b"S%d\0" % at + row[3:] for at, row in enumerate(rows))


def _packed_addresses(wire: Wire) -> Any:
    return lambda rows: b"".join(bytes(map(int, a.split("."))) for a in rows).ljust(wire.size, b"\0")


def _numbers(wire: Wire, scalar: str, count: int) -> st.SearchStrategy[bytes]:
    hint: Any = wire.hint
    numbers: dict[Unit, st.SearchStrategy[Any]] = {
        Unit.FLAG: st.sampled_from([0, 1]),
        Unit.CHOICE: st.sampled_from([int(c) for c in hint] if wire.unit is Unit.CHOICE else [0]),
        Unit.NAMED: st.sampled_from(sorted(wire.numbers.values()) or [0]),
        Unit.BITMASK: st.integers(0, sum(wire.numbers.values())),
        Unit.DENIALS: st.integers(0, sum(wire.numbers.values())),
        Unit.MINUTES: st.integers(0, int(wire.high or 0)),
        Unit.CLOCK: st.integers(0, 23),
        Unit.SECURITY: st.integers(0, len(SECURITIES) - 1),
        Unit.DIVIDER: st.one_of(st.just(1.7976931348623157e308), _PEOPLES),
    }
    if wire.unit in (Unit.NUMBER, Unit.NUMBERS):
        one: st.SearchStrategy[Any] = _NUMBERS
    else:
        low = 0 if CODES[scalar].isupper() or wire.unit in (Unit.LOTS, Unit.TIME, Unit.DEALING_TIME) else -(2**15)
        one = numbers.get(wire.unit, st.integers(low, 2**15 - 1))
    return st.lists(one, min_size=count, max_size=count).map(lambda row: struct.pack(f"<{count}{CODES[scalar]}", *row))
