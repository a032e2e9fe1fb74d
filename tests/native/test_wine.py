"""The backend in a Windows Python, and a native Windows program, both on the simulated ``mtmanapi64.dll`` and
``mtmanapi.dll``, under Wine.

``python -m tests.native.wine_setup DIRECTORY`` prepares what is needed and prints the setting ``MT_REMOTE_WINE``. A
width that can't be had skips with the reason.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mt4sim.native.build import build, windows
from tests.native import test_creation, wine_setup
from tests.native.test_native_program import check_output, compile_client

_STATED = os.environ.get("MT_REMOTE_WINE", "")
pytestmark = pytest.mark.skipif(not _STATED, reason="MT_REMOTE_WINE is not set: see tests/native/wine_setup.py")
COMPILERS = {64: "x86_64-w64-mingw32-g++-posix", 32: "i686-w64-mingw32-g++-posix"}


@pytest.fixture(scope="module", params=[64, 32], ids=["64-bit", "32-bit"])
def wine(request: pytest.FixtureRequest) -> wine_setup.Windows:
    """A Windows Python of each width."""
    found = wine_setup.windows(Path(_STATED), request.param)
    if found.why_not:
        pytest.skip(f"no {found.bits}-bit Windows Python: {found.why_not}")
    return found


@pytest.fixture(scope="module")
def library(wine: wine_setup.Windows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated library for Windows programs of that width."""
    interpreter = wine_setup.windows_path(wine.python_library)
    return build(windows(interpreter, wine.search_path(), bits=wine.bits), tmp_path_factory.mktemp("windows"))


def run_pytest(wine: wine_setup.Windows, *arguments: str) -> int:
    """Runs tests in the Windows Python; how many passed."""
    done = wine.run(wine.python, "-m", "pytest", "-p", "no:cacheprovider", *arguments, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    found = re.search(r"(\d+) passed", done.stdout)
    return int(found[1]) if found else 0


def test_a_native_windows_program(
    wine: wine_setup.Windows, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = compile_client(COMPILERS[wine.bits], tmp_path, "client.exe", "-static")
    monkeypatch.setenv("MT4SIM_CLOCK", "manual")
    monkeypatch.delenv("MT4SIM_LIBRARY", raising=False)
    arguments = (wine_setup.windows_path(library), "demo:443", "1", "manager", "2000")
    done = wine.run(client, *arguments, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    check_output(done.stdout, 2000)


def test_a_native_program_that_is_told_by_messages_to_its_window(
    wine: wine_setup.Windows, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = test_creation.SOURCE.with_name("window.cpp")
    client = compile_client(COMPILERS[wine.bits], tmp_path, "window.exe", "-static", source=source)
    monkeypatch.setenv("MT4SIM_CLOCK", "manual")
    monkeypatch.delenv("MT4SIM_LIBRARY", raising=False)
    done = wine.run(client, wine_setup.windows_path(library), timeout=120)
    assert done.stdout.split("\n") == ["neither: 3", "pumping: 0", "tick: 0", "dealing: 0", "done", ""], done.stderr


def test_a_compiled_library_up_to_the_network(
    wine: wine_setup.Windows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "mtmanapi64.dll" if wine.bits == 64 else "mtmanapi.dll"
    for exports in ("__stdcall", "__cdecl") if wine.bits == 32 else ("__stdcall",):
        flags = ("-static", "-Wl,--kill-at", "-lws2_32", f"-DFACTORY_CALL={exports}")
        test_creation.compile_library(COMPILERS[wine.bits], tmp_path, name, *flags, build=1353)
        trace = tmp_path / exports
        monkeypatch.setenv("MT_REMOTE_TEST_TRACE", wine_setup.windows_path(trace))
        done = wine.run(wine.python, *test_creation.ARGUMENTS, "--library", name, timeout=120, at=tmp_path)
        assert done.returncode == 1, done.stdout + done.stderr
        test_creation.check_doctor(done.stdout, trace, 1353)


def test_the_backends_session_in_a_windows_python(
    wine: wine_setup.Windows, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MT_REMOTE_TEST_LIBRARY", wine_setup.windows_path(library))
    assert run_pytest(wine, "tests/native/test_session.py") >= 7


def test_the_backends_own_tests_in_a_windows_python(wine: wine_setup.Windows) -> None:
    names = ["tests/plugins/manager/test_backend.py", "tests/mt4abi/test_marshal_values.py"]
    if wine.bits == 64:
        names.append("tests/plugins/manager/test_doctor.py")
    assert run_pytest(wine, *names, "-k", "not trio") >= 40


def test_a_worker_process_in_a_windows_python(wine: wine_setup.Windows) -> None:
    if wine.bits == 32:
        pytest.skip("nothing in how processes are started depends on the width")
    assert run_pytest(wine, "tests/plugins/manager/test_faults.py", "-k", "not trio and not memory") >= 20
