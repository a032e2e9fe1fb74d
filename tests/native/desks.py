"""Gateways on the Manager library's backend, with the simulator behind the library: made in Python, or loaded as a
shared object."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mt_remote_plugins
from mt4sim import Server, World
from mt4sim.native.host import Host, SimulatedLibrary
from mt4sim.world_specs import FeedSpec
from mt_remote.hooks import Hooks
from mt_remote.host import plugin_manager
from mt_remote.server import running
from mt_remote.settings import Settings
from mt_remote_plugins.manager import plugin
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from mt_remote_plugins.manager.engine.library import Library, open_library
from tests.native.current import hosts
from tests.stories.conftest import START, Desk

MANNERS = ("made in Python", "shared object")


def quiet_host() -> Host:
    """The demo world with its feed off and its clock in the test's hands."""
    server = Server(World.demo(), start=START)
    server.set_feed(FeedSpec(kind="off"))
    return Host(server)


def library_for(manner: str, host: Host, shared_object: Path) -> Library:
    """A library of one of :data:`MANNERS`."""
    return SimulatedLibrary(host) if manner == "made in Python" else open_library(str(shared_object))


@asynccontextmanager
async def open_library_desk(manner: str, shared_object: Path, **settings: Any) -> AsyncIterator[Desk]:
    """A gateway on the library, and the server behind it."""
    host = quiet_host()
    hosts.append(host)
    backend = ManagerBackend(ManagerSettings(isolate=False), library=library_for(manner, host, shared_object))
    hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, plugin], entry_points=False))
    try:
        async with running(Settings(port=0, **settings), hooks, backend) as gateway:
            yield Desk(gateway, host.server)
        assert host.handles == {}
        assert (host.memory.outstanding, host.memory.wrong_frees) == (0, 0)
    finally:
        hosts.remove(host)
