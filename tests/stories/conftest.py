"""A gateway on the packaged demo world, feed off, clock in the hands of the test, in this process and loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import pytest

import mt4sim.gateway
import mt_remote_plugins
from mt4sim import Server
from mt4sim.gateway.backend import SimulatorBackend
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import find_backend, plugin_manager
from mt_remote.settings import Settings
from mt_remote.shell.server import Running, running

START = 1_579_500_000
"""Server time at which the stories begin: Monday, 20 January 2020, 06:00."""


class Desk:
    """A running gateway with the simulator behind it."""

    def __init__(self, gateway: Running, backend: SimulatorBackend) -> None:
        self.gateway = gateway
        self.server_backend = backend

    @property
    def server(self) -> Server:
        return self.server_backend.server

    @property
    def url(self) -> str:
        return self.gateway.url


Open = Callable[..., AbstractAsyncContextManager[Desk]]


@asynccontextmanager
async def open_desk(
    *, plugins: tuple[object, ...] = (), simulator: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Desk]:
    manager = plugin_manager(plugins=[mt_remote_plugins, mt4sim.gateway, *plugins], entry_points=False)
    hooks = Hooks(manager)
    spec = find_backend(hooks, "simulator")
    chosen = spec.settings(**{"clock": "manual", "start": START, "feed": "off", **(simulator or {})})
    backend = cast(SimulatorBackend, spec.factory(chosen))
    async with running(Settings(port=0, **settings), hooks, backend) as gateway:
        yield Desk(gateway, backend)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def desk(anyio_backend: str) -> AsyncIterator[Desk]:
    async with open_desk() as opened:
        yield opened


@pytest.fixture(scope="module")
def opening() -> Open:
    """Opens desks one after the other, the gateway's settings being its arguments."""
    return open_desk
