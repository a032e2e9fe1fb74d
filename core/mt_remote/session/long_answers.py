"""Long lists as answers, a slice at a time, so that no other session waits for one client's list.

A list is encoded slice by slice, one slice a turn of the event loop, whoever asks: of several lists under way each gets
its turn; of several lists of one session the next is begun when the one before it has left. The slices become one
WebSocket message, whose length is known before its first byte leaves. (Continuation frames would leave earlier. But a
deadline, or an element that can't be encoded, could then only end the session, and not every deployed client was ever
sent one.) It is written a part a turn too, and no faster than the client reads.

What the session has to say meanwhile waits for the list (see :meth:`Outbox.hold`): its elements are those of
the moment of the call, so an event that is newer must not come before them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anyio

from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.paging import Page
from mt_remote.session.session import WebSocketSession

_SLICE_SECONDS = 0.002
"""What filters may take of a turn."""


class LongAnswers:
    """Answers calls with long lists, for all sessions of a gateway. ``queued`` are calls that waited for the client to
    take what it asked for before."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._turn = anyio.Lock()
        self.parts_made = 0
        self.queued: set[ParsedCall] = set()

    async def answer(self, session: WebSocketSession, call: ParsedCall, elements: Sequence[Any] | Page) -> None:
        """Answers a call; everything that the session sends from now on comes behind the answer. Raises what encoding
        an element raises; there is no answer then."""
        outbox = session.outbox
        place = outbox.hold()
        session.transport.pause_reading()
        try:
            if not place.turn.is_set():
                self.queued.add(call)
                await place.turn.wait()
            parts = await self._encoded(session, call, elements)
        except BaseException:
            outbox.give_up(place)
            raise
        else:
            outbox.fill(place, call, parts)
        finally:
            self.queued.discard(call)
            session.read_on()
            outbox.touch()

    async def _encoded(
        self, session: WebSocketSession, call: ParsedCall, elements: Sequence[Any] | Page
    ) -> list[bytes]:
        """The result's JSON in parts, with what stands beside it."""
        function, dialect = call.function, session.dialect
        page = elements if isinstance(elements, Page) else Page(elements)
        parts: list[bytes] = []
        began = 0.0
        parts_to_come = page.slices(lambda: function.at_once, lambda: self._now() - began >= _SLICE_SECONDS)
        going_on = True
        while going_on:
            async with self._turn:  # fair, and acquiring it lets the loop take a turn
                began = self._now()
                part = next(parts_to_come, None)
                self.parts_made += 1
                going_on = part is not None
                if part:
                    encoded = function.encode(part, dialect)
                    function.learn(len(part), len(encoded))
                    parts += (b"," if parts else b"[", encoded[1:-1])
        return [*(parts or [b"["]), b"]" + page.beside]
