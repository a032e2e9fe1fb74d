"""Partial records: only the fields that were present.

The laws (held by property tests): applying a patch twice is applying it once; of two patches the later wins field by
field; a field that is absent never changes; a read-only field never changes. The same inside nested maps:
``securities: {"Forex": {"trade": true}}`` touches that one field of that one security.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar, cast, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from mt_remote.errors import InvalidData
from mt_remote.records.accept import partial_hint
from mt_remote.records.declare import Record, Unit

R = TypeVar("R", bound=Record)
Q = TypeVar("Q", bound=Record)


class Patch(Generic[R]):
    """Changes to one record of kind ``R``; its key, if the kind has one, is always among them. ``changes`` holds the
    validated values by field name, nested maps as plain dicts of the same sort; read-only fields were dropped."""

    __slots__ = ("changes", "kind")
    purpose = "patch"
    kind: type[R]
    changes: dict[str, object]

    def __init__(self, kind: type[R], changes: Mapping[str, object]) -> None:
        self.kind = kind
        fixed = kind.fixed_fields
        self.changes = (
            dict(changes)
            if fixed.isdisjoint(changes)
            else {name: value for name, value in changes.items() if name not in fixed}
        )

    @property
    def key(self) -> Any:
        """The key's value, ``None`` where the kind has no key or none was given."""
        name = self.kind.key_field()
        return self.changes.get(name) if name else None

    def __contains__(self, name: str) -> bool:
        return name in self.changes

    def get(self, name: str, default: object = None) -> Any:
        """One change, or ``default`` when the field was absent."""
        return self.changes.get(name, default)

    def applied_to(self, record: R) -> R:
        """A changed copy of ``record``, which stays as it is; what the patch does not touch the two share. Raises
        :class:`~mt_remote.errors.InvalidData` for a security that the server does not have or for more entries than the
        native array takes."""
        return _applied(record, self.changes, path="")

    def build(self) -> R:
        """A new record from defaults and these changes."""
        return self.applied_to(self.kind())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patch) and (self.kind, self.changes) == (other.kind, other.changes)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Names only: values may be secret."""
        return f"{type(self).__name__}[{self.kind.__name__}]({', '.join(self.changes)})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        (kind,) = get_args(source)
        inner = handler.generate_schema(partial_hint(kind, cls.purpose))
        make = cast("Callable[[Any], Any]", lambda changes: cls(kind, changes))
        return core_schema.no_info_after_validator_function(make, inner)

    @classmethod
    def of(cls, record: R, *names: str) -> Self:
        """A patch that sets the named fields (default: all) to what ``record`` has."""
        chosen = names or tuple(record.wires)
        full = record.to_dict()
        return cls(type(record), {name: full[name] for name in chosen})


class Draft(Patch[R]):
    """A new record: the fields that the server insists on are there, every other may be absent."""

    __slots__ = ()
    purpose = "draft"


def _applied(record: Q, changes: Mapping[str, object], path: str) -> Q:
    new = record.with_values(changes)
    for name in record.containers:
        if name in changes and not record.wires[name].read_only:
            setattr(new, name, _new_container(record, name, changes[name], path))
    return new


def _new_container(record: Record, name: str, value: object, path: str) -> object:
    """What a list or map becomes; never an object that patch and record would share."""
    wire = record.wires[name]
    if wire.unit is Unit.ROWS:  # a list is replaced whole, so its records are made anew
        (kind,) = get_args(wire.hint)
        return [_applied(kind(), changes, path) for changes in cast("list[dict[str, object]]", value)]
    if isinstance(value, list):
        return list(value)
    if wire.unit is Unit.DAYS:
        return _with_days(getattr(record, name), cast("dict[str, dict[str, object]]", value), path + name)
    if wire.unit is Unit.SECURITIES:
        return _with_securities(getattr(record, name), cast("dict[str, dict[str, object]]", value), path + name)
    if wire.unit is Unit.ENTRIES:
        kind = get_args(wire.hint)[1]
        table = _with_entries(getattr(record, name), cast("dict[str, Any]", value), kind, path + name)
        if len(table) > wire.most:
            raise InvalidData.of(path + wire.name, f"at most {wire.most} entries, would be {len(table)}")
        return table
    return value


def _with_days(
    table: Mapping[str, Record], changes: Mapping[str, Mapping[str, object]], path: str
) -> dict[str, Record]:
    return {
        day: _applied(kept, changes[day], f"{path}.{day}.") if day in changes else kept for day, kept in table.items()
    }


def _with_securities(
    table: Mapping[str, Record], changes: Mapping[str, Mapping[str, object]], path: str
) -> dict[str, Record]:
    merged = dict(table)
    for name, inner in changes.items():
        if name not in table:
            known = ", ".join(table) or "none"
            raise InvalidData.of(f"{path}.{name}", f"the server has no security of that name (it has {known})")
        merged[name] = _applied(table[name], inner, f"{path}.{name}.")
    return merged


def _with_entries(
    table: Mapping[str, Record], changes: Mapping[str, Mapping[str, object] | None], kind: type[Record], path: str
) -> dict[str, Record]:
    merged = dict(table)
    for name, inner in changes.items():
        if inner is None:
            merged.pop(name, None)
        else:
            merged[name] = _applied(table[name] if name in table else kind(), inner, f"{path}.{name}.")
    return merged
