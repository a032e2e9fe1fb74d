"""What the pytest plugin costs whoever does not use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.installed import search_path


def test_it_is_light_until_a_fixture_is_asked_for() -> None:
    heavy = "[m for m in ('pydantic', 'mt_remote.gateway.gateway', 'mt_remote.plugin', 'anyio') if m in sys.modules]"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, pytest, mt_remote_tools.pytest_plugin; print({heavy})"], text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}, capture_output=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"


def run(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:anyio", *words], cwd=folder, text=True,
        env={**os.environ, "PYTHONPATH": search_path(folder / "site")}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout


def test_it_is_found_and_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_it(mt_client):\n    mt_client.call('users.get.all')\n", "utf-8")
    assert "1 passed" in run(tmp_path, "-q")
    assert "fixture 'mt_client' not found" in run(tmp_path, "-q", "-p", "no:mt_remote")


def test_what_it_documents(tmp_path: Path) -> None:
    markers = run(tmp_path, "--markers")
    assert "@pytest.mark.mt_remote_backends(*names)" in markers
    assert "@pytest.mark.mt_remote_plugins(*plugins)" in markers
