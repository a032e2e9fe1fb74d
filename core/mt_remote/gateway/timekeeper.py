"""Who keeps time: deadlines of calls, handshakes and closings, and pings to silent clients.

One task looks at all of them, some times a second: a timer for each call would cost more than the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

from mt_remote.clock import Clock
from mt_remote.dispatch.calls import ParsedCall
from mt_remote.gateway.admission import Admission
from mt_remote.gateway.call_runner import CallRunner
from mt_remote.gateway.refusals import RefusalLog
from mt_remote.logs import Log
from mt_remote.session.mt4_states import MT4State
from mt_remote.session.session import WebSocketSession
from mt_remote.settings import Settings
from mt_remote.wire.states import State

log = Log()

LOOK_SECONDS = 0.1
"""Between two looks at deadlines: so much later than its time one may be kept."""


class Timekeeper:
    """Keeps time for one gateway, by its ``clock``. ``deadline`` gives a call's seconds."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        sessions: set[WebSocketSession],
        calls: CallRunner[WebSocketSession, ParsedCall],
        deadline: Callable[[ParsedCall], float],
        admission: Admission,
        refusals: RefusalLog,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._sessions = sessions
        self._calls = calls
        self._deadline = deadline
        self._admission = admission
        self._refusals = refusals
        self._closing: dict[WebSocketSession, float] = {}
        self._limits: dict[anyio.CancelScope, float] = {}

    def closing(self, session: WebSocketSession) -> None:
        """The session's last bytes are on their way: the peer has a while to take them and to answer."""
        if session in self._sessions:
            self._closing.setdefault(session, self._clock.now() + self._settings.close_timeout)

    def forget(self, session: WebSocketSession) -> None:
        """The session is gone."""
        self._closing.pop(session, None)

    @contextmanager
    def patience(self, seconds: float) -> Iterator[anyio.CancelScope]:
        """Cancels what is inside after so many seconds, and goes on behind it."""
        with anyio.CancelScope() as scope:
            self._limits[scope] = self._clock.now() + seconds
            try:
                yield scope
            finally:
                del self._limits[scope]

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """The same, and raises ``TimeoutError`` then."""
        with self.patience(seconds) as scope:
            yield
        if scope.cancelled_caught:
            raise TimeoutError

    async def watch(self) -> None:
        """Looks again and again."""
        settings, clock = self._settings, self._clock
        next_ping = clock.now() + settings.ping_interval
        next_look = clock.now()
        while True:
            await clock.sleep(LOOK_SECONDS)
            now = clock.now()
            self._calls.cancel_overdue(now, self._deadline)
            for scope in [scope for scope, until in self._limits.items() if now >= until]:
                scope.cancel()
            for session in [session for session, until in self._closing.items() if now >= until]:
                session.transport.abort()
            if now >= next_ping:
                next_ping = now + settings.ping_interval
                self._ping()
            if now >= next_look:
                next_look = now + min(1.0, settings.handshake_timeout, settings.login_deadline)
                self._admission.end_overdue()
                self._end_late_sessions(now)

    def _end_late_sessions(self, now: float) -> None:
        """Ends sessions without an upgrade request in time, and those that never logged in. A log-in that is under way
        at the deadline may end first: it has a deadline itself."""
        settings = self._settings
        no_request = now - settings.handshake_timeout
        for session in list(self._sessions):
            if session.entry.since < no_request and session.websocket.state is State.CONNECTING:
                session.refuse(408, "handshake_timeout", "No upgrade request came in time")
                self._refusals.refused("session ended: no upgrade request", session=session.id, peer=session.peer)
            elif session.is_open and session.mt4.is_new and self._is_late(session, now):
                session.close(1008, f"no login within {settings.login_deadline:g} s")
                self._refusals.refused("session ended: no login", session=session.id, peer=session.peer)

    def _is_late(self, session: WebSocketSession, now: float) -> bool:
        limit = self._settings.login_deadline
        if session.mt4.state is MT4State.CONNECTING:
            limit += self._settings.deadlines.session
        return now - session.entry.since > limit

    def _ping(self) -> None:
        """Asks those that said nothing since the last look; ends those that said nothing since they were asked."""
        for session in list(self._sessions):
            if not session.is_open:
                continue
            if session.outbox.congested:  # nothing is read from it now: what it takes shows that it is there
                before, session.unsent = session.unsent, session.transport.unsent + session.websocket.waiting
                session.heard = session.heard or session.unsent < before or session.outbox.preparing
            if session.heard:
                session.heard = session.pinged = False
            elif session.pinged:
                log.info("silent session ended", session=session.id, peer=session.peer)
                session.transport.abort()
            else:
                session.pinged = True
                session.websocket.ping()
                session.outbox.touch()
