"""The shell on asyncio (and uvloop): transports and protocols, so that an idle session costs neither task nor queue."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import anyio
import anyio.to_thread
import sniffio
from anyio.abc import TaskGroup

from mt_remote.addresses import Address
from mt_remote.clock import Clock
from mt_remote.gateway.admission import Entry
from mt_remote.gateway.gateway import AssembledGateway
from mt_remote.session.session import WebSocketSession
from mt_remote.shell.descriptors import Descriptors
from mt_remote.shell.shell import Listener, Shell
from mt_remote.wire.proxy_protocol import BadProxyHeader, ProxyHeaderReader
from mt_remote.wire.transport import Transport

_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 64


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
        if self._entry is None:
            return
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


def _peer(transport: asyncio.BaseTransport) -> str:
    return _text(transport.get_extra_info("peername"))


def _text(name: object) -> str:
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)


class Doorkeeper:
    """Accepts connections that begin with TLS or a PROXY header: they are counted before that, and the gateway keeps
    the time that it may take.

    The PROXY header is read off the socket by itself, to its last byte, since what follows belongs to TLS. The loop's
    own server could do neither.
    """

    def __init__(
        self,
        gateway: AssembledGateway,
        sockets: list[socket.socket],
        context: ssl.SSLContext | None,
        descriptors: Descriptors,
    ) -> None:
        self.sockets = sockets
        self._descriptors = descriptors
        self._gateway = gateway
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._scopes: list[anyio.CancelScope] = []

    def start(self) -> None:
        """Accepts from now on."""
        for listening in self.sockets:
            self._gateway.spawn(self._accept, listening)

    def close(self) -> None:
        """Accepts nobody any more."""
        for scope in self._scopes:
            scope.cancel()
        for listening in self.sockets:
            listening.close()

    async def _accept(self, listening: socket.socket) -> None:
        with anyio.CancelScope() as scope:
            self._scopes.append(scope)
            while True:
                try:
                    accepted, name = await self._loop.sock_accept(listening)
                except ConnectionAbortedError:
                    continue
                except OSError as error:
                    await self._gateway.clock.sleep(self._descriptors.pause(error))
                else:
                    self._descriptors.accepted()
                    self._gateway.spawn(self._arrive, accepted, _text(name))

    async def _arrive(self, accepted: socket.socket, peer: str) -> None:
        admission = self._gateway.admission
        with anyio.CancelScope() as scope:
            entry = admission.enter(peer, scope.cancel)
            if entry is None:
                accepted.close()
                return
            try:
                if await self._may_enter(accepted, entry):
                    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    await self._loop.connect_accepted_socket(
                        partial(AsyncioTransport, self._gateway, entry),
                        accepted,
                        ssl=self._context,
                        ssl_handshake_timeout=_NEVER if self._context else None,
                    )
            except BadProxyHeader as error:
                self._gateway.refusals.refused("connection closed: PROXY header", peer=peer, reason=str(error))
            except OSError as error:
                self._gateway.refusals.refused("connection closed: TLS", peer=entry.peer, reason=_reason(error))
            finally:
                if entry in admission.arriving:
                    admission.leave(entry)
                    accepted.close()

    async def _may_enter(self, accepted: socket.socket, entry: Entry) -> bool:
        """Takes the PROXY header, where one has to come."""
        admission = self._gateway.admission
        if not admission.expects_proxy_header(entry):
            return True
        header = ProxyHeaderReader()
        while not header.done:
            data = await self._loop.sock_recv(accepted, header.need)
            if not data:
                raise BadProxyHeader("the connection ended in it")
            header.feed(data)
        peer = entry.peer if header.source is None else str(Address(*header.source))
        return admission.speaks_for(entry, peer, is_final=False)


_NEVER = 86_400.0
"""The loop's own deadline for TLS is no use: that of the entry goes by the gateway's clock."""


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__


def _listening(host: str, port: int, *, shared: bool) -> list[socket.socket]:
    """Sockets that listen at each address of a host. Raises ``OSError``."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            sockets.append(listening := socket.socket(family, kind, protocol))
            listening.setblocking(False)
            if sys.platform != "win32":  # there it means that others may take the port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
    except OSError:
        for each in sockets:
            each.close()
        raise
    return sockets


_BACKLOG = 1024


class AsyncioListener(Listener):
    """Accepts connections until closed."""

    def __init__(self, server: asyncio.Server | Doorkeeper) -> None:
        self._server = server

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [sock.getsockname()[:2] for sock in self._server.sockets]

    async def aclose(self) -> None:
        self._server.close()


class Acceptor(Listener):
    """Accepts connections until closed, and waits where the system gives no more descriptors: asyncio's own way logs a
    traceback for each attempt, uvloop's closes the connection without a word."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sockets: list[socket.socket],
        make: Callable[[], AsyncioTransport],
        descriptors: Descriptors,
    ) -> None:
        self._loop = loop
        self._sockets = sockets
        self._make = make
        self._descriptors = descriptors
        self._opening: set[asyncio.Task[Any]] = set()
        self._addresses = [sock.getsockname()[:2] for sock in sockets]
        for sock in sockets:
            self._watch(sock)

    def _watch(self, sock: socket.socket) -> None:
        if sock in self._sockets:
            self._loop.add_reader(sock.fileno(), self._accept, sock)

    def _accept(self, sock: socket.socket) -> None:
        try:
            for _ in range(_ACCEPTED_AT_ONCE):
                connection, _ = sock.accept()
                self._descriptors.accepted()
                connection.setblocking(False)
                task = self._loop.create_task(self._open(connection))
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            pause = self._descriptors.pause(error)
            self._loop.remove_reader(sock.fileno())
            self._loop.call_later(pause, self._watch, sock)

    async def _open(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError:  # it left
            connection.close()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return self._addresses

    async def aclose(self) -> None:
        sockets, self._sockets = self._sockets, []
        for sock in sockets:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        for task in self._opening:
            task.cancel()


class AsyncioShell(Shell):
    """The asyncio loop that runs now. First steps go through the functions that asyncio documents for third-party tasks
    (``_enter_task``, ``_leave_task``; section "Extending" of its manual)."""

    __slots__ = ("_loop", "clock", "enter", "leave", "soon", "soon_from_thread")

    cancelled = asyncio.CancelledError
    steps_at_once = True

    # Bound once, without a method round them: each call passes through them.
    soon: Callable[[Callable[[], object]], object]
    soon_from_thread: Callable[[Callable[[], object]], object]
    enter: Callable[[Any], None]
    leave: Callable[[Any], None]

    def __init__(self, clock: Clock) -> None:
        self._loop = asyncio.get_running_loop()
        self.clock = clock
        self.soon = self._loop.call_soon
        self.soon_from_thread = self._loop.call_soon_threadsafe
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
        if sys.platform == "win32" and context is None and not gateway.settings.proxy_protocol:
            make = partial(AsyncioTransport, gateway)  # the usual loop there watches no sockets
            return AsyncioListener(await self._loop.create_server(make, host, port, backlog=_BACKLOG))
        sockets = await anyio.to_thread.run_sync(partial(_listening, host, port, shared=shared))
        descriptors = Descriptors(gateway.clock)
        if context is None and not gateway.settings.proxy_protocol:
            return Acceptor(self._loop, sockets, partial(AsyncioTransport, gateway), descriptors)
        doorkeeper = Doorkeeper(gateway, sockets, context, descriptors)
        doorkeeper.start()
        return AsyncioListener(doorkeeper)


def is_running() -> bool:
    """Whether the code that asks runs on asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
