"""A gateway inside another program, whose event loop anyio did not start."""

from __future__ import annotations

import asyncio
import json

import anyio
from websockets.asyncio.client import connect

import mt_remote_plugins
from mt_remote.plugin import Namespace, hookimpl
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import plugin_manager
from mt_remote.settings import Settings
from mt_remote.shell.server import running
from tests.core.memory import MemoryServer

pauses = Namespace("pauses", "Functions that wait.")


@pauses.function()
async def short(milliseconds: int) -> int:
    """Waits by anyio's own means."""
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, milliseconds / 1000)
    return milliseconds


class Pauses:
    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        return [pauses]


async def _ask_under_plain_asyncio() -> list[object]:
    hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, Pauses()], entry_points=False))
    async with running(Settings(port=0), hooks, MemoryServer()) as gateway:
        gateway.gateway.spawn(anyio.sleep, 0)
        async with connect(gateway.url, proxy=None) as client:
            answers = []
            for name, data in (
                ("connect", {"server": "Demo", "login": 1, "password": "manager"}),
                ("pauses.short", {"milliseconds": 5}),
                ("pauses.short", {"milliseconds": 0}),
            ):
                await client.send(json.dumps({"id": name, "name": name, "data": data}))
                answers.append(json.loads(await asyncio.wait_for(client.recv(), 5)).get("result"))
            return answers


def test_under_plain_asyncio() -> None:
    assert asyncio.run(_ask_under_plain_asyncio()) == [None, 5, 0]
