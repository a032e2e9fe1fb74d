"""What a start of the gateway takes along: nothing that its first answer does not need."""

from __future__ import annotations

import subprocess
import sys

_START = """
import sys
from mt_remote_tools.cli.app import build

plugins = ("mt_remote_plugins", "mt_remote_plugins.manager.plugin", "mt4sim.gateway", "mt4sim.native.plugin")
build([*(f"--plugin={name}" for name in plugins), "serve"])
import mt4sim.gateway.backend, mt_remote.shell.server

print(*sys.modules)
"""


def test_a_start_imports_nothing_that_can_wait() -> None:
    done = subprocess.run([sys.executable, "-c", _START], check=True, capture_output=True, text=True)
    imported = done.stdout.split()
    packages = {name.partition(".")[0] for name in imported}
    assert "wsproto" in packages, "the gateway itself is there"
    assert not packages & {"rich", "pygments", "structlog", "hypothesis", "trio", "cryptography", "ctypes"}
    assert "mt_remote_plugins.manager.backend" not in imported
