"""The diagnosis: each thing that can be wrong has its own message."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mt4abi import table
from mt4abi.library import LibraryError, check_version, python_bits
from mt_remote.errors import ConfigurationError
from mt_remote_plugins.manager import plugin
from mt_remote_plugins.manager.doctor import Finding, diagnose
from mt_remote_plugins.manager.probe import require_usable
from tests.cli.command import Done, command
from tests.plugins.manager import tiny
from tests.plugins.manager.tiny import TinyLibrary, TinyServer, row

SERVER = TinyServer()


def shared() -> TinyLibrary:
    return TinyLibrary(SERVER)


class OldLibrary(TinyLibrary):
    """Of a build whose structs were smaller."""

    def version(self) -> int:
        return 400 << 16 | 1100


OLD = OldLibrary(SERVER)


def crashing() -> TinyLibrary:
    os._exit(9)


def hanging() -> TinyLibrary:
    threading.Event().wait()
    return shared()


X86, X64 = 0x14C, 0x8664
OTHER_WIDTH = X86 if python_bits() == 64 else X64

HERE = f"{__name__}:shared"


def _last(*arguments: object, **more: str) -> Finding:
    return list(diagnose(*arguments, **more))[-1]  # type: ignore[arg-type]


def _windows_file(path: Path, machine: int) -> Path:
    path.write_bytes(
        b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + struct.pack("<H", machine) + bytes(64)
    )
    return path


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    finding = _last(str(tmp_path / "mtmanapi64.dll"))
    assert (finding.step, finding.ok) == ("not_found", False)


def test_a_file_that_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "x.dll").write_text("hello")
    assert _last(str(tmp_path / "x.dll")).step == "not_a_library"


def test_the_wrong_bitness_says_which_python_is_needed(tmp_path: Path) -> None:
    finding = _last(str(_windows_file(tmp_path / "mtmanapi.dll", OTHER_WIDTH)))
    assert finding.step == "bitness"
    assert (
        f"run it with a {96 - python_bits()}-bit {'' if sys.platform == 'win32' else 'Windows '}Python"
        in finding.message
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows loads it")
def test_a_windows_library_elsewhere(tmp_path: Path) -> None:
    finding = _last(str(_windows_file(tmp_path / "mtmanapi64.dll", X64)))
    assert finding.step == "cannot_load"
    assert "Wine" in finding.message


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler here")
def test_a_missing_export(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text("int MtManVersion(void) { return (400 << 16) | 1260; }")
    library = tmp_path / "x.so"
    subprocess.run(["gcc", "-shared", "-o", str(library), str(tmp_path / "x.c")], check=True)
    finding = _last(str(library))
    assert finding.step == "missing_export"
    assert "MtManCreate" in finding.message


def test_versions() -> None:
    check_version(table().version_argument + 5)
    with pytest.raises(LibraryError, match="build 1100, at least 1260"):
        check_version(400 << 16 | 1100)
    with pytest.raises(LibraryError, match="version 500, MetaTrader 4's is 400"):
        check_version(500 << 16 | 3000)


def test_a_server_that_can_not_be_reached_and_logins_that_are_refused() -> None:
    assert _last(HERE, "elsewhere:443").message == "elsewhere:443 can't be reached: No connection (6)"
    assert "wrong login or password" in _last(HERE, "tiny:443", 1, "wrong").message
    assert _last(HERE).step == "connect"
    assert SERVER.handles == [] or all(handle.notifier is None for handle in SERVER.handles)


def test_missing_rights_name_the_functions() -> None:
    findings = [f for f in diagnose(HERE, "tiny:443", 1, "manager") if f.step == "rights"]
    assert "the right 'money' is missing: order.balance" in [f.message for f in findings]
    SERVER.rights = row("ConManager", login=1, admin=1, manager=1, money=1, see_trades=1, trades=1, reports=1,
                        market_watch=1, broker=1, user_details=1)  # fmt: skip
    assert _last(HERE, "tiny:443", 1, "manager") == Finding(
        "rights", True, "the manager has every right that the functions need"
    )


def test_the_commands(tmp_path: Path) -> None:
    app = typer.Typer()
    plugin.mt_remote_commands(app)
    runner = CliRunner()
    done = runner.invoke(app, ["doctor", "--library", f"{tiny.__name__}:well_behaved", "--backend", "manager"])
    assert done.exit_code == 0, done.output
    assert "version 400 build 1260" in done.output
    assert runner.invoke(app, ["doctor", "--library", str(tmp_path / "none.dll")]).exit_code == 1
    assert runner.invoke(app, ["doctor", "--library", "x", "--backend", "simulator"]).exit_code == 2
    assert runner.invoke(app, ["native", "header", str(tmp_path / "api.h")]).exit_code == 0
    assert "class ManagerInterface" in (tmp_path / "api.h").read_text()


def _serve(library: str, *flags: str) -> Done:
    return command("serve", "--plugin", plugin.__name__, "--backend", "manager", "--port", "0", "--library", library,
                   *flags)  # fmt: skip


def test_serving_refuses_a_library_that_can_not_be_used(tmp_path: Path) -> None:
    missing, wrong = tmp_path / "none.dll", _windows_file(tmp_path / "mtmanapi.dll", OTHER_WIDTH)
    for path in (missing, wrong):
        done = _serve(str(path))
        assert (done.code, done.output) == (2, "")
        assert done.errors.splitlines() == [f"mt-remote: Manager library {str(path)!r}: {_last(str(path)).message}"]


@pytest.mark.parametrize("isolate", ["--isolate", "--no-isolate"])
def test_serving_refuses_a_library_of_another_version(isolate: str) -> None:
    done = _serve(f"{__name__}:OLD", isolate)
    assert (done.code, done.output) == (2, "")
    assert f"Manager library '{__name__}:OLD': the library has build 1100, at least 1260 is needed" in done.errors


def test_a_library_that_crashes_or_hangs_while_it_is_loaded_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"crashing': the process that loaded it ended with exit code 9"):
        require_usable(f"{__name__}:crashing", isolated=True, seconds=30)
    with pytest.raises(ConfigurationError, match=r"hanging': it was not loaded within 1 s"):
        require_usable(f"{__name__}:hanging", isolated=True, seconds=1)


def test_the_plugin_brings_the_backend() -> None:
    (spec,) = plugin.mt_remote_backends()
    backend = spec.factory(spec.settings(library=HERE))
    assert backend.name == "manager"
    assert "worker process" in backend.describe()
