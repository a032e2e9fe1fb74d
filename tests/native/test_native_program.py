"""A native program loads the simulated library in place of the real one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mt4abi.header import header

SOURCE = Path(__file__).with_name("client.cpp")


def compile_client(compiler: str, directory: Path, name: str, *flags: str, source: Path = SOURCE) -> Path:
    """A program, compiled from its source and the generated header."""
    (directory / "manager_api.h").write_text(header())
    out = directory / name
    command = [
        compiler,
        "-std=c++17",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{directory}",
        str(source),
        "-o",
        str(out),
        *flags,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def environment() -> dict[str, str]:
    """The program gets a world of its own, with its clock stopped."""
    chosen = {k: v for k, v in os.environ.items() if not k.startswith("MT4SIM_")}
    return chosen | {"MT4SIM_CLOCK": "manual"}


EXPECTED = """\
version 400 build 1260
users listed: yes
request while pumping: refused
opened at 1.10000
history 2 profit 1000.00
"""


def check_output(output: str, ticks: int) -> None:
    """What the program prints, the pumped trades in between."""
    lines = output.replace("\r\n", "\n").splitlines()
    told = [line for line in lines if not line.startswith("pumped trade")]
    assert "\n".join(told[:-2]) + "\n" == EXPECTED
    assert told[-2] == f"ticks {ticks}, updated 1 EURUSD {1.1 + 0.00001 * (ticks - 1):.5f}"
    assert told[-1] == "done"
    kinds = [line.split()[-1] for line in lines if line.startswith("pumped trade")]
    assert kinds == ["0", "1"]  # opened, closed


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")
def test_on_linux(tmp_path: Path, shared_object: Path) -> None:
    client = compile_client("g++", tmp_path, "client", "-pthread", "-ldl")
    command = [str(client), str(shared_object), "demo:443", "1", "manager", "2000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    check_output(done.stdout, 2000)
    wrong = subprocess.run([*command[:4], "wrong"], capture_output=True, text=True, check=False, env=environment())
    assert (wrong.returncode, wrong.stdout.splitlines()[-1]) == (3, "login: Invalid account (65)")


@pytest.mark.parametrize("compiler", ["x86_64-w64-mingw32-g++-posix", "i686-w64-mingw32-g++-posix"])
def test_it_compiles_for_windows(tmp_path: Path, compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here")
    assert compile_client(compiler, tmp_path, "client.exe", "-static").is_file()
