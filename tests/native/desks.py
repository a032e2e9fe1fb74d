"""Gateways on the Manager library's backend, with the simulator behind the library: made in Python, or loaded as a
shared object."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mt_remote_plugins
from mt4sim.native.host import Host, SimulatedLibrary
from mt_remote.hooks import Hooks
from mt_remote.host import plugin_manager
from mt_remote.server import running
from mt_remote.settings import Settings
from mt_remote_plugins.manager import plugin
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from mt_remote_plugins.manager.engine.library import Library, open_library
from tests.native.current import serving
from tests.stories.conftest import Desk

MANNERS = ("made in Python", "shared object")


def library_for(manner: str, host: Host, shared_object: Path) -> Library:
    """A library of one of :data:`MANNERS`."""
    return SimulatedLibrary(host) if manner == "made in Python" else open_library(str(shared_object))


@asynccontextmanager
async def open_library_desk(manner: str, shared_object: Path, **settings: Any) -> AsyncIterator[Desk]:
    """A gateway on the library, and the server behind it."""
    with serving() as host:
        backend = ManagerBackend(ManagerSettings(isolate=False), library=library_for(manner, host, shared_object))
        hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, plugin], entry_points=False))
        async with running(Settings(port=0, **settings), hooks, backend) as gateway:
            yield Desk(gateway, host.server)
