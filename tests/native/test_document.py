"""The programs of docs/native-library.md, done as it says."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mt4abi.header import header
from tests.docs.conversations import ROOT, Block, blocks

BLOCKS = blocks(ROOT / "docs" / "native-library.md")
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("MT4SIM_")}

DEALER = """
import queue
from mt4abi import Deal, NotifyFunction, table
from mt_remote_plugins.manager.engine.handle import Handle
from mt4abi.library import create_interface, open_library

handle = Handle(create_interface(open_library("shop:library")))
assert handle.call("Connect", b"demo:443").code == 0
assert handle.call("Login", 1, b"manager").code == 0
told = queue.Queue()
function = NotifyFunction(told.put)
assert handle.plain("DealerSwitch", function, None, 0) == 0
while told.get(timeout=60) != Deal.REQUEST_NEW:
    pass
reply = handle.call("DealerRequestGet", b"")
assert reply.code == 0
assert handle.call("DealerSend", reply.outs[0], 0, 0).code == 0
assert handle.plain("Release") == 0
print("confirmed")
"""


def _block(language: str, containing: str) -> Block:
    (found,) = (block for block in BLOCKS if block.language == language and containing in block.text)
    return found


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler here")
def test_the_program_of_the_header(tmp_path: Path, shared_object: Path) -> None:
    (tmp_path / "manager_api.h").write_text(header())
    (tmp_path / "hello.cpp").write_text(_block("cpp", "int main").text)
    (tmp_path / "build").mkdir()
    shutil.copy(shared_object, tmp_path / "build")
    command = _block("console", "hello.cpp").text
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=PLAIN | {"MT4SIM_CLOCK": "manual"},
                          capture_output=True, text=True, check=False, timeout=120)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1 First Admin\n"), done.stderr


def test_a_client_for_a_dealer(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(_block("python", "def client").text)
    assert shlex.split(_block("console", "./dealer").text)[1] == "MT4SIM_LIBRARY=shop:library"
    done = subprocess.run([sys.executable, "-c", DEALER], cwd=tmp_path, env=PLAIN | {"PYTHONPATH": "."},
                          capture_output=True, text=True, check=False, timeout=120)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "confirmed\n"), done.stderr


def test_the_backend_on_a_library_made_in_python() -> None:
    code = _block("python", "ManagerBackend").text
    done = subprocess.run([sys.executable, "-c", code], env=PLAIN, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
