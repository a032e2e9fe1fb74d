"""What a connection to an MT4 server can do.

A :class:`Backend` opens :class:`Connection` objects; nothing above knows whether a DLL or a simulator is behind them.
What a connection can do stands in areas (:mod:`mt_remote.area`), which plugins declare and backends implement.
Everything is in domain terms: lots, account currency, enums, Unix seconds in the server's zone. Calls are asynchronous,
raise :class:`~mt_remote.errors.ServerError` with the server's result code (or
:class:`~mt_remote.errors.NotFound`, :class:`~mt_remote.errors.InvalidData` where a name or a field can be named), and
never return half a result. A call that raises has changed nothing unless it says so.

What changes on the server reaches a connection's :class:`Listener` as :class:`Event` objects, in the order in which it
happened, on the event loop's own thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar, cast

from mt_remote.area import Area
from mt_remote.errors import NotOffered, RequestError

A = TypeVar("A", bound=Area)


class Event:
    """Something that happened. One object serves every session that hears it.

    ``merge_key`` names what a newer event of the same key makes obsolete (a tick's symbol); ``None`` for events that
    must never be dropped. ``shared`` is for whoever sends the event on: what those that hear it can share.
    """

    __slots__ = ("data", "kind", "merge_key", "shared")

    def __init__(self, kind: str, data: object, merge_key: str | None = None) -> None:
        self.kind = kind
        self.data = data
        self.merge_key = merge_key
        self.shared: object = None

    def __repr__(self) -> str:
        return f"Event({self.kind!r}, {self.data!r})"


class Listener(Protocol):
    """Hears a connection. Both are called on the event loop's thread, inside a task or in a plain callback of the loop
    (``call_soon_threadsafe``, ``run_sync_soon``), and never before :meth:`Backend.open` was called. They must not block
    and must not raise.
    """

    def on_event(self, event: Event) -> None:
        """An event of a kind that the connection watches."""

    def on_lost(self, error: RequestError) -> None:
        """The connection is gone; no event follows and every call on it fails with ``no_connection``."""


class Connection(ABC):
    """One manager's connection to an MT4 server. ``mt[Area]`` gives what carries out an area's functions
    (:mod:`mt_remote.area`): ``await mt[Orders].close_by(1, 2)``."""

    server: str
    login: int
    implemented: Mapping[type[Area], type[Area]] = {}
    """The classes by the areas that they implement, the backend's and those that plugins bring for it. Set by the
    gateway."""
    _areas: dict[type[Area], Area] | None = None

    def __getitem__(self, area: type[A]) -> A:
        """The area's implementation on this connection. Raises :class:`~mt_remote.errors.NotOffered` where the backend
        has none."""
        if self._areas is None:
            self._areas = {}
        made = self._areas.get(area)
        if made is None:
            kind = self.implemented.get(area)
            if kind is None:
                raise NotOffered(area.namespace, why=f"the backend has no {area.__name__}")
            made = self._areas[area] = self.make_area(kind)
        return cast(A, made)

    def make_area(self, kind: type[Area]) -> Area:
        """Makes an implementation, of ours or of a plugin that brings one for this backend: ``kind(connection)``."""
        return cast("type[_Made]", kind)(self)

    @property
    def canonical_server(self) -> str:
        """One name for one MT4 server, however a client spells it; idempotency keys belong to it and the login. A
        backend that knows what the server calls itself says that; otherwise it is the spelling in lower case, without
        MT4's own port."""
        return self.server.strip().casefold().removesuffix(":443")

    @property
    def rights(self) -> frozenset[str] | None:
        """Names of the rights that the manager is known to have; ``None`` where nobody knows: the server decides."""
        return None

    async def learn_rights(self) -> frozenset[str] | None:
        """Asks the server anew for what :attr:`rights` says. It is called before a manager is refused for a right that
        he did not have when it was last looked at."""
        return self.rights

    def carried(self) -> object:
        """What calls made of this connection beside what it watches (such as the symbols that it shows), for the next
        one to :meth:`restore`; also after it was lost. ``None``: nothing."""
        return None

    async def restore(self, carried: object) -> None:
        """Makes this connection what the one before was, of which :meth:`carried` gave this, not ``None``."""

    @abstractmethod
    async def watch(self, kind: str) -> None:
        """From the moment this returns, events of ``kind`` reach the listener. Watching ``trade_request`` makes the
        connection a dealer. Watching twice changes nothing."""

    @abstractmethod
    async def unwatch(self, kind: str) -> None:
        """Ends it at once. A dealer's held requests go to the next in line."""

    @abstractmethod
    async def server_time(self) -> int:
        """The server's clock: Unix seconds in its zone."""

    @abstractmethod
    async def aclose(self) -> None:
        """Logs out; a dealer's held requests go to the next in line. The listener hears nothing of it."""


class _Made(Area, abstract=True):
    """The shape of an implementation's constructor."""

    def __init__(self, connection: Connection) -> None: ...


class Backend(ABC):
    """Opens connections. One object serves the whole gateway."""

    name: str
    areas: Iterable[type[Area]] = ()
    """The classes that implement areas on its connections; they count before those that plugins bring."""

    @abstractmethod
    async def open(self, server: str, login: int, password: str, listener: Listener, *, peer: str = "") -> Connection:
        """Logs a manager in. ``peer`` is the client's address, for servers that filter by it.

        Raises :class:`~mt_remote.errors.ServerError`: ``account_disabled``, ``bad_account_info``,
        ``not_enough_rights``, ``no_connection`` …
        """

    async def run(self) -> None:
        """Runs what the backend needs beside its connections (a clock, a feed) until cancelled. The gateway starts it
        once, before the first session."""

    async def aclose(self) -> None:
        """Frees everything; no connection is open any more."""

    def describe(self) -> str:
        """One line for people: what this backend serves."""
        return self.name


__all__ = ["Backend", "Connection", "Event", "Listener"]
