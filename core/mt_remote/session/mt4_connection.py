"""A session's connection to its MT4 server: logging in and out, and what happens when it is lost.

Its states are in :mod:`mt_remote.session.mt4_states`; how it comes back after a loss is in
:mod:`mt_remote.session.reconnecting`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import anyio

from mt_remote.backend import Connection, Event, Listener
from mt_remote.clock import Clock
from mt_remote.errors import ConnectionLost, RequestError, SessionStateError
from mt_remote.interfaces import EventKind
from mt_remote.logs import Log
from mt_remote.session.mt4_states import MT4State, MT4Step, after

if TYPE_CHECKING:
    from mt_remote.gateway.refusals import RefusalLog
    from mt_remote.settings import Settings

log = Log()

CONNECTION = "connection"
"""The kind of the event that tells a session of its own connection."""


Account = tuple[str, int]
"""A login of one MT4 server, by the server's canonical name."""
NOBODY: Account = ("", 0)
"""Whoever has not logged in."""


class Owner(Protocol):
    """The session whose connection it is."""

    connection: Connection | None
    """Kept up to date from here: what is up now."""

    @property
    def id(self) -> int: ...

    @property
    def peer(self) -> str: ...

    def on_event(self, event: Event) -> None: ...

    def watched(self) -> list[EventKind]:
        """The kinds that the backend's connection has to watch."""

    def lapse(self) -> None:
        """What came over the connection lapses."""

    def lost_for_good(self) -> None:
        """The connection is gone and will not be restored."""


class _Nobody:
    """The session of a connection that is over: see :meth:`MT4Connection.end`."""

    connection: Connection | None = None
    id = 0
    peer = ""

    def on_event(self, event: Event) -> None: ...

    def watched(self) -> list[EventKind]:
        return []

    def lapse(self) -> None: ...

    def lost_for_good(self) -> None: ...


class Host(Protocol):
    """What a connection needs of the gateway."""

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def kinds(self) -> Mapping[str, EventKind]: ...

    @property
    def refusals(self) -> RefusalLog: ...

    async def open_connection(
        self, server: str, login: int, password: str, listener: Listener, *, peer: str = "", attempt: bool = True
    ) -> Connection: ...

    def limit(self, seconds: float) -> AbstractContextManager[object]:
        """Cancels what is inside after so many seconds; raises ``TimeoutError`` then."""

    def spawn(self, function: Callable[[], Awaitable[object]]) -> None: ...


class MT4Connection:
    """One session's connection to an MT4 server; also the listener of the backend's connection. ``account`` is whose
    connection it is while one is up or is to come back."""

    __slots__ = (
        "_attempt",
        "_broken",
        "_carried",
        "_delay",
        "_host",
        "_password",
        "account",
        "login",
        "on_event",
        "server",
        "session",
        "state",
    )

    def __init__(self, session: Owner, host: Host, hear: Callable[[Event], None]) -> None:
        """``hear`` takes the backend's events."""
        self.session = session
        self.state = MT4State.DISCONNECTED
        self.server = ""
        self.login = 0
        self.account = NOBODY
        self.on_event = hear  # straight to where events are sent from: there are many
        self._host = host
        self._password = ""
        self._delay = 0.0
        self._attempt: anyio.CancelScope | None = None
        self._broken: RequestError | None = None
        self._carried: object = None

    def _go(self, step: MT4Step) -> None:
        self.state = after(self.state, step)

    def _fail(self) -> None:
        """An attempt failed, unless nobody wants it any more."""
        if self.state.is_attempt:
            self._go(MT4Step.FAILED)

    @property
    def is_new(self) -> bool:
        """The session never logged in."""
        return not self.login

    def required(self) -> Connection:
        """The connection. Raises what a client should read when there is none."""
        if self.session.connection is not None:
            return self.session.connection
        if self.state.is_wanted:
            raise ConnectionLost("The connection to the MT4 server is down; it is being restored", outcome="not_done")
        raise SessionStateError("not_connected", "Not connected to an MT4 server: call 'connect' first")

    async def connect(self, server: str, login: int, password: str, delay: float) -> None:
        """Connects. ``delay`` in seconds is the pause between attempts to reconnect, 0 for none."""
        if self.state.is_wanted:
            raise SessionStateError("already_connected", f"Already connected to {self.server!r} as {self.login}")
        if self.state is MT4State.CONNECTING:
            raise SessionStateError("already_connected", "Connecting already")
        if self.state is MT4State.OVER:
            raise ConnectionLost("The session ended meanwhile", outcome="not_done")
        self._go(MT4Step.CONNECT)
        try:
            connection = await self._log_in(server, login, password)
        except RequestError as error:
            self._fail()
            self._host.refusals.refused(
                "log-in failed",
                session=self.session.id,
                peer=self.session.peer,
                server=server,
                login=login,
                code=error.wire_code,
                reason=error.message,
            )
            raise
        except BaseException:
            self._fail()
            raise
        self._go(MT4Step.ESTABLISHED)
        self.session.connection = connection
        self.server, self.login, self._password, self._delay = server, login, password, delay
        self.account = (connection.canonical_server, login)
        self._tell(up=True)

    async def _log_in(self, server: str, login: int, password: str) -> Connection:
        self._broken = None
        with anyio.CancelScope() as self._attempt:
            connection = await self._host.open_connection(server, login, password, self, peer=self.session.peer)
            if self.state is MT4State.OVER:
                await connection.aclose()
                raise ConnectionLost("The session ended meanwhile")
            if self._broken is None:
                return connection
        raise self._broken or ConnectionLost()

    async def disconnect(self) -> None:
        """Disconnects; subscriptions that came over the connection lapse."""
        if not self.state.is_wanted:
            raise SessionStateError("not_connected", "Not connected to an MT4 server")
        connection = self._leave(MT4Step.GIVEN_UP)
        if connection is not None:
            await connection.aclose()
        self.session.lapse()
        if connection is not None:
            self._tell(up=False)

    def end(self) -> Connection | None:
        """The session is over; gives the connection that is to be closed. Nothing here holds the session from now on:
        it goes when the last one lets go of it, and not when the garbage collector comes by."""
        connection = self._leave(MT4Step.END)
        self.session = _Nobody()
        return connection

    def _leave(self, step: MT4Step) -> Connection | None:
        """Nothing is wanted any more; gives the connection that was up."""
        self._go(step)
        connection, self.session.connection = self.session.connection, None
        self.server, self._password, self.account = "", "", NOBODY
        return connection

    def _tell(self, *, up: bool) -> None:
        self.session.on_event(Event(CONNECTION, up))

    # Listener

    def on_lost(self, error: RequestError) -> None:
        """The backend's connection is gone."""
        if self.state.is_attempt:  # the client was not told yet that there is one
            self._broken = error
            if self._attempt is not None:
                self._attempt.cancel()
            return
        if self.session.connection is None:
            return
        log.warning("MT4 connection lost", server=self.server, login=self.login, reason=error.message)
        self._carried = self.session.connection.carried()
        self.session.connection = None
        self._tell(up=False)
        if self._delay > 0:
            self._go(MT4Step.LOST)
            self._restore_later()
        else:
            self._leave(MT4Step.GIVEN_UP)
            self.session.lost_for_good()

    def _restore_later(self) -> None:
        """The connection was lost and is to come back."""
        raise NotImplementedError
