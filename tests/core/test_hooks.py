"""Every hook, as a plugin has it: when it is called, with what, and what its failing does."""

from __future__ import annotations

import io
import sys
from collections.abc import Awaitable
from types import ModuleType

import pluggy
import pytest
import structlog
import typer

from mt_remote.cli.app import build
from mt_remote.errors import ConfigurationError, PluginError
from mt_remote.host import plugin_manager
from mt_remote.logs import configure
from mt_remote.plugin import Call, Gateway, Kind, Namespace, Outcome, Refused, Session, hookimpl
from tests.core.conftest import Start, peer, until
from tests.core.memory import MemoryServer


class Diary:
    """Writes down what happens."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    @hookimpl
    def mt_remote_gateway_starting(self, gateway: Gateway) -> None:
        self.entries.append(f"starting {gateway.backend.name}")

    @hookimpl
    def mt_remote_gateway_stopping(self, gateway: Gateway) -> None:
        self.entries.append(f"stopping with {len(gateway.sessions)} sessions")

    @hookimpl
    def mt_remote_session_opened(self, session: Session) -> None:
        self.entries.append(f"opened {session.dialect}")

    @hookimpl
    def mt_remote_session_closed(self, session: Session, code: int, reason: str) -> None:
        self.entries.append(f"closed {code}")

    @hookimpl
    def mt_remote_call_started(self, session: Session, call: Call) -> None:
        self.entries.append(f"started {call.name}")

    @hookimpl
    def mt_remote_call_finished(self, session: Session, call: Call, outcome: Outcome) -> None:
        assert outcome.seconds >= 0
        self.entries.append(f"finished {call.name} {outcome.error.wire_code if outcome.error else 'OK'}")


@pytest.mark.anyio
async def test_the_life_of_a_gateway_is_told_in_order(start: Start) -> None:
    diary = Diary()
    async with start(plugins=(diary,)) as gateway, peer(gateway) as client:
        await client.connect()
        await client.ask("config.group.get", group="nosuch")
        await client.ask("nosuch")
        assert diary.entries == [
            "starting memory",
            "opened 0",
            "started connect",
            "finished connect OK",
            "started config.group.get",
            "finished config.group.get not_found",
        ]
        await client.stream.aclose()
        await until(lambda: not gateway.gateway.sessions)
    assert diary.entries[6:] == ["closed 1006", "stopping with 0 sessions"]


class Slowly:
    """Refuses, but has to ask somebody first."""

    @hookimpl
    def mt_remote_call_started(self, call: Call) -> Awaitable[None]:
        return self._decide(call)

    async def _decide(self, call: Call) -> None:
        if call.name == "config.common.get":
            raise Refused("Not today", code="not_today")


@pytest.mark.anyio
async def test_a_veto_may_take_time(start: Start) -> None:
    async with start(plugins=(Slowly(),)) as gateway, peer(gateway, VERSION="2") as client:
        await client.connect()
        answer = await client.ask("config.common.get")
        assert (answer["message"], answer["code"]) == ("Not today", "not_today")
        assert (await client.ask("config.group.get", group="demo"))["status"] == "OK"


class Broken:
    """A plugin with a bug in every hook that it can."""

    @hookimpl
    def mt_remote_call_started(self, call: Call) -> None:
        if call.name == "config.common.get":
            raise ZeroDivisionError("veto")

    @hookimpl
    def mt_remote_call_finished(self) -> None:
        raise ZeroDivisionError("finished")

    @hookimpl
    def mt_remote_session_opened(self) -> None:
        raise ZeroDivisionError("opened")

    @hookimpl
    def mt_remote_session_closed(self) -> None:
        raise ZeroDivisionError("closed")

    @hookimpl
    def mt_remote_gateway_stopping(self) -> None:
        raise ZeroDivisionError("stopping")


@pytest.mark.anyio
async def test_a_plugin_that_breaks_stops_nothing_but_vetoes(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = io.StringIO()
    monkeypatch.setattr(sys, "stderr", logged)
    configure()
    async with start(plugins=(Broken(),)) as gateway, peer(gateway) as client:
        await client.connect()
        answer = await client.ask("config.common.get")
        assert answer["message"] == "A plugin failed while it was asked about this call"
        assert (await client.ask("config.group.get", group="demo"))["status"] == "OK"
        await client.stream.aclose()
        await until(lambda: not gateway.gateway.sessions)
    for where in ("veto", "finished", "opened", "closed", "stopping"):
        assert f"ZeroDivisionError: {where}" in logged.getvalue()
    structlog.reset_defaults()


class Unwilling:
    @hookimpl
    def mt_remote_gateway_starting(self) -> None:
        raise ConfigurationError("the licence has run out")


@pytest.mark.anyio
async def test_a_plugin_may_refuse_to_start(start: Start) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with start(plugins=(Unwilling(),)):
            raise AssertionError("it started")
    assert caught.group_contains(ConfigurationError, match="licence")


class OnMemory:
    """Functions for one backend."""

    @hookimpl
    def mt_remote_backend_namespaces(self, backend: str) -> list[Namespace]:
        return [memory_only] if backend == "memory" else []


memory_only = Namespace("memory")


@memory_only.function(kind=Kind.READ)
def size(session: Session) -> int:
    """Groups in memory."""
    backend = session.gateway.backend
    assert isinstance(backend, MemoryServer)
    return len(backend.table)


@pytest.mark.anyio
async def test_namespaces_of_one_backend(start: Start) -> None:
    async with start(plugins=(OnMemory(),)) as gateway, peer(gateway) as client:
        assert (await client.ask("memory.size"))["result"] == 1


def own_hooks() -> ModuleType:
    module = ModuleType("own_hooks")
    own = pluggy.HookspecMarker("mt_remote")

    def mt_remote_own_price(symbol: str) -> float:
        """A hook of a plugin's own."""
        return 0.0

    vars(module)["mt_remote_own_price"] = own(mt_remote_own_price)
    return module


class Asker:
    @hookimpl
    def mt_remote_hookspecs(self) -> list[ModuleType]:
        return [own_hooks()]


class Answerer:
    @hookimpl
    def mt_remote_own_price(self, symbol: str) -> float:
        return 1.5


def test_hooks_of_a_plugins_own() -> None:
    manager = plugin_manager(plugins=[Asker(), Answerer()], entry_points=False)
    assert manager.hook.mt_remote_own_price(symbol="EURUSD") == [1.5]
    with pytest.raises(PluginError, match="mt_remote_own_price"):
        plugin_manager(plugins=[Answerer()], entry_points=False)


def test_two_plugins_can_not_add_the_same_command(monkeypatch: pytest.MonkeyPatch) -> None:
    @hookimpl
    def mt_remote_commands(app: typer.Typer) -> None:
        @app.command()
        def serve() -> None: ...

    module = ModuleType("greedy")
    vars(module)["mt_remote_commands"] = mt_remote_commands
    monkeypatch.setitem(sys.modules, "greedy", module)
    with pytest.raises(PluginError, match="plugin 'greedy' adds a command 'serve', which the command line itself has"):
        build(["--plugin", "greedy", "--help"])
