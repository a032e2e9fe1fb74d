"""``python -m benchmarks.gateway BACKEND PORT``: the gateway with every plugin, on one of two backends.

``simulator`` is the packaged demo broker with its feed off: prices come from the benchmark alone. ``memory`` is the
backend of the core's tests, which does next to nothing: what it lacks to the other is the simulator's.
"""

from __future__ import annotations

import sys

import anyio
from tests.core.memory import MemoryServer

import mt_remote_plugins
from benchmarks.gateway import functions
from benchmarks.sample import GROUP, SECURITIES
from mt4sim import gateway as simulator
from mt4sim.gateway.settings import SimulatorSettings
from mt_remote.backend import Backend
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import find_backend, plugin_manager
from mt_remote.records import ConGroup, ConGroupSecurity
from mt_remote.settings import Settings
from mt_remote.shell.server import Running, serve


def _announce(gateway: Running) -> None:
    print(gateway.url, flush=True)


def gateway_parts(backend: str) -> tuple[Hooks, Backend]:
    """Plugins' hooks and the backend, with the group that the benchmarks change."""
    plugins = [mt_remote_plugins, simulator, functions]
    hooks = Hooks(plugin_manager(plugins=plugins, entry_points=False))
    if backend == "simulator":
        return hooks, find_backend(hooks, backend).factory(SimulatorSettings(feed="off"))
    memory = MemoryServer()
    memory.table[GROUP] = ConGroup(group=GROUP, securities={name: ConGroupSecurity() for name in SECURITIES})
    return hooks, memory


async def main(backend: str, port: int) -> None:
    hooks, driver = gateway_parts(backend)
    await serve(Settings(port=port, backend=backend, log_level="error"), hooks, driver, announce=_announce)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], int(sys.argv[2]), backend_options={"use_uvloop": True})
