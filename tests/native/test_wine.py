"""The backend in a Windows Python, and a native Windows program, both on the simulated ``mtmanapi64.dll``, under Wine.

``python -m tests.native.wine_setup DIRECTORY`` prepares what is needed and prints the setting ``MT_REMOTE_WINE``. A
32-bit build is compiled and checked (see ``test_native_program`` and ``test_layout_against_compilers``), not run: the
simulated library needs a Python of its own width, and there is no 32-bit one to be had this way.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mt4sim.native.build import build, windows
from tests.native import wine_setup
from tests.native.test_native_program import check_output, compile_client

_STATED = os.environ.get("MT_REMOTE_WINE", "")
pytestmark = pytest.mark.skipif(not _STATED, reason="MT_REMOTE_WINE is not set: see tests/native/wine_setup.py")
WINE = Path(_STATED)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated library for Windows programs."""
    directory = tmp_path_factory.mktemp("windows")
    interpreter = wine_setup.python(WINE).with_name("python311.dll")
    path = wine_setup.environment(WINE)["PYTHONPATH"]
    home = wine_setup.windows_path(interpreter.parent)
    return build(windows(wine_setup.windows_path(interpreter), path, home=home), directory)


def _passed(output: str) -> int:
    found = re.search(r"(\d+) passed", output)
    return int(found[1]) if found else 0


def test_a_native_windows_program(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = compile_client("x86_64-w64-mingw32-g++-posix", tmp_path, "client.exe", "-static")
    monkeypatch.setenv("MT4SIM_CLOCK", "manual")
    monkeypatch.delenv("MT4SIM_LIBRARY", raising=False)
    arguments = (wine_setup.windows_path(library), "demo:443", "1", "manager", "2000")
    done = wine_setup.run(WINE, client, *arguments, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    check_output(done.stdout, 2000)


def test_the_backends_session_in_a_windows_python(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MT_REMOTE_TEST_LIBRARY", wine_setup.windows_path(library))
    done = wine_setup.run(
        WINE, wine_setup.python(WINE), "-m", "pytest", "-p", "no:cacheprovider", "tests/native/test_session.py",
        timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert _passed(done.stdout) >= 7


def test_the_backends_own_tests_in_a_windows_python() -> None:
    done = wine_setup.run(
        WINE, wine_setup.python(WINE), "-m", "pytest", "-p", "no:cacheprovider",
        "tests/plugins/manager/test_backend.py", "tests/plugins/manager/test_marshal_values.py",
        "tests/plugins/manager/test_doctor.py", "-k", "not trio", timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert _passed(done.stdout) >= 40


def test_a_worker_process_in_a_windows_python() -> None:
    done = wine_setup.run(
        WINE, wine_setup.python(WINE), "-m", "pytest", "-p", "no:cacheprovider",
        "tests/plugins/manager/test_faults.py", "-k", "not trio and not memory", timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
