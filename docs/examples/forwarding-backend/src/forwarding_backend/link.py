"""One session with the other gateway.

The public client waits where it reads and where it writes, so a link has a thread for each. The reading thread hands
every message to the event loop before it reads the next one: answers and events arrive there in the order in which the
other gateway sent them, and one that sends faster than we take sees a slow reader and merges ticks, as it would for any
client.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import queue
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from forwarding_backend.calls import Call
from forwarding_backend.errors import error_of
from forwarding_backend.wire import EVENTS, Reader, Unreadable, request_text
from mt_remote.client import Client
from mt_remote.errors import CallTimeout, ConnectionLost, RequestError
from mt_remote.plugin import Event

T = TypeVar("T")

SIGN_OF_LIFE = '{"id":"alive","name":"forward.alive"}'
"""There is no such function: any gateway says so at once, without asking its MT4 server."""

CLOSING = 5.0
"""Seconds for the other gateway to answer when a link closes."""


class Link:
    """A session of dialect 2: its calls, its events, its end.

    ``on_event`` and ``on_lost`` are called on the event loop's thread; ``on_lost`` once, and not when the link is ended
    from this side.
    """

    def __init__(
        self,
        url: str,
        tls: ssl.SSLContext | None,
        silence: float,
        on_event: Callable[[Event], None],
        on_lost: Callable[[ConnectionLost], None],
    ) -> None:
        self.error: ConnectionLost | None = None
        self._url = url
        self._client = Client(url, tls=tls, timeout=silence)
        self._on_event = on_event
        self._on_lost = on_lost
        self._ids = itertools.count()
        self._calls: dict[int, Call[Any]] = {}
        self._outbox: queue.SimpleQueue[Call[Any] | None] = queue.SimpleQueue()
        self._loop = anyio.lowlevel.current_token()
        self._opened = anyio.Event()
        self._refusal: RequestError | None = None
        self._ended = anyio.Event()
        self._quiet = False
        self._heard = 0

    # On the event loop.

    async def open(self) -> None:
        """Opens the session. Raises what the other gateway answers, ``ConnectionLost`` where it can't be reached."""
        threading.Thread(target=self._read, name=f"forward: reads {self._url}", daemon=True).start()
        try:
            await self._opened.wait()
        except anyio.get_cancelled_exc_class():
            self.hush()
            self.end(ConnectionLost(f"The link to {self._url} was given up"))
            raise
        if self._refusal is not None:
            raise self._refusal

    async def call(self, name: str, data: object, read: Reader[T]) -> T:
        """A function's result. Raises what the other gateway answers, and ``ConnectionLost`` when the link is gone.

        A call that is cancelled before it was sent never will be; that is known, so ``CallTimeout`` says ``not_done``.
        """
        if self.error is not None:
            raise ConnectionLost(self.error.message)
        id_ = next(self._ids)
        call = Call(name, request_text(id_, name, data), read)
        self._calls[id_] = call
        self._outbox.put(call)
        try:
            await call.answered.wait()
        except anyio.get_cancelled_exc_class():
            if call.withdraw():
                raise CallTimeout(f"{name} was not sent to {self._url} in time", outcome="not_done") from None
            raise
        finally:
            del self._calls[id_]
        return call.outcome()

    def hush(self) -> None:
        """From now on the listener hears nothing: neither events nor that the link ends."""
        self._quiet = True

    def end(self, error: ConnectionLost) -> None:
        """Ends the link: calls in flight fail, later ones too, no event follows. The first reason counts."""
        if self.error is not None:
            return
        self.error = error
        for call in self._calls.values():
            known = "was not sent" if call.withdraw() else "may have been carried out or not"
            call.fail(ConnectionLost(f"{error.message}: {call.name} {known}"))
        self._outbox.put(None)
        if not self._quiet:
            self._on_lost(error)

    async def aclose(self) -> None:
        """Ends the link without a word to the listener and waits until nothing is left of it."""
        self.hush()
        self.end(ConnectionLost(f"The link to {self._url} is closed"))
        with anyio.move_on_after(CLOSING, shield=True):
            await self._ended.wait()

    def _take(self, call: Call[Any] | None, event: Event | None, lost: bool) -> None:
        """A message came in: the answer to a call, an event, or that the MT4 server is gone."""
        if call is not None:
            call.answered.set()
        elif self._quiet or self.error is not None:
            return
        elif event is not None:
            self._on_event(event)
        elif lost:
            self.end(ConnectionLost(f"The gateway at {self._url} lost its connection to the MT4 server"))

    def _refuse(self, error: RequestError) -> None:
        self._refusal = error
        self._opened.set()

    # On the reading thread.

    def _read(self) -> None:
        """Opens the session and passes on what comes in until it ends."""
        try:
            self._client.open()
        except (WebSocketException, OSError, ValueError) as problem:  # a host's name can be no name at all
            self._on_loop(self._refuse, refusal(self._url, problem))
            return
        threading.Thread(target=self._write, name=f"forward: writes {self._url}", daemon=True).start()
        self._on_loop(self._opened.set)
        error = ConnectionLost(f"The link to {self._url} failed")
        try:
            while True:
                self._pass_on(self._next())
        except TimeoutError:
            error = ConnectionLost(f"The gateway at {self._url} gives no sign of life")
        except (ConnectionClosed, OSError) as problem:
            error = ConnectionLost(f"The link to {self._url} broke ({problem})")
        except (Unreadable, ValueError) as problem:
            error = ConnectionLost(f"The gateway at {self._url} sent what can't be read ({problem})")
        except RuntimeError:  # what a client says that was closed between two reads
            if self.error is None:
                raise
        finally:
            self._on_loop(self.end, error)
            self._client.close()
            self._on_loop(self._ended.set)

    def _next(self) -> dict[str, Any]:
        try:
            return self._client.receive()
        except TimeoutError:
            self._client.send(SIGN_OF_LIFE)
            return self._client.receive()

    def _pass_on(self, message: Mapping[str, Any]) -> None:
        if "event" in message:
            self._count(message)
            lost = message["event"] == "connection" and not message.get("data")
            self._on_loop(self._take, None, event_of(message), lost)
            return
        id_ = message.get("id")
        call = self._calls.get(id_) if isinstance(id_, int) else None
        if call is not None:  # otherwise nobody waits for it any more
            call.read(message)
            self._on_loop(self._take, call, None, False)

    def _count(self, message: Mapping[str, Any]) -> None:
        """Events are numbered without a gap; one would tell that something was lost."""
        if message.get("event_id") != self._heard:
            raise Unreadable(f"event {message.get('event_id')} where {self._heard} was due")
        self._heard += 1

    def _on_loop(self, function: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(anyio.RunFinishedError):  # there is nobody left to tell
            anyio.from_thread.run_sync(function, *arguments, token=self._loop)

    # On the writing thread.

    def _write(self) -> None:
        """Sends what is put out, in order, until the link ends."""
        while (call := self._outbox.get()) is not None:
            if call.begin():
                try:
                    self._client.send(call.text)
                except (ConnectionClosed, OSError):
                    break  # the reading thread meets the same end and tells why
        self._client.close()


def event_of(message: Mapping[str, Any]) -> Event | None:
    """What an event's message tells, ``None`` for a kind that is not forwarded. A newer tick outdoes an older one."""
    kind = message["event"]
    if kind not in EVENTS:
        return None
    data = EVENTS[kind](message.get("data"))
    return Event(kind, data, merge_key=data.symbol if kind == "tick" else None)


def refusal(url: str, problem: Exception) -> RequestError:
    """Why a session could not be opened: what the other gateway says, if it says anything."""
    if isinstance(problem, InvalidStatus) and problem.response.body:
        try:
            return error_of(json.loads(problem.response.body))
        except (ValueError, AttributeError):  # some other server's page
            pass
    return ConnectionLost(f"Cannot open a session at {url}: {problem}")
