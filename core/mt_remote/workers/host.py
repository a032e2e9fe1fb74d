"""The backend's process: serves the workers' calls on one backend.

Messages from a worker (``number`` is that of the request, ``at`` that of a connection; the worker chooses both):

- ``open number at server login password address is_retry`` · ``close at`` · ``cancel number``
- ``call number at area method arguments named``: a method of :class:`~mt_remote.backend.Connection` or of an area
- ``function number at state name arguments body``: a function of the backend's own namespaces
- ``claim number owner key fingerprint`` · ``settle number claim answer`` · ``release number claim failure`` ·
  ``late claim``: see :mod:`mt_remote.keys`; a claim is known by the number of the request for it

To a worker: ``reply number value`` · ``error number packed`` · ``part number bytes`` … ``list number length`` ·
``event kind data merge_key connections`` · ``lost at packed carried``.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from mt_remote import outcomes
from mt_remote.backend import Backend, Connection, Event
from mt_remote.errors import ConnectionLost, InternalError, RequestError, UnknownFunction
from mt_remote.gateway.call_runner import CallRunner
from mt_remote.gateway.gateway import AssembledGateway
from mt_remote.keys.claims import CUT_OFF, NOT_BEGUN, Claim
from mt_remote.keys.store import Answer, Failure, Owner
from mt_remote.logs import Log
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import Catalogue
from mt_remote.settings import Settings
from mt_remote.shell.server import assembled, shell_of_now
from mt_remote.workers.channel import Channel, Message
from mt_remote.workers.far import FarFunction
from mt_remote.workers.parcels import PART, pack
from mt_remote.workers.remote_session import RemoteSession

log = Log()

_LONG = 500


class Request:
    """A request of a worker."""

    __slots__ = ("kind", "number", "values")

    def __init__(self, kind: str, number: int, values: Sequence[Any]) -> None:
        self.kind = kind
        self.number = number
        self.values = values


class Host:
    """Serves workers with the backend of ``gateway``, which itself listens to nobody."""

    def __init__(self, gateway: AssembledGateway, calls: Callable[..., CallRunner[Any, Any]]) -> None:
        self.gateway = gateway
        self.turn = anyio.Lock()
        self.calls: CallRunner[Worker, Request] = calls(Worker.perform, _given_up, Worker.broken)
        self.workers: dict[Channel, Worker] = {}

    async def listen(self, path: Path) -> asyncio.Server:
        """Takes workers from now on."""
        return await asyncio.get_running_loop().create_unix_server(self._accept, str(path))

    def _accept(self) -> Channel:
        channel = Channel(self._take, self._lost)
        self.workers[channel] = Worker(self, channel)
        return channel

    async def aclose(self) -> None:
        """Closes every connection of every worker."""
        for worker in list(self.workers.values()):
            connections, worker.connections = worker.connections, {}
            for connection in connections.values():
                with suppress(RequestError):
                    await connection.aclose()
            worker.channel.close()

    def _take(self, channel: Channel, messages: list[Message]) -> None:
        worker = self.workers[channel]
        for message in messages:
            worker.take(message)

    def _lost(self, channel: Channel) -> None:
        worker = self.workers.pop(channel, None)
        if worker is not None:
            worker.lost()


def _given_up(worker: Worker, request: Request) -> None:
    """Cancelled: nobody waits for an answer."""


class Worker:
    """One worker: its connections, its requests under way, the keys that it holds."""

    def __init__(self, host: Host, channel: Channel) -> None:
        self.host = host
        self.channel = channel
        self.connections: dict[int, Connection] = {}
        self.ears: dict[int, Ear] = {}
        self.sessions: dict[int, RemoteSession] = {}
        self.requests: dict[int, Request] = {}
        self.claims: dict[int, Claim] = {}
        self._told: tuple[Event, list[int]] | None = None

    def take(self, message: Message) -> None:
        """A message came."""
        kind, *values = message
        if kind in ("close", "cancel", "settle", "release", "late"):
            getattr(self, f"_{kind}")(*values)
            return
        request = Request(kind, values[0], values[1:])
        self.requests[request.number] = request
        self.host.calls.submit(self, request)

    def send(self, *message: Any, merge_key: object = None) -> None:
        self._told = None
        self.channel.send(message, merge_key)

    async def perform(self, request: Request) -> None:
        """Carries out a request and answers it."""
        changes = outcomes.begin()
        try:
            await getattr(self, f"_do_{request.kind}")(request, *request.values)
        except RequestError as error:
            if changes.any:
                error.outcome = changes.known  # the worker knows nothing of it
            self.send("error", request.number, pack(error))
        except Exception:
            log.exception("a call from a worker failed", kind=request.kind)
            message = "The call failed inside the process with the backend; its log says why"
            self.send("error", request.number, pack(InternalError(message)))
        finally:
            self.requests.pop(request.number, None)

    def broken(self, request: Request) -> None:
        """A request ended with a cancellation that nobody here asked for."""
        log.error("a call from a worker was cancelled from outside", kind=request.kind)
        error = InternalError("The call was broken off inside the process with the backend")
        self.send("error", request.number, pack(error))

    async def _do_open(
        self, request: Request, at: int, server: str, login: int, password: str, address: str, is_retry: bool
    ) -> None:
        ear = self.ears[at] = Ear(self, at)
        try:
            gateway = self.host.gateway
            connection = await gateway.log_ins.open(
                gateway.backend, server, login, password, ear, address=address, is_retry=is_retry
            )
            connection.implemented = gateway.implemented
        except BaseException:
            del self.ears[at]
            raise
        if self.channel.closed:
            await connection.aclose()
            return
        self.connections[at] = connection
        self.send("reply", request.number, connection.canonical_server)

    def _connection(self, at: int) -> Connection:
        connection = self.connections.get(at)
        if connection is None:
            raise ConnectionLost(outcome="not_done")
        return connection

    async def _do_call(
        self, request: Request, at: int, area: str, method: str, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        connection = self._connection(at)
        owner: object = connection
        if area:
            owner = connection[self.host.gateway.catalogue.areas[area]]
        result = await getattr(owner, method)(*arguments, **named)
        if isinstance(result, Sequence) and not isinstance(result, str | bytes) and len(result) > _LONG:
            await self._send_list(request.number, result, self.ears[at])
        else:
            self.send("reply", request.number, result)

    async def _send_list(self, number: int, elements: Sequence[Any], ear: Ear) -> None:
        """Sends a long list in parts, one a turn of the loop. What the connection hears meanwhile is newer, so it comes
        behind the list."""
        ear.hold()
        try:
            for start in range(0, len(elements), PART):
                async with self.host.turn:
                    self.send("part", number, pickle.dumps(elements[start : start + PART], protocol=5))
            self.send("list", number, len(elements))
        finally:
            ear.release()

    async def _do_function(
        self, request: Request, at: int, state: tuple[Any, ...], name: str, arguments: dict[str, Any], body: object
    ) -> None:
        session = self._session(at, state)
        function = self.host.gateway.functions[name]
        if not isinstance(function, FarFunction):
            raise UnknownFunction(f"{name} is not one of the backend's own functions")
        self.send("reply", request.number, await function.carry_out(session, arguments, body))

    def _session(self, at: int, state: tuple[Any, ...]) -> RemoteSession:
        """The worker's session, as far as a function of the backend can see it."""
        number, peer, is_local, dialect, server, login = state
        session = self.sessions.get(at)
        if session is None:
            session = RemoteSession(self.host.gateway, number, peer, is_local=is_local)
            if at:
                self.sessions[at] = session
        session.dialect = dialect
        session.connection = self.connections.get(at)
        session.server, session.login = server, login
        return session

    # Keys

    async def _do_claim(self, request: Request, owner: Owner, key: str, fingerprint: bytes) -> None:
        keys = self.host.gateway.idempotency
        found = await keys.claim(owner, key, fingerprint)
        if isinstance(found, Answer):
            self.send("reply", request.number, found)
        elif self.channel.closed:
            keys.release(found, NOT_BEGUN)
        else:
            self.claims[request.number] = found
            self.send("reply", request.number, None)

    def _settle(self, number: int, at: int, answer: Answer) -> None:
        claim = self.claims.pop(at)
        self.host.gateway.idempotency.settle(claim, answer)
        self._reply_stored(number, claim)

    def _release(self, number: int, at: int, failure: Failure) -> None:
        claim = self.claims.pop(at)
        self.host.gateway.idempotency.release(claim, failure)
        self._reply_stored(number, claim)

    def _reply_stored(self, number: int, claim: Claim) -> None:
        async def reply() -> None:
            await claim.is_stored()
            self.send("reply", number, None)

        if claim.stored.is_set:
            self.send("reply", number, None)
        else:
            self.host.gateway.spawn(reply)

    def _late(self, at: int) -> None:
        self.host.gateway.idempotency.call_is_late(self.claims[at])

    # Ends

    def _cancel(self, number: int) -> None:
        request = self.requests.pop(number, None)
        if request is not None:
            self.host.calls.cancel(request)
        claim = self.claims.pop(number, None)
        if claim is not None:  # its number crossed the cancellation on the way
            self.host.gateway.idempotency.release(claim, NOT_BEGUN)

    def _close(self, at: int) -> None:
        self.sessions.pop(at, None)
        self.ears.pop(at, None)
        connection = self.connections.pop(at, None)
        if connection is not None:
            self.host.gateway.spawn(connection.aclose)

    def lost(self) -> None:
        """The worker ended: its connections too, and nobody will ever know what became of the calls it had keys for."""
        for request in list(self.requests.values()):
            self.host.calls.cancel(request)
        for at in list(self.connections):
            self._close(at)
        claims, self.claims = self.claims, {}
        for claim in claims.values():
            self.host.gateway.idempotency.settle(claim, Answer(failure=CUT_OFF))

    # Events

    def tell(self, event: Event, at: int) -> None:
        """A connection heard an event. Those that hear the same one after another share a message."""
        told = self._told
        if told is not None and told[0] is event:
            told[1].append(at)
            return
        connections = [at]
        key = None if event.merge_key is None else (event.kind, event.merge_key, at)
        self.send("event", event.kind, event.data, event.merge_key, connections, merge_key=key)
        self._told = (event, connections)
        asyncio.get_running_loop().call_soon(self._forget_told)

    def _forget_told(self) -> None:
        """The message may have left."""
        self._told = None


class Ear:
    """Listens to one connection for a worker."""

    def __init__(self, worker: Worker, at: int) -> None:
        self._worker = worker
        self._at = at
        self._held = 0
        self._waiting: list[Callable[[], None]] = []

    def on_event(self, event: Event) -> None:
        self._say(partial(self._worker.tell, event, self._at))

    def on_lost(self, error: RequestError) -> None:
        connection = self._worker.connections.pop(self._at, None)
        carried = None if connection is None else connection.carried()
        self._say(partial(self._worker.send, "lost", self._at, pack(error), carried))

    def _say(self, what: Callable[[], None]) -> None:
        if self._held:
            self._waiting.append(what)
        elif self._at in self._worker.ears:
            what()

    def hold(self) -> None:
        """What is heard waits for :meth:`release`."""
        self._held += 1

    def release(self) -> None:
        self._held -= 1
        if not self._held:
            waiting, self._waiting = self._waiting, []
            for what in waiting:
                what()


@asynccontextmanager
async def hosting(
    settings: Settings, hooks: Hooks, backend: Backend, contents: Catalogue, path: Path
) -> AsyncIterator[Host]:
    """The backend at work, and workers served at ``path``, a socket's, while the context is open."""
    async with assembled(settings, hooks, backend, contents, shell_of_now()) as gateway:
        host = Host(gateway, partial(CallRunner, gateway.group, loop=gateway.loop))
        listener = await host.listen(path)
        try:
            yield host
        finally:
            listener.close()
            await host.aclose()
