"""Round trips between records and native structs, for every record kind."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mt4abi import table
from mt4abi.marshal import Marshal
from mt_remote.errors import InvalidData
from mt_remote.records import RECORDS, Record, Unit
from tests.mt4abi.strategies import PAGE, SECURITIES, carried, natives, records

MARSHAL = Marshal(PAGE, SECURITIES)
KINDS = pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@KINDS
@QUICK
@given(data=st.data())
def test_a_record_survives_the_way_through_native_bytes(kind: type[Record], data: st.DataObject) -> None:
    record = data.draw(records(kind))
    codec = MARSHAL.codec(kind)
    assert codec.decode(codec.encode(record)) == _as_the_clock_shows(record)


@KINDS
@QUICK
@given(data=st.data())
def test_native_bytes_keep_everything_that_has_a_meaning(kind: type[Record], data: st.DataObject) -> None:
    """What comes back is equal in every member that the record carries, texts up to their zero."""
    native = data.draw(natives(kind))
    codec = MARSHAL.codec(kind)
    again = codec.encode(codec.decode(native))
    for wire in kind.wires.values():
        if wire.unit in (
            Unit.SECURITIES, Unit.ENTRIES, Unit.STRUCT, Unit.ROWS, Unit.DAYS, Unit.LOCALES, Unit.DEALING_TIME,
        ):  # fmt: skip
            continue  # covered by the inner kinds, and by the record's equality below
        if wire.write_only or not wire.member:
            continue
        member = table().layouts[kind.native].members[wire.member]
        span = slice(member.offset, member.offset + member.size)
        before, after = native[span], again[span]
        if wire.unit in (Unit.TEXT, Unit.MASKS):
            before, after = before[: before.index(0)], after[: after.index(0)]
        assert before == after, wire.name
    assert codec.decode(again) == _as_the_clock_shows(codec.decode(native))


@KINDS
@QUICK
@given(data=st.data())
def test_an_update_touches_nothing_but_what_changed(kind: type[Record], data: st.DataObject) -> None:
    native = data.draw(natives(kind))
    codec = MARSHAL.codec(kind)
    old = codec.decode(native)
    assert codec.updated(native, old, old.copy()) == native
    other = data.draw(records(kind))
    name = data.draw(st.sampled_from(carried(kind)))
    new = dataclasses.replace(cast(Any, old), **{name: getattr(other, name)})
    changed = codec.updated(native, old, new)
    assert codec.decode(changed) == (_as_the_clock_shows(new) if name == "time" else new)
    wire = kind.wires[name]
    members = table().layouts[kind.native].members
    touched = {at for m in (wire.member, wire.companion) if m for at in _bytes_of(members[m])}
    assert all(at in touched for at, (a, b) in enumerate(zip(native, changed, strict=True)) if a != b)


TEXTS = [(kind, name, wire.size) for kind in RECORDS for name, wire in kind.wires.items() if wire.unit is Unit.TEXT]


@pytest.mark.parametrize(("kind", "name", "size"), TEXTS, ids=lambda each: getattr(each, "__name__", str(each)))
def test_no_text_is_cut(kind: type[Record], name: str, size: int) -> None:
    """One byte less than the member has is the most; a character of another code page has no place at all."""
    codec = MARSHAL.codec(kind)
    record = kind(**{name: "x" * (size - 1)})
    member = table().layouts[kind.native].members[kind.wires[name].member]
    assert codec.encode(record)[member.offset :].startswith(b"x" * (size - 1) + b"\0")
    for refused in ("x" * size, "é", "a\0", "я" * (size - 1) + "✓"):
        record = kind(**{name: refused})
        with pytest.raises(InvalidData, match=f"^{name}: "):
            codec.encode(record)


def _bytes_of(member: Any) -> range:
    return range(member.offset, member.offset + member.size)


def _as_the_clock_shows(record: Any) -> Any:
    """The dealing clock rounds down to its own unit; what it shows of a record's time."""
    shown = record.copy()
    for name, wire in record.wires.items():
        if wire.unit is Unit.DEALING_TIME:
            units = getattr(record, name) * 10_000_000 >> 24
            setattr(shown, name, (units << 24) // 10_000_000)
    return shown
