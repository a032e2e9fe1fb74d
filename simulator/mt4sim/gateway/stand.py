"""The simulator as a stand for tests: no feed, and a clock that moves when the test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mt4sim import World
from mt4sim.gateway.backend import SimulatorBackend
from mt4sim.gateway.settings import SimulatorSettings
from mt_remote.client import Credentials
from mt_remote.errors import ConfigurationError
from mt_remote_tools.testing import Stand, StandSpec

CREDENTIALS = Credentials("Demo", 1, "manager")
"""The manager of the packaged demo broker who may do everything."""


def world_of(world: object) -> World:
    """Raises :class:`~mt_remote.errors.ConfigurationError` for what is no world."""
    if not isinstance(world, World):
        raise ConfigurationError(f"the simulator starts from a mt4sim.World, got {world!r}")
    return world


@contextmanager
def _open(world: object) -> Iterator[Stand]:
    backend = SimulatorBackend(SimulatorSettings(clock="manual", feed="off"), world=world_of(world))
    yield Stand(backend, backend.server, backend.advance, lambda: backend.server.now)


SPEC = StandSpec("simulator", World.demo, _open, CREDENTIALS)
