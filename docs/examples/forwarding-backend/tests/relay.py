"""A TCP relay between two gateways, in the test's hands: it can cut the wire, hold it, and lead elsewhere."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Self
from urllib.parse import urlsplit

RESET = struct.pack("ii", 1, 0)
"""``SO_LINGER``: closing resets the connection."""


class Relay:
    """Listens at :attr:`url` for as long as the test runs, whatever becomes of what it leads to."""

    def __init__(self, url: str) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listening.getsockname()[1]}"
        self._flows = threading.Event()
        self._flows.set()
        self._held = threading.Event()
        self._pairs: list[socket.socket] = []
        self._lock = threading.Lock()
        self.point_at(url)
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def point_at(self, url: str) -> None:
        """New connections lead there."""
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)

    def cut(self) -> None:
        """Breaks every connection, without a word."""
        with self._lock:
            broken, self._pairs = self._pairs, []
        for wire in broken:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()
        self._flows.set()

    def hold(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._held.clear()
        self._flows.clear()

    def something_waits(self) -> None:
        """Waits until something that was sent is held here."""
        assert self._held.wait(10)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), name="relay", daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._flows.is_set():
                    self._held.set()
                    self._flows.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
