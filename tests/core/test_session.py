"""The session without I/O: one answer a request, events numbered without gaps, and what happens to a slow reader."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import Field

from mt_remote.backend import Event
from mt_remote.clock import SystemClock
from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.registry import Registry
from mt_remote.errors import CallTimeout, InvalidData, Problem
from mt_remote.gateway.admission import Entry
from mt_remote.plugin import EventKind, Kind, Namespace
from mt_remote.session.event_numbers import EventEncoder
from mt_remote.session.outbox import Outbox
from mt_remote.session.session import WebSocketSession
from mt_remote.session.turns import Turns
from mt_remote.settings import Settings
from mt_remote.wire.states import State
from mt_remote.wire.transport import Transport
from mt_remote.wire.websocket import UpgradeRequested
from tests.core.frames import BINARY, CONTINUATION, PING, close, cut, frame, sent, upgrade

own = Namespace("own")


@own.function()
def double(number: Annotated[int, Field(ge=0, le=10)], note: str = "") -> int:
    """Twice the number."""
    return 2 * number


@own.function(kind=Kind.CHANGE)
def nothing() -> None:
    """Nothing."""


REGISTRY = Registry([Function(declared, "tests") for declared in own.functions], "cp1252")


KINDS = ("tick", "trade", "user")


def encode(event: Event, dialect: str) -> bytes:
    return b',"data":%b}' % json.dumps(event.data).encode()


class Desk:
    """Stands in for the gateway: answers each call at once."""

    def __init__(self, max_message: int, max_backlog: int, encoder: EventEncoder) -> None:
        self.settings = Settings(max_message=max_message, max_backlog=max_backlog)
        self.encode_event = encoder
        self.parse = REGISTRY.parse
        self.kinds: dict[str, EventKind] = {}
        self.due: list[Outbox] = []
        self.wakes = 0
        self.clock = SystemClock()
        self.later: list[Callable[[], object]] = []
        self.turns = Turns(self.clock.now, self.later.append)
        self.ended: tuple[int, str] | None = None

    def flush_soon(self) -> None:
        self.wakes += 1

    def resume_calls(self) -> None:
        """None wait here."""

    def take_turns(self) -> None:
        """The loop goes round until nobody waits."""
        while self.later:
            self.later.pop(0)()

    def decide_handshake(self, session: WebSocketSession, request: UpgradeRequested) -> None:
        session.accept("0")

    def session_opened(self, session: WebSocketSession) -> None:
        """Nobody is told."""

    def submit(self, session: WebSocketSession, call: ParsedCall) -> None:
        session.outbox.answer(call, call.function.invoke(session, call.arguments, call.body))

    def closing(self, session: WebSocketSession) -> None:
        """Nobody hurries here."""

    def session_ended(self, session: WebSocketSession, code: int, reason: str) -> None:
        self.ended = (code, reason)


class Line(Transport):
    """Keeps what is written."""

    secure = False
    unsent = 0

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """All is fed."""

    def resume_reading(self) -> None:
        """All is fed."""


def opened(
    *, max_backlog: int = 100, dialect: str = "0", max_message: int = 10_000, encoder: EventEncoder = encode
) -> WebSocketSession:
    desk = Desk(max_message, max_backlog, encoder)
    session = WebSocketSession(cast(Any, desk), Line(), 1, Entry("nobody", 0.0, lambda: None))
    session.data_received(upgrade())
    line(session).clear()
    session.dialect = dialect
    for kind in KINDS:
        session.outbox.subscribe(kind)
    return session


def line(session: WebSocketSession) -> list[bytes]:
    return cast(Line, session.transport).written


def said(session: WebSocketSession) -> tuple[list[dict[str, Any]], int | None]:
    cast(Desk, session.gateway).take_turns()
    session.outbox.flush()
    messages, _, code = sent(b"".join(line(session)))
    line(session).clear()
    return [json.loads(message) for message in messages], code


ids = st.one_of(st.integers(-(2**70), 2**70), st.text(max_size=10))
requests = st.fixed_dictionaries(
    {"id": ids, "name": st.sampled_from(["own.double", "own.nothing", "own.doubel", "", "x" * 100])},
    optional={
        "data": st.sampled_from([None, {}, {"number": 3}, {"number": 11}, {"number": "3"}, {"number": 1, "x": 2}, []]),
        "key": st.sampled_from(["k", "", 3]),
        "extra": st.just(1),
    },
).map(lambda request: (request["id"], json.dumps(request).encode()))
unreadable = st.sampled_from([
    b"", b"no json", b"[]", b"3", b"null", b"{}", b'{"id":null}', b'{"id":1.5,"name":"own.double"}', b'{"id":true}',
    b'{"id":{},"name":"own.double"}', b"[" * 200, b'{"id":1,"name":"own.double","data":' + b"[" * 5000, b'"\\ud800"',
]).map(lambda text: (None, text))  # fmt: skip
nameless = st.sampled_from([b'{"id":7}', b'{"id":7,"name":3}', b'{"id":7,"name":["own.double"]}']).map(
    lambda text: (7, text)
)
messages = st.lists(st.one_of(requests, requests, unreadable, nameless), max_size=12)


@settings(max_examples=150, deadline=None)
@given(messages, st.lists(st.integers(0, 100_000), max_size=6), st.sampled_from(["0", "1.00", "2"]))
def test_every_request_has_exactly_one_answer(
    sequence: list[tuple[int | str | None, bytes]], places: list[int], dialect: str
) -> None:
    session = opened(dialect=dialect)
    stream = b"".join(frame(text) for _, text in sequence)
    for piece in cut(stream, places):
        session.data_received(piece)
        session.outbox.on_event(Event("tick", 1))
    spoken, code = said(session)
    assert code is None
    assert session.websocket.state is State.OPEN
    answers = [message for message in spoken if "event" not in message]
    assert sorted(repr(answer["id"]) for answer in answers) == sorted(repr(id_) for id_, _ in sequence)
    for answer in answers:
        if answer["status"] == "OK":
            assert set(answer) <= {"id", "status", "result"}
            assert answer.get("result", 0) is not None
        elif dialect == "2":
            assert {"id", "status", "message", "code"} <= set(answer) <= {"id", "status", "message", "code", "details"}
        else:
            assert set(answer) == {"id", "status", "message"}
            assert answer["message"]
    numbers = [message["event_id"] for message in spoken if "event" in message]
    assert numbers == list(range(session.outbox.events_sent))


endings = st.sampled_from([
    b"", close(), frame(b"\xff"), frame(b"\xff") + close(), frame(b"b", BINARY), frame(b"z" * 301),
    frame(b"x", mask=None),
    frame(b"z" * 301) + close() + frame(b"late"), frame(b"\xff") + frame(b"b", BINARY), close()[:3],
])  # fmt: skip
pieces_of_streams = st.lists(
    st.one_of(
        messages.map(lambda sequence: b"".join(frame(text[:300]) for _, text in sequence[:3])),
        st.just(frame(b"hey", PING)),
        st.just(frame(b'{"id":1,', fin=False) + frame(b"", PING) + frame(b'"name":"own.double"}', CONTINUATION)),
    ),
    max_size=4,
).map(b"".join)


def outcome(pieces: Iterable[bytes]) -> tuple[list[dict[str, Any]], tuple[int, str] | None, State, int | None, bool]:
    session = opened(max_message=300)
    for piece in pieces:
        session.data_received(piece)
    cast(Desk, session.gateway).take_turns()
    state, closed = session.websocket.state, cast(Line, session.transport).closed
    spoken, code = said(session)
    session.connection_lost()
    return spoken, cast(Desk, session.gateway).ended, state, code, closed


@settings(max_examples=150, deadline=None)
@given(pieces_of_streams, endings, st.lists(st.integers(0, 100_000), max_size=10))
def test_it_makes_no_difference_how_the_stream_is_cut(stream: bytes, ending: bytes, places: list[int]) -> None:
    stream += ending
    expected = outcome([stream])
    assert outcome(cut(stream, places)) == expected
    assert outcome(bytes((byte,)) for byte in stream) == expected


def test_the_first_end_is_told_and_what_came_before_it_is_answered() -> None:
    session = opened()
    request = frame(b'{"id":1,"name":"own.double","data":{"number":2}}')
    bad = frame(b'{"id":2,"name":"none"}')
    session.data_received(request + bad + frame(b"\xff") + request + close())
    cast(Desk, session.gateway).take_turns()
    assert session.websocket.finished
    assert cast(Line, session.transport).closed
    spoken, code = said(session)
    assert [(message["id"], message["status"]) for message in spoken] == [(1, "OK"), (2, "ERROR")]
    assert code == 1007
    session.connection_lost()
    assert cast(Desk, session.gateway).ended == (1007, "the message is not UTF-8: invalid start byte at byte 0")


def test_shapes_of_answers() -> None:
    call = ParsedCall(b'"7\\""', REGISTRY["own.nothing"], {}, None, None)
    double_ = ParsedCall(b'"7\\""', REGISTRY["own.double"], {}, None, None)
    for dialect in ("0", "1.00", "2"):
        session = opened(dialect=dialect)
        session.outbox.answer(call, None)
        session.outbox.answer(double_, 1)
        session.outbox.fail(call.id, InvalidData("bad", details=(Problem("a.b", "is bad"),)))
        session.outbox.fail(call.id, CallTimeout("late", outcome="not_done"))
        spoken, _ = said(session)
        assert spoken[:2] == [{"id": '7"', "status": "OK"}, {"id": '7"', "status": "OK", "result": 1}]
        more: list[dict[str, Any]] = [
            {"code": "invalid_data", "details": [{"path": "a.b", "problem": "is bad"}]},
            {"code": "timeout", "outcome": "not_done"},
        ]
        for message, text, extra in zip(spoken[2:], ("bad", "late"), more, strict=True):
            plain = {"id": '7"', "status": "ERROR", "message": text}
            assert message == (plain | extra if dialect == "2" else plain)


def test_nothing_is_said_after_the_close_frame() -> None:
    session = opened()
    session.close(1001, "over")
    call = ParsedCall(b"1", REGISTRY["own.nothing"], {}, None, None)
    session.outbox.answer(call, None)
    session.outbox.fail(b"1", InvalidData("x"))
    session.outbox.on_event(Event("tick", 1))
    assert said(session) == ([], 1001)
    assert session.outbox.events_sent == 0


def test_a_subscription_that_comes_to_be_after_the_close_frame_sends_nothing() -> None:
    session = opened()
    session.close(1001, "over")
    session.outbox.subscribe("tick")
    session.on_event(Event("tick", 1))
    assert said(session) == ([], 1001)
    assert session.subscriptions == frozenset()


def test_an_event_is_encoded_once_for_each_dialect() -> None:
    count = 0

    def counting(event: Event, dialect: str) -> bytes:
        nonlocal count
        count += 1
        return b',"data":"%b"}' % dialect.encode()

    event = Event("tick", 1)
    for dialect in ("0", "2", "0", "2"):
        session = opened(encoder=counting, dialect=dialect)
        session.outbox.on_event(event)
        assert said(session)[0] == [{"event": "tick", "event_id": 0, "data": dialect}]
    assert count == 2


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["0", "1.00", "2"]), min_size=2, max_size=4),
    st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=30),
    st.integers(0, 120),
)
def test_sessions_that_share_an_event_count_each_for_itself(
    dialects: list[str], heard: list[list[int]], ahead: int
) -> None:
    sessions = [opened(dialect=dialect, encoder=lambda e, d: b',"data":["%b",%d]}' % (d.encode(), cast(int, e.data)))
                for dialect in dialects]  # fmt: skip
    expected: list[list[tuple[str, int]]] = [[] for _ in sessions]
    for number in range(ahead):  # one counts in more digits than the others
        sessions[0].outbox.on_event(Event("tick", number))
        expected[0].append((dialects[0], number))
    for number, hearers in enumerate(heard):
        event = Event("tick", number)
        for hearer in hearers:
            sessions[hearer % len(sessions)].outbox.on_event(event)
            expected[hearer % len(sessions)].append((dialects[hearer % len(sessions)], number))
    for session, due in zip(sessions, expected, strict=True):
        got = said(session)[0]
        assert [message["event_id"] for message in got] == list(range(len(due)))
        assert [tuple(message["data"]) for message in got] == due


class Reader(RuleBasedStateMachine):
    """A client that is slow at times, beside a model of what it has to get."""

    BOUND = 6

    @initialize()
    def start(self) -> None:
        self.session = opened(max_backlog=self.BOUND)
        self.kept: list[tuple[str, str | None, int]] = []
        self.expected: list[tuple[str, int]] = []
        self.got: list[tuple[str, int]] = []
        self.numbers: list[int] = []
        self.count = 0

    def emitted(self, kind: str, key: str | None) -> None:
        self.count += 1
        event = Event(kind, self.count, key)
        if not self.session.outbox.congested:
            self.expected.append((kind, self.count))
            self.session.outbox.on_event(event)
            return
        if key is not None:
            self.kept = [each for each in self.kept if each[:2] != (kind, key)]
        self.kept.append((kind, key, self.count))
        self.session.outbox.on_event(event)
        assert self.session.is_open == (len(self.kept) <= self.BOUND)
        if not self.session.is_open:
            assert said(self.session)[1] == 1008
            self.start()

    @rule(key=st.sampled_from(["EURUSD", "USDJPY"]))
    def tick(self, key: str) -> None:
        self.emitted("tick", key)

    @precondition(lambda self: len(self.kept) < self.BOUND)
    @rule(kind=st.sampled_from(["trade", "user"]))
    def change(self, kind: str) -> None:
        self.emitted(kind, None)

    @precondition(lambda self: len(self.kept) == self.BOUND)
    @rule()
    def one_too_many(self) -> None:
        self.emitted("trade", None)

    @precondition(lambda self: not self.session.outbox.slow)
    @rule()
    def congest(self) -> None:
        self.session.writing_paused()

    @precondition(lambda self: self.session.outbox.slow)
    @rule()
    def release(self) -> None:
        self.session.writing_resumed()
        self.expected += [(kind, number) for kind, _, number in self.kept]
        self.kept = []

    @rule(kind=st.sampled_from(["tick", "trade"]))
    def unsubscribe(self, kind: str) -> None:
        self.session.outbox.unsubscribe(kind)
        self.session.outbox.on_event(Event(kind, "nobody asked for it"))
        self.session.outbox.subscribe(kind)
        self.kept = [each for each in self.kept if each[0] != kind]

    @invariant()
    def the_client_has_what_the_model_says(self) -> None:
        for message in said(self.session)[0]:
            self.got.append((message["event"], message["data"]))
            self.numbers.append(message["event_id"])
        assert self.got == self.expected
        assert self.numbers == list(range(len(self.numbers)))
        assert self.session.outbox.waiting == len(self.kept)


Reader.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestReader = Reader.TestCase
