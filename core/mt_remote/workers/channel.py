"""A local socket between two processes of ours, on asyncio: messages in order, many in one write.

A frame is a length and a pickled list of messages. Both ends are of one program and one version, and the socket is in
a folder that only its user may enter.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
from collections.abc import Callable
from typing import Any, cast

Message = tuple[Any, ...]
"""A kind and what belongs to it; :mod:`mt_remote.workers.host` lists them."""

_LENGTH = struct.Struct("<I")
_HIGH_WATER = 4 * 1024 * 1024
_BATCH = 1000


class Channel(asyncio.Protocol):
    """One end. ``take`` gets what arrives, ``lost`` is called once at the end, for whatever reason."""

    def __init__(self, take: Callable[[Channel, list[Message]], None], lost: Callable[[Channel], None]) -> None:
        self._take = take
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._outbox: dict[object, Message] = {}
        self._next = 0
        self._paused = self._scheduled = False
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self.closed = False

    def send(self, message: Message, merge_key: object = None) -> None:
        """Sends a message at the end of the loop's turn. While the other end is behind, one with a ``merge_key`` takes
        the place of an earlier one of that key."""
        if self.closed:
            return
        if merge_key is not None and self._paused:
            self._outbox.pop(merge_key, None)
            self._outbox[merge_key] = message
        else:
            self._next += 1
            self._outbox[self._next] = message
        if not self._scheduled and not self._paused:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._transport is None or self._paused or self.closed:
            return
        messages = list(self._outbox.values())
        self._outbox.clear()
        for start in range(0, len(messages), _BATCH):
            body = pickle.dumps(messages[start : start + _BATCH], protocol=pickle.HIGHEST_PROTOCOL)
            self._transport.writelines((_LENGTH.pack(len(body)), body))

    def close(self) -> None:
        """Ends it once what was sent has left."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._flush()

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        start, end = 0, len(received)
        messages: list[Message] = []
        while end - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(received, start)
            if end - start - _LENGTH.size < length:
                break
            start += _LENGTH.size
            messages += pickle.loads(memoryview(received)[start : start + length].tobytes())
            start += length
        del received[:start]
        if messages:
            self._take(self, messages)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            self._outbox.clear()
            self._lost(self)
