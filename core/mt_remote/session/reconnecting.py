"""How reconnecting works.

A connection that is lost comes back by itself where the client asked for it (``reconnect_delay``): after each pause
one attempt, until one succeeds, the client disconnects, or the MT4 server refuses the credentials. The first pause is
what the client asked for, but not less than a setting; it doubles with each attempt (:mod:`mt_remote.session.backoff`),
so that neither a client nor a server that comes and goes makes the gateway hammer on it. The new connection watches
and shows what the old one did.
Then the client is told what it missed, one event for every record that changed: at subscribing the records of the kind
are read and a fingerprint of each is kept (:class:`Known`); events keep it up to date; after a reconnection the
records are read again and compared (see :class:`~mt_remote.interfaces.Resync`). So nothing is silently stale.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping

import anyio
import anyio.lowlevel

from mt_remote.backend import Connection, Event
from mt_remote.errors import CREDENTIALS_REFUSED, RequestError, ServerError
from mt_remote.interfaces import EventKind
from mt_remote.session.backoff import Backoff
from mt_remote.session.mt4_connection import Host, MT4Connection, Owner, log
from mt_remote.session.mt4_states import MT4State, MT4Step
from mt_remote.session.outbox import Outbox

Fingerprints = dict[Hashable, int]
"""Hashes of records' fingerprints, by the records' keys."""


class Known:
    """What a client knows of the records of its subscriptions, by kind."""

    __slots__ = ("_kinds", "_of_kind", "_since")

    def __init__(self, kinds: Mapping[str, EventKind]) -> None:
        self._kinds = kinds
        self._of_kind: dict[str, Fingerprints] = {}
        self._since: dict[tuple[str, Hashable], int] | None = None

    def __bool__(self) -> bool:
        return bool(self._of_kind)

    def clear(self) -> None:
        """The client is told nothing any more."""
        self._of_kind.clear()

    async def learn(self, connection: Connection, kind: EventKind) -> None:
        """The client subscribes: what there is now it will have read, or can."""
        if kind.resync is not None:
            records = await kind.resync.read(connection)
            self._of_kind[kind.name] = {kind.resync.key(r): hash(kind.resync.fingerprint(r)) for r in records}

    def forget(self, kind: EventKind) -> None:
        """The client unsubscribed."""
        self._of_kind.pop(kind.name, None)

    def told(self, event: Event) -> None:
        """An event is on its way to the client."""
        known, kind = self._of_kind.get(event.kind), self._kinds.get(event.kind)
        resync = None if kind is None else kind.resync
        if known is not None and resync is not None:
            key, fingerprint = resync.key(event.data), hash(resync.fingerprint(event.data))
            known[key] = fingerprint
            if self._since is not None:
                self._since[event.kind, key] = fingerprint

    # While a connection is being restored

    def begin(self) -> dict[str, Fingerprints]:
        """An attempt begins; gives what :meth:`undo` needs. What is told meanwhile is newer than what is read."""
        self._since = {}
        return dict(self._of_kind)

    def undo(self, before: dict[str, Fingerprints]) -> None:
        """The attempt failed: nothing counts as told."""
        self._of_kind, self._since = before, None

    def finish(self, missed: list[tuple[Hashable, Event]]) -> list[Event]:
        """The attempt succeeded; gives those of the missed events behind which nothing newer was told."""
        since, self._since = self._since or {}, None
        for (kind, key), fingerprint in since.items():
            if kind in self._of_kind:
                self._of_kind[kind][key] = fingerprint
        return [event for key, event in missed if (event.kind, key) not in since]

    async def missed(self, connection: Connection, kind: EventKind) -> list[tuple[Hashable, Event]]:
        """What the client does not know, by key. From now on it counts as told."""
        known = self._of_kind.get(kind.name)
        resync = kind.resync
        if known is None or resync is None:
            return []
        found = {resync.key(record): record for record in await resync.read(connection)}
        events = [
            (key, Event(kind.name, record))
            for key, record in found.items()
            if known.get(key) != hash(resync.fingerprint(record))
        ]
        if resync.vanished is not None:
            for key in [key for key in known if key not in found]:
                record = await resync.vanished(connection, key)
                if record is not None and known[key] != hash(resync.fingerprint(record)):
                    events.append((key, Event(kind.name, record)))
        self._of_kind[kind.name] = {key: hash(resync.fingerprint(record)) for key, record in found.items()}
        return events


class ReconnectingConnection(MT4Connection):
    """A connection that comes back after a loss."""

    __slots__ = ("_backoff", "_known", "_outbox", "_reconnecting", "_up_since")

    def __init__(self, session: Owner, host: Host, outbox: Outbox) -> None:
        super().__init__(session, host, outbox.on_event)
        self._outbox = outbox
        self._known = Known(host.kinds)
        self._reconnecting: anyio.CancelScope | None = None
        self._backoff: Backoff | None = None
        self._up_since = 0.0

    # Subscriptions

    async def subscribed(self, kind: EventKind) -> None:
        """Remembers the state at subscribing, where a reconnection will have to be made good."""
        if kind.resync is not None and self._delay > 0:
            await self._known.learn(self.required(), kind)
            self._outbox.remember = self._known.told

    def unsubscribed(self, kind: EventKind) -> None:
        """Nothing of the kind has to be made good any more."""
        self._known.forget(kind)
        if not self._known:
            self._outbox.remember = None

    # Losses

    def _restore_later(self) -> None:
        if self._backoff is None:
            settings = self._host.settings
            first = max(self._delay, settings.reconnect_delay_min)
            self._backoff = Backoff(first, settings.reconnect_delay_max, random.random)
        else:
            self._backoff.held(self._host.clock.now() - self._up_since)
        self._host.spawn(self._reconnect)

    def _leave(self, step: MT4Step) -> Connection | None:
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        self._known.clear()
        self._outbox.remember = None
        self._backoff = None
        return super()._leave(step)

    async def _reconnect(self) -> None:
        """Attempts, a pause before each, until one succeeds. It is cancelled when the connection is given up."""
        with anyio.CancelScope() as scope:
            self._reconnecting = scope
            while self.state is MT4State.WAITING and self._backoff is not None:
                await self._host.clock.sleep(self._backoff.pause())
                self._go(MT4Step.RETRY)
                if not await self._attempted():
                    self._fail()
        if self._reconnecting is scope:
            self._reconnecting = None

    async def _attempted(self) -> bool:
        """One attempt; whether it succeeded."""
        try:
            with self._host.limit(self._host.settings.deadlines.session):
                await self._restore()
        except RequestError as error:
            if isinstance(error, ServerError) and error.return_code in CREDENTIALS_REFUSED:
                self._give_up(error)
            else:
                log.info("reconnecting failed", server=self.server, login=self.login, reason=error.message)
        except TimeoutError:
            log.info("reconnecting failed", server=self.server, login=self.login, reason="no answer in time")
        except Exception:  # noqa: BLE001  a bug of the backend; the next attempt may find it in a better state
            log.exception("reconnecting failed", server=self.server, login=self.login)
        else:
            return True
        return False

    def _give_up(self, error: ServerError) -> None:
        """The MT4 server does not let the client in any more. Whoever heard that the connection is down hears it once
        more: nobody restores it."""
        log.warning(
            "reconnecting given up",
            session=self.session.id,
            peer=self.session.peer,
            server=self.server,
            login=self.login,
            code=error.wire_code,
            reason=error.message,
        )
        self._reconnecting = None  # it is this task, which ends by itself
        self._leave(MT4Step.GIVEN_UP)
        self._tell(up=False)
        self.session.lost_for_good()

    async def _restore(self) -> None:
        """A new connection that watches and shows what the old one did, then one event for each missed change. Raises
        what broke it when it is lost before that; nothing counts as told then. What the new connection tells meanwhile
        goes out at once and is newer than what was read: nothing older follows it."""
        before, self._broken = self._known.begin(), None
        try:
            with anyio.CancelScope() as self._attempt:
                connection, missed = await self._reopened()
            if self._broken is not None:
                raise self._broken
        except BaseException:
            self._known.undo(before)
            raise
        self._go(MT4Step.ESTABLISHED)
        self.session.connection = connection
        self._up_since = self._host.clock.now()
        self._tell(up=True)
        for event in self._known.finish(missed):
            self.session.on_event(event)

    async def _reopened(self) -> tuple[Connection, list[tuple[Hashable, Event]]]:
        connection = await self._host.open_connection(
            self.server, self.login, self._password, self, peer=self.session.peer, attempt=False
        )
        try:
            if self._carried is not None:
                await connection.restore(self._carried)
            for kind in self.session.watched():
                await connection.watch(kind.name)
            missed = [event for kind in self.session.watched() for event in await self._known.missed(connection, kind)]
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await connection.aclose()
            raise
        return connection, missed
