"""A proxy in front of a gateway that changes what clients send: handshakes, and the kinds of their frames."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

Change = Callable[[bytes], bytes]


def _pump(source: socket.socket, sink: socket.socket, change: Change) -> None:
    with suppress(OSError):  # either end may close at any time
        while data := source.recv(65536):
            sink.sendall(change(data))
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
    source.close()


@contextmanager
def impostor(url: str, change: Change) -> Iterator[str]:
    """An address at which every chunk that a client sends reaches the gateway changed: the first is its handshake, a
    short message is one chunk."""
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
            for source, sink, edit in ((client, gateway, change), (gateway, client, bytes)):
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
