"""The gateway: sessions on one side, a backend on the other, plugins' functions between them."""

from __future__ import annotations

import contextvars
import difflib
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup

from mt_remote.area import Kind, implementing
from mt_remote.backend import Backend, Connection, Event, Listener
from mt_remote.dispatch.calls import Call, Outcome
from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.idempotency import FirstAnswer, Repeats
from mt_remote.errors import (
    Busy,
    CallTimeout,
    ConnectionLost,
    InternalError,
    InvalidData,
    InvalidRequest,
    Refused,
    RequestError,
    ReturnCode,
    ServerError,
    SessionStateError,
)  # fmt: skip
from mt_remote.gateway.carriers import Crew, Soon
from mt_remote.gateway.handshakes import Upgrades
from mt_remote.gateway.login_limiter import LoginLimiter
from mt_remote.logs import Log
from mt_remote.plugin import EventKind
from mt_remote.plugins.host import Catalogue
from mt_remote.session.long_answers import Slices
from mt_remote.session.outbox import Outbox
from mt_remote.session.session import Session
from mt_remote.settings import Settings
from mt_remote.shell.stepping import Stepper
from mt_remote.wire.states import State
from mt_remote.wire.websocket import UpgradeRequested

if TYPE_CHECKING:
    from mt_remote.plugins.hooks import Hooks
    from mt_remote.wire.transport import Wire

log = Log()

_CREDENTIAL_ERRORS = (ReturnCode.BAD_ACCOUNT_INFO, ReturnCode.ACCOUNT_DISABLED)
_WATCH_SECONDS = 0.1


class Gateway:
    """Serves sessions. Plugins may read :attr:`sessions`, :attr:`kinds`, :attr:`functions`, :meth:`publish` events,
    and :meth:`spawn` tasks that end with the gateway."""

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        catalogue: Catalogue,
        backend: Backend,
        *,
        group: TaskGroup,
        soon: Soon,
        stepper: Stepper | None,
        clock: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.hooks = hooks
        self.catalogue = catalogue
        self.backend = backend
        self.implemented = implementing([*catalogue.brought, *backend.areas])  # the backend's own come first
        self.parse = catalogue.registry.parse
        self.clock = clock
        self.sessions: set[Session] = set()
        self.stopping = False
        self.limiter = LoginLimiter(settings.login_failures, settings.login_window)
        self.repeats = Repeats()
        self.slices = Slices()
        self.upgrades = Upgrades(self)
        self.crew: Crew[Session, Call] = Crew(
            group, self._perform, self._timed_out, self._broken, soon=soon, stepper=stepper, clock=clock
        )
        self.group = group
        self._context = contextvars.copy_context()
        self._thread = threading.get_ident()
        self.flush_soon = partial(soon, self._flush)
        self.due: list[Outbox] = []
        """What is written once the present turn of the loop is over."""
        self._closing: dict[Session, float] = {}
        self._unbegun: set[Call] = set()
        self._next_session = 1
        self._progress = anyio.Event()
        self._max_calls = settings.max_calls
        self._limits = {kind: float(getattr(settings.deadlines, kind.value)) for kind in Kind}

    # What plugins use

    @property
    def kinds(self) -> dict[str, EventKind]:
        """Event kinds by name."""
        return self.catalogue.kinds

    @property
    def functions(self) -> dict[str, Function]:
        """Functions by name."""
        return self.catalogue.registry.functions

    def publish(self, event: Event) -> None:
        """Sends an event of a plugin's own kind to every session that subscribed to it."""
        if event.kind not in self.kinds:
            raise KeyError(f"no plugin registered the event kind {event.kind!r}")
        for session in tuple(self.sessions):
            session.on_event(event)

    def spawn(self, function: Callable[..., Awaitable[Any]], *arguments: object) -> None:
        """Starts a task that ends with the gateway. What it raises is logged and ends the task alone.

        To be called on the event loop's thread, in a task or in a plain callback of the loop; elsewhere it raises
        ``RuntimeError``. The task runs in the gateway's context, not in the caller's: a callback may have come from a
        thread that knows no event loop.
        """
        if threading.get_ident() != self._thread:
            raise RuntimeError("Gateway.spawn was called on another thread than the event loop's")
        self._context.copy().run(self.group.start_soon, self._guarded, function, arguments)

    async def _guarded(self, function: Callable[..., Awaitable[Any]], arguments: tuple[object, ...]) -> None:
        try:
            await function(*arguments)
        except Exception:
            log.exception("a task failed", task=getattr(function, "__qualname__", repr(function)))

    def counters(self) -> dict[str, int]:
        """What there is at this moment; all zero but ``carriers`` when nobody is here."""
        return {
            "sessions": len(self.sessions),
            "subscriptions": sum(len(session.subscriptions) for session in self.sessions),
            "connections": sum(session.link.connection is not None for session in self.sessions),
            "calls_in_flight": self.crew.in_flight,
            "calls_waiting": sum(session.lane.waiting for session in self.sessions),
            "events_waiting": sum(session.outbox.waiting for session in self.sessions),
            "carriers": len(self.crew.carriers),
        }

    # Sessions

    def open_session(self, wire: Wire) -> Session:
        """A network connection was accepted."""
        session = Session(self, wire, self._next_session, self.clock())
        self._next_session += 1
        self.sessions.add(session)
        return session

    def upgrade(self, session: Session, request: UpgradeRequested) -> None:
        """An upgrade request came: decides, at once or after asking the MT4 server."""
        self.upgrades.decide(session, request)

    def came_by_headers(self, session: Session) -> bool:
        """Whether the session's credentials came with the handshake."""
        return session in self.upgrades.by_headers

    def session_opened(self, session: Session) -> None:
        self.hooks.session_opened(session)

    def session_ended(self, session: Session, code: int, reason: str) -> None:
        """The network connection is gone: nothing of the session stays behind."""
        if session not in self.sessions:
            return
        self.sessions.discard(session)
        self._closing.pop(session, None)
        self.upgrades.by_headers.discard(session)
        session.outbox.end()
        session.lane.clear()
        self.crew.cancel_where(lambda owner, call: owner is session and not call.function.changes_state)
        if session.link.wanted:
            self.spawn(session.link.aclose)
        self.hooks.session_closed(session, code, reason)
        if self.stopping:
            self._progress.set()

    def closing(self, session: Session) -> None:
        """The session's last bytes are on their way: the peer has a while to take them and to answer."""
        if session in self.sessions:
            self._closing.setdefault(session, self.clock() + self.settings.close_timeout)

    def _flush(self) -> None:
        due = self.due.copy()
        self.due.clear()
        for outbox in due:
            try:
                outbox.flush()
            except Exception:  # a bug of one connection is not to hold back what the others are to be sent
                log.exception("output could not be written")
                outbox.abort()

    # The MT4 server

    async def open_connection(
        self, server: str, login: int, password: str, listener: Listener, *, peer: str = "", attempt: bool = True
    ) -> Connection:
        """Logs in at the backend. ``attempt`` counts against the limit on failed logins of ``peer``."""
        allowed = self.settings.servers
        if allowed and server not in allowed:
            raise Refused(f"This gateway does not connect to the server {server!r}", code="server_not_allowed")
        address = peer.rpartition(":")[0] or peer
        if attempt and (seconds := self.limiter.wait(address, self.clock())) > 0:
            raise Refused(
                f"Too many failed logins from {address}: try again in {seconds:.0f} s", code="too_many_logins"
            )
        try:
            connection = await self.backend.open(server, login, password, listener, peer=address)
        except ServerError as error:
            if attempt and error.return_code in _CREDENTIAL_ERRORS:
                self.limiter.failed(address, self.clock())
            raise
        connection.implemented = self.implemented
        return connection

    def event_kind(self, name: str) -> EventKind:
        """The kind of that name. Raises :class:`~mt_remote.errors.InvalidData` with names that are near."""
        kind = self.kinds.get(name)
        if kind is None:
            near = difflib.get_close_matches(name, self.kinds, n=3) or sorted(self.kinds)
            raise InvalidData.of("event", f"there is no such event; did you mean {', '.join(near)}?")
        return kind

    # Calls

    def submit(self, session: Session, call: Call) -> None:
        """A valid request came in."""
        lane = session.lane
        if (call.key is not None or self.stopping) and (problem := self._problem(session, call)):
            session.fail(call, problem)
        elif lane.calls >= self._max_calls:
            message = f"More than {self.settings.max_calls} calls are under way; this one was not started"
            session.fail(call, Busy(message))
        elif lane.admit(call):
            self.crew.submit(session, call)
        else:
            lane.wait(call, self.clock())

    def _problem(self, session: Session, call: Call) -> RequestError | None:
        """Why a call that came is not taken."""
        if call.key is not None and (problem := _key_problem(session, call)):
            return InvalidRequest(problem)
        return SessionStateError("shutting_down", "The gateway is shutting down") if self.stopping else None

    async def _perform(self, session: Session, call: Call) -> None:
        """Carries out one call and answers it."""
        hooks, function = self.hooks, call.function
        began = self.clock() if hooks.watches_finishes else 0.0
        error: RequestError | None = None
        try:
            if call.key:
                result = await self._once(session, call)
            else:
                if hooks.watches_starts:
                    await self._ask_plugins(session, call)
                result = function.invoke(session, call.arguments, call.body)
                if function.is_async:
                    result = await result
            if function.is_list and function.is_long(result):
                await self.slices.answer(session, call, result)
            else:
                session.outbox.answer(call, result)
        except RequestError as failure:
            error = failure
        except Exception:
            log.exception("a function failed", function=call.name, plugin=function.plugin)
            error = InternalError(f"{call.name} failed inside the gateway; its log says why")
        if error is not None:
            session.fail(call, error)
        if hooks.watches_finishes:
            hooks.call_finished(session, call, Outcome(error, self.clock() - began))
        for next_call, came in session.lane.done(call):
            self._start_late(session, next_call, came)
        if self.stopping:
            self._progress.set()

    async def _ask_plugins(self, session: Session, call: Call) -> None:
        """Lets plugins veto a call. One that is cut off meanwhile is known not to have begun."""
        try:
            await self.hooks.call_started(session, call)
        except RequestError:
            raise
        except BaseException:
            self._unbegun.add(call)
            raise

    async def _run(self, session: Session, call: Call) -> Any:
        result = call.function.invoke(session, call.arguments, call.body)
        return await result if call.function.is_async else result

    async def _once(self, session: Session, call: Call) -> Any:
        """Runs a call with a key, or gives what the first one under that key gave, whatever a plugin would say now:
        to whoever missed the answer a veto would tell that nothing happened."""
        owner = (session.link.server, session.link.login)
        first, is_first = await self.repeats.claim(owner, call, self.clock())
        if is_first:
            await self._run_first(session, call, first)
        else:
            await first.done.wait()
        if first.error is not None:
            raise first.error
        return first.result

    async def _run_first(self, session: Session, call: Call, first: FirstAnswer) -> None:
        owner = (session.link.server, session.link.login)
        happened = False
        try:
            if self.hooks.watches_starts:
                await self._ask_plugins(session, call)
            happened = True
            first.result = await self._run(session, call)
        except RequestError as error:
            first.error = error
            happened = happened and not _did_not_happen(error)
        except BaseException:
            first.error = _unfinished(begun=happened)
            raise
        finally:
            self.repeats.settle(owner, call, first, happened=happened)

    def _timed_out(self, session: Session, call: Call) -> None:
        """A call was cancelled at its deadline, or with its session."""
        limit = self._limits[call.function.kind]
        outcome, known = self._known(call)
        error = CallTimeout(f"{call.name} took longer than {limit:g} s{known}", outcome=outcome)
        session.fail(call, error)
        self._finished(session, call, error, self.clock() - limit)

    def _broken(self, session: Session, call: Call) -> None:
        """A call ended with a cancellation that is not ours: its function awaited what somebody else cancelled."""
        log.error("a function was cancelled from outside", function=call.name, plugin=call.function.plugin)
        error = InternalError(f"{call.name} was broken off inside the gateway{self._known(call)[1]}")
        session.fail(call, error)
        self._finished(session, call, error, self.clock())

    def _known(self, call: Call) -> tuple[str, str]:
        """The outcome of a call that was cut off, and what there is to say of it."""
        if call in self._unbegun:
            self._unbegun.discard(call)
            return "not_done", "; it was not carried out: a plugin was being asked about it"
        if call.function.changes_state:
            return "unknown", "; whether it happened is unknown"
        return "not_done", ""

    def _finished(self, session: Session, call: Call, error: RequestError | None, began: float) -> None:
        if self.hooks.watches_finishes:
            self.hooks.call_finished(session, call, Outcome(error, self.clock() - began))
        for next_call, came in session.lane.done(call):
            self._start_late(session, next_call, came)
        if self.stopping:
            self._progress.set()

    def _start_late(self, session: Session, call: Call, came: float) -> None:
        """A call's turn came, if it did not wait too long."""
        limit = self._limits[call.function.kind]
        if self.clock() - came < limit:
            self.crew.submit(session, call)
            return
        error = CallTimeout(f"{call.name} waited longer than {limit:g} s; it was not carried out", outcome="not_done")
        session.fail(call, error)
        self._finished(session, call, error, came)

    # Time

    async def watch(self) -> None:
        """Keeps deadlines: calls, handshakes, closing sessions, silent ones."""
        next_ping = self.clock() + self.settings.ping_interval
        next_look = self.clock()
        while True:
            await anyio.sleep(_WATCH_SECONDS)
            now = self.clock()
            self.crew.cancel_overdue(now, lambda call: self._limits[call.function.kind])
            for session in [session for session, until in self._closing.items() if now >= until]:
                session.wire.abort()
            if now >= next_ping:
                next_ping = now + self.settings.ping_interval
                self._ping(now)
            if now >= next_look:
                next_look = now + min(1.0, self.settings.handshake_timeout)
                self._end_slow_handshakes(now)

    def _end_slow_handshakes(self, now: float) -> None:
        oldest = now - self.settings.handshake_timeout
        for session in list(self.sessions):
            if session.opened_at < oldest and session.websocket.state is State.CONNECTING:
                session.refuse(408, "handshake_timeout", "No upgrade request came in time")

    def _ping(self, now: float) -> None:
        for session in list(self.sessions):
            if not session.is_open:
                continue
            if session.outbox.congested:  # nothing is read from it now: what it takes shows that it is there
                before, session.unsent = session.unsent, session.wire.unsent + session.websocket.waiting
                session.heard = session.heard or session.unsent < before or session.outbox.preparing
            if session.heard:
                session.heard = session.pinged = False
            elif session.pinged:
                log.info("silent session ended", session=session.id, peer=session.peer)
                session.wire.abort()
            else:
                session.pinged = True
                session.websocket.ping()
                session.outbox.touch()

    async def _next_progress(self) -> None:
        self._progress = anyio.Event()
        await self._progress.wait()

    async def stop(self) -> None:
        """Refuses new sessions, lets calls in flight finish within the grace period, closes sessions with 1001."""
        self.stopping = True
        with anyio.move_on_after(self.settings.shutdown_grace):
            while self.crew.in_flight or any(session.lane.waiting for session in self.sessions):
                await self._next_progress()
        for session in list(self.sessions):
            if session.is_open:
                session.close(1001, "the gateway is shutting down")
            elif session.websocket.state in (State.CONNECTING, State.DECIDING):
                session.refuse(503, "shutting_down", "The gateway is shutting down")
        with anyio.move_on_after(self.settings.close_timeout):
            while self.sessions:
                await self._next_progress()
        for session in list(self.sessions):
            session.wire.abort()
        with anyio.move_on_after(_WATCH_SECONDS):
            while self.sessions:
                await self._next_progress()


def _key_problem(session: Session, call: Call) -> str:
    if session.dialect != "2":
        return "key: only dialect 2 has it"
    return "" if call.function.kind in (Kind.TRADE, Kind.CHANGE) else "key: only for calls that change the server"


def _unfinished(*, begun: bool) -> CallTimeout:
    """What repetitions read that waited for a first call which was cut off."""
    if begun:
        return CallTimeout("The first call under this key did not finish; its outcome is unknown")
    return CallTimeout("The first call under this key was not carried out", outcome="not_done")


def _did_not_happen(error: RequestError) -> bool:
    """Errors after which a repetition may try again."""
    if isinstance(error, CallTimeout):
        return error.outcome == "not_done"
    if isinstance(error, ConnectionLost):
        return error.outcome != "unknown"
    if isinstance(error, ServerError):
        return error.return_code == ReturnCode.NO_CONNECT
    return isinstance(error, Busy | Refused) or error.wire_code == "not_connected"
