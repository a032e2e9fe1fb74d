"""The backend on the Manager library, over the simulated library in this process, as a stand for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mt4sim.gateway.stand import CREDENTIALS, world_of
from mt4sim.market.feeds.specs import FeedSpec
from mt4sim.native.library import SimulatedLibrary
from mt4sim.native.shared_server import SharedServer
from mt4sim.server import Server
from mt4sim.world import World
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from mt_remote_tools.testing import Stand, StandSpec


@contextmanager
def _open(world: object) -> Iterator[Stand]:
    server = Server(world_of(world))
    server.set_feed(FeedSpec(kind="off"))
    shared = SharedServer(server)
    backend = ManagerBackend(ManagerSettings(isolate=False), library=SimulatedLibrary(shared))
    yield Stand(backend, server, server.advance, lambda: server.now, lock=shared.lock)


SPEC = StandSpec("manager", World.demo, _open, CREDENTIALS)
