"""Hypothesis strategies of partial records, derived from the fields' lines."""

from __future__ import annotations

import base64
from collections.abc import Callable
from enum import Enum
from typing import Any, cast, get_args

from hypothesis import strategies as st

from mt_remote.records import ConGroup, ConManager, Record, Unit, Wire

SECURITIES = ("Forex", "CFD", "Metals")
SYMBOLS = ("EURUSD", "USDJPY", "GOLD", "DAX")

_finite = st.floats(-1e12, 1e12)
_ipv4 = st.tuples(*[st.integers(0, 255)] * 4).map(lambda octets: ".".join(map(str, octets)))


def texts(longest: int, shortest: int = 0) -> st.SearchStrategy[str]:
    """Text of cp1252, one byte a character."""
    return st.text(st.sampled_from("abcXYZ 019-.äß€"), min_size=shortest, max_size=min(longest, 20))


def _integers(wire: Wire) -> st.SearchStrategy[int]:
    assert wire.low is not None
    assert wire.high is not None
    return st.integers(int(wire.low), int(wire.high))


def _enum(kind: object) -> st.SearchStrategy[Any]:
    return st.sampled_from([member.value for member in cast("type[Enum]", kind)])


def _element(wire: Wire) -> Any:
    """The enum in ``list[E]`` or ``list[E] | None``."""
    hint: Any = wire.hint
    while get_args(hint):
        hint = get_args(hint)[0]
    return hint


def _table(wire: Wire) -> st.SearchStrategy[Any]:
    kind = get_args(wire.hint)[1]
    if wire.unit is Unit.SECURITIES:
        return st.dictionaries(st.sampled_from(SECURITIES), changes(kind), max_size=2)
    return st.dictionaries(st.sampled_from(SYMBOLS), st.none() | changes(kind), max_size=3)


def _times_of_day(wire: Wire) -> st.SearchStrategy[str]:
    return st.integers(0, int(wire.high or 0)).map(lambda minutes: f"{minutes // 60}:{minutes % 60}")


def _whole(kind: type[Record]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({wire.name: _VALUES[wire.unit](wire) for wire in kind.wires.values()})


_VALUES: dict[Unit, Callable[[Wire], st.SearchStrategy[Any]]] = {
    Unit.TEXT: lambda wire: texts(wire.longest, int(wire.key)),
    Unit.FLAG: lambda wire: st.booleans(),
    Unit.INTEGER: _integers,
    Unit.UNSIGNED: _integers,
    Unit.NUMBER: lambda wire: _finite,
    Unit.LOTS: lambda wire: st.integers(0, 100_000).map(lambda hundredths: hundredths / 100),
    Unit.CHOICE: lambda wire: _enum(wire.hint),
    Unit.NAMED: lambda wire: _enum(wire.hint),
    Unit.BITMASK: lambda wire: st.lists(_enum(_element(wire)), max_size=3),
    Unit.DENIALS: lambda wire: st.none() | _enum(_element(wire)) | st.lists(_enum(_element(wire)), max_size=2),
    Unit.TIME: _integers,
    Unit.MINUTES: _times_of_day,
    Unit.CLOCK: _times_of_day,
    Unit.SECURITY: lambda wire: texts(15),
    Unit.IPV4: lambda wire: _ipv4,
    Unit.IPV4_LIST: lambda wire: st.lists(_ipv4, max_size=wire.most),
    Unit.LOCALES: lambda wire: st.lists(st.sampled_from(["ru-RU", "en-US", "de"]), max_size=wire.most),
    Unit.MASKS: lambda wire: st.lists(st.sampled_from(["*", "mini*", "!demo", "manager"]), max_size=4),
    Unit.BYTES: lambda wire: st.binary(max_size=wire.size).map(lambda data: base64.b64encode(data).decode()),
    Unit.DIVIDER: lambda wire: st.floats(0, 1e6),
    Unit.SECURITIES: _table,
    Unit.ENTRIES: _table,
    Unit.POSITION: _integers,
    Unit.ETAG: lambda wire: texts(wire.longest, 1),
    Unit.ROWS: lambda wire: st.lists(_whole(get_args(wire.hint)[0]), max_size=wire.most),
    Unit.DAYS: lambda wire: st.dictionaries(st.sampled_from([*wire.numbers]), changes(get_args(wire.hint)[1])),
}


def changes(kind: type[Record]) -> st.SearchStrategy[dict[str, Any]]:
    """Valid ``data`` of a patch to a record of ``kind``, as a client would send it; the key is always there."""
    wires = {wire.name: wire for wire in kind.wires.values()}
    values = {name: st.just("ro") if wire.read_only else _VALUES[wire.unit](wire) for name, wire in wires.items()}
    needed = {name: value for name, value in values.items() if wires[name].key or wires[name].unit is Unit.ETAG}
    return st.fixed_dictionaries(needed, optional={n: value for n, value in values.items() if n not in needed})


def empty(kind: type[Record]) -> Record:
    """A record as a server would have it: every security of the server is there."""
    record = kind()
    if isinstance(record, ConGroup | ConManager):
        inner = get_args(kind.wires["securities"].hint)[1]
        record.securities = {name: inner() for name in SECURITIES}
    return record
