"""One manager's connection to the simulated server, in the gateway's terms: thin, every rule is in the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from mt4sim.desk.managers import ManagerSession
from mt4sim.gateway.hub import Hub
from mt4sim.state.requests import DealRequest
from mt_remote.backend import Connection, Event, Listener
from mt_remote.errors import ConnectionLost
from mt_remote.records import ConManager, rights_of


class SimulatorConnection(Connection):
    """A session of the server with a listener. Calls never suspend; after a loss each answers ``no_connection``. Events
    come from ``hub``, for as long as the server is there; ``forget`` is told when the connection is over."""

    def __init__(
        self,
        server: str,
        session: ManagerSession,
        listener: Listener,
        hub: Hub,
        forget: Callable[[SimulatorConnection], None],
    ) -> None:
        self.server = server
        self.login = session.login
        self.session = session
        self._listener = listener
        self.opened = session.rooms.state.events.number
        self.visible: dict[str, None] = {}
        self.hub = hub
        self._forget = forget
        self._open = True
        self._rights: tuple[ConManager | None, frozenset[str] | None] = (None, None)

    @property
    def canonical_server(self) -> str:
        return self.hub.server_name

    @property
    def listener(self) -> Listener:
        """Who hears this connection."""
        return self._listener

    @listener.setter
    def listener(self, listener: Listener) -> None:
        self._listener = listener
        self.hub.listener_changed(self)

    @property
    def live(self) -> ManagerSession:
        """The session. Raises when the connection was lost."""
        if not self._open:
            raise ConnectionLost(outcome="not_done")
        return self.session

    @property
    def is_open(self) -> bool:
        """Whether it was neither closed nor lost."""
        return self._open

    async def watch(self, kind: str) -> None:
        session = self.live
        self.hub.watch(self, kind)
        if kind == "trade_request":
            session.start_dealing(self._offer)

    def _offer(self, deal: DealRequest) -> None:
        """A request was locked to this dealer."""
        self.listener.on_event(Event("trade_request", self.session.rooms.desk.record(deal)))

    async def unwatch(self, kind: str) -> None:
        self.hub.unwatch(self, kind)
        if kind == "trade_request":
            self.session.stop_dealing()

    # Symbols that are shown

    def show(self, symbol: str) -> None:
        """Ticks of a symbol come from now on."""
        self.visible[symbol] = None
        self.hub.show(self, symbol)

    def hide(self, symbol: str) -> None:
        """No more of them come."""
        self.visible.pop(symbol, None)
        self.hub.hide(self, symbol)

    def carried(self) -> tuple[str, ...]:
        return tuple(self.visible)

    async def restore(self, carried: object) -> None:
        for symbol in cast("tuple[str, ...]", carried):
            self.live.symbol(symbol)
            self.show(symbol)

    @property
    def rights(self) -> frozenset[str] | None:
        """The manager's rights as they are now; ``None`` where he was deleted or the connection is over."""
        record = self.session.known_rights if self._open else None
        if record is not self._rights[0]:
            self._rights = (record, None if record is None else rights_of(record))
        return self._rights[1]

    async def server_time(self) -> int:
        return self.live.now

    async def aclose(self) -> None:
        self.end()

    def end(self) -> None:
        """Nothing reaches the listener any more."""
        if self._open:
            self._open = False
            for area in (self._areas or {}).values():
                if isinstance(area, OnSimulator):
                    area.cut_off()
            self.session.stop_dealing()
            self._forget(self)


class OnSimulator:
    """Base of the areas of a simulated server: the manager's session carries their calls out."""

    def __init__(self, connection: SimulatorConnection) -> None:
        self._connection = connection
        self._mt = connection.session if connection.is_open else cast(ManagerSession, _Lost())

    def cut_off(self) -> None:
        """Every call answers ``no_connection`` from now on."""
        self._mt = cast(ManagerSession, _Lost())


class _Lost:
    """Stands in for the session of a connection that is over."""

    def __getattr__(self, name: str) -> object:
        raise ConnectionLost(outcome="not_done")
