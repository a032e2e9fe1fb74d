"""One WebSocket connection, server side, without I/O: RFC 6455 by wsproto, with a fast path for what is common.

**The fast path.** A whole, masked, unfragmented text frame with no reserved bits, minimal length coding, and no
fragmented message under way is decoded here. It is the one frame whose meaning needs no protocol state: RFC 6455
section 5.2 gives header and length, 5.3 the mask, 5.6 says the payload is the message. Every other frame (control,
binary, fragmented, unmasked, reserved bits, wasteful lengths) goes to wsproto whole, in order, and never half of one;
so wsproto sees a legal sequence whenever the whole stream is one, and refuses it when not. What the fast path leaves
out is the check for UTF-8: the JSON parser does it, and :meth:`WebSocket.refuse_text` ends the session with 1007.

**The handshake** goes to wsproto up to its empty line, once it is beyond doubt what it says (:func:`_read_head`): a
proxy before us that reads it otherwise would let through what it should not. Bytes behind it are frames of a client
that did not wait; wsproto would lose them (it gives its HTTP parser's trailing data to nobody), so they are kept here.

**Bounds.** One :meth:`WebSocket.receive` reads so many bytes and so many frames of the slow way, and leaves the rest
for the next one (:attr:`WebSocket.more`). The limit on messages may be low at first and rise later: a frame between the
two limits is left for whoever knows which of them holds (:attr:`WebSocket.too_big`).

**The end** of a session (the peer's close frame, a broken rule) is taken up only when the messages before it were: a
call to :meth:`WebSocket.receive` that gives messages leaves the end for the next one, in :attr:`WebSocket.ends`. So it
makes no difference how the network cut the stream.

Where this differs from wsproto alone: a frame that breaks a rule is refused once it is whole, and one that declares
more than the limit is refused with 1009 whatever else is wrong with it. Pings that came in one read with text that is
not UTF-8 may be answered although they came behind it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from wsproto.connection import Connection, ConnectionType
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Request,
    TextMessage,
)
from wsproto.handshake import H11Handshake
from wsproto.utilities import RemoteProtocolError

from mt_remote.wire.masking import unmask
from mt_remote.wire.states import State, Step, after

MAX_HANDSHAKE = 16 * 1024
"""Bytes of the longest upgrade request."""

_LISTS = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "cookie",
        "forwarded",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "via",
        "x-forwarded-for",
    }
)
"""Headers that are lists and may be cut into several, by proxies and browsers (RFC 9110, 5.3)."""

_OPEN = State.OPEN  # looked up once: an enum's member costs as much as a call
_AT_ONCE = 64 * 1024
"""Bytes whose frames are read at once; the last frame may end behind them."""
_SLOW_AT_ONCE = 64
"""Frames that go to wsproto at once."""
_TEXT_FRAME = 0x81
_MASKED = 0x80
_CLOSE = 0x8


@dataclass(frozen=True, slots=True)
class UpgradeRequested:
    """A client asks for a WebSocket; answer with :meth:`WebSocket.accept` or :meth:`WebSocket.refuse`.

    ``headers`` are the request's by lower-case name; those of a list that came in several are joined, as RFC 9110 (5.3)
    says.
    """

    target: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer closed, or the protocol was broken; nothing follows."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class _End:
    """What ends the session: the peer's close frame, with our ``answer`` to it, or without one a broken rule."""

    code: int
    reason: str
    answer: CloseConnection | None = None


Received = UpgradeRequested | Closed | bytes
"""What can come in; ``bytes`` is a text message, not yet checked for UTF-8."""


class WebSocket:
    """Sans-IO. Feed :meth:`receive`, and ``b""`` again while there are :attr:`ends` or :attr:`more`: they came behind
    all that was received, and the next :meth:`receive` takes them up. Send what is in :attr:`out`, up to :attr:`state`
    CLOSED. ``limit`` is how long a message may be; :meth:`allow` takes it to ``max_message``."""

    __slots__ = (
        "_chunks",
        "_connection",
        "_handshake",
        "_have",
        "_most",
        "_need",
        "_parts",
        "_skip",
        "ends",
        "limit",
        "more",
        "out",
        "state",
        "too_big",
    )

    def __init__(self, max_message: int, limit: int | None = None) -> None:
        self.state = State.CONNECTING
        self.out: list[bytes] = []
        self._most = max_message
        self.limit = max_message if limit is None else min(limit, max_message)
        self.more = False
        self.too_big = False
        self._chunks: list[bytes] = []
        self._have = 0
        self._need = 0
        self._skip = 0
        self._handshake: H11Handshake | None = H11Handshake(ConnectionType.SERVER)
        self._connection: Connection | None = None
        self._parts: bytearray | None = None  # no list: empty fragments would make it as long as one likes
        self.ends: tuple[_End, ...] = ()

    @property
    def finished(self) -> bool:
        """The connection can be shut once the output is sent."""
        return self.state is State.CLOSED

    def take_output(self) -> bytes:
        """All bytes to send, once."""
        out = self.out
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def take_part(self, most: int) -> bytes:
        """The same of about ``most`` bytes: whole pieces, one at least. The rest stays."""
        size = count = 0
        for piece in self.out:
            if count and size + len(piece) > most:
                break
            size += len(piece)
            count += 1
        data = b"".join(self.out[:count])
        del self.out[:count]
        return data

    @property
    def waiting(self) -> int:
        """Bytes that wait to be taken."""
        return sum(map(len, self.out))

    # Input

    def receive(self, data: bytes) -> list[Received]:
        """Takes bytes off the network; gives what they complete, in order."""
        if self._have or self._skip or self.ends or self.state is not _OPEN:
            return self._receive_rest(data)
        received = self._receive_frames(data)
        return received if received or not self.ends else self._end(b"")

    def _receive_rest(self, data: bytes) -> list[Received]:
        """All but frames in an open session with nothing before them."""
        if self.ends:
            return self._end(data)
        self.more = self.too_big = False
        if self._skip:
            dropped = min(self._skip, len(data))
            self._skip -= dropped
            data = data[dropped:]
        if self._have:
            self._chunks.append(data)
            self._have += len(data)
            if self._have < self._need:
                return []
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._have = 0
        if self.state is _OPEN:
            received = self._receive_frames(data)
            return received if received or not self.ends else self._end(b"")
        if self.state is State.CONNECTING:
            return self._receive_request(data)
        if self.state is State.CLOSING:
            self._receive_close(data)
        elif self.state is State.DECIDING:
            self._keep(data, 0)
        return []

    def receive_eof(self) -> None:
        """The connection ended, perhaps without a word."""
        if self.state is not State.CLOSED:
            self.state = after(self.state, Step.BREAK)
        self._chunks.clear()
        self._have = 0
        self._parts = None

    def allow(self) -> None:
        """Messages may be as long as the longest from now on."""
        self.limit = self._most

    def refuse_too_big(self) -> None:
        """They may not: the next :meth:`receive` ends the session."""
        self._most = self.limit

    @property
    def kept(self) -> int:
        """Bytes that wait for more, or for the upgrade to be decided."""
        return self._have

    def _keep(self, data: bytes, need: int) -> None:
        if data:
            self._chunks.append(data)
            self._have = len(data)
            self._need = need

    def _receive_request(self, data: bytes) -> list[Received]:
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > MAX_HANDSHAKE:
            if len(data) > MAX_HANDSHAKE:
                self.refuse(431, "bad_handshake", f"The upgrade request is longer than {MAX_HANDSHAKE} bytes")
            else:
                self._keep(data, 0)
            return []
        handshake = cast(H11Handshake, self._handshake)
        try:
            headers = _read_head(data[:end])
            handshake.receive_data(data[: end + 4])
            request = next((event for event in handshake.events() if isinstance(event, Request)), None)
            if request is None:
                raise RemoteProtocolError("the request is not complete")
            headers["host"] = request.host
            for name, value in request.extra_headers:
                headers.setdefault(name.decode("ascii"), value.decode("latin-1"))
        except (RemoteProtocolError, UnicodeError) as error:
            self._refuse_handshake(error)
            return []
        self._keep(data[end + 4 :], 0)
        self.state = after(self.state, Step.REQUEST)
        return [UpgradeRequested(request.target, headers)]

    def _refuse_handshake(self, error: Exception) -> None:
        hint = error.event_hint if isinstance(error, RemoteProtocolError) else None
        status = getattr(hint, "status_code", 400)
        extra = {n.decode(): v.decode() for n, v in getattr(hint, "headers", ())}
        self.refuse(status, "bad_handshake", f"This is a WebSocket endpoint: {error}", extra)

    def _receive_frames(self, data: bytes) -> list[Received]:
        received: list[Received] = []
        position, end, limit, slow = 0, len(data), self.limit, 0
        last = end - 1 if end <= _AT_ONCE else _AT_ONCE
        while True:
            left = end - position
            if position >= last:
                if left >= 2:
                    return self._stop(data[position:], received)
                need = 2
                break
            second = data[position + 1]
            length, head = second & 0x7F, 6
            if length > 125:
                head = 8 if length == 126 else 14
                if left < head - 4:
                    need = head - 4
                    break
                coded = length
                length = int.from_bytes(data[position + 2 : position + head - 4], "big")
                plain = length > 125 if coded == 126 else length > 0xFFFF
            else:
                plain = True
            if not second & _MASKED:
                head -= 4
            need = head + length
            if length > limit:
                if length <= self._most:
                    self.too_big = not received
                    return self._stop(data[position:], received)
                self._skip = max(0, need - left)
                self.ends = (_End(1009, f"a message has at most {self._most} bytes, this frame {length}"),)
                self._keep(data[position + need :], 0)
                return received
            if left < need:
                break
            stop = position + need
            if data[position] == _TEXT_FRAME and plain and second & _MASKED and self._parts is None:
                start = position + head
                received.append(unmask(data[start:stop], data[start - 4 : start]))
            else:
                self._receive_by_wsproto(data[position:stop], received)
                if self.ends:
                    self._keep(data[stop:], 0)
                    return received
                slow += 1
                if slow == _SLOW_AT_ONCE and stop < end:
                    return self._stop(data[stop:], received)
            position = stop
        if left:
            self._keep(data[position:], need)
        return received

    def _stop(self, rest: bytes, received: list[Received]) -> list[Received]:
        """The rest is for the next time."""
        self.more = True
        self._keep(rest, 0)
        return received

    def _receive_by_wsproto(self, frame: bytes, received: list[Received]) -> None:
        connection = cast(Connection, self._connection)
        try:
            connection.receive_data(frame)
            for event in connection.events():
                if isinstance(event, TextMessage):
                    self._receive_part(event, received)
                elif isinstance(event, Ping):
                    self.out.append(connection.send(event.response()))
                elif isinstance(event, BytesMessage):
                    self.ends = (_End(1003, "only text messages are spoken here"),)
                elif isinstance(event, CloseConnection):
                    self.ends = (_End(int(event.code), event.reason or "", event.response()),)
                if self.ends:
                    return
        except RemoteProtocolError as error:
            code = getattr(error.event_hint, "code", 1002)
            self.ends = (_End(int(code), str(error)),)

    def _receive_part(self, event: TextMessage, received: list[Received]) -> None:
        if self._parts is None:
            self._parts = bytearray()
        self._parts += event.data.encode()
        if len(self._parts) > self.limit:
            self.ends = (_End(1009, f"a message has at most {self.limit} bytes"),)
        elif event.message_finished:
            received.append(bytes(self._parts))
            self._parts = None

    def _end(self, data: bytes) -> list[Received]:
        """Takes up what ends the session. Of several ends the first is told; the peer's close frame ends it whole."""
        received: list[Received] = []
        ends, self.ends = self.ends, ()
        for end in ends:
            if self.state is State.OPEN:
                received.append(Closed(end.code, end.reason))
                if end.answer is None:
                    self.close(end.code, end.reason)
                else:
                    self.out.append(cast(Connection, self._connection).send(end.answer))
            if end.answer is not None and self.state is not State.CLOSED:
                self.state = after(self.state, Step.PEER_CLOSE)
        self.receive(data)  # what follows is skipped, up to the peer's close frame
        return received

    def _receive_close(self, data: bytes) -> None:
        """After our close frame: skip all but the peer's."""
        position, end = 0, len(data)
        while end - position >= 2:
            second = data[position + 1]
            length, head = second & 0x7F, 2
            if length > 125:
                head = 4 if length == 126 else 10
                if end - position < head:
                    break
                length = int.from_bytes(data[position + 2 : position + head], "big")
            if data[position] & 0xF == _CLOSE:
                self.state = after(self.state, Step.PEER_CLOSE)
                return
            position += head + length + (4 if second & _MASKED else 0)
        if position > end:
            self._skip = position - end
        self._keep(data[position:], 0)

    # Output

    def accept(self, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Upgrades. Feed ``receive(b"")`` next: the client may not have waited."""
        handshake = cast(H11Handshake, self._handshake)
        self.state = after(self.state, Step.ACCEPT)
        self.out.append(handshake.send(AcceptConnection(extra_headers=list(headers))))
        self._connection = handshake.connection
        self._handshake = None
        self._need = 0

    def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Answers the upgrade request over HTTP with a JSON body."""
        self.state = after(self.state, Step.REFUSE)
        body = json.dumps({"status": "ERROR", "code": code, "message": message}).encode()
        phrase = HTTPStatus(status).phrase
        lines = [
            f"HTTP/1.1 {status} {phrase}", "Content-Type: application/json", f"Content-Length: {len(body)}",
            "Connection: close", *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]  # fmt: skip
        self.out.append("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        self._handshake = None

    def ping(self) -> None:
        """Asks whether the peer is there; its pong is answered by silence."""
        self.out.append(cast(Connection, self._connection).send(Ping()))

    def close(self, code: int, reason: str) -> None:
        """Starts the closing handshake. ``reason`` is cut to the 123 bytes that a close frame takes."""
        self.state = after(self.state, Step.CLOSE)
        text = reason.encode()[:123].decode(errors="ignore")
        self.out.append(cast(Connection, self._connection).send(CloseConnection(code=code, reason=text)))
        self._parts = None

    def refuse_text(self, payload: bytes) -> bool:
        """Ends the session with 1007 when a text message is not UTF-8; says whether it does."""
        try:
            payload.decode()
        except UnicodeDecodeError as error:
            self.ends = (_End(1007, f"the message is not UTF-8: {error.reason} at byte {error.start}"), *self.ends)
            return True
        return False


def _read_head(head: bytes) -> dict[str, str]:
    """The headers that a request has more than once and may; raises what is wrong with a request before its syntax is
    looked at: only HTTP/1.1 upgrades, and what two readers might read differently is refused."""
    first, *lines = head.split(b"\r\n")
    if not first.endswith(b" HTTP/1.1"):
        raise RemoteProtocolError("only a request in HTTP/1.1 can ask for an Upgrade")
    found: dict[str, str] = {}
    listed: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name in found:
            if name not in _LISTS:
                raise RemoteProtocolError(f"the header {name[:40]!r} comes more than once")
            value = listed[name] = f"{found[name]}, {value}"
        found[name] = value
    if found.get("content-length", "0") != "0" or "transfer-encoding" in found:
        raise RemoteProtocolError("an upgrade request has no body")
    if "sec-websocket-key" in found and not _is_key(found["sec-websocket-key"]):
        raise RemoteProtocolError("the Sec-WebSocket-Key is not 16 bytes in base64")
    return listed


def _is_key(value: str) -> bool:
    try:
        return len(value) == 24 and len(base64.b64decode(value, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


_SHORT_HEADERS = tuple(bytes((_TEXT_FRAME, length)) for length in range(126))


def text_header(length: int) -> bytes:
    """The header of an unfragmented text frame from the server (RFC 6455, 5.2)."""
    if length < 126:
        return _SHORT_HEADERS[length]
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
