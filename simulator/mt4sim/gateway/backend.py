"""The backend: one simulated server for the whole gateway, its clock, its connections."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio
import anyio.lowlevel

from mt4sim import Server, World
from mt4sim.gateway.areas import AREAS
from mt4sim.gateway.connection import SimulatorConnection
from mt4sim.gateway.faults import Faults
from mt4sim.gateway.faulty import Faulty
from mt4sim.gateway.folder import ClientFolder
from mt4sim.gateway.hub import Hub
from mt4sim.gateway.realism import Realism
from mt4sim.gateway.settings import SimulatorSettings
from mt4sim.market.feeds.specs import FeedSpec
from mt_remote.area import implementing
from mt_remote.backend import Backend, Connection, Listener
from mt_remote.errors import ConfigurationError, ConnectionLost

_STEPS_A_SECOND = 20
_SLICE_SECONDS = 0.005
"""Of a turn of the loop, while much time passes at once."""


class SimulatorBackend(Backend):
    """Serves :class:`~mt4sim.server.Server`, made from ``world`` where one is given instead of a file. ``down`` makes
    it unreachable: log-ins answer ``no_connection``. ``faults`` has what goes wrong on purpose; :meth:`use_faults`
    says what does."""

    name = "simulator"
    areas = AREAS

    def __init__(self, settings: SimulatorSettings, *, world: World | None = None) -> None:
        self.settings = settings
        self._world = world
        self.realism = Realism.of(settings.realism)
        self.down = False
        self.connections: dict[SimulatorConnection, None] = {}
        self._implemented = implementing(AREAS)
        self.external: Callable[[bytes], bytes | None] = lambda command: None
        self.server = self.make_server()
        self.hub = Hub(self.server, self.realism)
        self._clock = WallClock(self.server.now, settings.speed)
        self.files = ClientFolder(settings.folder)
        self._advancing = anyio.Lock()
        self.now: Callable[[], float] = time.monotonic
        self.faults = Faulty(self)
        if settings.faults is not None:
            self.use_faults(Faults.load(settings.faults))

    def use_faults(self, faults: Faults | None) -> None:
        """These go wrong from now on; ``None``: nothing does any more."""
        self.faults.use(faults)

    def make_server(self) -> Server:
        """A fresh server as the settings say."""
        settings = self.settings
        if settings.snapshot is not None:
            return self._wired(Server.load(settings.snapshot))
        world = self._world or (World.demo() if settings.world is None else World.load(settings.world))
        start = settings.start_time()
        if start is None and settings.clock == "wall":
            start = int(time.time()) + world.make_common().timezone * 3600
        server = Server(world, seed=settings.seed, start=start)
        self._set_feed(server)
        return self._wired(server)

    def _wired(self, server: Server) -> Server:
        """External commands of a server reach whoever answers them now."""
        server.externals.append(lambda command: self.external(command))
        return server

    def _set_feed(self, server: Server) -> None:
        settings = self.settings
        if settings.feed == "replay" or settings.replay is not None:
            if settings.replay is None:
                raise ConfigurationError("--feed replay needs --replay FILE, a CSV of time,symbol,bid,ask")
            server.set_feed(FeedSpec(kind="replay", file=str(settings.replay)))
        elif settings.feed is not None and settings.feed != server.world.feed.kind:
            server.set_feed(server.world.feed.model_copy(update={"kind": settings.feed}))

    # Time

    def catch_up(self) -> None:
        """Brings the server to the present of its clock."""
        if self.settings.moves:
            now = self._clock.now()
            if now > self.server.now:
                self.server.advance_to(now)
                self.faults.settle()

    async def run(self) -> None:
        """Lets time pass, where it does by itself. What the realism switches hold back comes once a second."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.faults.run)
            while self.settings.moves:
                for _ in range(_STEPS_A_SECOND):
                    self.catch_up()
                    await anyio.sleep(1 / _STEPS_A_SECOND)
                self.hub.deliver_delayed()

    def advance(self, seconds: int) -> None:
        """Lets time pass at once."""
        self.catch_up()
        self.server.advance(seconds)
        self._settle()

    async def advance_in_slices(self, seconds: int, wanted: Callable[[], bool]) -> None:
        """The same, while the loop serves whoever else is there. It ends early, with the time where it is by then, when
        it is cancelled, not ``wanted`` any more, or the server is another. Of several the next begins behind the one
        before."""
        async with self._advancing:
            self.catch_up()
            server, until = self.server, self.now() + _SLICE_SECONDS
            try:
                for _ in server.steps_to(server.now + seconds):
                    if self.now() >= until:
                        await anyio.lowlevel.checkpoint()
                        if server is not self.server or not wanted():
                            return
                        until = self.now() + _SLICE_SECONDS
            finally:
                if server is self.server:
                    self._settle()

    def _settle(self) -> None:
        """Time was moved: what waited for it follows."""
        self.hub.deliver_delayed()
        self._clock = WallClock(self.server.now, self.settings.speed)
        self.faults.settle()

    def replace(self, server: Server, *, reason: str = "the server was replaced") -> None:
        """Another server takes this one's place: every connection is lost."""
        self.lose_all(reason)
        self.hub.stop()
        self.server = server if server.externals else self._wired(server)
        self.hub = Hub(server, self.realism)
        self._clock = WallClock(server.now, self.settings.speed)
        self.faults.server_came()

    # Connections

    async def open(self, server: str, login: int, password: str, listener: Listener, *, peer: str = "") -> Connection:
        await self.faults.log_in(login)
        if self.down:
            raise ConnectionLost(f"The server {server!r} can't be reached")
        self.catch_up()
        session = self.server.login(login, password, address=peer or "127.0.0.1")
        connection = SimulatorConnection(server, session, listener, self.hub, self.forget)
        connection.implemented = self._implemented
        self.connections[connection] = None
        self.faults.came(connection)
        return connection

    def forget(self, connection: SimulatorConnection) -> None:
        """A connection is over."""
        self.hub.leave(connection)
        self.connections.pop(connection, None)
        self.faults.ended(connection)

    def lose(self, connection: SimulatorConnection, reason: str) -> None:
        """A connection breaks: its listener is told."""
        if connection in self.connections:
            connection.end()
            connection.listener.on_lost(ConnectionLost(f"The connection to the MT4 server was lost: {reason}"))

    def lose_all(self, reason: str) -> int:
        """Every connection breaks; gives how many there were."""
        lost = list(self.connections)
        for connection in lost:
            self.lose(connection, reason)
        return len(lost)

    def describe(self) -> str:
        server = self.server
        clock = "manual clock" if not self.settings.moves else f"wall clock at speed {self.settings.speed:g}"
        size = f"{len(server.symbols)} symbols, {len(server.groups)} groups"
        return f"simulated MT4 server {server.common.name!r}: {size}, feed {server.feed.kind}, {clock}"


class WallClock:
    """Server time that passes with real time, from a moment on, at a speed."""

    def __init__(self, start: int, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._began = time.monotonic()

    def now(self) -> int:
        """Unix seconds in the server's zone."""
        return self._start + int((time.monotonic() - self._began) * self._speed)
