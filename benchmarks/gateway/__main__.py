"""``python -m benchmarks.gateway PORT``: the gateway on the backend that the core's tests use, which does next to
nothing. Beside the row on the simulator it tells what the simulator costs."""

from __future__ import annotations

import sys

import anyio

import mt_remote_plugins
from benchmarks.gateway import functions
from benchmarks.sample import GROUP, SECURITIES
from mt_remote.hooks import Hooks
from mt_remote.host import plugin_manager
from mt_remote.records import ConGroup, ConGroupSecurity
from mt_remote.server import Running, serve
from mt_remote.settings import Settings
from tests.core.memory import MemoryServer


def _announce(gateway: Running) -> None:
    print(gateway.url, flush=True)


async def main(port: int) -> None:
    backend = MemoryServer()
    backend.table[GROUP] = ConGroup(group=GROUP, securities={name: ConGroupSecurity() for name in SECURITIES})
    manager = plugin_manager(plugins=[mt_remote_plugins, functions], entry_points=False)
    await serve(Settings(port=port), Hooks(manager), backend, announce=_announce)


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]), backend_options={"use_uvloop": True})
