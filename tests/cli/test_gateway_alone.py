"""An installation of the gateway alone: neither hypothesis nor pytest can be imported, and all but the kit works."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from mt_remote.client import Client, Credentials
from tests.cli.command import PATIENCE, SHIPPED, process_environment

_WITHOUT = """
import importlib.abc, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("hypothesis", "pytest", "_pytest"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from mt_remote_tools.cli import main

sys.exit(main(sys.argv[1:]))
"""


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WITHOUT, *words, *SHIPPED],
        env=process_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*words: str) -> tuple[int, str, str]:
    process = started(*words)
    output, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, output, errors


@pytest.fixture
def url() -> Iterator[str]:
    process = started("serve", "--port", "0", "--feed", "off")
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    assert process.stdout is not None
    yield next(line.split()[-1] for line in process.stdout if line.startswith("listening on "))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    watchdog.cancel()
    assert process.returncode == 0


def test_what_is_served_is_listed() -> None:
    code, output, errors = run("functions", "--json")
    assert (code, errors) == (0, "")
    assert "order.open" in {each["name"] for each in json.loads(output)}


def test_plugins_are_listed() -> None:
    code, output, errors = run("plugins", "--json")
    assert (code, errors) == (0, "")
    commands = {name for each in json.loads(output) for name in each["commands"]}
    assert {"serve", "call", "conformance", "world"} <= commands


def test_help_of_serve() -> None:
    code, output, errors = run("serve", "--help")
    assert (code, errors) == (0, "")
    assert "--port" in output


def test_a_gateway_starts(url: str) -> None:
    with Client(url) as client:
        client.log_in(Credentials("Demo", 1, "manager"))
        assert client.call("config.group.get", group="demoforex")["group"] == "demoforex"


def test_the_kit_says_what_to_install() -> None:
    code, output, errors = run("conformance", "--laws")
    assert (code, output) == (2, "")
    assert errors == "mt-remote: the conformance kit needs hypothesis: pip install 'mt-remote[conformance]'\n"
