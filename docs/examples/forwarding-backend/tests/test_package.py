"""The package as a stranger meets it: on the command line, and under the eyes of ``check-plugin``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from conftest import logged_in
from forwarding_backend.backend import ForwardBackend
from forwarding_backend.settings import ForwardSettings
from mt_remote.errors import ConfigurationError
from mt_remote_tools.checking import check
from mt_remote_tools.testing import Bench

SOURCE = Path(__file__).parents[1] / "src"

SERVE = (sys.executable, "-m", "mt_remote_tools.cli", "serve", "--plugin", "forwarding_backend", "--backend", "forward")


def start(flags: Sequence[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
    command = (*SERVE, "--port", "0", *flags)
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_plugin_has_no_mistakes() -> None:
    assert check(["forwarding_backend"]) == []


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process at once there")
def test_serve_on_the_command_line(upstream: Bench) -> None:
    with start(["--forward-url", upstream.url]) as process:
        try:
            assert process.stdout is not None
            said = {}
            for line in process.stdout:
                first, _, rest = line.strip().partition(" ")
                said[first] = rest
                if first == "listening":
                    break
            assert said["backend"] == f"forward: the gateway at {upstream.url}"
            with logged_in(said["listening"].removeprefix("on ")) as client:
                assert client.call("users.get", logins=[1])
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()
    assert process.returncode == 0


def test_serve_says_what_it_lacks() -> None:
    with start([]) as process:
        _, said = process.communicate()
    assert (process.returncode, "forward_url: is required" in said) == (2, True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:8228", "must be the URL of a gateway"),
        ("127.0.0.1:8228", "must be the URL of a gateway"),
        ("ws://me:secret@127.0.0.1", "must have no login in it"),
    ],
)
def test_urls_that_are_none(url: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ForwardSettings(forward_url=url)


def test_authorities_that_are_not_there() -> None:
    settings = ForwardSettings(forward_url="wss://gateway.example", forward_tls_ca=Path("nowhere.pem"))
    with pytest.raises(ConfigurationError, match=r"forward_tls_ca: nowhere\.pem: No such file"):
        ForwardBackend(settings)
