"""Gateways on the Manager library's backend, with the simulator behind the library: made in Python, or loaded as a
shared object."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import mt_remote_plugins
from mt4abi.library import Library, open_library
from mt4sim import Server
from mt4sim.gateway import control
from mt4sim.gateway.backend import SimulatorBackend
from mt4sim.native.library import SimulatedLibrary
from mt4sim.native.shared_server import SharedServer
from mt_remote.backend import Connection, Listener
from mt_remote.errors import ConnectionLost
from mt_remote.plugin import Namespace, hookimpl
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import plugin_manager
from mt_remote.settings import Settings
from mt_remote.shell.server import running
from mt_remote_plugins.manager import plugin
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from mt_remote_plugins.manager.connection import LibraryConnection
from tests.native.current import serving
from tests.stories.conftest import Desk

MANNERS = ("made in Python", "shared object")


class Locked:
    """The server as a test sees it: its methods take the lock that the library's threads take."""

    def __init__(self, shared: SharedServer) -> None:
        self._host = shared

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._host.server, name)
        if not callable(found):
            return found

        def locked(*arguments: Any, **more: Any) -> Any:
            with self._host.lock:
                return found(*arguments, **more)

        return locked


class LibraryBackend(ManagerBackend):
    """The backend on the library, and what the control functions of the simulator want of theirs."""

    def __init__(self, shared: SharedServer, library: Library) -> None:
        super().__init__(ManagerSettings(isolate=False), library=library)
        self.shared = shared
        self.connections: dict[LibraryConnection, None] = {}

    @property
    def server(self) -> Server:
        return cast(Server, Locked(self.shared))

    @property
    def down(self) -> bool:
        return not self.shared.reachable

    @down.setter
    def down(self, down: bool) -> None:
        self.shared.reachable = not down

    async def open(self, server: str, login: int, password: str, listener: Listener, *, peer: str = "") -> Connection:
        connection = await super().open(server, login, password, listener, peer=peer)
        self.connections[cast(LibraryConnection, connection)] = None
        return connection

    def lose(self, connection: LibraryConnection, reason: str) -> None:
        """Breaks one connection."""
        self.connections.pop(connection, None)
        connection._calls.fail(ConnectionLost(f"No connection to the MT4 server: {reason}"))

    def catch_up(self) -> None:
        """The clock is in the test's hands."""

    def advance(self, seconds: int) -> None:
        with self.shared.lock:
            self.server.advance(seconds)

    async def advance_in_slices(self, seconds: int, wanted: Callable[[], bool]) -> None:
        self.advance(seconds)


class Control:
    """Lets the stories drive the simulator behind the library."""

    @hookimpl
    def mt_remote_backend_namespaces(self, backend: str) -> list[Namespace]:
        return control.NAMESPACES


def library_for(manner: str, shared: SharedServer, shared_object: Path) -> Library:
    """A library of one of :data:`MANNERS`."""
    return SimulatedLibrary(shared) if manner == "made in Python" else open_library(str(shared_object))


@asynccontextmanager
async def open_library_desk(manner: str, shared_object: Path, **settings: Any) -> AsyncIterator[Desk]:
    """A gateway on the library, and the server behind it."""
    with serving() as shared:
        backend = LibraryBackend(shared, library_for(manner, shared, shared_object))
        hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, plugin, Control()], entry_points=False))
        async with running(Settings(port=0, **settings), hooks, backend) as gateway:
            yield Desk(gateway, cast(SimulatorBackend, backend))
