"""The shell on asyncio (and uvloop): transports and protocols, so that an idle session costs neither task nor queue."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import sniffio
from anyio.abc import TaskGroup

from mt_remote.clock import Clock
from mt_remote.gateway.gateway import AssembledGateway
from mt_remote.session.session import WebSocketSession
from mt_remote.shell.shell import Listener, Shell
from mt_remote.wire.transport import Transport


class AsyncioTransport(asyncio.Protocol, Transport):
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
        session = self.session
        del self.session  # so that neither holds the other
        session.connection_lost()

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


class AsyncioListener(Listener):
    """Accepts connections until closed."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [sock.getsockname()[:2] for sock in self._server.sockets]

    async def aclose(self) -> None:
        self._server.close()


class AsyncioShell(Shell):
    """The asyncio loop that runs now. First steps go through the functions that asyncio documents for third-party tasks
    (``_enter_task``, ``_leave_task``; section "Extending" of its manual)."""

    __slots__ = ("_loop", "clock", "enter", "leave", "soon")

    cancelled = asyncio.CancelledError
    steps_at_once = True

    # Bound once, without a method round them: each call passes through them.
    soon: Callable[[Callable[[], object]], object]
    enter: Callable[[Any], None]
    leave: Callable[[Any], None]

    def __init__(self, clock: Clock) -> None:
        self._loop = asyncio.get_running_loop()
        self.clock = clock
        self.soon = self._loop.call_soon
        self.enter = partial(_enter_task, self._loop)
        self.leave = partial(_leave_task, self._loop)
        # So that anyio knows its loop in plain callbacks too, where calls and notifications come in.
        sniffio.current_async_library_cvar.set("asyncio")

    def current_task(self) -> asyncio.Task[Any] | None:
        return asyncio.current_task(self._loop)

    def forgive(self, task: Any) -> None:
        while task.cancelling():
            task.uncancel()

    async def listen(
        self,
        gateway: AssembledGateway,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        group: TaskGroup,
        *,
        shared: bool,
    ) -> Listener:
        server = await self._loop.create_server(
            lambda: AsyncioTransport(gateway), host, port, ssl=context, backlog=1024, reuse_port=shared or None
        )
        return AsyncioListener(server)


def is_running() -> bool:
    """Whether the code that asks runs on asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
