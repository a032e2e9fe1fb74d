"""``serve --reload`` starts anew when a plugin's source changes, survives a broken one, and ends on a signal."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path

import pytest

from mt_remote.client import Client
from mt_remote_tools.cli import main, reloading
from mt_remote_tools.cli.configuration import Startup
from tests.cli.command import PATIENCE, start

PLUGIN = '''
from mt_remote.plugin import Namespace, hookimpl

house = Namespace("house")


@house.function()
def word() -> str:
    """The word of the day."""
    return {word!r}


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [house]
'''


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_change_a_mistake_and_its_mending(tmp_path: Path) -> None:
    plugin = tmp_path / "house.py"
    plugin.write_text(PLUGIN.format(word="first"), encoding="utf-8")
    port = free_port()
    process = start("serve", "--port", str(port), "--reload", "--plugins-dir", str(tmp_path))
    watchdog = threading.Timer(2 * PATIENCE, process.kill)
    watchdog.start()
    assert process.stdout is not None
    assert process.stderr is not None

    def listening() -> str:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("listening on "):
                with Client(f"ws://127.0.0.1:{port}") as client:
                    return str(client.call("house.word"))
        raise AssertionError("it ended")

    def complaint(text: str) -> str:
        assert process.stderr is not None
        return next(line for line in process.stderr if text in line)

    try:
        assert listening() == "first"
        plugin.write_text("not Python at all", encoding="utf-8")
        assert "house.py changed" in complaint("changed")
        assert "SyntaxError" in complaint("mt-remote: plugin file")
        plugin.write_text(PLUGIN.format(word="second"), encoding="utf-8")
        assert listening() == "second"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def test_what_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "house_plugin"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    single = tmp_path / "other" / "single_plugin.py"
    single.parent.mkdir()
    single.write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    named = [word for name in ("house_plugin.inner", str(single), "nosuch", "json") for word in ("--plugin", name)]
    found = list(reloading.sources(Startup.read(["serve", *named])))
    assert package in found
    assert single in found
    assert not [each for each in found if "json" in each.parts]
    assert reloading.watched([package, package / "inner", single]) == [package, single.parent]


def test_nothing_to_watch(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "sources", lambda startup: iter(()))
    assert main(["serve", "--reload"]) == 2
    assert "--reload found no plugin's source to watch" in capsys.readouterr().err


def test_help_does_not_watch(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--reload", "--help"]) == 0
    assert "--reload" in capsys.readouterr().out
