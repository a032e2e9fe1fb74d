"""What a genuine library meets from load to release, without a server: a compiled C++ library of ours in its place."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mt4abi.header import header
from mt_remote.backend import Event
from mt_remote.errors import RequestError, ReturnCode, ServerError
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings

SOURCE = Path(__file__).with_name("library.cpp")
_SLOT = re.compile(r"^  virtual (?P<returns>.+?) MTAPI_CALL (?P<name>\w+)\((?P<arguments>.*)\) = 0;$", re.MULTILINE)
_OWN = ("Connect", "ErrorDescription")
TRACE = ["MtManCreate 400.1260", "Connect nowhere.example:443", "Disconnect", "Release"]
"""What the factory class of the library's own header does, and no more."""


def compile_library(compiler: str, directory: Path, name: str, *flags: str, build: int) -> Path:
    """The library, of one build."""
    (directory / "manager_api.h").write_text(header())
    slots = (
        f"  {slot['returns']} MTAPI_CALL {slot['name']}({_types(slot['arguments'])}) override "
        f'{{ return answer<{slot["returns"]}>("{slot["name"]}"); }}'
        for slot in _SLOT.finditer(header())
        if slot["name"] not in _OWN
    )
    (directory / "slots.h").write_text("\n".join(slots) + "\n")
    out = directory / name
    command = [compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-shared", f"-DLIBRARY_BUILD={build}"]
    done = subprocess.run(
        [*command, f"-I{directory}", str(SOURCE), "-o", str(out), *flags], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out


def _types(arguments: str) -> str:
    """The arguments without their names."""
    return ", ".join(argument.rpartition(" ")[0] for argument in arguments.split(", ")) if arguments else ""


def check_doctor(printed: str, trace: Path, build: int) -> None:
    """The doctor went as far as the network, and the library saw what it sees from any program."""
    lines = printed.replace("\r\n", "\n").splitlines()
    assert f"version 400 build {build}, both exports are there" in lines[2]
    assert "an object of 195 functions was made" in lines[3]
    assert lines[4:] == ["FAIL  connect      nowhere.example:443 can't be reached: No connection (6)"]
    assert trace.read_text().splitlines() == TRACE


_DOCTOR = """
import typer
from mt_remote_plugins.manager import commands
app = typer.Typer()
commands.add_to(app)
app()
"""
ARGUMENTS = ("-c", _DOCTOR, "doctor", "--server", "nowhere.example:443", "--login", "1", "--password", "Any1")
"""Of a Python that has the packages on its path, installed or not."""


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")
@pytest.mark.parametrize("build", [1260, 1353, 1440])
def test_by_its_name_in_the_current_directory(tmp_path: Path, build: int) -> None:
    library = compile_library("g++", tmp_path, "libmtmanapi.so", "-fPIC", "-fvisibility=hidden", build=build)
    trace = tmp_path / "trace"
    done = subprocess.run(
        [sys.executable, *ARGUMENTS, "--library", library.name], capture_output=True, text=True, check=False,
        env=os.environ | {"MT_REMOTE_TEST_TRACE": str(trace)}, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    check_doctor(done.stdout, trace, build)


class _Nobody:
    """A listener that is told nothing."""

    def on_event(self, event: Event) -> None:
        raise AssertionError(event)

    def on_lost(self, error: RequestError) -> None:
        raise AssertionError(error)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("isolate", [True, False])
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")
async def test_a_session_that_finds_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: bool) -> None:
    library = compile_library("g++", tmp_path, "libmtmanapi.so", "-fPIC", "-fvisibility=hidden", build=1353)
    monkeypatch.setenv("MT_REMOTE_TEST_TRACE", str(tmp_path / "trace"))
    backend = ManagerBackend(ManagerSettings(library=str(library), isolate=isolate, login_timeout=120))
    with pytest.raises(ServerError, match="No connection") as raised:
        await backend.open("nowhere.example:443", 1, "Any1", _Nobody())
    assert raised.value.return_code == ReturnCode.NO_CONNECT
    assert (tmp_path / "trace").read_text().splitlines() == TRACE
