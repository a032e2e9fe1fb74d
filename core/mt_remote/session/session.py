"""A client's session: what came in goes to whoever hosts it, what it is told goes to its outbox.

What a session needs of its host stands here (:class:`SessionHost`); :mod:`mt_remote.gateway` provides it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mt_remote.backend import Connection, Event, Listener
from mt_remote.clock import Clock
from mt_remote.dispatch.call_order import CallOrder
from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.registry import RequestFailed
from mt_remote.errors import RequestError, SessionStateError
from mt_remote.interfaces import EventKind, Gateway, Session
from mt_remote.session.event_numbers import EventEncoder
from mt_remote.session.outbox import Outbox
from mt_remote.session.reconnecting import ReconnectingConnection
from mt_remote.session.turns import Turns
from mt_remote.wire.states import State
from mt_remote.wire.transport import Gone, Transport
from mt_remote.wire.websocket import Closed, Received, UpgradeRequested, WebSocket

if TYPE_CHECKING:
    from mt_remote.gateway.admission import Admission, Entry
    from mt_remote.gateway.refusals import RefusalLog
    from mt_remote.settings import Settings

_CALLS_BEFORE_LOGIN = 16
"""Messages of a turn that are carried out for whoever has not logged in."""

BROKEN = 1006
"""Close code of a connection that ended without a word (RFC 6455, 7.4.1)."""


class SessionHost(Gateway):
    """The gateway as its sessions need it, beside what plugins may touch of it."""

    __slots__ = ()

    @property
    @abstractmethod
    def clock(self) -> Clock:
        """By which everything waits and measures."""

    @abstractmethod
    def limit(self, seconds: float) -> AbstractContextManager[object]:
        """Cancels what is inside after so many seconds; raises ``TimeoutError`` then."""

    @abstractmethod
    async def open_connection(
        self, server: str, login: int, password: str, listener: Listener, *, peer: str = "", attempt: bool = True
    ) -> Connection:
        """Logs in at the backend. ``attempt`` counts against the limit on failed logins of ``peer``."""

    @property
    @abstractmethod
    def refusals(self) -> RefusalLog:
        """Logs what is refused."""

    @property
    @abstractmethod
    def admission(self) -> Admission:
        """Counts connections."""

    @property
    @abstractmethod
    def stopping(self) -> bool:
        """New sessions and calls are refused."""

    @property
    @abstractmethod
    def due(self) -> list[Outbox]:
        """Outboxes that have something to write at the end of the loop's turn."""

    @property
    @abstractmethod
    def flush_soon(self) -> Callable[[], object]:
        """Has what is due written at the end of the loop's turn."""

    @property
    @abstractmethod
    def turns(self) -> Turns:
        """Who goes on in which turn of the loop."""

    @property
    @abstractmethod
    def resume_calls(self) -> Callable[[], object]:
        """Calls of a session that was full may go on."""

    @property
    @abstractmethod
    def parse(self) -> Callable[[bytes, str], ParsedCall]:
        """Reads a message of a dialect. Raises :class:`~mt_remote.dispatch.registry.RequestFailed`."""

    @property
    @abstractmethod
    def encode_event(self) -> EventEncoder:
        """How an event's data is encoded."""

    @abstractmethod
    def event_kind(self, name: str, *, suggest: bool = True) -> EventKind:
        """The kind of that name. Raises :class:`~mt_remote.errors.InvalidData`, with names that are near where it is
        to ``suggest`` some: to find them takes a while."""

    @abstractmethod
    def submit(self, session: WebSocketSession, call: ParsedCall) -> None:
        """A call came; it is answered now or later."""

    @abstractmethod
    def decide_handshake(self, session: WebSocketSession, request: UpgradeRequested) -> None:
        """An upgrade request came; it is accepted or refused now or later."""

    @abstractmethod
    def session_opened(self, session: WebSocketSession) -> None:
        """The WebSocket is open."""

    @abstractmethod
    def closing(self, session: WebSocketSession) -> None:
        """The session's last bytes are on their way."""

    @abstractmethod
    def session_ended(self, session: WebSocketSession, code: int, reason: str) -> None:
        """The network connection is gone."""

    @abstractmethod
    def came_by_headers(self, session: WebSocketSession) -> bool:
        """Whether the session's credentials came with the handshake."""


class WebSocketSession(Session):
    """One WebSocket session. Sans-IO: the shell feeds it, and writes what its outbox gives out."""

    gateway: SessionHost
    id: int
    connection: Connection | None
    """Set by :attr:`mt4`; here, because every call asks for it."""
    entry: Entry
    is_local: bool

    __slots__ = (
        "__weakref__",
        "_behind",
        "_closing",
        "_lapsed",
        "_rest",
        "_state",
        "_unread",
        "call_order",
        "connection",
        "entry",
        "gateway",
        "heard",
        "id",
        "is_local",
        "mt4",
        "outbox",
        "pinged",
        "transport",
        "unsent",
        "websocket",
    )

    def __init__(self, gateway: SessionHost, transport: Transport, id_: int, entry: Entry) -> None:
        settings: Settings = gateway.settings
        self.gateway = gateway
        self.transport = transport
        self.websocket = WebSocket(settings.max_message, settings.max_message_before_login)
        self.outbox = Outbox(
            self.websocket, gateway.encode_event, max_backlog=settings.max_backlog, sink=transport,
            due=gateway.due, wake=gateway.flush_soon, owner=self,
        )  # fmt: skip
        self.id = id_
        self.entry = entry
        self.is_local = False
        self.call_order = CallOrder()
        self.connection = None
        self.mt4 = ReconnectingConnection(self, gateway, self.outbox)
        self.heard = False  # since the last look of whoever keeps time; so are the next two
        self.pinged = False
        self.unsent = 0
        self._lapsed: set[str] | None = None
        self._state: dict[str, object] | None = None
        self._closing: tuple[int, str] | None = None
        self._behind = False  # something was read and not carried out yet, for one of these reasons:
        self._rest: list[Received] = []  # messages, for the next turn
        self._unread = b""  # bytes that came meanwhile

    def __repr__(self) -> str:
        return f"<Session {self.id} of {self.peer}>"

    # What plugins read: see mt_remote.interfaces

    @property
    def peer(self) -> str:
        return self.entry.peer

    @property
    def dialect(self) -> str:
        return self.outbox.dialect

    @dialect.setter
    def dialect(self, dialect: str) -> None:
        self.outbox.dialect = dialect

    @property
    def subscriptions(self) -> frozenset[str]:
        return self.outbox.subscriptions

    @property
    def login(self) -> int:
        return self.mt4.login if self.mt4.state.is_wanted else 0

    @property
    def server(self) -> str:
        return self.mt4.server

    @property
    def state(self) -> dict[str, object]:
        if self._state is None:
            self._state = {}
        return self._state

    @property
    def has_logged_in(self) -> bool:
        """Whether whoever is there said who he is, and rightly."""
        return self.connection is not None or self.mt4.state.is_wanted

    @property
    def is_open(self) -> bool:
        return self.websocket.state is State.OPEN

    # Input, called by the shell

    def data_received(self, data: bytes) -> None:
        """Bytes off the network."""
        self.heard = True
        if self._behind:  # not every transport stops reading at once
            self._unread += data
            return
        self.outbox.dirty = True  # all that comes of this read is written at its end, in one piece
        self._take(data)
        self.outbox.flush()
        if self._behind:
            self._wait()

    def go_on(self) -> None:
        """It is this session's turn: carries out more of what was read."""
        outbox = self.outbox
        if not self._behind or outbox.slow or outbox.holding:
            return
        self.heard = True
        data, self._unread = self._unread, b""
        outbox.dirty = True
        self._take(data)
        outbox.flush()
        if self._behind:
            self._wait()
        else:
            self.read_on()

    def _wait(self) -> None:
        """The rest of what was read is for a later turn. Nothing is read meanwhile."""
        self.transport.pause_reading()
        if self.call_order.bars and self.websocket.too_big:
            self.call_order.when_free = self.read_on  # whether a message may be as long is being found out
        elif not self.outbox.slow and not self.outbox.holding:
            self.gateway.turns.wait(self)

    def _take(self, data: bytes) -> None:
        """Carries out what was read, for a slice of the turn; whether something is left says ``_behind``."""
        websocket = self.websocket
        messages, self._rest, self._behind = self._rest, [], False
        if not messages:
            messages = websocket.receive(data)
            data = b""
            if len(messages) <= 1 and not websocket.ends and not websocket.more:  # as it usually is
                self._carry_out(messages, 0.0)
                if not websocket.ends:
                    return
                messages = []  # it was no text after all
        elif websocket.state is not State.OPEN:
            messages.clear()  # nobody hears what would come of it
        until = 0.0
        while True:
            left: list[Received] = []
            if len(messages) > 1 and not self.has_logged_in:
                messages, left = messages[:_CALLS_BEFORE_LOGIN], messages[_CALLS_BEFORE_LOGIN:]
            if not until and (websocket.more or len(messages) > 1):
                until = self.gateway.turns.until()
            rest = self._carry_out(messages, until)
            if rest or left:
                self._rest, self._unread, self._behind = [*rest, *left], data + self._unread, True
                return
            if not websocket.ends and not websocket.more and not data:
                return
            until = until or self.gateway.turns.until()
            if self._behind or (websocket.more and self._has_to_wait(until)):
                self._unread, self._behind = data + self._unread, True
                return
            messages = websocket.receive(data)
            data = b""

    def _has_to_wait(self, until: float) -> bool:
        """Whether the next frames are for a later turn."""
        if self.websocket.too_big:
            if self.call_order.bars:
                return True
            if not self.has_logged_in:
                self.websocket.refuse_too_big()
            return False
        return self.outbox.full or not self.has_logged_in or self.gateway.clock.now() >= until

    def _carry_out(self, messages: list[Received], until: float) -> list[Received]:
        """Submits each call. Messages that are no valid request are answered at once, in place. Gives those for which
        there was no time."""
        outbox, gateway = self.outbox, self.gateway
        now = gateway.clock.now if len(messages) > 1 else None
        rest = iter(messages)
        for received in rest:
            if isinstance(received, bytes):
                try:
                    call = gateway.parse(received, outbox.dialect)
                except RequestFailed as failed:
                    if self.websocket.refuse_text(received):
                        return []
                    outbox.fail(failed.id, failed.error if self.has_logged_in else failed.brief)
                else:
                    gateway.submit(self, call)
                if now is not None and (outbox.full or now() >= until):
                    return list(rest)
            elif isinstance(received, Closed):
                self._closing = self._closing or (received.code, received.reason)
                outbox.closing()
                gateway.closing(self)
            else:
                gateway.decide_handshake(self, received)
        return []

    def accept(self, dialect: str) -> None:
        """Answers the upgrade; frames that came behind it are taken up."""
        self.outbox.dialect = dialect
        self.websocket.accept()
        self.outbox.open()
        self.gateway.session_opened(self)
        self._take(b"")
        self.outbox.touch()
        if self._behind:
            self._wait()

    def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Answers the upgrade with an HTTP error."""
        self.websocket.refuse(status, code, message, headers)
        self.outbox.touch()

    def connection_lost(self) -> None:
        """The network connection is gone."""
        self.transport = Gone(self.transport)
        self.websocket.receive_eof()
        self._rest, self._unread, self._behind = [], b"", False
        self.gateway.session_ended(self, *(self._closing or (BROKEN, "the connection broke")))

    def writing_paused(self) -> None:
        """The client takes less than we have for it: no input either until it catches up, and events wait."""
        self.outbox.pause()
        self.transport.pause_reading()

    def writing_resumed(self) -> None:
        """The client caught up."""
        self.outbox.resume()
        self.read_on()

    def read_on(self) -> None:
        """Input is taken again, unless something still holds it back; what was read before goes first."""
        if self.outbox.slow or self.outbox.holding:
            return
        self.gateway.resume_calls()
        if self._behind:
            self.gateway.turns.wait(self)
        else:
            self.transport.resume_reading()

    # Output

    def flushed(self) -> None:
        """All was written of a session that is not open: the connection can go once it is over."""
        if self.websocket.state is State.CLOSED:
            self.transport.close()
            self.gateway.closing(self)

    def abort(self) -> None:
        """Ends the connection at once."""
        self.transport.abort()

    def overflowed(self) -> None:
        """The client takes its events too slowly."""
        self.close(1008, f"slow reader: more than {self.gateway.settings.max_backlog} events are waiting")

    def on_event(self, event: Event) -> None:
        self.outbox.on_event(event)

    def close(self, code: int, reason: str) -> None:
        """Starts the closing handshake; the shell gives the peer a while to answer."""
        if self.websocket.state is State.OPEN:
            self._closing = (code, reason)
            self.outbox.last_answers()
            self.websocket.close(code, reason)
            self.outbox.closing()
            self.read_on()
            self.gateway.closing(self)
            self.outbox.touch()

    def fail(self, call: ParsedCall, error: RequestError) -> None:
        """Answers a call with an error."""
        self.outbox.fail(call.id, error)

    # The MT4 server

    def require_connection(self) -> Connection:
        return self.connection or self.mt4.required()

    async def connect(self, server: str, login: int, password: str, *, reconnect_delay: float = 0.0) -> None:
        await self.mt4.connect(server, login, password, reconnect_delay)
        self.websocket.allow()

    async def disconnect(self) -> None:
        await self.mt4.disconnect()

    # Subscriptions

    async def subscribe(self, name: str) -> None:
        kind = self.gateway.event_kind(name, suggest=self.has_logged_in)
        if name in self.subscriptions:
            raise SessionStateError("already_subscribed", f"Already subscribed to {name!r}")
        if kind.from_backend:
            connection = self.require_connection()
            await connection.watch(name)
            try:
                await self.mt4.subscribed(kind)
            except BaseException:
                await connection.unwatch(name)
                raise
        self.outbox.subscribe(name)
        if self._lapsed:
            self._lapsed.discard(name)

    async def unsubscribe(self, name: str) -> None:
        kind = self.gateway.event_kind(name, suggest=self.has_logged_in)
        if self._lapsed and name in self._lapsed:
            self._lapsed.discard(name)
            return
        if name not in self.subscriptions:
            raise SessionStateError("not_subscribed", f"Not subscribed to {name!r}")
        self.outbox.unsubscribe(name)
        self.mt4.unsubscribed(kind)
        if kind.from_backend and self.connection is not None:
            await self.connection.unwatch(name)

    def watched(self) -> list[EventKind]:
        """The kinds that the backend's connection has to watch for this session."""
        kinds = (self.gateway.kinds[name] for name in sorted(self.subscriptions))
        return [kind for kind in kinds if kind.from_backend]

    def lapse(self) -> None:
        """The MT4 connection was given up: what came over it lapses. A client that unsubscribes later is not told
        off for it."""
        lapsed = {kind.name for kind in self.watched()}
        for name in lapsed:
            self.outbox.unsubscribe(name)
        self._lapsed = (self._lapsed or set()) | lapsed

    def lost_for_good(self) -> None:
        """The MT4 connection is gone and will not be restored: dialect 0 may ``connect`` again, a session that came
        by headers has nothing left to do."""
        if self.gateway.came_by_headers(self):
            self.close(1011, "the connection to the MT4 server was lost")
        else:
            self.lapse()
