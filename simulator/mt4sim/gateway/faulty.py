"""Faults at the boundary between gateway and simulator: what :mod:`mt4sim.gateway.faults` decides happens here.

While there are faults, each connection's calls and its listener are led through :class:`Faulty`; without, nothing is
between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Protocol

import anyio

from mt4sim.clock import Timer
from mt4sim.gateway.connection import SimulatorConnection
from mt4sim.gateway.faults import LOG_IN, OF_CONNECTIONS, TIME, Faults, Rule
from mt4sim.server import Server
from mt_remote.backend import Event, Listener
from mt_remote.errors import ConnectionLost, RequestError

_REASON = "a fault on purpose"


class Served(Protocol):
    """What can be faulty: the backend, as far as faults concern it."""

    server: Server
    connections: dict[SimulatorConnection, None]
    down: bool

    def lose(self, connection: SimulatorConnection, reason: str) -> None:
        """A connection breaks."""

    def replace(self, server: Server, *, reason: str) -> None:
        """Another server takes this one's place."""


class Told:
    """A connection's listener with the faults before it."""

    def __init__(self, faulty: Faulty, connection: SimulatorConnection, listener: Listener) -> None:
        self.listener = listener
        self._faulty = faulty
        self._connection = connection

    def on_event(self, event: Event) -> None:
        self._faulty.tell(self._connection, self.listener, event)

    def on_lost(self, error: RequestError) -> None:
        self.listener.on_lost(error)


class Faulty:
    """What goes wrong at one backend."""

    def __init__(self, backend: Served) -> None:
        self.plan: Faults | None = None
        self._backend = backend
        self._waiting: defaultdict[SimulatorConnection | None, set[anyio.Event]] = defaultdict(set)
        self._held: dict[SimulatorConnection, Event] = {}
        self._silent: dict[SimulatorConnection, Timer | None] = {}
        self._moments: list[tuple[int, Rule]] = []
        self._timers: list[Timer] = []
        self._pending: list[tuple[Rule, SimulatorConnection | None]] = []
        self._wake = anyio.Event()

    # Which faults

    def use(self, plan: Faults | None) -> None:
        """These faults from now on, or none. What the former ones hold back is let go; pumping goes on."""
        self.release()
        for connection in list(self._silent):
            self._speak(connection)
        self._pending.clear()
        if self.plan is not None:
            for connection in self._backend.connections:
                self._let_be(connection)
        self.plan = plan
        self._moments = []
        if plan is not None:
            now = self._backend.server.now
            self._moments = [(now + rule.at, rule) for rule in plan.rules if rule.on == TIME and rule.at is not None]
            for connection in self._backend.connections:
                self._lead_through(connection)
        self.server_came()

    def release(self) -> None:
        """Calls that hang or are delayed go on, notifications that are held back come."""
        for waiting in self._waiting.values():
            for over in waiting:
                over.set()
        held, self._held = self._held, {}
        for connection, event in held.items():
            self._deliver(connection, [event])

    def server_came(self) -> None:
        """The backend has another server: what is to happen at a time happens on its clock."""
        for timer in self._timers:
            timer.cancel()
        timeline = self._backend.server.timeline
        self._timers = [timeline.at(when, self._moment, when, rule) for when, rule in self._moments]

    def _moment(self, when: int, rule: Rule) -> None:
        self._moments.remove((when, rule))
        if self.plan is not None:
            self.plan.due(rule, self._backend.server.now)
        if rule.do == "restart":
            self._later(rule, None)  # not while the server lets time pass
        else:
            self._befall(rule, None)

    # Connections

    def came(self, connection: SimulatorConnection) -> None:
        """A connection was opened."""
        if self.plan is not None:
            self._lead_through(connection)

    def ended(self, connection: SimulatorConnection) -> None:
        """A connection is over: nothing of it waits any longer."""
        for event in self._waiting.pop(connection, ()):
            event.set()
        self._held.pop(connection, None)
        self._speak(connection)

    def _lead_through(self, connection: SimulatorConnection) -> None:
        connection.listener = Told(self, connection, connection.listener)
        for owner, method, name in _methods(connection):
            setattr(owner, method, partial(self._carry_out, connection, name, getattr(owner, method)))

    def _let_be(self, connection: SimulatorConnection) -> None:
        if isinstance(connection.listener, Told):
            connection.listener = connection.listener.listener
        for owner, method, _ in _methods(connection):
            delattr(owner, method)  # the class's own shows again

    # Calls

    async def log_in(self, login: int) -> None:
        """A manager logs in. Raises what a rule says."""
        if self.plan is not None:
            for rule in self.plan.met(LOG_IN, login, self._backend.server.now):
                await self._strike(rule, None)
            self.settle()

    async def _carry_out(
        self,
        connection: SimulatorConnection,
        name: str,
        call: Callable[..., Awaitable[Any]],
        /,
        *arguments: Any,
        **named: Any,
    ) -> Any:
        plan = self.plan
        rules = [] if plan is None else plan.met(name, connection.login, self._backend.server.now)
        for rule in rules:
            if not rule.after:
                await self._strike(rule, connection)
        result = await call(*arguments, **named)
        for rule in rules:
            if rule.after:
                await self._strike(rule, connection)
        self.settle()
        return result

    async def _strike(self, rule: Rule, connection: SimulatorConnection | None) -> None:
        if rule.do == "answer":
            raise rule.error
        if rule.do in ("delay", "hang"):
            await self._wait(rule, connection)
        else:
            self._befall(rule, connection)
        broken = rule.do in ("drop", "restart") if connection is None else not connection.is_open
        if broken:
            outcome = "" if connection is None else "unknown"  # as a backend says of what was under way
            raise ConnectionLost(f"The connection to the MT4 server was lost: {_REASON}", outcome=outcome)

    async def _wait(self, rule: Rule, connection: SimulatorConnection | None) -> None:
        server = self._backend.server
        over = anyio.Event()
        timer = server.timeline.at(server.now + rule.seconds, over.set) if rule.do == "delay" else None
        self._waiting[connection].add(over)
        try:
            await over.wait()
        finally:
            if timer is not None:
                timer.cancel()
            if connection in self._waiting:
                self._waiting[connection].discard(over)

    # Notifications

    def tell(self, connection: SimulatorConnection, listener: Listener, event: Event) -> None:
        """A notification is on its way to a connection."""
        if self.plan is None or not connection.is_open:
            return
        if connection in self._silent:
            return
        copies, waits = 1, False
        for rule in self.plan.met(f"event.{event.kind}", connection.login, self._backend.server.now):
            if rule.do == "reorder":
                waits = True
            elif rule.do in ("miss", "stop_pumping"):
                copies = 0
            elif rule.do == "double":
                copies *= 2
            if rule.do in ("drop", "restart", "stop_pumping"):
                self._later(rule, connection)
        if held := self._held.pop(connection, None):
            self._deliver(connection, [event] * copies + [held])
        elif waits and copies:
            self._held[connection] = event
        else:
            self._deliver(connection, [event] * copies)

    def _deliver(self, connection: SimulatorConnection, events: list[Event]) -> None:
        listener = connection.listener.listener if isinstance(connection.listener, Told) else connection.listener
        for event in events:
            if connection.is_open:
                listener.on_event(event)

    # What befalls connections and the server

    def _later(self, rule: Rule, connection: SimulatorConnection | None) -> None:
        """It happens once the server has done what it is doing."""
        if rule.do == "stop_pumping":
            self._befall(rule, connection)
            return
        self._pending.append((rule, connection))
        self._wake.set()

    def settle(self) -> None:
        """Does what was left for later."""
        while self._pending:
            self._befall(*self._pending.pop(0))

    async def run(self) -> None:
        """Settles whenever something was left for later, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            self.settle()

    def _befall(self, rule: Rule, connection: SimulatorConnection | None) -> None:
        if rule.do == "restart":
            self.restart(down=rule.seconds)
            return
        everyone = rule.everyone or rule.on == TIME
        for each in list(self._backend.connections):
            wanted = rule.login in (None, each.login) if everyone else each is connection
            if wanted and rule.do == "drop":
                self._backend.lose(each, _REASON)
            elif wanted:
                self.stop_pumping(each, rule.seconds)

    def stop_pumping(self, connection: SimulatorConnection, seconds: int = 0) -> None:
        """Notifications to a connection stop, for so many server seconds or for good."""
        self._speak(connection)
        server = self._backend.server
        until = server.timeline.at(server.now + seconds, self._speak, connection) if seconds else None
        self._silent[connection] = until

    def _speak(self, connection: SimulatorConnection) -> None:
        """Notifications go on."""
        if timer := self._silent.pop(connection, None):
            timer.cancel()

    def restart(self, *, down: int = 0) -> None:
        """The server restarts with what it had saved, and can't be reached for so many server seconds."""
        backend = self._backend
        backend.replace(backend.server.restarted(), reason="the server restarts")
        if down:
            backend.down = True
            backend.server.timeline.at(backend.server.now + down, self._up)

    def _up(self) -> None:
        self._backend.down = False


def _methods(connection: SimulatorConnection) -> Iterator[tuple[object, str, str]]:
    """Where each call of a connection is: its owner, its name there, and the function's."""
    for area, implementation in connection.implemented.items():
        for row in area.functions:
            if row.offered_by(implementation):
                yield connection[area], row.method, row.name
    for method, name in OF_CONNECTIONS.items():
        yield connection, method, name
