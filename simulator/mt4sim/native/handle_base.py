"""What every part of a simulated handle uses: its state, its guards, and arrays that the caller frees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from mt4sim.desk.managers import ManagerSession
from mt4sim.native.host import Host
from mt4sim.native.native_values import put_integer, text_at
from mt4sim.native.notifier import Notifier
from mt_remote.errors import InvalidData, NotFound, ReturnCode, ServerError
from mt_remote.records import Record

P = ParamSpec("P")
S = TypeVar("S", bound="HandleBase")

OK, ERROR = int(ReturnCode.OK), int(ReturnCode.ERROR)
NO_CONNECT = int(ReturnCode.NO_CONNECT)


def refused_while_pumping() -> int:
    """What a request answers on a connection that pumps. Assumed: clients saw 151 and 152, which the library's table
    of texts does not have (Semantics 9, connection state)."""
    return 152


class HandleBase:
    """One handle: its connection and its mode."""

    address = 0

    def __init__(self, host: Host) -> None:
        self.host = host
        self.connected = False
        self.session: ManagerSession | None = None
        self.notifier: Notifier | None = None
        self.pumping = False

    @property
    def manager(self) -> ManagerSession:
        """The session. Guards make sure that there is one."""
        assert self.session is not None
        return self.session

    def text(self, address: int | None) -> str:
        """A text that the caller passed."""
        return self.host.marshal.page.decode(text_at(address))

    def array(self, rows: Sequence[bytes], total: int | None) -> int | None:
        """An array for the caller, its count written; no array for none."""
        put_integer(total, len(rows))
        return self.host.memory.hold(b"".join(rows)) if rows else None

    def records(self, read: Callable[[], Iterable[Record]], total: int | None) -> int | None:
        """An array of records; no array when the server refuses, as the library gives no reason then."""
        return self.rows(lambda: map(self.encoded, read()), total)

    def rows(self, read: Callable[[], Iterable[bytes]], total: int | None) -> int | None:
        """The same of structs."""
        try:
            with self.host.lock:
                rows = list(read())
        except (ServerError, NotFound, InvalidData):
            rows = []
        return self.array(rows, total)

    def encoded(self, record: Record) -> bytes:
        """One record's struct."""
        return self.host.marshal.codec(type(record)).encode(record)

    def encoded_text(self, value: str, size: int) -> bytes:
        """A text for a struct's field of ``size`` bytes."""
        return self.host.marshal.page.encode(value, size, "text")

    def state(self, *, pumped: bool) -> int:
        """Whether a function can be called now: the code it would answer."""
        if not self.connected or self.session is None:
            return NO_CONNECT
        if pumped:
            return OK if self.pumping else ERROR
        return refused_while_pumping() if self.pumping else OK


def request(function: Callable[Concatenate[S, P], int]) -> Callable[Concatenate[S, P], int]:
    """A request: needs a logged-in connection that does not pump; what the server raises becomes its code."""

    @wraps(function)
    def guarded(self: S, /, *arguments: P.args, **more: P.kwargs) -> int:
        code = self.state(pumped=False)
        answers: list[int] = []
        return code or self.host.attempt(lambda: answers.append(function(self, *arguments, **more))) or answers[0]

    return guarded


def pumped(function: Callable[Concatenate[S, P], int]) -> Callable[Concatenate[S, P], int]:
    """A look into the pump's cache: only while pumping."""

    @wraps(function)
    def guarded(self: S, /, *arguments: P.args, **more: P.kwargs) -> int:
        code = self.state(pumped=True)
        answers: list[int] = []
        return code or self.host.attempt(lambda: answers.append(function(self, *arguments, **more))) or answers[0]

    return guarded


def listing(*, pumped: bool = False) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """A function that returns an array and writes its count last: no array, count 0, where it can't be called."""

    def decorate(function: Callable[..., int | None]) -> Callable[..., int | None]:
        @wraps(function)
        def guarded(self: Any, /, *arguments: Any) -> int | None:
            if self.state(pumped=pumped):
                put_integer(arguments[-1], 0)
                return None
            return function(self, *arguments)

        return guarded

    return decorate
