"""The shell on asyncio (and uvloop): transports and protocols, so that an idle session costs neither task nor queue."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from mt_remote.wire.transport import Wire

if TYPE_CHECKING:
    from mt_remote.gateway.gateway import AssembledGateway
    from mt_remote.session.session import WebSocketSession


class AsyncioWire(asyncio.Protocol, Wire):
    """One connection; hands its bytes to the session at once and writes without awaiting."""

    __slots__ = ("_ended", "_gateway", "_queued", "_socket", "_transport", "peer", "secure", "session")

    def __init__(self, gateway: AssembledGateway) -> None:
        self._gateway = gateway

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername")
        self.peer = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)
        self.secure = transport.get_extra_info("sslcontext") is not None
        self._transport.set_write_buffer_limits(high=self._gateway.settings.write_high_water)
        plain = transport.get_extra_info("socket")
        direct = sys.platform != "win32" and not self.secure and plain is not None  # a Windows socket is no file
        self._socket = plain.fileno() if direct else -1
        self._queued = not direct
        self._ended = False
        self.session: WebSocketSession = self._gateway.open_session(self)

    def data_received(self, data: bytes) -> None:
        self.session.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self.session.connection_lost()

    def _end(self) -> None:
        """Nothing is written from now on; the socket's number may be another connection's soon."""
        self._socket, self._queued, self._ended = -1, True, True

    def pause_writing(self) -> None:
        self.session.writing_paused()

    def resume_writing(self) -> None:
        self.session.writing_resumed()

    @property
    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Straight to the kernel where nothing waits before it: the transport's own way (queue, buffers, a callback at
        the end of the turn) costs more than the system call. What the kernel does not take goes that way, and so do
        errors."""
        if self._queued and (self._socket < 0 or self._transport.get_write_buffer_size()):
            if not self._ended:
                self._transport.write(data)
            return
        try:
            sent = os.write(self._socket, data)
        except OSError:
            sent = 0
        self._queued = sent < len(data)
        if self._queued:
            self._transport.write(data[sent:])

    def close(self) -> None:
        self._end()
        self._transport.close()

    def abort(self) -> None:
        self._end()
        self._transport.abort()

    def pause_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()


class AsyncioListener:
    """Accepts connections until closed."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """(host, port) of each socket."""
        return [sock.getsockname()[:2] for sock in self._server.sockets]

    async def aclose(self) -> None:
        """Refuses further connections; those that are open stay."""
        self._server.close()


async def listen(
    gateway: AssembledGateway, host: str, port: int, context: ssl.SSLContext | None, *, shared: bool = False
) -> AsyncioListener:
    """Listens, with TLS when there is a ``context``. A ``shared`` port may be other processes' too."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: AsyncioWire(gateway), host, port, ssl=context, backlog=1024, reuse_port=shared or None
    )
    return AsyncioListener(server)


def soon() -> Callable[[Callable[[], object]], object]:
    """Runs a callback once the present turn of the loop is over."""
    return asyncio.get_running_loop().call_soon


def is_running() -> bool:
    """Whether the code that asks runs on asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
