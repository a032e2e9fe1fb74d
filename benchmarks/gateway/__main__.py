"""``python -m benchmarks.gateway PORT``: the gateway on the backend that the core's tests use, which does next to
nothing. Beside the row on the simulator it tells what the simulator costs."""

from __future__ import annotations

import sys
from typing import Any

import anyio
from tests.core.memory import MemoryServer

import mt_remote_plugins
from benchmarks.gateway import functions
from benchmarks.sample import GROUP, SECURITIES
from mt_remote.hooks import Hooks
from mt_remote.host import plugin_manager
from mt_remote.records import ConGroup, ConGroupSecurity
from mt_remote.server import Running, serve
from mt_remote.settings import Settings


def _announce(gateway: Running) -> None:
    print(gateway.url, flush=True)


def gateway_parts() -> tuple[Hooks, MemoryServer]:
    """Plugins' hooks and the backend, with the group that the benchmarks change."""
    backend = MemoryServer()
    empty: dict[str, Any] = {}
    fields: dict[str, Any] = {"group": GROUP, "securities": {name: ConGroupSecurity(**empty) for name in SECURITIES}}
    backend.table[GROUP] = ConGroup(**fields)
    return Hooks(plugin_manager(plugins=[mt_remote_plugins, functions], entry_points=False)), backend


async def main(port: int) -> None:
    hooks, backend = gateway_parts()
    await serve(Settings(port=port), hooks, backend, announce=_announce)


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]), backend_options={"use_uvloop": True})
