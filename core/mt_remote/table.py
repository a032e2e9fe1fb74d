# mypy: disable-error-code="empty-body"
"""Tables of a server's configuration, a row a table.

What is regular in a configuration is said once: the same verbs, over a key or over positions. A table is an area
(:mod:`mt_remote.area`) whose functions are those verbs::

    class Symbols(KeyTable[ConSymbol, SymbolName], one="config.symbol", all="config.symbols", native="Symbol"):
        \"\"\"Symbols: what is traded, and on which terms.\"\"\"

    class Holidays(PositionTable[ConHoliday], one="config.holiday", all="config.holidays", native="Holiday"):
        \"\"\"Days and hours without trading.\"\"\"

gives ``config.symbol.get``, ``.add``, ``.set``, ``.del``, ``.move`` and ``config.symbols.get.all``, and the same for
holidays but for ``get``: a row of these has no name, only a place. Every backend implements a table by its row too:
over ``Cfg…Symbol`` of the library, in the simulator's store.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

from pydantic import Field
from typing_extensions import TypedDict

from mt_remote.area import Area, Declared, Handler, Kind, Listing, call, row_of
from mt_remote.records import Draft, Patch, Record

R = TypeVar("R", bound=Record)
K = TypeVar("K", int, str)

Position = Annotated[int, Field(ge=0, le=2**31 - 1, description="place in the table, from 0")]
Etag = Annotated[
    str, Field(min_length=1, max_length=64, description="of the row as it was read; `conflict` when another is there")
]


class Place(TypedDict):
    """Where a row of a table stands now, and what it is."""

    position: int
    etag: str


@dataclass(frozen=True, slots=True)
class Verb:
    """What a table's row says of one verb beside what all tables have in common."""

    help: str = ""
    example: Mapping[str, object] | None = None
    errors: tuple[str, ...] | None = None
    rights: tuple[str, ...] | None = None


class Table(Area, Generic[R], abstract=True):
    """Base of all tables; use :class:`KeyTable` or :class:`PositionTable`."""

    record: ClassVar[type[Record]]
    """The kind of its records."""
    native: ClassVar[str]
    """The table's name in the Manager library's functions: ``CfgRequest…``, ``CfgUpdate…``. Empty: it has none."""
    verbs: ClassVar[tuple[str, ...]]
    """Method names of the verbs that it offers."""

    def __init_subclass__(
        cls,
        *,
        one: str = "",
        all: str = "",  # noqa: A002  the plural's name on the wire
        native: str = "",
        rights: tuple[str, ...] = ("admin",),
        verbs: tuple[str, ...] = (),
        filters: tuple[str, ...] = (),
        say: Mapping[str, Verb] | None = None,
        abstract: bool = False,
        **other: Any,
    ) -> None:
        """``one`` and ``all`` are its namespaces, ``verbs`` those that it offers (none: all), ``filters`` the fields by
        which its list can be filtered, ``say`` what is to be said of a verb beside what is common."""
        if abstract or hasattr(cls, "declared"):
            super().__init_subclass__(abstract=abstract, **other)
            return
        cls.record, cls.native = _record_of(cls), native
        cls.verbs = verbs or tuple(name for base in cls.__mro__ for name, each in vars(base).items() if row_of(each))
        cls._row = _TableRow(one, all, rights, filters, say or {})
        super().__init_subclass__(namespace=one, **other)

    _row: ClassVar[_TableRow]

    @classmethod
    def _declared(cls) -> Iterable[Declared]:
        row, known = cls._row, dict(_typed(cls))
        for verb in cls.verbs:
            handler: Handler = getattr(cls, verb)
            common, own = row_of(handler), row.say.get(verb, Verb())
            if common is None:
                raise TypeError(f"{cls.__name__}: {verb!r} is no verb of a table")
            hints = {name: _filled(hint, known) for name, hint in get_type_hints(handler, include_extras=True).items()}
            takes_body = verb in ("add", "set")
            yield Declared(
                f"{row.all}.get.all" if verb == "get_all" else f"{row.one}.{common.name}",
                handler,
                common.kind,
                own.example,
                common.errors if own.errors is None else own.errors,
                Listing(cls.key_field(), filters=row.filters) if verb == "get_all" else None,
                row.rights if own.rights is None else own.rights,
                cls,
                own.help or inspect.getdoc(handler) or "",
                None,
                hints,
                {} if takes_body else {name: _field(cls, name) for name in hints if name != "return"},
            )

    @classmethod
    def key_field(cls) -> str:
        """The field that identifies a row."""
        return cls.record.key_field() or ""


@dataclass(frozen=True, slots=True)
class _TableRow:
    one: str
    all: str
    rights: tuple[str, ...]
    filters: tuple[str, ...]
    say: Mapping[str, Verb]


def _field(table: type[Table[Any]], parameter: str) -> str:
    return table.key_field() if parameter == "key" else parameter


class KeyTable(Table[R], Generic[R, K], abstract=True):
    """A table whose rows have a key of their own, the field that its record marks as one."""

    @call("get", errors=("not_found",))
    async def get(self, key: K) -> R:
        """One row."""

    @call("get.all")
    async def get_all(self) -> list[R]:
        """All rows, in the table's order."""

    @call("add", kind=Kind.CHANGE)
    async def add(self, new: Draft[R], /) -> None:
        """Adds a row at the end. A key that exists, also in other letters' case, is an error."""

    @call("set", kind=Kind.CHANGE, errors=("not_found",))
    async def set(self, changes: Patch[R], /) -> None:
        """Changes the fields that are present."""

    @call("del", kind=Kind.CHANGE, errors=("not_found",))
    async def delete(self, key: K) -> None:
        """Deletes a row."""

    @call("move", kind=Kind.CHANGE, errors=("not_found",))
    async def move(self, key: K, to: Position) -> None:
        """Moves a row to another place, 0 the first."""


class PositionTable(Table[R], Generic[R], abstract=True):
    """A table whose rows are known by their places alone. Between reading and writing another administrator may move
    them: so each row has an ``etag``, and what is to be changed must still be there, else the answer is ``conflict``.
    Its record has the fields ``position``, the key, and ``etag``."""

    @call("get.all")
    async def get_all(self) -> list[R]:
        """All rows, in the table's order."""

    @call("add", kind=Kind.CHANGE)
    async def add(self, new: Draft[R], /) -> Place:
        """Adds a row, at the end or at `position`."""

    @call("set", kind=Kind.CHANGE, errors=("not_found", "conflict"))
    async def set(self, changes: Patch[R], /) -> Place:
        """Changes the fields that are present of the row at `position`, if it still has that `etag`."""

    @call("del", kind=Kind.CHANGE, errors=("not_found", "conflict"))
    async def delete(self, position: Position, etag: Etag) -> None:
        """Deletes the row at a place, if it still has that `etag`."""

    @call("move", kind=Kind.CHANGE, errors=("not_found", "conflict"))
    async def move(self, position: Position, etag: Etag, to: Position) -> Place:
        """Moves the row at a place to another one, if it still has that `etag`."""


def _typed(table: type) -> Iterable[tuple[object, object]]:
    """What the variables of the base's declaration stand for in this table."""
    for base in getattr(table, "__orig_bases__", ()):
        origin = get_origin(base)
        if isinstance(origin, type) and issubclass(origin, Table):
            yield from zip(cast(Any, origin).__parameters__, get_args(base), strict=True)


def _filled(hint: Any, known: Mapping[object, object]) -> object:
    if hint in known:
        return known[hint]
    variables = getattr(hint, "__parameters__", ())
    return hint[tuple(known[each] for each in variables)] if variables else hint


def _record_of(table: type) -> type[Record]:
    for _, argument in _typed(table):
        if isinstance(argument, type) and issubclass(argument, Record):
            return argument
    raise TypeError(f"{table.__name__}: a table names its record, e.g. KeyTable[ConSymbol, SymbolName]")


__all__ = ["Etag", "KeyTable", "Place", "Position", "PositionTable", "Table", "Verb"]
