"""Frames of RFC 6455 as bytes, right and wrong ones, written by hand so that nothing under test makes them."""

from __future__ import annotations

import base64
import itertools

from wsproto.frame_protocol import CloseReason, FrameProtocol

MASK = b"\x01\x80\x7f\xff"
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA


def xor(data: bytes, mask: bytes) -> bytes:
    if not any(mask):
        return data
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = MASK,
    coding: int | None = None,
    declared: int | None = None,
) -> bytes:
    """One frame. ``coding`` forces a length coding (125, 126, 127), ``declared`` a length that is not the payload's."""
    length = len(payload) if declared is None else declared
    if coding is None:
        coding = 125 if length < 126 else 126 if length < 65536 else 127
    masked = 0 if mask is None else 0x80
    short = length if coding == 125 else coding
    long = b"" if coding == 125 else length.to_bytes(2 if coding == 126 else 8, "big")
    head = bytes((fin << 7 | reserved << 4 | opcode, masked | short)) + long
    return head + (payload if mask is None else mask + xor(payload, mask))


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(b"" if code is None else code.to_bytes(2, "big") + reason, CLOSE)


def upgrade(target: str = "/", **headers: str) -> bytes:
    """An upgrade request. Headers are named as Python names; an empty value leaves one out."""
    wanted = {
        "Host": "localhost",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in wanted.items() if value)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def sent(output: bytes) -> tuple[list[bytes], list[bytes], int | None]:
    """What a server's frames say, read by wsproto's client side: messages, pongs' payloads, close code."""
    protocol = FrameProtocol(client=True, extensions=[])
    protocol.receive_bytes(output)
    messages: list[bytes] = []
    pongs: list[bytes] = []
    code: int | None = None
    text = ""
    for each in protocol.received_frames():
        assert code is None, "frames after the close frame"
        if each.opcode == TEXT:
            assert isinstance(each.payload, str)
            text += each.payload
            if each.message_finished:
                messages.append(text.encode())
                text = ""
        elif each.opcode == PONG:
            assert isinstance(each.payload, bytes | bytearray)
            pongs.append(bytes(each.payload))
        elif each.opcode == CLOSE:
            assert isinstance(each.payload, tuple)
            code = int(CloseReason(each.payload[0])) if each.payload[0] in set(CloseReason) else each.payload[0]
    return messages, pongs, code


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """``data`` cut at the places, taken modulo its length."""
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(ends)] or [b""]
