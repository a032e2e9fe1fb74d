"""A worker's side: the backend, and what else lives in its process, as the worker's gateway sees them."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_origin, get_type_hints

from mt_remote.area import Area
from mt_remote.backend import Backend, Connection, Event, Listener
from mt_remote.clock import Clock
from mt_remote.dispatch.functions import Function
from mt_remote.errors import ConnectionLost
from mt_remote.gateway.log_ins import LogIns
from mt_remote.interfaces import Session
from mt_remote.keys.claims import Claim, IdempotencyKeys
from mt_remote.keys.store import Answer, Done, Failure, MemoryKeyStore, Owner
from mt_remote.workers.channel import Channel, Message
from mt_remote.workers.parcels import Parts, unpack

if TYPE_CHECKING:
    from mt_remote.area import Declared
    from mt_remote.settings import Settings


class _Asked(NamedTuple):
    """A request under way; ``at`` is its connection."""

    future: asyncio.Future[Any]
    at: int


_GONE = "The process with the MT4 connections is gone"


def _hearers(kind: str, values: Sequence[Any]) -> Sequence[int]:
    """The connections that a message is told to."""
    if kind == "event":
        return cast("Sequence[int]", values[3])
    return (values[0],) if kind == "lost" else ()


class FarBackend(Backend):
    """The backend of another process. It is made before there is an event loop, so that processes that are forked have
    it already."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path
        self._gone: Callable[[], None] = _nobody
        self._channel: Channel | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Asked] = {}
        self._parts: dict[int, list[bytes]] = {}
        self._arrived: deque[Message] = deque()
        self._scheduled = False
        self._closing = False
        self.listeners: dict[int, Listener] = {}
        self._connections: dict[int, FarConnection] = {}

    def forward(self, areas: Iterable[type[Area]]) -> None:
        """Its connections forward the functions of these areas."""
        self.areas = [forwarding(area) for area in areas]

    async def connect(self, gone: Callable[[], None]) -> None:
        """Goes to work. ``gone`` is called when the other process ended."""
        self._gone = gone
        loop = asyncio.get_running_loop()
        _, self._channel = await loop.create_unix_connection(lambda: Channel(self._take, self._lost), str(self._path))

    async def aclose(self) -> None:
        self._closing = True
        if self._channel is not None:
            self._channel.close()

    async def open(self, server: str, login: int, password: str, listener: Listener, *, peer: str = "") -> Connection:
        return await self.log_in(server, login, password, listener, address=peer)

    async def log_in(
        self, server: str, login: int, password: str, listener: Listener, *, address: str, is_retry: bool = False
    ) -> Connection:
        """Logs in once its turn comes among those of all workers."""
        number = next(self._numbers)
        self.listeners[number] = listener
        connection = self._connections[number] = FarConnection(self, number, server, login)
        try:
            canonical = await self.ask("open", number, server, login, password, address, is_retry)
        except BaseException:
            self.leave(number)
            raise
        connection.opened(canonical)
        return connection

    def leave(self, number: int) -> None:
        """A connection is not wanted any more, whether it came to be or not."""
        self.listeners.pop(number, None)
        self._connections.pop(number, None)
        self.tell("close", number)

    def tell(self, kind: str, *values: object) -> None:
        """Sends what needs no answer."""
        if self._channel is not None:
            self._channel.send((kind, *values))

    async def ask(self, kind: str, *values: object) -> Any:
        """Sends a request of a connection, the first of ``values``, and waits for its answer."""
        return await self._answer(*self._request(kind, cast(int, values[0]), *values))

    async def claim(self, owner: Owner, key: str, fingerprint: bytes) -> tuple[int, Answer | None]:
        """Claims a key: gives the number under which the claim is known, and the first call's answer where this is no
        first call."""
        number, future = self._request("claim", 0, owner, key, fingerprint)
        return number, await self._answer(number, future)

    def end_claim(self, kind: str, claim: int, ended: Answer | Failure, then: Done) -> None:
        """Settles or releases a claim; ``then`` is told once that is stored."""
        try:
            number, future = self._request(kind, 0, claim, ended)
        except ConnectionLost as error:
            then(error)
            return

        def stored(future: asyncio.Future[Any]) -> None:
            del self._waiting[number]
            problem = future.exception()
            then(problem if isinstance(problem, Exception) else None)

        future.add_done_callback(stored)

    def _request(self, kind: str, at: int, *values: object) -> tuple[int, asyncio.Future[Any]]:
        channel = self._channel
        if channel is None or channel.closed:
            raise ConnectionLost(_GONE, outcome="not_done")
        number = next(self._numbers)
        future = asyncio.get_running_loop().create_future()
        self._waiting[number] = _Asked(future, at)
        channel.send((kind, number, *values))
        return number, future

    async def _answer(self, number: int, future: asyncio.Future[Any]) -> Any:
        """Waits for an answer. A caller that is cancelled takes the request back."""
        try:
            return await future
        except asyncio.CancelledError:
            self.tell("cancel", number)
            raise
        finally:
            self._waiting.pop(number, None)
            self._parts.pop(number, None)

    # What arrives

    def _take(self, channel: Channel, messages: list[Message]) -> None:
        self._arrived += messages
        if not self._scheduled:
            self._drain()

    def _drain(self) -> None:
        """Hands on what arrived. An event that came behind an answer to the same session waits until whoever asked has
        heard the answer: what it answers in turn must not come behind newer events."""
        self._scheduled = False
        answered: set[int] = set()
        while self._arrived:
            kind, *values = self._arrived[0]
            if answered and not answered.isdisjoint(_hearers(kind, values)):
                self._scheduled = True
                asyncio.get_running_loop().call_soon(self._drain)
                return
            self._arrived.popleft()
            if kind in ("reply", "list", "error") and values[0] in self._waiting:
                answered.add(self._waiting[values[0]].at)
            getattr(self, f"_on_{kind}")(*values)

    def _on_reply(self, number: int, value: object) -> None:
        asked = self._waiting.get(number)
        if asked is not None and not asked.future.done():
            asked.future.set_result(value)

    def _on_error(self, number: int, packed: Any) -> None:
        asked = self._waiting.get(number)
        if asked is not None and not asked.future.done():
            asked.future.set_exception(unpack(packed))

    def _on_part(self, number: int, part: bytes) -> None:
        if number in self._waiting:
            self._parts.setdefault(number, []).append(part)

    def _on_list(self, number: int, length: int) -> None:
        self._on_reply(number, Parts(self._parts.pop(number, []), length))

    def _on_event(self, kind: str, data: object, merge_key: str | None, connections: Sequence[int]) -> None:
        event = Event(kind, data, merge_key)  # one object, so that it is encoded once
        for number in connections:
            listener = self.listeners.get(number)
            if listener is not None:
                listener.on_event(event)

    def _on_lost(self, number: int, packed: Any, carried: object) -> None:
        listener = self.listeners.pop(number, None)
        connection = self._connections.pop(number, None)
        if connection is not None:
            connection.lost(carried)
        if listener is not None:
            listener.on_lost(unpack(packed))

    def _lost(self, channel: Channel) -> None:
        if self._closing:
            return
        error = ConnectionLost(_GONE)
        for asked in list(self._waiting.values()):
            if not asked.future.done():
                message = f"{_GONE}; whether the call was carried out is unknown"
                asked.future.set_exception(ConnectionLost(message, outcome="unknown"))
        listeners, self.listeners = self.listeners, {}
        for listener in listeners.values():
            listener.on_lost(error)
        self._gone()


def _nobody() -> None:
    """There is nobody to tell."""


class FarConnection(Connection):
    """A connection in the backend's process. Each area forwards its calls."""

    def __init__(self, backend: FarBackend, number: int, server: str, login: int) -> None:
        self.backend = backend
        self._canonical_server = ""
        self.number = number
        self.server = server
        self.login = login
        self._carried: object = None

    @property
    def canonical_server(self) -> str:
        return self._canonical_server

    def opened(self, canonical_server: str) -> None:
        """The other process opened it."""
        self._canonical_server = canonical_server

    def lost(self, carried: object) -> None:
        """The other process lost it; ``carried`` is what it was made."""
        self._carried = carried

    def carried(self) -> object:
        return self._carried

    async def restore(self, carried: object) -> None:
        await self.ask("", "restore", (carried,), {})

    async def ask(self, area: str, method: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """One call of an area; the connection itself is the area ``""``."""
        return await self.backend.ask("call", self.number, area, method, arguments, named)

    async def watch(self, kind: str) -> None:
        await self.ask("", "watch", (kind,), {})

    async def unwatch(self, kind: str) -> None:
        await self.ask("", "unwatch", (kind,), {})

    async def server_time(self) -> int:
        return cast(int, await self.ask("", "server_time", (), {}))

    async def aclose(self) -> None:
        self.backend.leave(self.number)


class _Area:
    def __init__(self, connection: FarConnection) -> None:
        self._connection = connection


def _forwarder(area: str, method: str, declared: Any) -> Callable[..., Any]:
    """Forwards one method. Where the interface promises a list, a long one is read whole."""
    wants_list = get_origin(get_type_hints(declared)["return"]) is list

    async def forward(self: _Area, *arguments: object, **named: object) -> object:
        result = await self._connection.ask(area, method, arguments, named)
        return list(result) if wants_list and isinstance(result, Parts) else result

    return forward


def forwarding(area: type[Area]) -> type[Area]:
    """An implementation of an area that forwards each of its functions."""
    methods = {row.method: _forwarder(area.identity(), row.method, row.handler) for row in area.functions}
    return type(f"Far{area.__name__}", (_Area, area), methods)


class FarFunction(Function):
    """A function of the backend's own (``mt_remote_backend_namespaces``): it is carried out where the backend is."""

    def __init__(self, declared: Declared, plugin: str, backend: FarBackend) -> None:
        super().__init__(declared, plugin)
        self._backend = backend
        self.is_async = True

    def invoke(self, session: Session, arguments: dict[str, Any], body: object) -> Any:
        connection = session.connection
        number = connection.number if isinstance(connection, FarConnection) else 0
        state = (session.id, session.peer, session.is_local, session.dialect, session.server, session.login)
        return self._backend.ask("function", number, state, self.name, arguments, body)

    def is_long(self, result: object) -> bool:
        """It is encoded already."""
        return False

    def encode(self, result: object, dialect: str) -> bytes:
        """The other process encoded it."""
        return cast(bytes, result)

    async def carry_out(self, session: Session, arguments: dict[str, Any], body: object) -> bytes | None:
        """In the backend's process: the result's JSON, ``None`` where the function returns nothing."""
        result = super().invoke(session, arguments, body)
        if inspect.isawaitable(result):
            result = await result
        return None if self.result is None else super().encode(result, session.dialect)


class FarLogIns(LogIns):
    """Log-ins are counted and queue with the backend: whoever tries passwords may reach any worker."""

    def __init__(self, settings: Settings, clock: Clock, backend: FarBackend) -> None:
        super().__init__(settings, clock)
        self._backend = backend

    async def open(
        self,
        backend: Backend,
        server: str,
        login: int,
        password: str,
        listener: Listener,
        *,
        address: str,
        is_retry: bool = False,
    ) -> Connection:
        return await self._backend.log_in(server, login, password, listener, address=address, is_retry=is_retry)


class FarIdempotencyKeys(IdempotencyKeys):
    """The keys of calls that are safe to repeat are kept with the backend: a client that repeats a call may reach
    another worker."""

    def __init__(self, backend: FarBackend) -> None:
        super().__init__(MemoryKeyStore(0))  # nothing is kept here
        self._backend = backend

    def describe(self) -> str:
        return "with the backend"

    async def claim(self, owner: Owner, key: str, asked: bytes) -> Claim | Answer:
        number, answer = await self._backend.claim(owner, key, asked)
        if answer is not None:
            return answer
        claim = Claim((owner, key), asked)
        claim.number = number
        return claim

    def call_is_late(self, claim: Claim) -> None:
        self._backend.tell("late", claim.number)

    def _settle(self, claim: Claim, answer: Answer) -> None:
        self._backend.end_claim("settle", claim.number, answer, partial(self._ended, claim, answer))

    def _release(self, claim: Claim, failure: Failure) -> None:
        self._backend.end_claim("release", claim.number, failure, partial(self._ended, claim, Answer(failure=failure)))
