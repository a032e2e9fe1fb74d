"""What leaves for one client: answers in the order in which they are given, events numbered without gaps.

What may leave when is decided by the states in :mod:`mt_remote.session.outbox_states`; events get their numbers in
:mod:`mt_remote.session.event_numbers`.

Of thousands of sessions that hear an event, each is out of the processor's caches when its turn comes. So what an event
needs of a session is in this one object, and :meth:`Outbox.on_event` touches nothing else of it; frames, and even
numbers, are shared by the sessions that count alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import anyio
from pydantic_core import to_json

from mt_remote.backend import Event
from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.problems import capped
from mt_remote.errors import RequestError
from mt_remote.session.event_numbers import EventEncoder, SharedFrames
from mt_remote.session.outbox_states import Output, Pace, Reader, Step, after, paced
from mt_remote.wire.states import State
from mt_remote.wire.websocket import WebSocket, text_header

_OPEN = State.OPEN  # looked up once: an enum's member costs as much as a call, and this is asked at each answer
_PART = 256 * 1024
"""Bytes of a long answer that are written at once."""

_HEAD, _DONE, _RESULT = b'{"id":', b',"status":"OK"}', b',"status":"OK","result":'
_SHORT_HEADS = tuple(text_header(length) + _HEAD for length in range(126))

Kinds = frozenset[str]
"""Names of event kinds."""


class Sink(Protocol):
    """Takes bytes on their way to the client."""

    def write(self, data: bytes) -> None: ...


class Owner(Protocol):
    """The session of an outbox hears what needs more than writing."""

    def flushed(self) -> None:
        """All was written of a session that is not open: it may be over."""

    def overflowed(self) -> None:
        """More events wait for the client than the bound allows."""

    def abort(self) -> None:
        """Something is wrong with the connection: it ends at once."""

    def read_on(self) -> None:
        """A long answer has left: nothing of it holds back the client's input any more."""


class _Nobody:
    """Owner and sink of an outbox that is over: so the session goes when the last one lets go of it, and not when the
    garbage collector comes by."""

    def write(self, data: bytes) -> None: ...

    def flushed(self) -> None: ...

    def overflowed(self) -> None: ...

    def abort(self) -> None: ...

    def read_on(self) -> None: ...


_NOBODY = _Nobody()


class LongAnswer:
    """The place of an answer that is being made. ``frame`` is the whole message in pieces, once it is known. ``turn``
    comes when those before it have left."""

    __slots__ = ("frame", "turn")

    def __init__(self) -> None:
        self.frame: list[bytes] | None = None
        self.turn = anyio.Event()


@lru_cache(maxsize=1024)
def _shared(kinds: Kinds) -> Kinds:
    """One object for all sessions that subscribed to the same."""
    return kinds


class Outbox:
    """Sans-IO: writes to ``sink`` when flushed. When something is there it is put among those that are ``due``, the
    first of them calls ``wake``. Until :meth:`flush` all that comes up is collected, so that it leaves in one write.

    ``state`` and ``reader`` say what may leave. While :attr:`congested`, events are kept unnumbered in order of
    arrival; one with a merge key replaces an earlier one of the same key. :meth:`release` numbers and writes them.

    ``dialect`` is the session's. ``remember``, where there is one, hears each event before it is sent or not. ``dirty``
    means that a flush is to come anyway.
    """

    __slots__ = (
        "_backlog",
        "_due",
        "_encode",
        "_max_backlog",
        "_next_event",
        "_owner",
        "_sink",
        "_unique",
        "_wake",
        "_websocket",
        "congested",
        "dialect",
        "dirty",
        "full",
        "pieces",
        "reader",
        "remember",
        "state",
        "subscriptions",
        "volume",
    )

    def __init__(
        self,
        websocket: WebSocket,
        encode: EventEncoder,
        *,
        max_backlog: int,
        sink: Sink,
        due: list[Outbox],
        wake: Callable[[], object],
        owner: Owner,
    ) -> None:
        self.dialect = "0"
        self.subscriptions: Kinds = _shared(frozenset())
        self.pieces = websocket.out
        self.dirty = False
        self.state = Output.HANDSHAKE
        self.reader = Reader.PROMPT
        self.congested = False
        self.full = False
        self.volume = 0
        self.remember: Callable[[Event], None] | None = None
        self._websocket = websocket
        self._encode = encode
        self._max_backlog = max_backlog
        self._sink: Sink = sink
        self._due = due
        self._wake = wake
        self._owner: Owner = owner
        self._next_event = 0
        self._backlog: dict[object, Event | bytes | LongAnswer] | None = None
        self._unique = 0

    def _go(self, step: Step) -> None:
        self.state = after(self.state, step)
        self._settle()

    def _settle(self) -> None:
        """Every event asks whether it has to wait, so the answer is kept."""
        busy = self.state in (Output.HOLDING, Output.SENDING)
        self.congested = busy or (self.reader is Reader.SLOW and self.state is not Output.OVER)
        self.full = self.congested

    @property
    def slow(self) -> bool:
        """The client takes less than there is for it."""
        return self.reader is Reader.SLOW

    @property
    def holding(self) -> bool:
        """A long answer is being made or sent."""
        return self.state in (Output.HOLDING, Output.SENDING, Output.FINISHING)

    @property
    def sending(self) -> bool:
        """A long answer leaves in parts."""
        return self.state.in_parts

    def pause(self) -> None:
        """The client takes less than there is for it: events wait."""
        self.reader = paced(self.reader, Pace.PAUSE)
        self._settle()

    def resume(self) -> None:
        """The client caught up: what was kept goes out."""
        self.reader = paced(self.reader, Pace.RESUME)
        self._settle()
        self.release()
        self.touch()

    # Writing

    def touch(self) -> None:
        """Something may be there: it leaves once the present turn of the loop is over, with all else that comes up."""
        if not self.dirty:
            self.dirty = True
            if not self._due:
                self._wake()
            self._due.append(self)

    def flush(self) -> None:
        """Writes what is there."""
        self.dirty = False
        pieces = self.pieces
        if self.volume:
            self.volume = 0
            self.full = self.congested
        if pieces:
            if self.state.in_parts:
                self._flush_part()
                return
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            self._sink.write(data)
        if self.state.tells_owner:
            self._owner.flushed()

    def _flush_part(self) -> None:
        """Writes a part of a long answer, and the next one in the loop's next turn; none while the client has enough
        to take as it is."""
        if not self.slow:
            self._sink.write(self._websocket.take_part(_PART))
        if not self.pieces:
            self._sent()
        if not self.slow:
            self.touch()

    # Answers

    def answer(self, call: ParsedCall, result: object) -> None:
        """Success. Raises when the function's result can't be encoded."""
        function = call.function
        self.answer_encoded(call, None if function.result is None else function.encode(result, self.dialect))

    def answer_encoded(self, call: ParsedCall, encoded: bytes | None) -> None:
        """Success; the result is JSON already, ``None`` where the function returns nothing."""
        id_ = call.id
        if self._websocket.state is not _OPEN:
            return
        if encoded is None:
            size = len(id_) + len(_HEAD) + len(_DONE)
            head = _SHORT_HEADS[size] if size < 126 else text_header(size) + _HEAD
            frame: tuple[bytes, ...] = (head, id_, _DONE)
        else:
            size = len(id_) + len(encoded) + len(_HEAD) + len(_RESULT) + 1
            if size < 126:
                head = _SHORT_HEADS[size]
            else:
                head = text_header(size) + _HEAD
                self.volume += size
                if self.volume > _PART:
                    self.full = True
            frame = (head, id_, _RESULT, encoded, b"}")
        if self.state.holds_answers:
            self._put(b"".join(frame))
        else:
            self.pieces += frame
        if not self.dirty:
            self.touch()

    def fail(self, id_: bytes, error: RequestError) -> None:
        """Failure. Older dialects get the message, dialect 2 code and details too."""
        if self._websocket.state is not _OPEN:
            return
        content: dict[str, object] = {"status": "ERROR", "message": error.message}
        if self.dialect == "2":
            content["code"] = error.wire_code
            if error.details:
                content["details"] = [{"path": d.path, "problem": d.problem} for d in capped(error.details)]
            if error.outcome:
                content["outcome"] = error.outcome
        message = b'{"id":%b,%b' % (id_, to_json(content)[1:])
        self.volume += len(message)
        if self.volume > _PART:
            self.full = True
        frame = text_header(len(message)) + message
        if self.state.holds_answers:
            self._put(frame)
        else:
            self.pieces.append(frame)
        self.touch()

    # Events

    def subscribe(self, kind: str) -> None:
        """From now on events of this kind are sent, unless the session ended while the subscription was being made."""
        if self._websocket.state is _OPEN:
            self.subscriptions = _shared(self.subscriptions | {kind})

    def unsubscribe(self, kind: str) -> None:
        """No event of this kind follows, kept ones included."""
        self.subscriptions = _shared(self.subscriptions - {kind})
        if self._backlog:
            self._backlog = {
                key: item for key, item in self._backlog.items() if not isinstance(item, Event) or item.kind != kind
            }

    def open(self) -> None:
        """The session is open."""
        self._go(Step.OPEN)

    def last_answers(self) -> None:
        """We are about to close: answers that wait behind a long one leave too, events do not."""
        if self.state.holds_answers:
            for item in (self._backlog or {}).values():
                if isinstance(item, bytes):
                    self.pieces.append(item)
                elif isinstance(item, LongAnswer):
                    self.pieces += item.frame or ()
            self._backlog = None

    def closing(self) -> None:
        """The session is closing: no event follows, and no answer but one that is on its way."""
        self.subscriptions = _shared(frozenset())
        if self.state is not Output.OVER:
            self._go(Step.CLOSE)
        if self.state is not Output.FINISHING:
            for place in self._places:
                place.turn.set()
            self._backlog = None

    def abort(self) -> None:
        """Gives the client up."""
        owner = self._owner
        self.end()
        owner.abort()

    def end(self) -> None:
        """The connection is gone: nobody takes what is here."""
        self.subscriptions = _shared(frozenset())
        self.pieces.clear()
        for place in self._places:
            place.turn.set()
        self._backlog = None
        self.remember = None
        self._owner = self._sink = _NOBODY
        self._go(Step.END)

    def on_event(self, event: Event) -> None:
        """Numbers and sends an event if its kind is subscribed to, or keeps it while congested."""
        if self.remember is not None:
            self.remember(event)
        if event.kind not in self.subscriptions:
            return
        if self.congested:
            self._keep(event)
            return
        shared: SharedFrames | None = event.shared  # type: ignore[assignment]  # nobody else sends events
        if shared is not None and self._next_event == shared.number and self.dialect == shared.dialect:
            self._next_event = shared.following
            self.pieces.append(shared.frame)
        else:
            self._number(event)
        if not self.dirty:  # as touch() has it: a call less for each session that hears the event
            self.dirty = True
            if not self._due:
                self._wake()
            self._due.append(self)

    def _number(self, event: Event) -> None:
        """Sends an event in a frame of its own, which others may share."""
        shared: SharedFrames | None = event.shared  # type: ignore[assignment]
        if shared is None:
            event.shared = shared = SharedFrames()
        shared.make(event, self._next_event, self.dialect, self._encode)
        self._next_event = shared.following
        self.pieces.append(shared.frame)

    def _keep(self, event: Event) -> None:
        if event.merge_key is None:
            backlog = self._put(event)
        else:
            backlog = self._kept()
            key = (event.kind, event.merge_key)
            backlog.pop(key, None)
            backlog[key] = event
        if len(backlog) > self._max_backlog:
            self._owner.overflowed()

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
        if self.slow or self.state not in (Output.FLOWING, Output.HOLDING):
            return
        items = list((self._backlog or {}).items())
        self._backlog = None
        for place, (_, item) in enumerate(items):
            if isinstance(item, Event):
                self._number(item)
            elif isinstance(item, bytes):
                self.pieces.append(item)
            elif item.frame is None:
                self._backlog = dict(items[place:])
                return
            else:
                self._backlog = dict(items[place + 1 :])
                self.pieces += item.frame
                self._go(Step.SEND)
                return
        if self.state is Output.HOLDING:
            self._go(Step.FREE)

    # Long answers

    def hold(self) -> LongAnswer:
        """Keeps a place for an answer that takes a while to make: what is sent from now on comes behind it."""
        place = LongAnswer()
        if self.state in (Output.FLOWING, Output.HOLDING, Output.SENDING):
            self._go(Step.HOLD)
            self._put(place)
            self._give_turn()
        else:
            place.turn.set()
        return place

    def _give_turn(self) -> None:
        """One long answer at a time is made: they are large, and the client takes one after the other."""
        places = self._places
        if places and self.state is Output.HOLDING:
            places[0].turn.set()

    def fill(self, place: LongAnswer, call: ParsedCall, parts: list[bytes]) -> None:
        """The answer is made; ``parts`` are the result's JSON. It is one message, put out in pieces."""
        size = len(_HEAD) + len(call.id) + len(_RESULT) + sum(map(len, parts)) + 1
        place.frame = [text_header(size) + _HEAD, call.id, _RESULT, *parts, b"}"]
        self.release()

    def give_up(self, place: LongAnswer) -> None:
        """There will be no such answer."""
        if self._backlog:
            self._backlog = {key: item for key, item in self._backlog.items() if item is not place}
        if self.state is Output.HOLDING and not self._places:  # answers need not wait, though a slow client's events do
            self._go(Step.FREE)
        self.release()
        self._give_turn()

    def _sent(self) -> None:
        """The long answer left; what waited behind it follows."""
        self._go(Step.SENT)
        if self.state is Output.CLOSING:
            self._backlog = None
        elif not self._places:  # what a slow client's answers waited for is gone, though its events wait on
            self._go(Step.FREE)
        self.release()
        self._give_turn()
        self._owner.read_on()

    @property
    def _places(self) -> list[LongAnswer]:
        """Long answers that wait, made or not."""
        return [item for item in (self._backlog or {}).values() if isinstance(item, LongAnswer)]

    @property
    def preparing(self) -> bool:
        """There are long answers that are not made yet."""
        return any(place.frame is None for place in self._places)

    @property
    def waiting(self) -> int:
        """Events kept for a slow reader, or behind a long answer."""
        return sum(isinstance(item, Event) for item in (self._backlog or {}).values())

    @property
    def events_sent(self) -> int:
        """How many events have a number: the next one's."""
        return self._next_event
