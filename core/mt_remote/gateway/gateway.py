"""The gateway: sessions on one side, a backend on the other, plugins' functions between them."""

from __future__ import annotations

import contextvars
import difflib
import math
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVarTuple

import anyio
import pluggy
from anyio.abc import TaskGroup

from mt_remote.addresses import host_of
from mt_remote.area import Kind, implementing
from mt_remote.backend import Backend, Connection, Event, Listener
from mt_remote.clock import Clock
from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.functions import Function
from mt_remote.errors import (
    Busy,
    CallTimeout,
    InternalError,
    InvalidData,
    InvalidRequest,
    Refused,
    RequestError,
    SessionStateError,
)  # fmt: skip
from mt_remote.gateway.admission import Admission, Entry
from mt_remote.gateway.call_runner import CallRunner
from mt_remote.gateway.event_loop import EventLoop
from mt_remote.gateway.handshakes import Handshakes
from mt_remote.gateway.log_ins import LogIns
from mt_remote.gateway.refusals import RefusalLog
from mt_remote.gateway.timekeeper import LOOK_SECONDS, Timekeeper
from mt_remote.interfaces import EventKind, Outcome
from mt_remote.keys.claims import CUT_OFF, NOT_BEGUN, Claim, IdempotencyKeys, fingerprint
from mt_remote.keys.store import Answer, Failure
from mt_remote.logs import Log
from mt_remote.outcomes import Known, may_be_repeated
from mt_remote.outcomes import begin as begin_changes
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import Catalogue
from mt_remote.session.event_numbers import EventEncoder
from mt_remote.session.long_answers import LongAnswers
from mt_remote.session.outbox import Outbox
from mt_remote.session.session import SessionHost, WebSocketSession
from mt_remote.session.turns import Turns
from mt_remote.settings import Settings
from mt_remote.wire.states import State
from mt_remote.wire.transport import Transport
from mt_remote.wire.websocket import UpgradeRequested

log = Log()

Ts = TypeVarTuple("Ts")


class AssembledGateway(SessionHost):
    """Settings, plugins and a backend put together: opens sessions, carries out their calls, keeps time.

    What plugins may touch of it, and what sessions do, stands with the interfaces that it implements.
    """

    __slots__ = (
        "__weakref__",
        "_answered",
        "_context",
        "_cut_off",
        "_grace",
        "_handshakes",
        "_keyed",
        "_limits",
        "_max_calls",
        "_next_session",
        "_now",
        "_progress",
        "_thread",
        "_unbegun",
        "admission",
        "backend",
        "calls",
        "catalogue",
        "clock",
        "due",
        "encode_event",
        "flush_soon",
        "functions",
        "group",
        "hooks",
        "idempotency",
        "implemented",
        "kinds",
        "log_ins",
        "long_answers",
        "loop",
        "parse",
        "plugins",
        "refusals",
        "resume_calls",
        "sessions",
        "settings",
        "stopping",
        "time",
        "turns",
    )

    settings: Settings
    backend: Backend
    plugins: pluggy.PluginManager
    sessions: set[WebSocketSession]
    kinds: dict[str, EventKind]
    functions: dict[str, Function]
    parse: Callable[[bytes, str], ParsedCall]
    encode_event: EventEncoder
    flush_soon: Callable[[], object]
    resume_calls: Callable[[], object]
    turns: Turns
    stopping: bool
    clock: Clock
    refusals: RefusalLog
    admission: Admission
    due: list[Outbox]
    """What is written once the present turn of the loop is over."""

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        catalogue: Catalogue,
        backend: Backend,
        *,
        group: TaskGroup,
        loop: EventLoop,
        keys: IdempotencyKeys,
    ) -> None:
        self.settings = settings
        self.hooks = hooks
        self.catalogue = catalogue
        self.backend = backend
        self.implemented = implementing([*catalogue.brought, *backend.areas])  # the backend's own come first
        self.parse = catalogue.registry.parse
        self.encode_event = catalogue.encode_event
        self.plugins = hooks.manager
        self.kinds = catalogue.kinds
        self.functions = catalogue.registry.functions
        self.loop = loop
        self.clock = loop.clock
        self._now = loop.clock.now
        self.sessions = set()
        self.stopping = False
        self.idempotency = keys
        self._keyed: dict[ParsedCall, Claim] = {}
        self._answered: set[ParsedCall] = set()
        self.refusals = RefusalLog(settings.refusals_logged, loop.clock.now)
        self.admission = Admission(settings, loop.clock, self.refusals)
        self.log_ins = LogIns(settings, loop.clock)
        self.long_answers = LongAnswers(loop.clock.now)
        self.turns = Turns(loop.clock.now, loop.soon)
        self._handshakes = Handshakes(self)
        self.calls: CallRunner[WebSocketSession, ParsedCall] = CallRunner(
            group,
            self._perform,
            self._timed_out,
            self._broken,
            loop=loop,
            outlasts=self._outlasts,
            is_full=_takes_no_more,
        )
        self.resume_calls = self.calls.resume
        self._limits = {kind: float(getattr(settings.deadlines, kind.value)) for kind in Kind}
        self.time = Timekeeper(
            settings,
            loop.clock,
            self.sessions,
            self.calls,
            self._deadline,
            self.admission,
            self.refusals,
        )
        self.group = group
        self._context = contextvars.copy_context()
        self._thread = threading.get_ident()
        self.flush_soon = partial(loop.soon, self._flush)
        self.due = []
        self._unbegun: set[ParsedCall] = set()
        self._grace: anyio.CancelScope | None = None
        self._cut_off = False
        self._next_session = 1
        self._progress = anyio.Event()
        self._max_calls = settings.max_calls

    def _deadline(self, call: ParsedCall) -> float:
        """Seconds that a call may take. One whose answer only waits for the client to take another takes no time."""
        return math.inf if call in self.long_answers.queued else self._limits[call.function.kind]

    # What plugins use

    def publish(self, event: Event) -> None:
        if event.kind not in self.kinds:
            raise KeyError(f"no plugin registered the event kind {event.kind!r}")
        for session in tuple(self.sessions):
            session.on_event(event)

    def spawn(self, function: Callable[[*Ts], Awaitable[object]], *arguments: *Ts) -> None:
        if threading.get_ident() != self._thread:
            raise RuntimeError("Gateway.spawn was called on another thread than the event loop's")
        self._context.copy().run(self.group.start_soon, self._guarded, function, arguments)

    async def _guarded(self, function: Callable[..., Awaitable[Any]], arguments: tuple[object, ...]) -> None:
        try:
            await function(*arguments)
        except Exception:
            log.exception("a task failed", task=getattr(function, "__qualname__", repr(function)))

    def counters(self) -> dict[str, int]:
        """What there is at this moment; all zero but ``call_tasks`` when nobody is here."""
        return {
            "sessions": len(self.sessions),
            "subscriptions": sum(len(session.subscriptions) for session in self.sessions),
            "connections": sum(session.connection is not None for session in self.sessions),
            "calls_in_flight": self.calls.in_flight,
            "calls_waiting": sum(session.call_order.waiting for session in self.sessions),
            "events_waiting": sum(session.outbox.waiting for session in self.sessions),
            "call_tasks": len(self.calls.tasks),
        }

    # Sessions

    def open_session(self, transport: Transport, entry: Entry) -> WebSocketSession:
        """A network connection that was let in (:attr:`admission`) is ready for the client's upgrade request."""
        self.admission.arrived(entry)
        session = WebSocketSession(self, transport, self._next_session, entry)
        self._next_session += 1
        self.sessions.add(session)
        return session

    def decide_handshake(self, session: WebSocketSession, request: UpgradeRequested) -> None:
        """An upgrade request came: decides, at once or after asking the MT4 server."""
        self._handshakes.decide(session, request)

    def came_by_headers(self, session: WebSocketSession) -> bool:
        """Whether the session's credentials came with the handshake."""
        return session in self._handshakes.by_headers

    def session_opened(self, session: WebSocketSession) -> None:
        self.hooks.session_opened(session)

    def session_ended(self, session: WebSocketSession, code: int, reason: str) -> None:
        """The network connection is gone: nothing of the session stays behind."""
        if session not in self.sessions:
            return
        self.sessions.discard(session)
        self.admission.leave(session.entry)
        self.time.forget(session)
        self.turns.forget(session)
        self._handshakes.by_headers.discard(session)
        session.outbox.end()
        session.call_order.clear()
        self.calls.cancel_where(lambda owner, call: owner is session and not call.function.changes_state)
        connection = session.mt4.end()
        if connection is not None:
            self.spawn(connection.aclose)
        self.calls.resume()
        self.hooks.session_closed(session, code, reason)
        if self.stopping:
            self._progress.set()

    def closing(self, session: WebSocketSession) -> None:
        self.time.closing(session)

    def limit(self, seconds: float) -> AbstractContextManager[object]:
        return self.time.limit(seconds)

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
        connection = await self.log_ins.open(
            self.backend, server, login, password, listener, address=host_of(peer), is_retry=not attempt
        )
        connection.implemented = self.implemented
        return connection

    def event_kind(self, name: str, *, suggest: bool = True) -> EventKind:
        kind = self.kinds.get(name)
        if kind is None:
            if not suggest:
                raise InvalidData.of("event", "there is no such event")
            near = difflib.get_close_matches(name, self.kinds, n=3) or sorted(self.kinds)
            raise InvalidData.of("event", f"there is no such event; did you mean {', '.join(near)}?")
        return kind

    # Calls

    def submit(self, session: WebSocketSession, call: ParsedCall) -> None:
        """A valid request came in."""
        lane = session.call_order
        if (call.key is not None or self.stopping) and (problem := self._problem(session, call)):
            session.fail(call, problem)
        elif lane.calls >= self._max_calls:
            message = f"More than {self.settings.max_calls} calls are under way; this one was not started"
            session.fail(call, Busy(message))
        elif lane.admit(call):
            self.calls.submit(session, call)
        else:
            lane.wait(call, self._now())

    def _problem(self, session: WebSocketSession, call: ParsedCall) -> RequestError | None:
        """Why a call that came is not taken."""
        if call.key is not None and (problem := _key_problem(session, call)):
            return InvalidRequest(problem)
        return SessionStateError("shutting_down", "The gateway is shutting down") if self.stopping else None

    async def _perform(self, session: WebSocketSession, call: ParsedCall) -> None:
        """Carries out one call and answers it."""
        hooks, function = self.hooks, call.function
        began = self._now() if hooks.watches_finishes else 0.0
        error: RequestError | None = None
        if function.changes_server:
            call.changes = begin_changes()
        try:
            if call.key:
                encoded = await self._once(session, call)
                if call not in self._answered:
                    session.outbox.answer_encoded(call, encoded)
            else:
                if hooks.watches_starts:
                    await self._ask_plugins(session, call)
                result = function.invoke(session, call.arguments, call.body)
                if function.is_async:
                    result = await result
                if function.is_list and function.is_long(result):
                    await self.long_answers.answer(session, call, result)
                else:
                    session.outbox.answer(call, result)
        except RequestError as failure:
            error = failure
            _say_what_is_known(call, error)
        except Exception:
            log.exception("a function failed", function=call.name, plugin=function.plugin)
            error = InternalError(f"{call.name} failed inside the gateway; its log says why")
            _say_what_is_known(call, error)
        if self._answered and self._was_answered(call):
            return
        if error is not None:
            session.fail(call, error)
        if hooks.watches_finishes:
            hooks.call_finished(session, call, Outcome(error, self._now() - began))
        error = None  # its traceback has this frame, which has it: the session would stay until the collector came
        for next_call, came in session.call_order.done(call):
            self._start_late(session, next_call, came)
        if self.stopping:
            self._progress.set()

    async def _ask_plugins(self, session: WebSocketSession, call: ParsedCall) -> None:
        """Lets plugins veto a call. One that is cut off meanwhile is known not to have begun."""
        try:
            await self.hooks.call_started(session, call)
        except RequestError:
            raise
        except BaseException:
            self._unbegun.add(call)
            raise

    async def _once(self, session: WebSocketSession, call: ParsedCall) -> bytes | None:
        """Runs a call with a key, or gives what the first one under that key gave, whatever a plugin would say now:
        to whoever missed the answer a veto would tell that nothing happened. The result is JSON."""
        found = await self.idempotency.claim(session.mt4.account, call.key or "", fingerprint(call))
        return found.get() if isinstance(found, Answer) else await self._first(session, call, found)

    async def _first(self, session: WebSocketSession, call: ParsedCall, claim: Claim) -> bytes | None:
        """Runs the first call under a key. Its answer is stored before anybody hears it."""
        keys, begun = self.idempotency, False
        try:
            if self.hooks.watches_starts:
                await self._ask_plugins(session, call)
            begun, self._keyed[call] = True, claim
            encoded = await self._encoded(session, call)
            keys.settle(claim, Answer(encoded))
            await claim.is_stored()
            return encoded
        except RequestError as error:
            known = _say_what_is_known(call, error)
            failure = Failure.of(error)
            if begun and not may_be_repeated(error, known):
                keys.settle(claim, Answer(failure=failure))
            else:
                keys.release(claim, failure)
            await claim.is_stored()
            raise
        except BaseException:
            if begun:
                keys.settle(claim, Answer(failure=CUT_OFF))
            else:
                keys.release(claim, NOT_BEGUN)
            raise
        finally:
            self._keyed.pop(call, None)

    async def _encoded(self, session: WebSocketSession, call: ParsedCall) -> bytes | None:
        function = call.function
        result = function.invoke(session, call.arguments, call.body)
        if function.is_async:
            result = await result
        return None if function.result is None else function.encode(result, session.dialect)

    def _outlasts(self, session: WebSocketSession, call: ParsedCall) -> bool:
        """Whether a call goes on although its time is up: under a key its end will answer repetitions."""
        if call in self._answered:
            return True
        claim = self._keyed.get(call)
        if claim is None:
            return False
        self._timed_out(session, call)
        self._answered.add(call)
        self.idempotency.call_is_late(claim)
        return True

    def _was_answered(self, call: ParsedCall) -> bool:
        """Whether a call that ends now was answered before; nobody waits for what it says."""
        if call not in self._answered:
            return False
        self._answered.discard(call)
        if self.stopping:
            self._progress.set()
        return True

    def _timed_out(self, session: WebSocketSession, call: ParsedCall) -> None:
        """A call was cancelled: at its deadline, with its session, or because the gateway ends."""
        if self._was_answered(call):
            return
        limit = self._limits[call.function.kind]
        outcome, known = self._known(call)
        why = "was cut off: the gateway is shutting down" if self._cut_off else f"took longer than {limit:g} s"
        error = CallTimeout(f"{call.name} {why}{known}", outcome=outcome)
        session.fail(call, error)
        self._finished(session, call, error, self._now() - limit)

    def _broken(self, session: WebSocketSession, call: ParsedCall) -> None:
        """A call ended with a cancellation that is not ours: its function awaited what somebody else cancelled."""
        if self._was_answered(call):
            return
        log.error("a function was cancelled from outside", function=call.name, plugin=call.function.plugin)
        error = InternalError(f"{call.name} was broken off inside the gateway{self._known(call)[1]}")
        session.fail(call, error)
        self._finished(session, call, error, self._now())

    def _known(self, call: ParsedCall) -> tuple[str, str]:
        """The outcome of a call that was cut off, and what there is to say of it."""
        if call in self._unbegun:
            self._unbegun.discard(call)
            return "not_done", "; it was not carried out: a plugin was being asked about it"
        if call.changes is not None and call.changes.any and call.changes.known is not Known.UNKNOWN:
            known = call.changes.known
            return known, "; it was carried out" if known is Known.DONE else "; it was not carried out"
        if call.function.changes_state:
            return "unknown", "; whether it happened is unknown"
        return "not_done", ""

    def _finished(self, session: WebSocketSession, call: ParsedCall, error: RequestError | None, began: float) -> None:
        if self.hooks.watches_finishes:
            self.hooks.call_finished(session, call, Outcome(error, self._now() - began))
        for next_call, came in session.call_order.done(call):
            self._start_late(session, next_call, came)
        if self.stopping:
            self._progress.set()

    def _start_late(self, session: WebSocketSession, call: ParsedCall, came: float) -> None:
        """A call's turn came, if it did not wait too long."""
        limit = self._limits[call.function.kind]
        if self._now() - came < limit:
            self.calls.submit(session, call)
            return
        error = CallTimeout(f"{call.name} waited longer than {limit:g} s; it was not carried out", outcome="not_done")
        session.fail(call, error)
        self._finished(session, call, error, came)

    # The end

    async def _next_progress(self) -> None:
        self._progress = anyio.Event()
        await self._progress.wait()

    def hurry(self) -> None:
        """The grace period is over, or will be none."""
        if self._grace is None:
            self._grace = anyio.CancelScope()
        self._grace.cancel()

    async def stop(self) -> None:
        """Refuses new sessions, lets calls in flight finish within the grace period, answers those that did not with
        what is known of them, closes sessions with 1001."""
        self.stopping = True
        self.admission.end_arriving()
        with self.time.patience(self.settings.shutdown_grace) as grace:
            if self._grace is not None:
                grace.cancel()
            self._grace = grace
            while self.calls.in_flight or any(session.call_order.waiting for session in self.sessions):
                await self._next_progress()
        await self._end_calls()
        for session in list(self.sessions):
            if session.is_open:
                session.close(1001, "the gateway is shutting down")
            elif session.websocket.state in (State.CONNECTING, State.DECIDING):
                session.refuse(503, "shutting_down", "The gateway is shutting down")
        with self.time.patience(self.settings.close_timeout):
            while self.sessions:
                await self._next_progress()
        for session in list(self.sessions):
            session.transport.abort()
        with self.time.patience(LOOK_SECONDS):
            while self.sessions:
                await self._next_progress()

    async def _end_calls(self) -> None:
        """Ends the calls that are left. Each is answered, also where its function does not let itself be cancelled."""
        self._cut_off = True
        waiting = [(session, call) for session in self.sessions for call in session.call_order.clear()]
        for session, call in waiting + self.calls.cancel_all():
            message = f"{call.name} was not carried out: the gateway is shutting down"
            self._answer_early(session, call, CallTimeout(message, outcome="not_done"))
        with self.time.patience(LOOK_SECONDS):
            while self.calls.in_flight:
                await self._next_progress()
        for session, call in self.calls.under_way:
            if call not in self._answered:
                self._timed_out(session, call)
                self._answered.add(call)

    def _answer_early(self, session: WebSocketSession, call: ParsedCall, error: RequestError) -> None:
        session.fail(call, error)
        if self.hooks.watches_finishes:
            self.hooks.call_finished(session, call, Outcome(error, 0.0))


def _takes_no_more(session: WebSocketSession) -> bool:
    return session.outbox.congested


def _key_problem(session: WebSocketSession, call: ParsedCall) -> str:
    if session.dialect != "2":
        return "key: only dialect 2 has it"
    return "" if call.function.kind in (Kind.TRADE, Kind.CHANGE) else "key: only for calls that change the server"


def _say_what_is_known(call: ParsedCall, error: RequestError) -> Known:
    """Joins what was said of a call that failed: the one place where the client's ``outcome`` comes from."""
    if call.changes is None:
        return Known.NOT_DONE
    known = call.changes.after(error)
    if error.outcome or known is not Known.NOT_DONE:
        error.outcome = known
    return known
