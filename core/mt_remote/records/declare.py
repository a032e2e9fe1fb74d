"""How a record is declared: one line a field, everything else derived.

A field's line names its wire type, its native member in the Manager library's struct, that member's size in bytes and
the unit it is kept in. From the line come validation, partial update, read-only marks, JSON schema, the fields each
dialect sees, and the marshalling to and from native bytes::

    @record(native="TickInfo")
    class Tick(Record):
        symbol: str = text("symbol", 12)
        time: int = time32("ctm")

A record is a slotted dataclass whose attributes hold what the wire shows, in domain terms: lots, enums, Unix seconds,
dotted IPv4 text. Every field has a default, so a record can be built from what is known.

A field that Python has a keyword for ends in an underscore here and without it on the wire: ``from_`` is ``from``.
Whatever is keyed by field in Python (``wires``, a patch's changes, :meth:`Record.to_dict`) has the attribute's name;
what a client reads or sends, and the paths of refusals, have the wire's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar, cast, get_type_hints

from pydantic import GetCoreSchemaHandler, PlainSerializer
from pydantic_core import CoreSchema, core_schema

DIALECTS = ("0", "1.00", "2")
"""The dialects of the wire, oldest first."""

DEFAULT_CODE_PAGE = "cp1252"
"""Code page of native text unless the gateway's settings say otherwise."""

LAST_MINUTE, DAY_MINUTES = 23 * 60 + 59, 24 * 60
"""Minutes of a day: the last one, and what closes it."""

INT16, INT32, UINT32 = (-(2**15), 2**15 - 1), (-(2**31), 2**31 - 1), (0, 2**32 - 1)


class Unit(StrEnum):
    """What a native member holds and how it becomes the field's value."""

    TEXT = "text"  # zero-terminated text in the server's code page ↔ str
    FLAG = "flag"  # int, 0 or 1 ↔ bool
    INTEGER = "integer"  # int ↔ int
    UNSIGNED = "unsigned"  # unsigned int ↔ int
    NUMBER = "number"  # double ↔ float
    LOTS = "lots"  # int in 1/100 lot ↔ float lots
    CHOICE = "choice"  # int ↔ IntEnum, sent as its number
    NAMED = "named"  # int ↔ StrEnum, sent as its name
    BITMASK = "bitmask"  # int ↔ list of StrEnum
    DENIALS = "denials"  # int bit mask ↔ null when nothing is denied, else list of StrEnum
    TIME = "time"  # 32-bit Unix seconds ↔ int
    DEALING_TIME = "dealing_time"  # units of 1.6777216 s ↔ Unix seconds
    MINUTES = "minutes"  # int minutes ↔ "H:M"
    CLOCK = "clock"  # two shorts, hour and minute ↔ "H:M"
    IPV4 = "ipv4"  # unsigned int, first octet in the low byte ↔ dotted text
    IPV4_LIST = "ipv4_list"  # fixed array, 0 ends it ↔ list of dotted text
    LOCALES = "locales"  # array of LANGIDs and a count ↔ list of locale tags
    MASKS = "masks"  # comma-separated text ↔ list of str
    BYTES = "bytes"  # raw bytes ↔ base64, "" when all are zero
    NUMBERS = "numbers"  # fixed array of doubles ↔ tuple of float
    SECURITIES = "securities"  # fixed array, one element a security of the server ↔ dict by name
    SECURITY = "security"  # int, a security's place on the server ↔ its name; "" when the place has none
    ENTRIES = "entries"  # fixed array of keyed structs and a count ↔ dict by key
    DIVIDER = "divider"  # double divider ↔ percent, 100 / divider; DBL_MAX (the symbol's own) ↔ 0
    STRUCT = "struct"  # nested struct ↔ record
    ROWS = "rows"  # fixed array of structs ↔ list of records, without those that are as a new one
    DAYS = "days"  # array of seven structs, 0 is Sunday ↔ dict by the day's name
    POSITION = "position"  # beside the struct: the row's place in its table ↔ int
    ETAG = "etag"  # beside the struct: tells whether a row is still the one that was read ↔ str


@dataclasses.dataclass(frozen=True, slots=True)
class Wire:
    """All that one field's line says. ``member`` is empty where the native struct has none for it.

    ``size`` is the native member's size in bytes, arrays whole; for text it includes the terminating zero, so the
    longest text has ``size - 1`` bytes. ``total`` names the native member that counts an array's used elements,
    ``minute`` the one beside an hour. ``numbers`` maps a NAMED or BITMASK field's names to native values, a DAYS
    field's to places. ``low`` and ``high`` are in the field's own unit, of MINUTES in minutes. ``attribute`` is the
    field's name in Python, ``name`` the one on the wire.
    """

    member: str
    unit: Unit
    size: int
    key: bool = False
    required: bool = False
    read_only: bool = False
    write_only: bool = False
    secret: bool = False
    dialects: tuple[str, ...] = DIALECTS
    older: Mapping[Any, Any] = dataclasses.field(default_factory=dict)
    numbers: Mapping[Any, int] = dataclasses.field(default_factory=dict)
    total: str = ""
    minute: str = ""
    most: int = 0
    low: float | None = None
    high: float | None = None
    doc: str = ""
    attribute: str = ""
    name: str = ""
    hint: object = None

    @property
    def longest(self) -> int:
        """Bytes of the longest text that fits."""
        return self.size - 1

    @property
    def companion(self) -> str:
        """The second native member that the field takes up, ``""`` when it is alone."""
        return self.total or self.minute


_I = TypeVar("_I", bound=IntEnum)
_S = TypeVar("_S", bound=StrEnum)
_D = TypeVar("_D", bound=StrEnum)
_T = TypeVar("_T")
_R = TypeVar("_R", bound="Record")


def _line(wire: Wire, default: object) -> Any:
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=type(default), metadata={"wire": wire})
    return dataclasses.field(default=default, metadata={"wire": wire})


def text(
    member: str,
    size: int,
    *,
    default: str = "",
    key: bool = False,
    required: bool = False,
    read_only: bool = False,
    write_only: bool = False,
    secret: bool = False,
    doc: str = "",
) -> str:
    """Text in a native field of ``size`` bytes, the zero included. ``secret`` text never shows in logs or ``repr``."""
    wire = Wire(
        member,
        Unit.TEXT,
        size,
        key=key,
        required=required,
        read_only=read_only,
        write_only=write_only,
        secret=secret or write_only,
        doc=doc,
    )
    return cast(str, _line(wire, default))


def flag(member: str, *, default: bool = False, doc: str = "") -> bool:
    """A native int that is 0 or 1."""
    return cast(bool, _line(Wire(member, Unit.FLAG, 4, doc=doc), default))


def integer(
    member: str,
    size: int = 4,
    *,
    default: int = 0,
    low: int | None = None,
    high: int | None = None,
    key: bool = False,
    required: bool = False,
    read_only: bool = False,
    doc: str = "",
) -> int:
    """A signed native integer of ``size`` bytes."""
    limits = INT16 if size == 2 else INT32
    wire = Wire(
        member,
        Unit.INTEGER,
        size,
        key=key,
        required=required,
        read_only=read_only,
        doc=doc,
        low=limits[0] if low is None else low,
        high=limits[1] if high is None else high,
    )
    return cast(int, _line(wire, default))


def unsigned(member: str, *, default: int = 0, doc: str = "") -> int:
    """An unsigned native 32-bit integer."""
    wire = Wire(member, Unit.UNSIGNED, 4, low=UINT32[0], high=UINT32[1], doc=doc)
    return cast(int, _line(wire, default))


def number(member: str, *, default: float = 0.0, read_only: bool = False, doc: str = "") -> float:
    """A native double: money, a price, a rate."""
    return cast(float, _line(Wire(member, Unit.NUMBER, 8, read_only=read_only, doc=doc), default))


def lots(member: str, *, default: float = 0.0, doc: str = "") -> float:
    """Lots, natively an int in 1/100 lot."""
    wire = Wire(member, Unit.LOTS, 4, low=0, high=INT32[1] / 100, doc=doc)
    return cast(float, _line(wire, default))


def choice(member: str, kind: type[_I], *, size: int = 4, doc: str = "") -> _I:
    """An enum that is sent as its integer."""
    first = min(kind, key=int)
    return cast(_I, _line(Wire(member, Unit.CHOICE, size, doc=doc), first))


def named(
    member: str,
    default: _S,
    numbers: Mapping[_S, int],
    *,
    size: int = 4,
    dialects: tuple[str, ...] = DIALECTS,
    older: Mapping[_S, _S] | None = None,
    doc: str = "",
) -> _S:
    """An enum that is sent as its name. ``older`` says what dialects ``0`` and ``1.00`` see instead."""
    wire = Wire(member, Unit.NAMED, size, dialects=dialects, numbers=numbers, older=older or {}, doc=doc)
    return cast(_S, _line(wire, default))


def bitmask(member: str, numbers: Mapping[_S, int], *, doc: str = "") -> list[_S]:
    """A native bit mask, sent as the list of the names that are set, in the bits' order."""
    return cast(list[_S], _line(Wire(member, Unit.BITMASK, 4, numbers=numbers, doc=doc), []))


def denials(member: str, numbers: Mapping[_S, int], *, doc: str = "") -> list[_S] | None:
    """A native bit mask of denied rights: null when none is, else the names. One text alone is accepted as input."""
    return cast("list[_S] | None", _line(Wire(member, Unit.DENIALS, 4, numbers=numbers, doc=doc), None))


def time32(member: str, *, read_only: bool = False, unit: Unit = Unit.TIME, doc: str = "") -> int:
    """A moment in Unix seconds, 0 for none."""
    wire = Wire(member, unit, 4, read_only=read_only, low=0, high=INT32[1], doc=doc)
    return cast(int, _line(wire, 0))


def minutes(member: str, *, high: int = LAST_MINUTE, doc: str = "") -> str:
    """A time of day as ``"H:M"`` without padding; natively minutes since midnight, at most ``high``."""
    return cast(str, _line(Wire(member, Unit.MINUTES, 4, low=0, high=high, doc=doc), "0:0"))


def clock(hour: str, minute: str, *, doc: str = "") -> str:
    """A time of day as ``"H:M"`` without padding, ``"24:0"`` included; natively an hour and a minute, a short each."""
    return cast(str, _line(Wire(hour, Unit.CLOCK, 2, minute=minute, low=0, high=DAY_MINUTES, doc=doc), "0:0"))


def ipv4(member: str, *, read_only: bool = False, doc: str = "") -> str:
    """An IPv4 address in dotted text."""
    return cast(str, _line(Wire(member, Unit.IPV4, 4, read_only=read_only, doc=doc), "0.0.0.0"))


def ipv4_list(member: str, most: int, *, doc: str = "") -> list[str]:
    """At most ``most`` IPv4 addresses."""
    return cast(list[str], _line(Wire(member, Unit.IPV4_LIST, 4 * most, most=most, doc=doc), []))


def locales(member: str, most: int, *, size: int, total: str, doc: str = "") -> list[str]:
    """At most ``most`` locale tags such as ``ru-RU``; natively LANGIDs and their count."""
    return cast(list[str], _line(Wire(member, Unit.LOCALES, size, most=most, total=total, doc=doc), []))


def masks(member: str, size: int, *, doc: str = "") -> list[str]:
    """Group masks; natively one comma-separated text of ``size`` bytes, the zero included."""
    return cast(list[str], _line(Wire(member, Unit.MASKS, size, doc=doc), []))


def raw(member: str, size: int, *, doc: str = "") -> str:
    """``size`` raw bytes in base64, ``""`` when all are zero."""
    return cast(str, _line(Wire(member, Unit.BYTES, size, doc=doc), ""))


def pair(member: str, *, doc: str = "") -> tuple[float, float]:
    """Two native doubles."""
    return cast("tuple[float, float]", _line(Wire(member, Unit.NUMBERS, 16, doc=doc), (0.0, 0.0)))


def divider(member: str, *, default: float = 0.0, doc: str = "") -> float:
    """A percentage kept natively as the divider 100 / percent; 0 is DBL_MAX there."""
    return cast(float, _line(Wire(member, Unit.DIVIDER, 8, low=0, doc=doc), default))


def security(member: str, *, doc: str = "") -> str:
    """One of the server's securities by its name; natively its place in their list."""
    return cast(str, _line(Wire(member, Unit.SECURITY, 4, doc=doc), ""))


def securities(member: str, kind: type[_R], *, most: int = 32, size: int, doc: str = "") -> dict[str, _R]:
    """One entry a security of the server, by the security's name; natively an array in the securities' order."""
    wire = Wire(member, Unit.SECURITIES, size, most=most, doc=doc)
    return cast("dict[str, _R]", _line(wire, {}))


def entries(member: str, kind: type[_R], *, most: int, size: int, total: str, doc: str = "") -> dict[str, _R]:
    """Entries by their key; natively an array of which ``total`` counts the used part. ``null`` removes an entry."""
    wire = Wire(member, Unit.ENTRIES, size, most=most, total=total, doc=doc)
    return cast("dict[str, _R]", _line(wire, {}))


def struct(member: str, kind: type[_R], *, size: int, doc: str = "") -> _R:
    """A nested record."""
    wire = Wire(member, Unit.STRUCT, size, doc=doc)
    return dataclasses.field(default_factory=kind, metadata={"wire": wire})


def rows(member: str, kind: type[_R], *, most: int, size: int, doc: str = "") -> list[_R]:
    """At most ``most`` records; natively as many structs, of which those like a new record are unused."""
    return cast("list[_R]", _line(Wire(member, Unit.ROWS, size, most=most, doc=doc), []))


def days(member: str, kind: type[_R], numbers: Mapping[_D, int], *, size: int, doc: str = "") -> dict[_D, _R]:
    """One record a weekday, all seven of them; natively an array whose places ``numbers`` gives."""
    wire = Wire(member, Unit.DAYS, size, numbers=numbers, most=len(numbers), doc=doc)
    return dataclasses.field(default_factory=lambda: {day: kind() for day in numbers}, metadata={"wire": wire})


def position() -> int:
    """A row's place in a table whose rows have no name."""
    wire = Wire("", Unit.POSITION, 0, key=True, low=0, high=INT32[1], doc="place in the table, from 0")
    return cast(int, _line(wire, 0))


def etag() -> str:
    """What tells whether a row of such a table is still the one that was read. A change has to state it."""
    wire = Wire("", Unit.ETAG, 65, doc="of the row as it was read; `conflict` when another is there")
    return cast(str, _line(wire, ""))


_building_for: ContextVar[str] = ContextVar("dialect", default="2")


class Record:
    """Base of all records. Subclasses are declared with :func:`record`."""

    __slots__ = ()
    native: ClassVar[str]
    wires: ClassVar[Mapping[str, Wire]]
    containers: ClassVar[tuple[str, ...]]
    fixed_fields: ClassVar[frozenset[str]]

    if TYPE_CHECKING:  # a type checker can't see that each line carries a default: to it every field is optional

        def __init__(self, **fields: object) -> None: ...

    @classmethod
    def key_field(cls) -> str | None:
        """Name of the field that identifies a record of this kind, if one does."""
        return next((name for name, wire in cls.wires.items() if wire.key), None)

    def copy(self) -> Self:
        """A copy that shares nothing mutable with this record."""
        new = self.shallow_copy()
        for name in self.containers:
            setattr(new, name, _copied(getattr(self, name)))
        return new

    def shallow_copy(self) -> Self:
        """A copy whose lists, maps and nested records are this record's own: for who replaces them, never changes
        them."""
        return self.with_values({})

    def with_values(self, values: Mapping[str, object]) -> Self:
        """A shallow copy with other values of the fields named; read-only fields stay as they are."""
        raise NotImplementedError  # `record` makes it for each kind

    def __repr__(self) -> str:
        shown = (f"{name}={'…' if wire.secret else repr(getattr(self, name))}" for name, wire in self.wires.items())
        return f"{type(self).__name__}({', '.join(shown)})"

    def to_dict(self) -> dict[str, object]:
        """The fields by name, nested records as dicts too."""
        return dataclasses.asdict(cast(Any, self))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        dialect = _building_for.get()
        names = field_names(cls, dialect)
        fields = [
            core_schema.dataclass_field(
                name,
                handler.generate_schema(_output_hint(cls.wires[name], dialect)),
                kw_only=True,
                validation_alias=_alias(cls.wires[name]),
                serialization_alias=_alias(cls.wires[name]),
            )
            for name in names
        ]
        arguments = core_schema.dataclass_args_schema(cls.__name__, fields + _unseen(cls, names))
        return core_schema.dataclass_schema(
            cls,
            arguments,
            names,
            slots=True,
            ref=f"{cls.__module__}.{cls.__qualname__}:{dialect}",
            config={"serialize_by_alias": True},
        )


_CONTAINERS = (
    Unit.BITMASK, Unit.DENIALS, Unit.IPV4_LIST, Unit.LOCALES, Unit.MASKS, Unit.SECURITIES, Unit.ENTRIES, Unit.STRUCT,
    Unit.ROWS, Unit.DAYS,
)  # fmt: skip
"""Units whose values are lists, maps or records."""


def _copied(value: object) -> object:
    if isinstance(value, Record):
        return value.copy()
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _copier(wires: Mapping[str, Wire], *, frozen: bool) -> Callable[[_R, Mapping[str, object]], _R]:
    """A record kind's ``with_values``, field by field in one piece of code as dataclasses' own methods are: a loop over
    the names takes many times as long, and every partial update makes such copies."""
    lines = ["def with_values(self, values):", " new = new_object(type(self))"]
    for name, wire in wires.items():
        value = f"self.{name}" if wire.read_only else f"values[{name!r}] if {name!r} in values else self.{name}"
        lines.append(f" set_field(new, {name!r}, {value})" if frozen else f" new.{name} = {value}")
    made: dict[str, Any] = {"new_object": object.__new__, "set_field": object.__setattr__}
    exec("\n".join([*lines, " return new"]), made)
    return cast("Callable[[_R, Mapping[str, object]], _R]", made["with_values"])


def record(*, native: str, frozen: bool = False) -> Callable[[type[_T]], type[_T]]:
    """Makes a class a record. ``native`` names the Manager library's struct that it mirrors. A ``frozen`` kind's
    records never change, so that everybody may be given the same one."""

    def make(cls: type[_T]) -> type[_T]:
        made = dataclasses.dataclass(slots=True, kw_only=True, repr=False, frozen=frozen)(cls)
        hints = get_type_hints(made)
        wires = {
            field.name: dataclasses.replace(
                field.metadata["wire"],
                attribute=field.name,
                name=field.name.removesuffix("_"),
                hint=hints[field.name],
            )
            for field in dataclasses.fields(cast(Any, made))
        }
        made.native = native  # type: ignore[attr-defined]
        made.wires = wires  # type: ignore[attr-defined]
        made.with_values = _copier(wires, frozen=frozen)  # type: ignore[attr-defined]
        made.fixed_fields = frozenset(name for name, wire in wires.items() if wire.read_only)  # type: ignore[attr-defined]
        made.containers = tuple(name for name, wire in wires.items() if wire.unit in _CONTAINERS)  # type: ignore[attr-defined]
        return made

    return make


def _alias(wire: Wire) -> str | None:
    return wire.name if wire.name != wire.attribute else None


def _unseen(kind: type[Record], seen: Sequence[str]) -> list[core_schema.DataclassField]:
    """Fields that the dialect does not show: a record that is read has them too, with their defaults, whatever stands
    in the message. Without them its slots would be empty, and whoever asks would get an ``AttributeError``."""
    declared: Any = kind
    return [
        core_schema.dataclass_field(
            field.name,
            core_schema.with_default_schema(core_schema.any_schema(), **_default_of(field)),
            init=False,
            serialization_exclude=True,
        )
        for field in dataclasses.fields(declared)
        if field.name not in seen
    ]


def _default_of(field: dataclasses.Field[Any]) -> dict[str, Any]:
    if field.default_factory is not dataclasses.MISSING:
        return {"default_factory": field.default_factory}
    return {"default": field.default}


def _output_hint(wire: Wire, dialect: str) -> object:
    if wire.older and dialect != "2":
        shown = _Shown({each: str(wire.older.get(each, each)) for each in cast("type[StrEnum]", wire.hint)})
        return Annotated[wire.hint, PlainSerializer(shown.__getitem__, return_type=str)]
    if wire.unit in _SENT_AS:
        return Annotated[wire.hint, _SentAs(_SENT_AS[wire.unit])]
    return wire.hint


class _Shown(dict[str, str]):
    """What older dialects see of an enum's members; any other text as it is. No call into Python for a member."""

    def __missing__(self, value: str) -> str:
        return value


_SENT_AS: dict[Unit, Literal["str", "int"]] = {Unit.NAMED: "str", Unit.CHOICE: "int"}


@dataclasses.dataclass(frozen=True, slots=True)
class _SentAs:
    """A StrEnum's member is a text and an IntEnum's a number: sent as that, in a third of the time that pydantic takes
    to ask the member for its value."""

    kind: Literal["str", "int"]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        return cast(CoreSchema, {**schema, "serialization": core_schema.simple_ser_schema(self.kind)})


@contextmanager
def building_for(dialect: str) -> Iterator[None]:
    """Context in which pydantic builds schemas whose records show a dialect's fields and nothing else."""
    token = _building_for.set(dialect)
    try:
        yield
    finally:
        _building_for.reset(token)


def field_names(kind: type[Record], dialect: str) -> list[str]:
    """The fields that a dialect's records show, in order."""
    return [n for n, wire in kind.wires.items() if dialect in wire.dialects and not wire.write_only]
