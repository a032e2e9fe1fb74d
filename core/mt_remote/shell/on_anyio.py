"""The shell on any loop that anyio speaks (trio): streams, and two tasks a session."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskGroup
from anyio.streams.stapled import MultiListener
from anyio.streams.tls import TLSStream

from mt_remote.addresses import Address
from mt_remote.clock import Clock
from mt_remote.gateway.admission import Entry
from mt_remote.gateway.gateway import AssembledGateway
from mt_remote.logs import Log
from mt_remote.session.session import WebSocketSession
from mt_remote.shell.descriptors import Descriptors
from mt_remote.shell.shell import Listener, Shell
from mt_remote.wire.proxy_protocol import BadProxyHeader, ProxyHeaderReader
from mt_remote.wire.transport import Transport

Stream = SocketStream | TLSStream

log = Log()

_READ = 65536
"""Bytes taken off a connection at once."""
_WRITE = 262_144
"""Bytes given to a connection at once."""


class AnyioTransport(Transport):
    """One connection: :meth:`run` reads, a second task writes what is queued."""

    def __init__(self, gateway: AssembledGateway, stream: Stream, entry: Entry) -> None:
        self._gateway = gateway
        self._stream = stream
        self._queue: list[bytes] = []
        self._queued = 0
        self._wake = anyio.Event()
        self._readable = anyio.Event()
        self._readable.set()
        self._closing = False
        self._slow = False
        self._scope = anyio.CancelScope()
        self.secure = isinstance(stream, TLSStream)
        self.session: WebSocketSession = gateway.open_session(self, entry)

    async def run(self) -> None:
        """Serves the connection until it ends."""
        try:
            with self._scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(self._write)
                    await self._read()
                    self.close()
        except Exception:  # a bug ends the one session that met it
            log.exception("a session failed", session=self.session.id)
        finally:
            session = self.session
            del self.session  # so that neither holds the other
            session.connection_lost()
            del session
            with anyio.CancelScope(shield=True):
                await anyio.aclose_forcefully(self._stream)

    async def _read(self) -> None:
        while True:
            await self._readable.wait()
            try:
                data = await self._stream.receive(_READ)
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return
            self.session.data_received(data)

    async def _write(self) -> None:
        while True:
            while self._queue:
                data = b"".join(self._queue)
                self._queue.clear()
                for start in range(0, len(data), _WRITE):
                    part = data[start : start + _WRITE]
                    try:
                        await self._stream.send(part)
                    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                        self._scope.cancel()
                        return
                    self._queued -= len(part)
                if self._slow and self._queued <= self._gateway.settings.write_high_water // 4:
                    self._slow = False
                    self.session.writing_resumed()
            if self._closing:
                self._scope.cancel()
                return
            self._wake = anyio.Event()
            await self._wake.wait()

    @property
    def unsent(self) -> int:
        return self._queued

    def write(self, data: bytes) -> None:
        self._queue.append(data)
        self._queued += len(data)
        self._wake.set()
        if not self._slow and self._queued > self._gateway.settings.write_high_water:
            self._slow = True
            self.session.writing_paused()

    def close(self) -> None:
        self._closing = True
        self._wake.set()

    def abort(self) -> None:
        self._scope.cancel()

    def pause_reading(self) -> None:
        if self._readable.is_set():
            self._readable = anyio.Event()

    def resume_reading(self) -> None:
        self._readable.set()


async def arrive(gateway: AssembledGateway, stream: SocketStream, context: ssl.SSLContext | None) -> None:
    """Serves a connection that was accepted: a PROXY header where one has to come, TLS, the session."""
    try:
        with anyio.CancelScope() as scope:
            entry = gateway.admission.enter(_peer(stream), scope.cancel)
            if entry is not None:
                await _serve(gateway, stream, context, entry)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.aclose_forcefully(stream)


async def _serve(gateway: AssembledGateway, stream: SocketStream, context: ssl.SSLContext | None, entry: Entry) -> None:
    try:
        secured = await _secured(gateway, stream, context, entry)
        if secured is not None:
            await AnyioTransport(gateway, secured, entry).run()
    finally:
        if entry in gateway.admission.arriving:
            gateway.admission.leave(entry)


async def _secured(
    gateway: AssembledGateway, stream: SocketStream, context: ssl.SSLContext | None, entry: Entry
) -> Stream | None:
    """The stream of the session, ``None`` when the connection is to be closed."""
    refused = gateway.refusals.refused
    try:
        if gateway.admission.expects_proxy_header(entry):
            header = ProxyHeaderReader()
            while not header.done:
                header.feed(await stream.receive(header.need))
            peer = entry.peer if header.source is None else str(Address(*header.source))
            if not gateway.admission.speaks_for(entry, peer, is_final=False):
                return None
        if context is None:
            return stream
        return await TLSStream.wrap(stream, server_side=True, ssl_context=context, standard_compatible=False)
    except BadProxyHeader as error:
        refused("connection closed: PROXY header", peer=entry.peer, reason=str(error))
    except (ssl.SSLError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
        refused("connection closed: TLS", peer=entry.peer, reason=getattr(error, "reason", type(error).__name__))
    return None


def _peer(stream: SocketStream) -> str:
    name = stream.extra(SocketAttribute.remote_address, "?")  # it may have left before it was accepted
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)


class PatientListener(anyio.abc.Listener[SocketStream]):
    """A listener that waits where the system gives no more descriptors."""

    def __init__(self, listener: anyio.abc.Listener[SocketStream], clock: Clock, descriptors: Descriptors) -> None:
        self._listener = listener
        self._clock = clock
        self._descriptors = descriptors

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._listener.extra_attributes

    async def serve(self, handler: Callable[[SocketStream], Any], task_group: TaskGroup | None = None) -> None:
        async with anyio.create_task_group() as own:
            while True:
                try:
                    stream: SocketStream = await self._listener.accept()  # type: ignore[attr-defined]
                except anyio.BrokenResourceError as error:
                    if not isinstance(error.__cause__, OSError):
                        raise
                    await self._clock.sleep(self._descriptors.pause(error.__cause__))
                else:
                    self._descriptors.accepted()
                    (task_group or own).start_soon(handler, stream)

    async def aclose(self) -> None:
        await self._listener.aclose()


class AnyioListener(Listener):
    """Accepts connections until closed."""

    def __init__(self, listener: anyio.abc.Listener[SocketStream], scope: anyio.CancelScope, done: anyio.Event) -> None:
        self._listener = listener
        self._scope = scope
        self._done = done

    @property
    def addresses(self) -> list[tuple[str, int]]:
        listeners = getattr(self._listener, "listeners", [self._listener])
        return [each.extra(SocketAttribute.local_address)[:2] for each in listeners]

    async def aclose(self) -> None:
        self._scope.cancel()
        await self._done.wait()
        await self._listener.aclose()


class AnyioShell(Shell):
    """The trio loop that runs now. It has no way to act in the name of a task: calls start in the loop's next turn."""

    __slots__ = ("_token", "cancelled", "clock")

    steps_at_once = False

    def __init__(self, clock: Clock) -> None:
        import trio  # only where it is the loop already

        self._token = trio.lowlevel.current_trio_token()
        self.clock = clock
        self.cancelled = anyio.get_cancelled_exc_class()

    def soon(self, callback: Callable[[], object]) -> None:
        self._token.run_sync_soon(callback)

    def soon_from_thread(self, callback: Callable[[], object]) -> None:
        self._token.run_sync_soon(callback)

    def current_task(self) -> None:
        """Nobody enters it."""

    def enter(self, task: object) -> None:
        raise RuntimeError("no first steps on this loop")

    def leave(self, task: object) -> None:
        """Nobody entered it."""

    def forgive(self, task: object) -> None:
        """trio's scopes keep no record of cancellations that are over."""

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
        found = await anyio.create_tcp_listener(local_host=host, local_port=port, backlog=1024, reuse_port=shared)
        descriptors = Descriptors(gateway.clock)
        listener = MultiListener([PatientListener(each, gateway.clock, descriptors) for each in found.listeners])
        scope, done = anyio.CancelScope(), anyio.Event()

        async def handle(stream: SocketStream) -> None:
            await arrive(gateway, stream, context)

        async def accept() -> None:
            try:
                with scope:
                    await listener.serve(handle, group)
            finally:
                done.set()

        group.start_soon(accept)
        return AnyioListener(listener, scope, done)
