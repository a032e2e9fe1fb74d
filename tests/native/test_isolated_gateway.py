"""A gateway whose library lives in worker processes: a crash ends one connection, and its client gets another."""

from __future__ import annotations

from typing import Any

import pytest

import mt_remote_plugins
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import plugin_manager
from mt_remote.settings import Settings
from mt_remote.shell.server import running
from mt_remote_plugins.manager import plugin
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from mt_remote_plugins.manager.running_engine import WorkerEngine
from tests.stories.client import client, manager


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_crash_is_told_and_made_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MT4SIM_CLOCK", "manual")
    workers: list[WorkerEngine] = []
    begin = WorkerEngine.__init__

    def kept(self: WorkerEngine, *arguments: Any) -> None:
        begin(self, *arguments)
        workers.append(self)

    monkeypatch.setattr(WorkerEngine, "__init__", kept)
    backend = ManagerBackend(ManagerSettings(library="mt4sim.native.library:library"))
    hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, plugin], entry_points=False))
    async with (
        running(Settings(port=0), hooks, backend) as gateway,
        client(gateway.url) as one,
        manager(gateway.url) as other,
    ):
        await one.call("subscribe", event="connection")
        await one.login(reconnect_delay=20)
        assert await one.event("connection") is True
        await one.call("subscribe", event="trade")
        workers[-1].process.kill()
        assert await one.event("connection") is False
        assert await one.event("connection") is True
        assert (await one.call("config.common.get"))["name"] == "Demo"
        assert (await other.call("config.common.get"))["name"] == "Demo"
    assert [port.process.poll() is not None for port in workers] == [True, True, True]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(("library", "told"), [("hanging", "was stopped"), ("crashing", "ended")])
async def test_who_called_learns_what_is_known_and_others_go_on(library: str, told: str) -> None:
    backend = ManagerBackend(
        ManagerSettings(library=f"tests.plugins.manager.tiny:{library}", call_timeout=4, login_timeout=120)
    )
    hooks = Hooks(plugin_manager(plugins=[mt_remote_plugins, plugin], entry_points=False))
    async with (
        running(Settings(port=0), hooks, backend) as gateway,
        client(gateway.url) as one,
        manager(gateway.url, server="tiny:443") as other,
    ):
        await one.call("subscribe", event="connection")
        await one.login(server="tiny:443")
        assert await one.event("connection") is True
        failed = await one.fails("users.get.all")
        assert told in failed.message
        assert "unknown" not in failed.message, "it was to change nothing"
        assert await one.event("connection") is False
        assert (await other.call("config.common.get"))["name"] == "Tiny"
