"""A stranger's plugin works through ``--plugins-dir``, ``--plugin`` and an entry point."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.cli.command import Gateway, command

FOLDER = Path(__file__).parent / "folder"


def installed(site: Path) -> str:
    """A distribution in a folder of its own, as an installer would leave it; gives the search path."""
    shutil.copy(FOLDER / "stranger.py", site)
    info = site / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[mt_remote]\nwarehouse = stranger\n", encoding="utf-8")
    return ":".join([str(site), *filter(None, sys.path)])


@pytest.fixture(params=["folder", "module", "entry point"])
def ways(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    """Flags and environment with which the plugin is found."""
    if request.param == "folder":
        return ["--plugins-dir", str(FOLDER)], {}
    path = installed(tmp_path)
    if request.param == "module":
        shutil.rmtree(tmp_path / "stranger-1.0.dist-info")
        return ["--plugin", "stranger"], {"PYTHONPATH": path}
    return [], {"PYTHONPATH": path}


def ask(socket: ClientConnection, message: dict[str, object]) -> dict[str, object]:
    socket.send(json.dumps(message))
    answer: dict[str, object] = json.loads(socket.recv(timeout=10))
    return answer


def test_a_strangers_plugin(ways: tuple[list[str], dict[str, str]]) -> None:
    flags, environment = ways
    with (
        Gateway(*flags, environment=environment) as gateway,
        connect(gateway.url, proxy=None, additional_headers={"VERSION": "2"}) as socket,
    ):
        nails = {"id": 1, "name": "stock.put", "data": {"thing": "nails", "pieces": 3}}
        assert ask(socket, nails) == {"id": 1, "status": "OK", "result": 3}
        assert ask(socket, {"id": 2, "name": "subscribe", "data": {"event": "stock"}})["status"] == "OK"
        event = ask(socket, {**nails, "id": 3})
        assert event == {"event": "stock", "event_id": 0, "data": {"thing": "nails", "pieces": 6}}
        assert json.loads(socket.recv(timeout=10)) == {"id": 3, "status": "OK", "result": 6}
        gold = {"id": 4, "name": "stock.put", "data": {"thing": "gold", "pieces": 1}}
        assert ask(socket, gold) == {"id": 4, "status": "ERROR", "message": "No gold here", "code": "no_gold"}
        assert ask(socket, {"id": 5, "name": "stock.list"})["result"] == {"nails": 6}
    assert gateway.code == 0


def test_what_is_shown_of_it(ways: tuple[list[str], dict[str, str]]) -> None:
    flags, environment = ways
    plugins = json.loads(command("plugins", "--json", *flags, environment=environment).output)
    (own,) = [plugin for plugin in plugins if plugin["functions"] == ["stock.list", "stock.put"]]
    assert own["events"] == ["stock"]
    assert own["vetoes"] == "Refuses to put gold into the warehouse."
    assert own["distribution"] == ("stranger 1.0" if not flags else None)
    functions = json.loads(command("functions", "--json", *flags, environment=environment).output)
    (put,) = [function for function in functions if function["name"] == "stock.put"]
    assert put["kind"] == "change"
    assert put["help"] == "Puts things into the warehouse; gives how many there are."
    assert set(put["parameters"]["properties"]) == {"thing", "pieces"}
    assert put["result"] == {"type": "integer"}
    assert put["example"] == {"thing": "nails", "pieces": 100}


def test_its_command(tmp_path: Path) -> None:
    assert command("take-stock", environment={"PYTHONPATH": installed(tmp_path)}).output == "nothing\n"
    both = command("--plugins-dir", str(FOLDER), "take-stock")
    assert both.output == "nothing\n"


def test_all_that_it_registered() -> None:
    plugins = json.loads(command("plugins", "--json", "--plugins-dir", str(FOLDER)).output)
    (own,) = [plugin for plugin in plugins if plugin["name"] == "stranger"]
    assert own["commands"] == ["take-stock"]
    assert own["hooks_version"] == "1"
    assert own["refuses"] == ["*"]
    assert set(own["implements"]) == set(own["hooks"])
    veto = own["implements"]["mt_remote_call_started"]
    assert veto["place"].startswith(f"{FOLDER / 'stranger.py'}:")
    assert veto["about"] == "Refuses to put gold into the warehouse."
    (simulator,) = [plugin for plugin in plugins if plugin["module"] == "mt4sim.gateway"]
    assert simulator["brings_hooks"] == ["mt_remote_simulator_external"]
    assert simulator["stands"] == ["simulator"]
    assert "world" in simulator["commands"]
