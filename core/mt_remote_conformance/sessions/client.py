"""One session with a gateway, as a client of its dialect has it, every message of which is examined.

It stands on the ``websockets`` library alone: nothing of the gateway takes part in judging it. What can be judged of a
message by itself (envelope, shape, numbering, subscription, secrets) is judged here, so every law that plays over a
session examines these along the way.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from mt_remote.client import Credentials
from mt_remote_conformance.protocol import schema
from mt_remote_conformance.sessions.judge import Broken, Judge

Json = dict[str, Any]
Tamper = Callable[[Json, Json | None], Iterable[Json]]
"""What a lying gateway would make of a message, and of the request that it answers: tests of the laws use it to show
that each can fail."""

PATIENCE = 10.0
"""Seconds after which an answer will not come any more."""

PONGS = 10.0
"""Seconds within which pings must have been answered."""

Dialect = Literal["0", "1.00", "2"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was answered."""

    raw: Json

    @property
    def ok(self) -> bool:
        return bool(self.raw["status"] == "OK")

    @property
    def result(self) -> Any:
        return self.raw.get("result")

    @property
    def message(self) -> str:
        return str(self.raw.get("message", ""))

    @property
    def code(self) -> str:
        """Dialect 2's code; empty in others."""
        return str(self.raw.get("code", ""))

    @property
    def paths(self) -> list[str]:
        """Dialect 2's paths of bad fields."""
        return [str(each.get("path")) for each in self.raw.get("details", ())]


@dataclass(slots=True)
class Transcript:
    """All that went over the wire since it was cleared, over all sessions: what a failure is replayed from."""

    entries: list[Json] = field(default_factory=list)

    def add(self, session: str, kind: str, **more: Any) -> None:
        self.entries.append({"session": session, "kind": kind, **more})

    def clear(self) -> None:
        self.entries.clear()


def headers_of(credentials: Credentials) -> dict[str, str]:
    """Credentials as a handshake carries them."""
    return {
        "MT-SERVER": credentials.server, "MT-LOGIN": str(credentials.login), "MT-PASSWORD": credentials.password,
    }  # fmt: skip


def data_of(credentials: Credentials) -> Json:
    """Credentials as ``connect`` takes them."""
    return {"server": credentials.server, "login": credentials.login, "password": credentials.password}


class Client:
    """A session. Calls are synchronous; events gather in ``events`` until they are taken."""

    def __init__(
        self, socket: ClientConnection, judge: Judge, dialect: Dialect, name: str, transcript: Transcript,
        tamper: Tamper | None = None, secrets: set[str] | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.dialect: Dialect = dialect
        self.events: list[Json] = []
        self.subscribed: set[str] = set()
        self.lapsed: set[str] = set()
        """Kinds whose subscription ended with the connection: unsubscribing them is no error."""
        self.shown: set[str] = set()
        self.connected = dialect == "1.00"
        self._socket = socket
        self._judge = judge
        self._transcript = transcript
        self._tamper = tamper
        self._secrets = secrets if secrets is not None else set()
        self._results = schema.results(dialect)
        self._event_shapes = schema.events(dialect)
        self._envelope = schema.answer(dialect)
        self._waiting: dict[object, str] = {}
        self._requests: dict[object, Json] = {}
        self._answers: dict[object, Answer] = {}
        self._pending: list[Json] = []
        self._ended: set[str] = set()
        self._next_event = 0
        self._next_id = 0

    # Calls

    def call(self, name: str, data: Mapping[str, Any] | None = None, **members: Any) -> Answer:
        """Calls a function and waits for its answer."""
        return self.answer(self.send(name, data, **members))

    def result(self, name: str, data: Mapping[str, Any] | None = None) -> Any:
        """The result of a call that must succeed."""
        answer = self.call(name, data)
        if not answer.ok:
            raise Unplayable(f"{name} {json.dumps(data)}: {answer.message}")
        return answer.result

    def send(self, name: str, data: Mapping[str, Any] | None = None, **members: Any) -> object:
        """Sends a request without waiting; gives its id."""
        id_ = members.pop("id", None)
        id_ = self._new_id() if id_ is None else id_
        request: Json = {"id": id_, "name": name, **members}
        if data is not None:
            request["data"] = dict(data)
        self._waiting[_key(id_)] = name
        if self._tamper is not None:
            self._requests[_key(id_)] = {**request, "dialect": self.dialect}
        if name in ("connect", "disconnect", "subscribe", "unsubscribe", "symbol.show", "symbol.hide"):
            self._pending.append(request)
        self.send_raw(json.dumps(request), request)
        return id_

    def send_raw(self, message: str | bytes, request: object = None) -> None:
        """Sends any message as it is."""
        shown = {"request": request} if request is not None else {"raw": repr(message)[:2000]}
        self._transcript.add(self.name, "send", **shown)
        try:
            self._socket.send(message)
        except ConnectionClosed as closed:
            raise Broken("L-MSG-4", f"the gateway closed the session: {closed}") from closed

    def send_awaiting(self, message: str, id_: object) -> None:
        """Sends a message that is no request; its answer has the id that can be read from it, or null."""
        self._waiting[_key(id_)] = "a message that is no request"
        self.send_raw(message)

    def send_in_fragments(self, name: str, data: Mapping[str, Any], payloads: Iterable[bytes]) -> list[bytes]:
        """Sends a request a fragment for each of ``payloads``, each behind a ping with it; gives the payloads of the
        pings that are answered in time. The request's answer is taken."""
        id_ = self._new_id()
        request: Json = {"id": id_, "name": name, "data": dict(data)}
        text, pings = json.dumps(request), list(payloads)
        size = len(text) // len(pings) + 1
        pongs: list[tuple[bytes, threading.Event]] = []

        def fragments() -> Iterator[str]:
            for place, payload in enumerate(pings):
                pongs.append((payload, self._socket.ping(payload)))
                yield text[place * size : (place + 1) * size]

        self._waiting[_key(id_)] = name
        self._transcript.add(self.name, "send", request=request)
        try:
            self._socket.send(fragments())
        except ConnectionClosed as closed:
            raise Broken("L-MSG-12", f"the gateway closed the session: {closed}") from closed
        self.answer(id_)
        deadline = time.monotonic() + PONGS
        return [payload for payload, answered in pongs if answered.wait(max(deadline - time.monotonic(), 0.0))]

    def send_broken_text(self, payload: bytes) -> None:
        """Sends a text message that need not be UTF-8."""
        self._transcript.add(self.name, "send", raw=repr(payload))
        self._socket.send(payload, text=True)

    def answer(self, id_: object) -> Answer:
        """The answer to a request."""
        deadline = time.monotonic() + PATIENCE
        key = _key(id_)
        while key not in self._answers:
            if not self.receive(deadline - time.monotonic()):
                raise Broken("L-MSG-1", f"{self._waiting.get(key)} with id {id_!r} is not answered in {PATIENCE} s")
        return self._answers.pop(key)

    def _new_id(self) -> object:
        self._next_id += 1
        if self.dialect == "0":
            return self._next_id - 1
        return str(uuid.UUID(int=self._next_id)) if self.dialect == "1.00" or self._next_id % 2 else self._next_id

    # What comes

    def receive(self, timeout: float) -> bool:
        """Takes the next message, if one comes in time."""
        try:
            received = self._socket.recv(timeout=max(timeout, 0.0))
        except TimeoutError:
            return False
        except ConnectionClosed as closed:
            waiting = ", ".join(self._waiting.values()) or "nothing"
            raise Broken("L-MSG-4", f"the gateway closed the session ({closed}) while waiting: {waiting}") from closed
        message = _object(received)
        request = self._requests.pop(_key(message.get("id")), None) if "event" not in message else None
        for each in (message,) if self._tamper is None else self._tamper(message, request):
            self._examine_secrets(str(received) if each is message else json.dumps(each))
            self._take(each)
        return True

    def drain(self, silence: float = 0.1) -> None:
        """Takes what still comes, unjudged, until nothing does for a while: for the transcript alone."""
        while True:
            try:
                message = _object(self._socket.recv(timeout=silence))
            except (TimeoutError, ConnectionClosed, Broken):
                return
            self._transcript.add(self.name, "event" if "event" in message else "answer", message=message)

    def _examine_secrets(self, text: str) -> None:
        for secret in self._secrets:
            self._judge.check("L-REC-3", secret not in text, f"{text[:300]} has a password in it")

    def _take(self, message: Json) -> None:
        if "event" in message:
            self._transcript.add(self.name, "event", message=message)
            self._take_event(message)
        else:
            self._transcript.add(self.name, "answer", message=message)
            self._take_answer(message)

    def _take_answer(self, message: Json) -> None:
        judge = self._judge
        id_ = message.get("id")
        name = self._waiting.pop(_key(id_), None)
        judge.check("L-MSG-1", name is not None, lambda: f"an answer with id {id_!r} that no request waits for")
        assert name is not None
        answer = Answer(message)
        problem = self._envelope(message)
        judge.check("L-MSG-2" if message.get("status") == "OK" else "L-MSG-3", not problem, f"{name}: {problem}")
        if answer.ok:
            judge.called[name] += 1
            self._examine_result(name, message)
        else:
            judge.check("L-MSG-10", answer.code != "internal_error", f"{name}: {answer.message}")
        self._follow(id_, answer.ok)
        self._answers[_key(id_)] = answer

    def _examine_result(self, name: str, message: Json) -> None:
        judge = self._judge
        shape = self._results.get(name)
        if shape is not None:
            judge.check("L-MSG-2", message.get("result") is not None, f"{name}: result is missing")
            problem = shape(message["result"])
            judge.check("L-REC-1", not problem, f"{name}: {problem}")
        elif name in schema.functions():
            judge.check("L-MSG-2", "result" not in message, f"{name} gives nothing, yet there is a result")

    def _follow(self, id_: object, ok: bool) -> None:
        """What an answer changes for this session, from this message on."""
        for request in self._pending:
            if _key(request["id"]) == _key(id_):
                break
        else:
            return
        self._pending.remove(request)
        data = request.get("data", {})
        name = request["name"]
        if not ok:
            return
        if name == "subscribe":
            self.subscribed.add(data["event"])
            self.lapsed.discard(data["event"])
            self._ended.discard(data["event"])
        elif name == "unsubscribe":
            self.subscribed.discard(data["event"])
            self.lapsed.discard(data["event"])
            self._ended.add(data["event"])
        elif name == "symbol.show":
            self.shown.add(data["symbol"])
        elif name == "symbol.hide":
            self.shown.discard(data["symbol"])
        elif name == "connect":
            self.connected = True
        else:
            self.connected = False
            lost = self.subscribed - {"connection"}
            self._ended |= lost
            self.lapsed |= lost
            self.subscribed -= lost
            self.shown.clear()

    def _take_event(self, message: Json) -> None:
        judge = self._judge
        kind = message["event"]
        whole = set(message) == {"event", "event_id", "data"} or (self.dialect == "2" and "event_id" in message)
        judge.check("L-REC-2", whole, lambda: f"members of an event: {sorted(message)}")
        judge.equal("L-EVT-1", message["event_id"], self._next_event, f"event_id of {kind}")
        self._next_event = int(message["event_id"]) + 1
        judge.check("L-EVT-3", kind not in self._ended, f"an event {kind!r} after its subscription ended")
        known = kind in self.subscribed or kind in self._ended
        judge.check("L-EVT-2", known, f"an event {kind!r} without a subscription")
        if kind in self._event_shapes:
            problem = self._event_shapes[kind](message["data"])
            judge.check("L-REC-2", not problem, f"event {kind}: {problem}")
        if kind == "tick":
            symbol = message["data"]["symbol"]
            judge.check("L-EVT-8", symbol in self.shown, f"a tick of {symbol}, which is not shown")
        self.events.append(message)

    def take(self, kind: str | None = None) -> list[Any]:
        """Takes the data of the events that have come, of one kind or all."""
        taken = [event for event in self.events if kind in (None, event["event"])]
        self.events = [event for event in self.events if kind is not None and event["event"] != kind]
        return [event["data"] for event in taken]

    def settle(self) -> None:
        """Everything that happened before now has come: a call's answer follows it."""
        self.call("ticks.get", {"symbol": "EURUSD"})

    def wait_for(self, condition: Callable[[], bool], patience: float) -> bool:
        """Receives until the condition holds; says whether it does."""
        deadline = time.monotonic() + patience
        while not condition():
            if not self.receive(deadline - time.monotonic()):
                return condition()
        return True

    def closed(self, patience: float = PATIENCE) -> tuple[int, str] | None:
        """Close code and reason, once the gateway closes; ``None`` when it does not in time."""
        deadline = time.monotonic() + patience
        while True:
            try:
                self._socket.recv(timeout=max(deadline - time.monotonic(), 0.0))
            except TimeoutError:
                return None
            except ConnectionClosed as error:
                closing = error.rcvd
                return (closing.code, closing.reason) if closing else (1006, "")

    def close(self) -> None:
        self._socket.close()


class Unplayable(Exception):
    """A call that a case needs, and that must succeed, does not: nothing can be judged."""


def _object(received: str | bytes) -> Json:
    """A message of the gateway. Without this nothing can be judged, so it can't be passed over."""
    try:
        message = json.loads(received) if isinstance(received, str) else None
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise Broken("L-MSG-1", f"what comes is no JSON object in a text message: {received!r:.200}")
    return message


def _key(id_: object) -> object:
    """An id with its type: 1, "1" and true are three."""
    return (type(id_).__name__, json.dumps(id_))


@contextmanager
def dialled(
    url: str, headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[ClientConnection]:
    """A WebSocket. It sends no pings: they would draw random numbers in the middle of a property."""
    with connect(
        url, additional_headers=dict(headers or {}), ssl=cast(Any, tls), proxy=None, max_size=None,
        open_timeout=PATIENCE, close_timeout=1, compression=None, ping_interval=None,
    ) as socket:  # fmt: skip
        yield socket
