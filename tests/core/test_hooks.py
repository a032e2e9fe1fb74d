"""Every hook, and a stranger's plugin of one file through a folder and through an entry point."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from pathlib import Path
from types import ModuleType

import pytest
import typer
from pydantic import BaseModel

import mt_remote_plugins
from mt_remote import hookspecs
from mt_remote.area import Area
from mt_remote.errors import NotFound
from mt_remote.plugin import (
    BackendSpec,
    Call,
    Event,
    EventKind,
    Gateway,
    Namespace,
    Outcome,
    Refused,
    Session,
    hookimpl,
)
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import catalogue, find_backend, plugin_manager
from mt_remote.settings import Settings
from mt_remote.shell.server import running
from mt_remote_tools.testing import StandSpec
from tests.core.conftest import Start, peer, until
from tests.core.memory import MemoryServer

pytestmark = pytest.mark.anyio


class Nothing(BaseModel):
    """No settings."""


class Everything:
    """A plugin that implements every hook and writes down what it is told."""

    __name__ = "everything"

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.own = Namespace("own")
        self.own.function("hello")(self.hello)
        self.own.function("publish")(self.publish)
        self.special = Namespace("special")
        self.special.function("only")(self.hello)
        self.vetoes: dict[str, Exception] = {}

    def hello(self, name: str = "you") -> str:
        return f"Hello {name}"

    def publish(self, session: Session, text: str) -> None:
        session.gateway.publish(Event("own_event", text))

    @hookimpl
    def mt_remote_hookspecs(self) -> list[ModuleType]:
        return []

    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        return [self.own]

    @hookimpl
    def mt_remote_implementations(self, backend: str) -> list[type[Area]]:
        return []

    @hookimpl
    def mt_remote_backend_namespaces(self, backend: str) -> list[Namespace]:
        return [self.special] if backend == "special" else []

    @hookimpl
    def mt_remote_backends(self) -> list[BackendSpec]:
        return [BackendSpec("special", Nothing, lambda settings: MemoryServer())]

    @hookimpl
    def mt_remote_stands(self) -> list[StandSpec]:
        return []

    @hookimpl
    def mt_remote_event_kinds(self) -> list[EventKind]:
        return [EventKind("own_event", str)]

    @hookimpl
    def mt_remote_session_opened(self, session: Session) -> None:
        session.state["everything"] = len(self.told)
        self.told.append(("opened", session.id, session.peer.partition(":")[0]))

    @hookimpl
    def mt_remote_session_closed(self, session: Session, code: int) -> None:
        self.told.append(("closed", session.id, code))

    @hookimpl
    def mt_remote_call_started(self, session: Session, call: Call) -> Awaitable[None] | None:
        self.told.append(("started", call.name, dict(call.arguments)))
        if call.name in self.vetoes:
            raise self.vetoes[call.name]
        return None

    @hookimpl
    def mt_remote_call_finished(self, call: Call, outcome: Outcome) -> None:
        assert outcome.seconds >= 0
        self.told.append(("finished", call.name, outcome.error and outcome.error.wire_code))

    @hookimpl
    def mt_remote_gateway_starting(self, gateway: Gateway) -> None:
        self.told.append(("starting", "own.hello" in gateway.functions))

    @hookimpl
    def mt_remote_gateway_stopping(self, gateway: Gateway) -> None:
        self.told.append(("stopping", len(gateway.sessions)))

    @hookimpl
    def mt_remote_commands(self, app: typer.Typer) -> None:
        app.command("own-command")(lambda: None)


def test_every_hook_has_a_test_here() -> None:
    specified = {name for name in vars(hookspecs) if name.startswith("mt_remote_")}
    assert specified == {name for name in vars(Everything) if name.startswith("mt_remote_")}


async def test_a_plugin_is_told_of_sessions_calls_and_the_gateway(start: Start) -> None:
    plugin = Everything()
    async with start(plugins=(plugin,)) as gateway, peer(gateway, VERSION="2") as client:
        assert (await client.ask("own.hello", name="Ann"))["result"] == "Hello Ann"
        plugin.vetoes["own.hello"] = Refused("Not on Mondays", code="monday")
        assert await client.ask("own.hello") == {
            "id": 2, "status": "ERROR", "message": "Not on Mondays", "code": "monday",
        }  # fmt: skip
        plugin.vetoes["own.hello"] = ZeroDivisionError("oh")
        broken = await client.ask("own.hello")
        assert broken["code"] == "internal_error"
        assert "oh" not in broken["message"]
        assert (await client.ask("own.helo"))["code"] == "unknown_function"
        (session,) = gateway.gateway.sessions
        assert session.state == {"everything": 1}
        await client.stream.aclose()
        await until(lambda: not gateway.gateway.sessions)
    assert plugin.told == [
        ("starting", True),
        ("opened", 1, "127.0.0.1"),
        ("started", "own.hello", {"name": "Ann"}),
        ("finished", "own.hello", None),
        ("started", "own.hello", {}),
        ("finished", "own.hello", "monday"),
        ("started", "own.hello", {}),
        ("finished", "own.hello", "internal_error"),
        ("closed", 1, 1006),
        ("stopping", 0),
    ]


async def test_an_event_of_a_plugins_own(start: Start) -> None:
    async with start(plugins=(Everything(),)) as gateway, peer(gateway) as one, peer(gateway) as other:
        assert (await one.ask("subscribe", event="own_event"))["status"] == "OK"
        assert (await other.ask("own.publish", text="news"))["status"] == "OK"
        assert await one.message() == {"event": "own_event", "event_id": 0, "data": "news"}
        assert other.messages == []
        with pytest.raises(KeyError, match="no plugin registered the event kind 'unheard'"):
            gateway.gateway.publish(Event("unheard", 1))


async def test_an_asynchronous_veto_and_what_is_asked_after_it(start: Start) -> None:
    asked: list[str] = []

    class Async:
        def __init__(self, name: str, *, vetoes: bool) -> None:
            self.__name__ = name
            self.vetoes = vetoes

        @hookimpl
        async def mt_remote_call_started(self, session: Session, call: Call) -> None:
            asked.append(self.__name__)
            if self.vetoes:
                raise NotFound("You are not on the list")

    plugins = (Async("never asked", vetoes=False), Async("second", vetoes=True), Async("first", vetoes=False))
    async with start(plugins=plugins) as gateway, peer(gateway, VERSION="2") as client:
        answer = await client.ask("disconnect")
        assert (answer["code"], answer["message"]) == ("not_found", "You are not on the list")
        assert asked == ["first", "second"]


async def test_plugins_that_only_listen_cannot_break_anything(start: Start) -> None:
    class Broken:
        __name__ = "broken"

        @hookimpl
        def mt_remote_session_opened(self) -> None:
            raise ZeroDivisionError

        @hookimpl
        def mt_remote_session_closed(self) -> None:
            raise ZeroDivisionError

        @hookimpl
        def mt_remote_call_finished(self) -> None:
            raise ZeroDivisionError

        @hookimpl
        def mt_remote_gateway_stopping(self) -> None:
            raise ZeroDivisionError

    async with start(plugins=(Broken(),)) as gateway:
        async with peer(gateway) as client:
            await client.connect()
        await until(lambda: not gateway.gateway.sessions)


async def test_a_plugin_can_refuse_to_start(start: Start) -> None:
    class Unready:
        __name__ = "unready"

        @hookimpl
        def mt_remote_gateway_starting(self, gateway: Gateway) -> None:
            raise RuntimeError("no licence")

    with pytest.raises(RuntimeError, match=r"^no licence$"):
        async with start(plugins=(Unready(),)):
            pass  # pragma: no cover


def test_namespaces_of_a_backend_are_served_on_it_alone() -> None:
    hooks = Hooks(plugin_manager(plugins=[Everything()], entry_points=False))
    assert set(catalogue(hooks, "special", "cp1252").registry.functions) == {"own.hello", "own.publish", "special.only"}
    assert set(catalogue(hooks, "memory", "cp1252").registry.functions) == {"own.hello", "own.publish"}
    assert find_backend(hooks, "special").name == "special"


def test_a_plugin_brings_commands() -> None:
    manager = plugin_manager(plugins=[Everything()], entry_points=False)
    app = typer.Typer()
    manager.hook.mt_remote_commands(app=app)
    assert [command.name for command in app.registered_commands] == ["own-command"]


SPECS = '''
import pluggy
hookspec = pluggy.HookspecMarker("mt_remote")

@hookspec
def mt_remote_coffee(strength: int) -> str:
    """Makes coffee."""
'''


def test_a_plugin_brings_hooks_for_others(tmp_path: Path) -> None:
    specs = ModuleType("specs")
    exec(SPECS, vars(specs))

    class Host:
        __name__ = "host"

        @hookimpl
        def mt_remote_hookspecs(self) -> list[ModuleType]:
            return [specs]

    class Guest:
        __name__ = "guest"

        @hookimpl
        def mt_remote_coffee(self, strength: int) -> str:
            return "coffee" * strength

    manager = plugin_manager(plugins=[Guest(), Host()], entry_points=False)
    assert manager.hook.mt_remote_coffee(strength=2) == ["coffeecoffee"]


# A stranger's plugin

STRANGER = '''
"""Greetings, and no deletions."""

from mt_remote.plugin import Event, EventKind, Namespace, Refused, Session, hookimpl

greeting = Namespace("greeting")


@greeting.function()
def hello(session: Session, name: str) -> str:
    """Says hello, to everybody."""
    session.gateway.publish(Event("greeted", {"name": name}))
    return f"Hello {name}"


@hookimpl
def mt_remote_namespaces():
    return [greeting]


@hookimpl
def mt_remote_event_kinds():
    return [EventKind("greeted", dict[str, str])]


@hookimpl
async def mt_remote_call_started(call):
    if call.name.endswith(".del"):
        raise Refused("Nothing is deleted here")
'''


@pytest.mark.parametrize("way", ["folder", "entry point", "module"])
async def test_a_strangers_file_works(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: MemoryServer
) -> None:
    (tmp_path / "stranger.py").write_text(STRANGER)
    if way == "folder":
        manager = plugin_manager(folders=[tmp_path], plugins=[mt_remote_plugins], entry_points=False)
    else:
        monkeypatch.syspath_prepend(tmp_path)
    if way == "module":
        manager = plugin_manager(modules=["stranger"], plugins=[mt_remote_plugins], entry_points=False)
    if way == "entry point":
        info = tmp_path / "stranger-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[mt_remote]\nstranger = stranger\n")
        manager = plugin_manager(plugins=[mt_remote_plugins])
    try:
        assert manager.has_plugin("stranger")
        async with running(Settings(port=0), Hooks(manager), memory) as gateway, peer(gateway) as client:
            assert (await client.ask("subscribe", event="greeted"))["status"] == "OK"
            answer = await client.ask("greeting.hello", name="Ann")
            assert answer["result"] == "Hello Ann"
            assert await client.message() == {"event": "greeted", "event_id": 0, "data": {"name": "Ann"}}
            await client.connect()
            vetoed = await client.ask("config.group.del", group="demo")
            assert vetoed["message"] == "Nothing is deleted here"
            assert "demo" in memory.table
            missing = await client.ask("greeting.hello")
            assert "name: is required" in missing["message"]
    finally:
        for name in ("stranger", "mt_remote_plugin_stranger"):
            sys.modules.pop(name, None)


def test_what_plugins_import_is_the_interface() -> None:
    from mt_remote import interfaces, plugin

    for name in ("Call", "Gateway", "Outcome", "Session"):
        assert getattr(plugin, name) is getattr(interfaces, name)
