"""Where an event gets its number, and the frame that carries it.

A session numbers its events from 0 without gaps, at the moment when each leaves: :attr:`Outbox.events_sent
<mt_remote.session.outbox.Outbox.events_sent>` is the next number. Sessions that count alike and speak the same dialect
send the same bytes, so the frame made for one is kept with the event for the next (:class:`SharedFrames`, in
:attr:`Event.shared <mt_remote.backend.Event.shared>`): of thousands of sessions most send what is there already.
"""

from __future__ import annotations

from collections.abc import Callable

from mt_remote.backend import Event
from mt_remote.wire.websocket import text_header

EventEncoder = Callable[[Event, str], bytes]
"""Encodes an event's data for a dialect; the tail of the message, from ``,"data":`` on."""


class SharedFrames:
    """What sessions share of one event: the ``frame`` that was made last, for which ``dialect`` and ``number``, the
    number ``following`` it, and what other numbers' frames are made of."""

    __slots__ = ("_parts", "dialect", "following", "frame", "number")

    def __init__(self) -> None:
        self.frame = b""
        self.dialect = ""
        self.number = -1
        self.following = 0
        self._parts: dict[tuple[str, int], tuple[bytes, bytes]] = {}

    def make(self, event: Event, number: int, dialect: str, encode: EventEncoder) -> None:
        """Makes the frame of that number. Only the number differs between sessions of a dialect, and only its length
        changes the frame's header."""
        digits = b"%d" % number
        parts = self._parts.get((dialect, len(digits)))
        if parts is None:
            tail = encode(event, dialect)
            head = b'{"event":"%b","event_id":' % event.kind.encode()
            parts = text_header(len(head) + len(digits) + len(tail)) + head, tail
            self._parts[dialect, len(digits)] = parts
        self.number, self.following, self.dialect = number, number + 1, dialect
        self.frame = parts[0] + digits + parts[1]
