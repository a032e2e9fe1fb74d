"""Building the library, and the library that worker processes get."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
import typer
from pydantic import ValidationError
from typer.testing import CliRunner

from mt4sim.native import library, plugin
from mt4sim.native.build import build, search_path, this_python, windows
from mt_remote.backend import Event
from mt_remote.errors import ConfigurationError, RequestError
from mt_remote.records import Draft, UserRecord
from mt_remote_plugins.areas import Users
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings


def test_a_compiler_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no C compiler here of no-such-compiler"):
        build(this_python(), tmp_path, compiler="no-such-compiler")


def test_a_compiler_that_fails(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="failed"):
        build(this_python(), tmp_path, compiler="false")


def test_the_packages_are_found_where_this_python_finds_them() -> None:
    assert str(Path(library.__file__).parents[2]) in search_path()


def test_windows_paths_are_quoted() -> None:
    target = windows("C:\\Program Files\\python311.dll", "C:\\a;C:\\b")
    assert (target.file, target.python_library) == ("mtmanapi64.dll", "C:\\Program Files\\python311.dll")
    assert target.python_home == "C:\\Program Files"


def test_each_width_has_the_name_that_programs_look_for() -> None:
    assert windows("python311.dll", "", bits=32).file == "mtmanapi.dll"
    with pytest.raises(ConfigurationError, match="64 or 32 bits, not 16"):
        windows("python311.dll", "", bits=16)


def test_the_command(tmp_path: Path, shared_object: Path) -> None:
    app = typer.Typer()
    plugin.mt_remote_commands(app)
    app.command("other")(lambda: None)
    runner = CliRunner()
    done = runner.invoke(app, ["native", "build", "--output", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / shared_object.name).is_file() or "mtmanapi" in done.output
    assert runner.invoke(app, ["native", "build", "--compiler", "no-such-compiler"]).exit_code == 2
    shown = runner.invoke(app, ["native", "functions"]).output.splitlines()
    assert len(shown) == 2 + 195
    assert "| 105 | `TradeTransaction` | yes |  |" in shown


def test_the_environment_sets_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MT4SIM_CLOCK", "manual")
    make_host = library._shared.__wrapped__
    assert make_host().server.feed.kind == "off"  # the demo broker's
    monkeypatch.setenv("MT4SIM_FEED", "random")
    server = make_host().server
    assert server.feed.kind == "random"
    ticks: list[object] = []
    server.events.listen(lambda happened: ticks.append(happened) if happened.kind == "tick" else None)
    server.advance(600)
    assert ticks
    monkeypatch.setenv("MT4SIM_FEED", "no such")
    with pytest.raises(ValidationError):
        make_host()


class _Events:
    def __init__(self) -> None:
        self.heard = anyio.Event()

    def on_event(self, event: Event) -> None:
        self.heard.set()

    def on_lost(self, error: RequestError) -> None:
        raise error


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_worker_with_a_server_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MT4SIM_CLOCK", "manual")
    monkeypatch.setenv("MT4SIM_START", "1579500000")
    backend = ManagerBackend(ManagerSettings(library="mt4sim.native.library:library"))
    events = _Events()
    connection = await backend.open("demo:443", 1, "manager", events)
    try:
        await connection.watch("user")
        fields = {"group": "miniforex", "name": "A", "password": "Pass1"}
        login = (await connection[Users].add(Draft(UserRecord, fields)))["login"]
        assert [user.login for user in await connection[Users].get([login])] == [login]
        assert await connection.server_time() == 1579500000
        with anyio.fail_after(10):
            await events.heard.wait()
    finally:
        await connection.aclose()
