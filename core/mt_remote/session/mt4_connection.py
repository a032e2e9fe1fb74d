"""A session's link to its MT4 server: connecting, losing, reconnecting, and telling the client what it missed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.lowlevel

from mt_remote.backend import Connection, Event, Listener
from mt_remote.errors import ConnectionLost, RequestError, SessionStateError
from mt_remote.interfaces import EventKind
from mt_remote.logs import Log
from mt_remote.session.outbox import Outbox

if TYPE_CHECKING:
    from mt_remote.settings import Settings

log = Log()

CONNECTION = "connection"
"""The event that tells a session of its own link."""


class Owner(Protocol):
    """The session whose link it is."""

    connection: Connection | None
    """Kept by the link: what is up now."""

    @property
    def peer(self) -> str: ...

    def on_event(self, event: Event) -> None: ...

    def watched(self) -> list[EventKind]:
        """The kinds that the backend's connection has to watch."""

    def lapse(self) -> None:
        """What came over the connection lapses."""

    def link_lost(self) -> None:
        """The connection is gone and will not be restored."""


class Host(Protocol):
    """What a link needs of the gateway."""

    @property
    def settings(self) -> Settings: ...

    @property
    def kinds(self) -> Mapping[str, EventKind]: ...

    @property
    def sessions(self) -> Collection[object]: ...

    async def open_connection(
        self, server: str, login: int, password: str, listener: Listener, *, peer: str = "", attempt: bool = True
    ) -> Connection: ...

    def spawn(self, function: Callable[[], Awaitable[Any]]) -> None: ...


class Link:
    """One session's way to an MT4 server; also the listener of its backend connection."""

    __slots__ = (
        "_broken",
        "_carried",
        "_host",
        "_known",
        "_outbox",
        "_password",
        "_restoring",
        "_scope",
        "_told",
        "delay",
        "login",
        "on_event",
        "server",
        "session",
    )  # fmt: skip

    def __init__(self, session: Owner, host: Host, outbox: Outbox) -> None:
        self.session = session
        self._host = host
        self._outbox = outbox
        self.server = ""
        self.login = 0
        self.delay = 0.0
        self._password = ""
        self._scope: anyio.CancelScope | None = None
        self._restoring: anyio.CancelScope | None = None
        self._broken: RequestError | None = None
        self._carried: object = None
        self._known: dict[str, dict[Hashable, Hashable]] = {}
        self._told: dict[tuple[str, Hashable], Hashable] = {}
        self.on_event = outbox.on_event  # straight to where events are sent from: there are many

    @property
    def wanted(self) -> bool:
        """The client called ``connect`` and did not ``disconnect``; the connection may be down meanwhile."""
        return bool(self.server)

    def required(self) -> Connection:
        """The connection. Raises what a client should read when there is none."""
        if self.session.connection is not None:
            return self.session.connection
        if self.wanted:
            raise ConnectionLost("The connection to the MT4 server is down; it is being restored", outcome="not_done")
        raise SessionStateError("not_connected", "Not connected to an MT4 server: call 'connect' first")

    async def connect(self, server: str, login: int, password: str, delay: float) -> None:
        """Connects. ``delay`` in seconds is the pause between attempts to reconnect, 0 for none."""
        if self.wanted:
            raise SessionStateError("already_connected", f"Already connected to {self.server!r} as {self.login}")
        host = self._host
        connection = await host.open_connection(server, login, password, self, peer=self.session.peer)
        if self.session not in host.sessions:
            await connection.aclose()
            raise ConnectionLost("The session ended meanwhile")
        self.session.connection = connection
        self.server, self.login, self._password, self.delay = server, login, password, delay
        self._tell(up=True)

    async def disconnect(self) -> None:
        """Disconnects; subscriptions that came over the connection lapse."""
        if not self.wanted:
            raise SessionStateError("not_connected", "Not connected to an MT4 server")
        was_up = await self._drop()
        self.session.lapse()
        if was_up:
            self._tell(up=False)

    async def aclose(self) -> None:
        """The session is over."""
        await self._drop()

    async def _drop(self) -> bool:
        if self._scope is not None:
            self._scope.cancel()
        connection, self.session.connection = self.session.connection, None
        self.server, self._password = "", ""
        self._known.clear()
        self._outbox.remember = None
        if connection is not None:
            await connection.aclose()
        return connection is not None

    def _tell(self, *, up: bool) -> None:
        self.session.on_event(Event(CONNECTION, up))

    # Listener

    def on_lost(self, error: RequestError) -> None:
        """The backend's connection is gone."""
        if self._restoring is not None:  # the next one, which the client was not told of yet
            self._broken = error
            self._restoring.cancel()
            return
        if self.session.connection is None:
            return
        log.warning("MT4 connection lost", server=self.server, login=self.login, reason=error.message)
        self._carried = self.session.connection.carried()
        self.session.connection = None
        self._tell(up=False)
        if self.delay > 0:
            self._host.spawn(self._reconnect)
            return
        self.server, self._password = "", ""
        self.session.link_lost()

    async def _reconnect(self) -> None:
        with anyio.CancelScope() as scope:
            self._scope = scope
            while self.session.connection is None and self.wanted:
                await anyio.sleep(self.delay)
                try:
                    with anyio.fail_after(self._host.settings.deadlines.session):
                        await self._restore()
                except RequestError as error:
                    log.info("reconnecting failed", server=self.server, login=self.login, reason=error.message)
                except TimeoutError:
                    log.info("reconnecting failed", server=self.server, login=self.login, reason="no answer in time")
                except Exception:  # a bug of the backend; the next attempt may find it in a better state
                    log.exception("reconnecting failed", server=self.server, login=self.login)
        if self._scope is scope:
            self._scope = None

    async def _restore(self) -> None:
        """A new connection that watches and shows what the old one did, then one event for each missed change. Raises
        what broke it when it is lost before that; nothing counts as told then. What the new connection tells meanwhile
        goes out at once and is newer than what was read: nothing older follows it."""
        known, self._broken = dict(self._known), None
        self._told.clear()
        try:
            with anyio.CancelScope() as self._restoring:
                connection, missed = await self._reopen()
        except BaseException:
            self._known = known
            raise
        finally:
            self._restoring = None
        if self._broken is not None:
            self._known = known
            raise self._broken
        self.session.connection = connection
        self._tell(up=True)
        for (kind, key), fingerprint in self._told.items():
            if kind in self._known:
                self._known[kind][key] = fingerprint
        for key, event in missed:
            if (event.kind, key) not in self._told:
                self.session.on_event(event)
        self._told.clear()

    async def _reopen(self) -> tuple[Connection, list[tuple[Hashable, Event]]]:
        connection = await self._host.open_connection(self.server, self.login, self._password, self, attempt=False)
        try:
            await connection.restore(self._carried)
            for kind in self.session.watched():
                await connection.watch(kind.name)
            missed = [event for kind in self.session.watched() for event in await self._missed(connection, kind)]
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await connection.aclose()
            raise
        return connection, missed

    # What the session knows, so that nothing is silently stale after a reconnection

    async def baseline(self, kind: EventKind) -> None:
        """Remembers the state at subscribing, where a reconnection will have to be made good."""
        if kind.resync is None or self.delay <= 0:
            return
        records = await kind.resync.read(self.required())
        self._known[kind.name] = {kind.resync.key(r): hash(kind.resync.fingerprint(r)) for r in records}
        self._outbox.remember = self._remember

    def forget(self, kind: EventKind) -> None:
        """The kind was unsubscribed."""
        self._known.pop(kind.name, None)
        if not self._known:
            self._outbox.remember = None

    def _remember(self, event: Event) -> None:
        known, kind = self._known.get(event.kind), self._host.kinds.get(event.kind)
        resync = None if kind is None else kind.resync
        if known is not None and resync is not None:
            key, fingerprint = resync.key(event.data), hash(resync.fingerprint(event.data))
            known[key] = fingerprint
            if self._restoring is not None:
                self._told[event.kind, key] = fingerprint

    async def _missed(self, connection: Connection, kind: EventKind) -> list[tuple[Hashable, Event]]:
        """What the client does not know, by key."""
        known = self._known.get(kind.name)
        resync = kind.resync
        if known is None or resync is None:
            return []
        found = {resync.key(record): record for record in await resync.read(connection)}
        events = [
            (key, Event(kind.name, record))
            for key, record in found.items()
            if known.get(key) != hash(resync.fingerprint(record))
        ]
        if resync.vanished is not None:
            for key in [key for key in known if key not in found]:
                record = await resync.vanished(connection, key)
                if record is not None and known[key] != hash(resync.fingerprint(record)):
                    events.append((key, Event(kind.name, record)))
        self._known[kind.name] = {key: hash(resync.fingerprint(record)) for key, record in found.items()}
        return events
