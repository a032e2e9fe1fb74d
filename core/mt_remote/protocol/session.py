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

_OPEN = State.OPEN  # looked up once: this is asked for every answer and event
_COPIED = 4096
"""Bytes up to which a result is copied into its message: dearer than a further piece of output only from here on."""

EventEncoder = Callable[[Event, str], bytes]
"""Encodes an event's data for a dialect; the tail of the message, from ``,"data":`` on."""


class SlowReader(Exception):
    """More events wait for this client than the bound allows."""


class LongAnswer:
    """The place of an answer that is being made. ``frame`` is the whole message in pieces, once it is known."""

    __slots__ = ("frame",)

    def __init__(self) -> None:
        self.frame: list[bytes] | None = None


class SessionProtocol:
    """Sans-IO. ``dialect`` is set by the handshake or by ``connect``.

    While :attr:`congested`, events are kept unnumbered in order of arrival; one with a merge key replaces an earlier
    one of the same key. :meth:`release` numbers and writes them. It is congested while the client is ``slow`` and
    while there are long answers (:meth:`hold`): these keep back other answers too.
    """

    __slots__ = ("_backlog", "_encode", "_long", "_max_backlog", "_next_event", "_registry", "_unique", "congested",
                 "dialect", "sending", "slow", "websocket")  # fmt: skip

    def __init__(self, registry: Registry, encode: EventEncoder, *, max_message: int, max_backlog: int) -> None:
        self.websocket = WebSocket(max_message)
        self.dialect = "0"
        self.congested = False
        self.slow = False
        self.sending = False
        self._long = 0
        self._registry = registry
        self._encode = encode
        self._max_backlog = max_backlog
        self._next_event = 0
        self._backlog: dict[object, Event | bytes | LongAnswer] | None = None
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
        websocket = self.websocket
        if websocket.state is not _OPEN:
            return
        if encoded is None:
            message = b'{"id":%b,"status":"OK"}' % call.id
        elif len(encoded) < _COPIED or self._long:
            message = b'{"id":%b,"status":"OK","result":%b}' % (call.id, encoded)
        else:
            head = b'{"id":%b,"status":"OK","result":' % call.id
            websocket.out += (text_header(len(head) + len(encoded) + 1), head, encoded, b"}")
            return
        if self._long:
            self._put(message)
        else:
            websocket.out += (text_header(len(message)), message)

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
        self._send(b'{"id":%b,%b' % (id_, to_json(content)[1:]))

    def _send(self, message: bytes) -> None:
        """Writes an answer, or keeps it behind a long one."""
        if self._long:
            self._put(message)
        else:
            self.websocket.send_text(message)

    def emit(self, event: Event) -> None:
        """Numbers and writes an event, or keeps it while congested. Raises :class:`SlowReader` past the bound."""
        if self.congested:
            self._keep(event)
            return
        websocket = self.websocket
        if websocket.state is not _OPEN:
            return
        next_event = self._next_event
        self._next_event = next_event + 1
        if event.newest == (self.dialect, next_event):  # sessions that subscribed together count alike
            websocket.out.append(event.frame)
            return
        number = b"%d" % next_event
        place = (self.dialect, len(number))
        parts = event.encoded.get(place)
        if parts is None:
            parts = event.encoded[place] = self._parts(event, len(number))
        event.newest, event.frame = (self.dialect, next_event), parts[0] + number + parts[1]
        websocket.out.append(event.frame)

    def _parts(self, event: Event, digits: int) -> tuple[bytes, bytes]:
        """An event's frame before and behind its number. Only the number differs between sessions of a dialect, and
        only its length changes the frame's header."""
        tail = self._encode(event, self.dialect)
        head = b'{"event":"%b","event_id":' % event.kind.encode()
        return text_header(len(head) + digits + len(tail)) + head, tail

    def _keep(self, event: Event) -> None:
        if event.merge_key is None:
            backlog = self._put(event)
        else:
            backlog = self._kept()
            key = (event.kind, event.merge_key)
            backlog.pop(key, None)
            backlog[key] = event
        if len(backlog) > self._max_backlog:
            raise SlowReader

    def _kept(self) -> dict[object, Event | bytes | LongAnswer]:
        if self._backlog is None:
            self._backlog = {}
        return self._backlog

    def _put(self, item: Event | bytes | LongAnswer) -> dict[object, Event | bytes | LongAnswer]:
        backlog = self._kept()
        self._unique += 1
        backlog[self._unique] = item
        return backlog

    def release(self) -> None:
        """What was kept goes out, events numbered now: up to a long answer that is not made yet or, once one is, up to
        that; nothing while the client is slow."""
        if self.websocket.state is not State.OPEN and not self.sending:  # nobody waits for any of it
            self._backlog, self._long, self.congested = None, 0, self.slow
            return
        if self.slow or self.sending:
            return
        items = list((self._backlog or {}).items())
        self.congested, self._backlog = False, None
        for place, (_, item) in enumerate(items):
            if isinstance(item, Event):
                self.emit(item)
            elif isinstance(item, bytes):
                self.websocket.send_text(item)
            else:
                self.congested = True
                if item.frame is None:
                    self._backlog = dict(items[place:])
                    return
                self.sending = True
                self._backlog = dict(items[place + 1 :])
                self.websocket.out += item.frame
                return

    def forget(self, kind: str) -> None:
        """Drops kept events of a kind that was unsubscribed: none may follow that answer."""
        if self._backlog:
            self._backlog = {
                key: item for key, item in self._backlog.items() if not isinstance(item, Event) or item.kind != kind
            }

    # Long answers

    def hold(self) -> LongAnswer:
        """Keeps a place for an answer that takes a while to make: what is sent from now on comes behind it."""
        place = LongAnswer()
        self._long += 1
        self.congested = True
        self._put(place)
        return place

    def fill(self, place: LongAnswer, call: Call, parts: list[bytes]) -> None:
        """The answer is made; ``parts`` are the result's JSON. It is one message, put out in pieces: :attr:`sending`
        until :meth:`sent` says that the last one left."""
        head = b'{"id":%b,"status":"OK","result":' % call.id
        size = len(head) + sum(map(len, parts)) + 1
        place.frame = [text_header(size) + head, *parts, b"}"]
        self.release()

    def give_up(self, place: LongAnswer) -> None:
        """There will be no such answer."""
        left = {key: item for key, item in self._kept().items() if item is not place}
        self._long -= len(self._kept()) - len(left)
        self._backlog = left
        self.release()

    def sent(self) -> None:
        """The long answer left; what waited behind it follows."""
        self._long -= 1
        self.sending = False
        self.congested = self.slow
        self.release()

    @property
    def holding(self) -> bool:
        """There are long answers, made or not."""
        return self._long > 0

    @property
    def preparing(self) -> bool:
        """There are long answers that are not made yet."""
        return any(isinstance(item, LongAnswer) and item.frame is None for item in (self._backlog or {}).values())

    @property
    def waiting(self) -> int:
        """Events kept for a slow reader, or behind a long answer."""
        return sum(isinstance(item, Event) for item in (self._backlog or {}).values())

    @property
    def events_sent(self) -> int:
        """How many events have a number."""
        return self._next_event
