"""A session without I/O: bytes in, calls out; answers and events in, bytes out.

Numbers events without gaps, keeps what a slow reader has not taken yet, and merges what is obsolete before it ever had
a number. Ordering of calls is :mod:`mt_remote.lanes`' business, meaning of subscriptions the gateway's.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic_core import to_json

from mt_remote.backend import Event
from mt_remote.errors import CallTimeout, RequestError
from mt_remote.functions import Registry, RequestFailed
from mt_remote.protocol.calls import Call
from mt_remote.protocol.states import State
from mt_remote.protocol.websocket import Closed, UpgradeRequested, WebSocket, text_header

EventEncoder = Callable[[Event, str], bytes]
"""Encodes an event's data for a dialect; the tail of the message, from ``,"data":`` on."""


class SlowReader(Exception):
    """More events wait for this client than the bound allows."""


class SessionProtocol:
    """Sans-IO. ``dialect`` is set by the handshake or by ``connect``.

    While :attr:`congested`, events are kept unnumbered in order of arrival; one with a merge key replaces an earlier
    one of the same key. :meth:`release` numbers and writes them.
    """

    __slots__ = ("_backlog", "_encode", "_max_backlog", "_next_event", "_registry", "_unique", "congested", "dialect",
                 "websocket")  # fmt: skip

    def __init__(self, registry: Registry, encode: EventEncoder, *, max_message: int, max_backlog: int) -> None:
        self.websocket = WebSocket(max_message)
        self.dialect = "0"
        self.congested = False
        self._registry = registry
        self._encode = encode
        self._max_backlog = max_backlog
        self._next_event = 0
        self._backlog: dict[object, Event] | None = None
        self._unique = 0

    def receive(self, data: bytes) -> list[Call | UpgradeRequested | Closed]:
        """Takes bytes off the network, and ``b""`` again while :attr:`WebSocket.ending`. Messages that are no valid
        request are answered at once, in place."""
        calls: list[Call | UpgradeRequested | Closed] = []
        for received in self.websocket.receive(data):
            if not isinstance(received, bytes):
                calls.append(received)
                continue
            try:
                calls.append(self._registry.parse(received, self.dialect))
            except RequestFailed as failed:
                if self.websocket.refuse_text(received):
                    break
                self.fail(failed.id, failed.error)
        return calls

    def answer(self, call: Call, encoded: bytes | None) -> None:
        """Success; ``encoded`` is the result's JSON, ``None`` where the function returns nothing."""
        if self.websocket.state is not State.OPEN:
            return
        if encoded is None:
            self.websocket.send_text(b'{"id":%b,"status":"OK"}' % call.id)
            return
        head = b'{"id":%b,"status":"OK","result":' % call.id
        self.websocket.out += (text_header(len(head) + len(encoded) + 1), head, encoded, b"}")

    def fail(self, id_: bytes, error: RequestError) -> None:
        """Failure. Older dialects get the message, dialect 2 code and details too."""
        if self.websocket.state is not State.OPEN:
            return
        content: dict[str, object] = {"status": "ERROR", "message": error.message}
        if self.dialect == "2":
            content["code"] = error.wire_code
            if error.details:
                content["details"] = [{"path": d.path, "problem": d.problem} for d in error.details]
            if isinstance(error, CallTimeout):
                content["outcome"] = error.outcome
        self.websocket.send_text(b'{"id":%b,%b' % (id_, to_json(content)[1:]))

    def emit(self, event: Event) -> None:
        """Numbers and writes an event, or keeps it while congested. Raises :class:`SlowReader` past the bound."""
        if self.congested:
            self._keep(event)
            return
        websocket = self.websocket
        if websocket.state is not State.OPEN:
            return
        number = b"%d" % self._next_event
        self._next_event += 1
        place = (self.dialect, len(number))
        parts = event.encoded.get(place)
        if parts is None:
            parts = event.encoded[place] = self._parts(event, len(number))
        websocket.out.append(parts[0] + number + parts[1])

    def _parts(self, event: Event, digits: int) -> tuple[bytes, bytes]:
        """An event's frame before and behind its number. Only the number differs between sessions of a dialect, and
        only its length changes the frame's header."""
        tail = self._encode(event, self.dialect)
        head = b'{"event":"%b","event_id":' % event.kind.encode()
        return text_header(len(head) + digits + len(tail)) + head, tail

    def _keep(self, event: Event) -> None:
        backlog = self._backlog
        if backlog is None:
            backlog = self._backlog = {}
        if event.merge_key is None:
            self._unique += 1
            backlog[self._unique] = event
        else:
            key = (event.kind, event.merge_key)
            backlog.pop(key, None)
            backlog[key] = event
        if len(backlog) > self._max_backlog:
            raise SlowReader

    def release(self) -> None:
        """The reader caught up: what was kept goes out, numbered now."""
        self.congested = False
        backlog, self._backlog = self._backlog, None
        for event in (backlog or {}).values():
            self.emit(event)

    def forget(self, kind: str) -> None:
        """Drops kept events of a kind that was unsubscribed: none may follow that answer."""
        if self._backlog:
            self._backlog = {key: event for key, event in self._backlog.items() if event.kind != kind}

    @property
    def waiting(self) -> int:
        """Events kept for a slow reader."""
        return len(self._backlog) if self._backlog else 0

    @property
    def events_sent(self) -> int:
        """How many events have a number."""
        return self._next_event
