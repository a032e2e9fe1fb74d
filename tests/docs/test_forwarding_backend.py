"""The example of a whole backend is a package of its own: its tests and types are checked in its own folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "forwarding-backend"


@pytest.mark.parametrize("command", [("pytest", "-q", "-p", "no:xdist"), ("mypy",)])
def test_the_forwarding_backend(command: tuple[str, ...]) -> None:
    if command[0] == "mypy":
        pytest.importorskip("mypy")
    done = subprocess.run([sys.executable, "-m", *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
