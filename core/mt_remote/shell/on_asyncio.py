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

from mt_remote.addresses import Address
from mt_remote.clock import Clock
from mt_remote.gateway.admission import Entry
from mt_remote.gateway.gateway import AssembledGateway
from mt_remote.session.session import WebSocketSession
from mt_remote.shell.shell import Listener, Shell
from mt_remote.wire.proxy_protocol import BadProxyHeader, ProxyHeaderReader
from mt_remote.wire.transport import Transport


class AsyncioTransport(asyncio.Protocol, Transport):
    """One connection; hands its bytes to the session at once and writes without awaiting. ``entry`` is there where the
    connection was let in already."""

    __slots__ = ("_ended", "_entry", "_gateway", "_queued", "_socket", "_transport", "secure", "session")

    def __init__(self, gateway: AssembledGateway, entry: Entry | None = None) -> None:
        self._gateway = gateway
        self._entry = entry

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.secure = transport.get_extra_info("sslcontext") is not None
        plain = transport.get_extra_info("socket")
        direct = sys.platform != "win32" and not self.secure and plain is not None  # a Windows socket is no file
        self._socket = plain.fileno() if direct else -1
        self._queued = not direct
        self._ended = False
        entry = self._entry or self._gateway.admission.enter(_peer(transport), self.abort)
        if entry is None:
            self.abort()
            return
        self._entry = entry
        self._transport.set_write_buffer_limits(high=self._gateway.settings.write_high_water)
        self.session: WebSocketSession = self._gateway.open_session(self, entry)

    def data_received(self, data: bytes) -> None:
        self.session.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        if self._entry is not None:
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


def _peer(transport: asyncio.BaseTransport) -> str:
    name = transport.get_extra_info("peername")
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)


class Arrival(asyncio.BufferedProtocol):
    """A connection before it is a session: its PROXY header is read where one has to come, then TLS is shaken hands.

    It reads exactly the header, since what follows belongs to TLS. A buffered protocol gives the loop the buffer, so no
    more than that is taken off the socket.
    """

    def __init__(self, gateway: AssembledGateway, context: ssl.SSLContext | None) -> None:
        self._gateway = gateway
        self._context = context
        self._entry: Entry | None = None
        self._header: ProxyHeaderReader | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._entry = self._gateway.admission.enter(_peer(transport), self._transport.abort)
        if self._entry is None:
            self._transport.abort()
        elif self._gateway.admission.expects_proxy_header(self._entry):
            self._header = ProxyHeaderReader()
        else:
            self._go_on(self._entry)

    def get_buffer(self, sizehint: int) -> bytearray:
        self._buffer = bytearray(self._header.need if self._header else 1)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._entry is None or self._header is None or self._transport.is_closing():
            return
        try:
            self._header.feed(bytes(self._buffer[:nbytes]))
        except BadProxyHeader as error:
            self._gateway.refusals.refused("connection closed: PROXY header", peer=self._entry.peer, reason=str(error))
            self._transport.abort()
            return
        if self._header.done:
            source = self._header.source
            peer = self._entry.peer if source is None else str(Address(*source))
            if self._gateway.admission.speaks_for(self._entry, peer, is_final=False):
                self._go_on(self._entry)
            else:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._entry is not None:
            self._gateway.admission.leave(self._entry)
            self._entry = None

    def _go_on(self, entry: Entry) -> None:
        if self._context is None:
            self._hand_over(AsyncioTransport(self._gateway, entry), self._transport)
        else:
            self._transport.pause_reading()  # the client's first TLS record is for whoever shakes hands
            self._gateway.spawn(self._secure, self._context, entry)

    def _hand_over(self, session: AsyncioTransport, transport: asyncio.Transport) -> None:
        self._entry = None
        transport.set_protocol(session)
        session.connection_made(transport)

    async def _secure(self, context: ssl.SSLContext, entry: Entry) -> None:
        early = _Early()
        loop = asyncio.get_running_loop()
        self._entry = None  # what becomes of the connection is told here from now on
        try:
            # The loop's own deadline is no use: that of the entry goes by the gateway's clock.
            transport = await loop.start_tls(
                self._transport, early, context, server_side=True, ssl_handshake_timeout=_NEVER
            )
        except (OSError, asyncio.CancelledError) as error:
            self._transport.abort()
            self._gateway.admission.leave(entry)
            if isinstance(error, asyncio.CancelledError):
                raise
            self._gateway.refusals.refused("TLS handshake failed", peer=entry.peer, reason=_reason(error))
            return
        if transport is None or early.is_lost:
            self._gateway.admission.leave(entry)
            return
        session = AsyncioTransport(self._gateway, entry)
        self._hand_over(session, transport)
        if early.received:
            session.data_received(bytes(early.received))


_NEVER = 86_400.0


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__


class _Early(asyncio.Protocol):
    """Keeps what comes between the end of a TLS handshake and the moment when the session knows of it."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.is_lost = False

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True


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
        def accepted() -> asyncio.BaseProtocol:
            if context is None and not gateway.settings.proxy_protocol:
                return AsyncioTransport(gateway)
            return Arrival(gateway, context)

        server = await self._loop.create_server(accepted, host, port, backlog=1024, reuse_port=shared or None)
        return AsyncioListener(server)


def is_running() -> bool:
    """Whether the code that asks runs on asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
