"""What every room of a simulated interface object uses: guards, and arrays that the caller frees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from mt4abi import table
from mt4sim.desk.managers import ManagerSession
from mt4sim.native.connection import Connection
from mt4sim.native.native_values import put_integer, text_at
from mt4sim.native.vtable import method_name
from mt4sim.server import Server
from mt_remote.errors import InvalidData, NotFound, ServerError
from mt_remote.records import Record

P = ParamSpec("P")
S = TypeVar("S", bound="Calls")
Function = Callable[..., int | None]


@cache
def slot_names() -> frozenset[str]:
    """The interface's functions, by the names that their methods have."""
    return frozenset(method_name(key) for key in table().methods)


class Calls:
    """A room of functions: a method that has a slot's name in snake case answers that slot, with numbers and addresses
    as they came. A room takes the connection and knows nothing of the object that it is part of."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.shared = connection.shared

    @classmethod
    def offered(cls) -> frozenset[str]:
        """The slots that this room answers, by their methods' names."""
        return frozenset(name for name in slot_names() if hasattr(cls, name))

    def functions(self) -> Iterator[tuple[str, Function]]:
        """The functions of those slots."""
        return ((name, getattr(self, name)) for name in self.offered())

    def ended(self) -> None:
        """The connection ends, under the server's lock."""

    @property
    def server(self) -> Server:
        """The server; touched under its lock alone."""
        return self.shared.server

    @property
    def manager(self) -> ManagerSession:
        """Who is logged in. Guards make sure that somebody is."""
        return self.connection.manager

    def text(self, address: int | None) -> str:
        """A text that the caller passed."""
        return self.shared.marshal.page.decode(text_at(address))

    def array(self, rows: Sequence[bytes], total: int | None) -> int | None:
        """An array for the caller, its count written; no array for none."""
        put_integer(total, len(rows))
        return self.shared.memory.hold(b"".join(rows)) if rows else None

    def records(self, read: Callable[[], Iterable[Record]], total: int | None) -> int | None:
        """An array of records; no array when the server refuses, as the library gives no reason then."""
        return self.rows(lambda: map(self.encoded, read()), total)

    def rows(self, read: Callable[[], Iterable[bytes]], total: int | None) -> int | None:
        """The same of structs."""
        try:
            with self.shared.lock:
                rows = list(read())
        except (ServerError, NotFound, InvalidData):
            rows = []
        return self.array(rows, total)

    def encoded(self, record: Record) -> bytes:
        """One record's struct."""
        return self.shared.marshal.codec(type(record)).encode(record)

    def encoded_text(self, value: str, size: int) -> bytes:
        """A text for a struct's field of ``size`` bytes."""
        return self.shared.marshal.page.encode(value, size, "text")

    def decoded_text(self, raw: bytes) -> str:
        """A struct's text."""
        return self.shared.marshal.page.decode(raw)


def request(function: Callable[Concatenate[S, P], int]) -> Callable[Concatenate[S, P], int]:
    """A request: needs a logged-in connection that does not pump; what the server raises becomes its code."""
    return _guarded(function, pumped=False)


def pumped(function: Callable[Concatenate[S, P], int]) -> Callable[Concatenate[S, P], int]:
    """A look into the pump's cache: only while pumping."""
    return _guarded(function, pumped=True)


def _guarded(function: Callable[Concatenate[S, P], int], *, pumped: bool) -> Callable[Concatenate[S, P], int]:
    @wraps(function)
    def guarded(self: S, /, *arguments: P.args, **more: P.kwargs) -> int:
        code = self.connection.state(pumped=pumped)
        answers: list[int] = []
        return code or self.shared.attempt(lambda: answers.append(function(self, *arguments, **more))) or answers[0]

    return guarded


def listing(*, pumped: bool = False) -> Callable[[Function], Function]:
    """A function that returns an array and writes its count last: no array, count 0, where it can't be called."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def guarded(self: Any, /, *arguments: Any) -> int | None:
            if self.connection.state(pumped=pumped):
                put_integer(arguments[-1], 0)
                return None
            return function(self, *arguments)

        return guarded

    return decorate
