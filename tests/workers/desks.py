"""Gateways that are workers, in one process and loop with the backend's host: between them is the real socket."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import mt4sim.gateway
import mt_remote_plugins
from mt4sim.gateway.backend import SimulatorBackend
from mt4sim.gateway.connection import SimulatorConnection
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import catalogue, find_backend, plugin_manager
from mt_remote.settings import Settings
from mt_remote.shell.server import Worker, running
from mt_remote.workers.far import FarBackend, FarConnection, FarFunction, FarIdempotencyKeys, FarLogIns
from mt_remote.workers.host import Host, hosting
from tests.stories.conftest import START, Desk


class Reached:
    """The simulator as the stories reach for it; connections that a worker shows are found in the host."""

    def __init__(self, backend: SimulatorBackend, host: Host) -> None:
        self._backend = backend
        self._host = host

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def lose(self, connection: FarConnection, reason: str) -> None:
        """The connection that a worker's stands for breaks."""
        for worker in self._host.workers.values():
            found = worker.connections.get(connection.number)
            if found is not None:
                self._backend.lose(cast(SimulatorConnection, found), reason)


class WorkerDesks:
    """Desks of several workers on one backend."""

    def __init__(self, host: Host, desks: list[Desk], far: list[FarBackend]) -> None:
        self.host = host
        self.desks = desks
        self.far = far
        self.gone = 0


@asynccontextmanager
async def open_workers(
    count: int, *, plugins: tuple[object, ...] = (), simulator: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[WorkerDesks]:
    """So many workers with a port each."""
    hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, mt4sim.gateway, *plugins], entry_points=False))
    spec = find_backend(hooks, "simulator")
    chosen = spec.settings(**{"clock": "manual", "start": START, "feed": "off", **(simulator or {})})
    backend = cast(SimulatorBackend, spec.factory(chosen))
    options = Settings(port=0, **settings)
    async with AsyncExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "backend"
        far = [FarBackend("simulator", path) for _ in range(count)]
        contents = [
            catalogue(hooks, "simulator", "cp1252", partial(FarFunction, backend=each), spec.areas()) for each in far
        ]
        for each, content in zip(far, contents, strict=True):
            each.forward(content.areas.values())
        host = await stack.enter_async_context(hosting(options, hooks, backend, contents[0], path))
        opened = WorkerDesks(host, [], far)

        def gone() -> None:
            opened.gone += 1

        for each, content in zip(far, contents, strict=True):
            await each.connect(gone)
            gateway = await stack.enter_async_context(
                running(
                    options,
                    hooks,
                    each,
                    worker=Worker(content, FarIdempotencyKeys(each), partial(FarLogIns, backend=each)),
                )
            )
            opened.desks.append(Desk(gateway, cast(SimulatorBackend, Reached(backend, host))))
        yield opened


@asynccontextmanager
async def open_worker_desk(**given: Any) -> AsyncIterator[Desk]:
    """One worker's desk."""
    async with open_workers(1, **given) as opened:
        yield opened.desks[0]
