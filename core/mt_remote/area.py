"""What a server can be asked, a row a function: areas.

An :class:`Area` is a class whose methods, marked with :func:`call`, are functions of the protocol. Each is declared
once, by the plugin to which its namespace belongs::

    class Orders(Area, namespace="order"):
        \"\"\"Orders, carried out with the manager's authority.\"\"\"

        @call(kind=Kind.TRADE, rights=("trades",), errors=("not_found",), example={"order": 1, "order_by": 2})
        async def close_by(self, order: Ticket, order_by: Ticket) -> None:
            \"\"\"Closes two opposite positions of one login and symbol against each other.\"\"\"

From the row derive the function on the wire, its validation, schema and reference page, the check of rights before it
runs, the forwarding to another process and the name that faults use. A backend has a subclass with a method for each
function that does the work, and nothing else repeats the parameters. What a backend leaves out answers ``not_offered``:
a declaration's body is never run, so it has none but the docstring.

Whoever has a connection asks it for an area, ``await mt[Orders].close_by(1, 2)``; a function of a plugin may have an
area as a parameter instead. Tables of the configuration, which all have the same verbs, are areas too: see
:mod:`mt_remote.table`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, TypeVar, cast

from mt_remote.errors import NotOffered

Handler = Callable[..., Any]
M = TypeVar("M", bound=Callable[..., Awaitable[object]])

_ROW = "__mt_remote_row__"


class Kind(StrEnum):
    """What a function does to the server: it decides order and deadline.

    Reads may overtake; what changes state is carried out in the order received; ``SESSION`` functions change the
    session itself, and everything sent after one waits for it.
    """

    READ = "read"
    HISTORY = "history"
    CHANGE = "change"
    TRADE = "trade"
    SESSION = "session"

    @property
    def changes_state(self) -> bool:
        return self in (Kind.CHANGE, Kind.TRADE, Kind.SESSION)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a list that is no plain field of its elements.

    ``hint`` is the type of the value that a client sends under ``name``; ``test`` makes of session and value
    a test of one element, and may be ``async`` where it has to ask the server first. ``help`` is for the
    reference page.
    """

    name: str
    hint: object
    test: Callable[[Any, Any], Callable[[Any], object] | Awaitable[Callable[[Any], object]]]
    help: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Paging and filters of a function that answers a list: clients of dialect 2 may send ``limit``, ``after`` and the
    filters beside the function's own fields.

    ``key`` names the field that identifies an element, an integer or a text (``""``: the element itself is the key).
    ``filters`` names fields (integers and enums: one value or a list of values; texts: masks with ``*``; flags), or
    has :class:`Filter` objects. ``ordered`` promises that the handler answers in rising order of the key, so that
    nothing has to be sorted. ``along`` names the parameter, a list of keys, that gives the order instead.

    A handler may answer any :class:`~collections.abc.Sequence`, also one that makes its elements when a slice of it is
    read: a long answer is read and sent slice by slice.
    """

    key: str
    filters: tuple[str | Filter, ...] = ()
    ordered: bool = False
    along: str = ""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Declared:
    """A function as it is declared. Each is one of its own, whatever it has in common with another.

    ``handler`` is what it was declared with: a plugin's function, or the method of ``area``. ``rights`` are names of
    rights of which a manager needs one. ``check`` looks at arguments together that are valid each by itself.
    ``hints`` and ``names`` are those of a table's verb, which is written once for
    all tables: the types of its parameters (and under ``return`` of its result) and their names on the wire.
    """

    name: str
    handler: Handler
    kind: Kind
    example: Mapping[str, object] | None = None
    errors: tuple[str, ...] = ()
    listing: Listing | None = None
    rights: tuple[str, ...] = ()
    area: type[Area] | None = None
    help: str = ""
    check: Callable[..., None] | None = None
    hints: Mapping[str, object] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The area's method that carries it out, where there is an area."""
        return self.handler.__name__

    def offered_by(self, implementation: type[Area] | None) -> bool:
        """Whether a class of a backend has the method that carries it out."""
        if implementation is None:
            return False
        return getattr(implementation, self.method) is not getattr(self.area, self.method)


@dataclass(frozen=True, slots=True)
class Row:
    """What :func:`call` says of a method."""

    name: str
    kind: Kind
    rights: tuple[str, ...]
    errors: tuple[str, ...]
    example: Mapping[str, object] | None
    listing: Listing | None
    check: Callable[..., None] | None


def call(
    name: str = "",
    *,
    kind: Kind = Kind.READ,
    rights: tuple[str, ...] = (),
    errors: tuple[str, ...] = (),
    example: Mapping[str, object] | None = None,
    listing: Listing | None = None,
    check: Callable[..., None] | None = None,
) -> Callable[[M], M]:
    """Marks a method of an :class:`Area` as a function of the protocol: its parameters are the fields of the request's
    ``data``, its docstring is the function's help text.

    ``name`` is the full name on the wire; without one it is the area's namespace and the method's name. ``kind`` says
    what it does to the server; ``rights`` names the rights of which the manager needs one, none: every manager may;
    ``errors`` are codes that it answers beside the general ones; ``example`` is ``data`` for the reference page;
    ``listing`` offers paging and filters where it answers a list; ``check`` is called with the arguments, by name,
    before they are carried out, and raises :class:`~mt_remote.errors.InvalidData` where they don't fit together.
    """

    def mark(method: M) -> M:
        if not inspect.iscoroutinefunction(method):
            raise TypeError(f"{method.__qualname__} must be 'async def': whoever carries it out may have to wait")

        @functools.wraps(method)
        async def not_offered(area: Area, *_: object, **__: object) -> object:
            names = [row.name for row in area.declared.functions if row.method == method.__name__]
            raise NotOffered(names[0] if names else method.__qualname__)

        setattr(not_offered, _ROW, Row(name, kind, rights, errors, example, listing, check))
        return cast(M, not_offered)

    return mark


def row_of(method: object) -> Row | None:
    """What a method was marked with, ``None`` where it was not."""
    return getattr(method, _ROW, None)


class Area:
    """Base of all areas. A subclass that names its ``namespace`` declares one; a subclass of that is a backend's
    implementation, made with the connection (see :meth:`mt_remote.backend.Connection.make_area`)."""

    declared: ClassVar[type[Area]]
    """The area itself, also on its implementations."""
    namespace: ClassVar[str]
    functions: ClassVar[tuple[Declared, ...]] = ()
    """Its functions, a row each."""

    def __init_subclass__(cls, *, namespace: str | None = None, abstract: bool = False, **other: object) -> None:
        super().__init_subclass__(**other)
        if abstract or hasattr(cls, "declared"):
            return
        if namespace is None:
            raise TypeError(
                f"{cls.__name__}: an area names its namespace, e.g. class {cls.__name__}(Area, namespace='x')"
            )
        cls.declared, cls.namespace = cls, namespace
        cls.functions = tuple(cls._declared())

    @classmethod
    def _declared(cls) -> Iterable[Declared]:
        for name, method in vars(cls).items():
            row = row_of(method)
            if row is not None:
                own = row.name or ".".join(filter(None, (cls.namespace, name.strip("_"))))
                yield Declared(
                    own,
                    method,
                    row.kind,
                    row.example,
                    row.errors,
                    row.listing,
                    row.rights,
                    cls,
                    inspect.getdoc(method) or "",
                    row.check,
                )

    @classmethod
    def identity(cls) -> str:
        """What names the area between processes."""
        return f"{cls.declared.__module__}:{cls.declared.__qualname__}"


def every_area() -> list[type[Area]]:
    """The areas that plugins declared so far, implementations not."""
    found, waiting = [], [Area]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            if vars(kind).get("declared") is kind:
                found.append(kind)
            elif not hasattr(kind, "declared"):  # a base of areas, such as a table
                waiting.append(kind)
    return found


def implementing(classes: Iterable[type[Area]]) -> dict[type[Area], type[Area]]:
    """A backend's classes by the areas that they implement; of two for one area the later counts."""
    return {each.declared: each for each in classes}


__all__ = [
    "Area",
    "Declared",
    "Filter",
    "Handler",
    "Kind",
    "Listing",
    "Row",
    "call",
    "every_area",
    "implementing",
    "row_of",
]
