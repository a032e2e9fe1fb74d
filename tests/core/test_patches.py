"""The laws of partial update, on every record that can be updated, beside a model on plain dicts."""

from __future__ import annotations

from typing import Any, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mt_remote.errors import InvalidData
from mt_remote.records import (
    ConCommon,
    ConGroup,
    ConHoliday,
    ConManager,
    ConSession,
    ConSymbol,
    Draft,
    Patch,
    Record,
    Unit,
    UserRecord,
    Weekday,
)
from tests.core.strategies import SECURITIES, changes, empty

KINDS: list[type[Record]] = [ConCommon, ConGroup, ConManager, ConSymbol, ConHoliday, UserRecord]


def _adapters(purpose: Any) -> dict[str, TypeAdapter[Any]]:
    return {kind.__name__: TypeAdapter(purpose[kind]) for kind in KINDS}


PATCHES, DRAFTS = _adapters(Patch), _adapters(Draft)
JSON: TypeAdapter[Any] = TypeAdapter(Any)


def patch(kind: type[Record], data: dict[str, Any]) -> Patch[Any]:
    return cast("Patch[Any]", PATCHES[kind.__name__].validate_json(JSON.dump_json(data)))


def plain(record: Record) -> dict[str, Any]:
    return cast("dict[str, Any]", record.to_dict())


def modelled(kind: type[Record], record: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What a patch comes to: the law, on plain dicts of normalised values."""
    result = dict(record)
    for name, value in new.items():
        wire = kind.wires[name]
        if wire.read_only:
            continue
        if wire.unit not in (Unit.SECURITIES, Unit.ENTRIES, Unit.DAYS):
            result[name] = value
            continue
        inner = get_args(wire.hint)[1]
        table = result[name] = dict(record[name])
        for key, fields in value.items():
            if fields is None:
                table.pop(key, None)
            else:
                table[key] = modelled(inner, table.get(key) or plain(inner()), fields)
    return result


each_kind = st.sampled_from(KINDS)
two_patches = each_kind.flatmap(lambda kind: st.tuples(st.just(kind), changes(kind), changes(kind)))


@settings(max_examples=80, deadline=None)
@given(two_patches)
def test_patches_obey_their_laws(drawn: tuple[type[Record], dict[str, Any], dict[str, Any]]) -> None:
    kind, one, other = drawn
    record = empty(kind)
    before = plain(record)
    first, second = patch(kind, one), patch(kind, other)
    after = first.applied_to(record)
    assert plain(record) == before, "the record itself is not touched"
    assert plain(after) == modelled(kind, before, first.changes)
    assert plain(first.applied_to(after)) == plain(after), "twice is once"
    both = second.applied_to(after)
    assert plain(both) == modelled(kind, plain(after), second.changes), "the later wins, field by field"
    for name, wire in kind.wires.items():
        if wire.read_only:
            assert name not in first
            assert getattr(both, name) == before[name], "read-only never changes"
        elif wire.name not in one and wire.name not in other:
            assert plain(both)[name] == before[name], "absent never changes"


@settings(max_examples=50, deadline=None)
@given(two_patches)
def test_a_changed_copy_shares_nothing(drawn: tuple[type[Record], dict[str, Any], dict[str, Any]]) -> None:
    kind, one, other = drawn
    change = patch(kind, one)
    after = change.applied_to(empty(kind))
    snapshot = plain(after)
    again = change.applied_to(empty(kind))
    patch(kind, other).applied_to(after)
    for value in (getattr(again, name) for name in kind.wires):
        if isinstance(value, list | dict):
            value.clear()
    assert plain(after) == snapshot
    assert plain(change.applied_to(empty(kind))) == snapshot


@settings(max_examples=50, deadline=None)
@given(each_kind.flatmap(lambda kind: st.tuples(st.just(kind), changes(kind))))
def test_what_a_client_got_it_can_send_back(drawn: tuple[type[Record], dict[str, Any]]) -> None:
    kind, data = drawn
    record = patch(kind, data).applied_to(empty(kind))
    output = TypeAdapter(kind).dump_json(record)
    back = PATCHES[kind.__name__].validate_json(output)
    assert plain(back.applied_to(record)) == plain(record)


def test_an_unknown_security_changes_nothing_and_is_named() -> None:
    record = cast(ConGroup, empty(ConGroup))
    change = patch(ConGroup, {"group": "g", "copies": 3, "securities": {"Forex": {"trade": True}, "Fx": {}}})
    with pytest.raises(InvalidData) as caught:
        change.applied_to(record)
    assert caught.value.details[0].path == "securities.Fx"
    assert all(name in caught.value.message for name in SECURITIES)
    assert record.copies == 0
    assert not record.securities["Forex"].trade


def test_entries_are_added_changed_and_removed_up_to_the_native_arrays_size() -> None:
    record = ConGroup(group="g")
    full = {f"S{number}": {"margin_pct": 50} for number in range(128)}
    record = patch(ConGroup, {"group": "g", "symbols": full}).applied_to(record)
    assert record.symbols["S1"].swap_long == 1.7976931348623157e308
    with pytest.raises(InvalidData, match="symbols: at most 128 entries, would be 129"):
        patch(ConGroup, {"group": "g", "symbols": {"one more": {}}}).applied_to(record)
    swapped = patch(ConGroup, {"group": "g", "symbols": {"S1": None, "one more": {}}}).applied_to(record)
    assert len(swapped.symbols) == 128
    assert "S1" not in swapped.symbols


def test_a_days_windows_are_written_whole_and_other_days_stay() -> None:
    week = {"monday": {"quotes": [{"from": "0:0", "to": "24:0"}], "trades": [{"from": "1:0", "to": "23:0"}]}}
    symbol = patch(ConSymbol, {"symbol": "EURUSD", "sessions": week}).build()
    assert symbol.sessions[Weekday.MONDAY].trades == [ConSession(from_="1:0", to="23:0")]
    closed = patch(ConSymbol, {"symbol": "EURUSD", "sessions": {"monday": {"trades": []}}}).applied_to(symbol)
    assert closed.sessions[Weekday.MONDAY].trades == []
    assert closed.sessions[Weekday.MONDAY].quotes == [ConSession(to="24:0")]
    assert list(closed.sessions) == list(Weekday)
    assert symbol.sessions[Weekday.MONDAY].trades


def test_patches_say_names_and_never_values() -> None:
    change = patch(UserRecord, {"login": 1, "password": "hunter2", "name": "Ann"})
    assert repr(change) == "Patch[UserRecord](login, name, password)"
    assert change.key == 1
    assert "password" in change
    assert change.get("city") is None
    assert patch(ConCommon, {"owner": "me"}).key is None
    assert patch(ConCommon, {"owner": "me"}).changes == {}


def test_a_patch_of_a_record_makes_another_alike() -> None:
    group = ConGroup(group="a", copies=3, smtp_password="x")
    assert plain(Patch.of(group).build()) == plain(group)
    assert Patch.of(group, "copies").changes == {"copies": 3}
    assert Patch.of(group, "copies") == Patch.of(ConGroup(copies=3), "copies")
    assert Patch.of(group, "copies") != Patch.of(group, "copies", "group")
    assert Draft.of(group).key == "a"


@pytest.mark.parametrize(
    ("kind", "data", "missing"),
    [
        (ConGroup, {}, ["group"]),
        (UserRecord, {}, ["group", "name", "password"]),
        (ConHoliday, {}, ["day", "month"]),
        (ConSymbol, {}, ["symbol"]),
        (UserRecord, {"login": 0, "group": "g", "name": "n", "password": ""}, []),
    ],
)
def test_a_draft_needs_what_the_server_insists_on(kind: type[Record], data: dict[str, Any], missing: list[str]) -> None:
    if missing:
        with pytest.raises(ValidationError) as caught:
            DRAFTS[kind.__name__].validate_python(data)
        assert sorted(str(error["loc"][0]) for error in caught.value.errors()) == missing
    else:
        assert isinstance(DRAFTS[kind.__name__].validate_python(data), Draft)
