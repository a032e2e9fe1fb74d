"""A signal ends a gateway in good order, on every platform and loop."""

from __future__ import annotations

import signal
import sys

import anyio
import pytest

import mt_remote_plugins
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import plugin_manager
from mt_remote.settings import Settings
from mt_remote.shell.server import Running, serve
from tests.core.memory import MemoryServer

pytestmark = pytest.mark.anyio

_NAMES = ["SIGTERM", "SIGINT", *(["SIGBREAK"] if sys.platform == "win32" else [])]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", _NAMES)
async def test_a_signal_ends_it(name: str) -> None:
    before = signal.getsignal(signal.Signals[name])
    hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins], entry_points=False))
    announced: list[Running] = []

    def announce(running: Running) -> None:
        announced.append(running)
        signal.raise_signal(signal.Signals[name])

    with anyio.fail_after(10):
        await serve(Settings(port=0), hooks, MemoryServer(), announce=announce)
    (running,) = announced
    assert running.gateway.stopping
    with pytest.raises(OSError, match="connect"):
        await anyio.connect_tcp(running.host, running.port)
    assert signal.getsignal(signal.Signals[name]) == before
