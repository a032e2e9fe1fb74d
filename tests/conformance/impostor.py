"""Proxies in front of a gateway that change what goes by: handshakes, and frames either way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

Change = Callable[[bytes], bytes]
"""Makes something else of bytes that go by."""

FrameChange = Callable[[int, bytes], tuple[int, bytes] | None]
"""Makes something else of a frame, opcode and payload; ``None`` swallows it."""


def unchanged(data: bytes) -> bytes:
    return data


def frames(change: FrameChange) -> Callable[[], Change]:
    """What a gateway sends, frame by frame behind its handshake's answer (RFC 6455, 5.2: a server's are unmasked)."""

    def make() -> Change:
        waiting = bytearray()
        upgraded = [False]

        def changed(data: bytes) -> bytes:
            waiting.extend(data)
            out = bytearray()
            if not upgraded[0]:
                head, end, rest = bytes(waiting).partition(b"\r\n\r\n")
                if not end:
                    return b""
                upgraded[0] = head.startswith(b"HTTP/1.1 101")
                waiting[:] = rest if upgraded[0] else b""
                out += head + end + (b"" if upgraded[0] else rest)
            while upgraded[0] and (frame := _next(waiting)) is not None:
                made = change(*frame)
                if made is not None:
                    out += _encoded(*made)
            return bytes(out)

        return changed

    return make


def _next(waiting: bytearray) -> tuple[int, bytes] | None:
    """Takes a whole frame out, if one is there."""
    if len(waiting) < 2:
        return None
    wide = {126: 2, 127: 8}.get(waiting[1], 0)
    size = int.from_bytes(waiting[2 : 2 + wide], "big") if wide else waiting[1]
    begin = 2 + wide
    if len(waiting) < begin + size:
        return None
    frame = waiting[0] & 0x0F, bytes(waiting[begin : begin + size])
    del waiting[: begin + size]
    return frame


def _encoded(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    wide = (126, 2) if size < 1 << 16 else (127, 8)
    return bytes((0x80 | opcode, wide[0])) + size.to_bytes(wide[1], "big") + payload


def _pump(source: socket.socket, sink: socket.socket, change: Change) -> None:
    with suppress(OSError):  # either end may close at any time
        while data := source.recv(65536):
            sink.sendall(change(data))
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
    source.close()


@contextmanager
def impostor(url: str, change: Change, back: Callable[[], Change] = lambda: unchanged) -> Iterator[str]:
    """An address at which every chunk that a client sends reaches the gateway changed (the first is its handshake, a
    short message is one chunk), and every chunk of the gateway the client by what ``back`` makes for each
    connection."""
    where = urlsplit(url)
    pumps: list[threading.Thread] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            gateway = socket.create_connection((where.hostname, where.port))
            for source, sink, edit in ((client, gateway, change), (gateway, client, back())):
                pump = threading.Thread(target=_pump, args=(source, sink, edit), daemon=True)
                pump.start()
                pumps.append(pump)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for each in (thread, *pumps):
            each.join(5)
