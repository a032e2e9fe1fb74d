"""The guide in docs/plugins.md, from its first block to its last: its files are written, its commands are run, its
conversation is held. It imports nothing that isn't public."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mt_remote_tools.checking.public import PUBLIC, is_public, names_of, not_public_in
from tests.cli.command import Gateway
from tests.cli.installed import ROOT, search_path
from tests.docs import conversations
from tests.docs.conversations import Block

PAGE = ROOT / "docs" / "plugins.md"
CONTINUED = ", continued"


@pytest.fixture(scope="module")
def guide() -> list[Block]:
    found = conversations.guide(PAGE)
    assert {block.language for block in found} == {"toml", "python", "sh", "dialect-2"}
    return found


def write(block: Block, folder: Path) -> Path:
    """A block whose first line names its file: the file, or more of it."""
    name = block.text.partition("\n")[0].removeprefix("# ")
    path = folder / name.removesuffix(CONTINUED)
    before = path.read_text(encoding="utf-8") + "\n\n" if name.endswith(CONTINUED) else ""
    path.write_text(before + block.text, encoding="utf-8")
    return path


def test_from_top_to_bottom(guide: list[Block], tmp_path: Path) -> None:
    folder, site = tmp_path / "margin-desk", tmp_path / "site"
    folder.mkdir()
    path = search_path(site)
    ran = []
    for block in guide:
        if block.language in ("toml", "python"):
            write(block, folder)
        elif block.language == "sh":
            ran += [run(line, folder, path, block) for line in block.text.splitlines()]
        else:
            with Gateway("--plugin", "margin_desk.py", cwd=folder) as gateway:
                asyncio.run(conversations.run(block, gateway.url))
    first, second, checked, plugins = ran
    assert " 3 passed" in first, first  # one of them on each of two backends
    assert " 6 passed" in second, second
    assert checked == "margin_desk.py: nothing found\n"
    assert "risk.below, risk.margin" in plugins
    assert "risk.margin_call" in plugins


def run(line: str, folder: Path, path: str, block: Block) -> str:
    """A line of shell, as somebody types it where MT Remote is installed; gives what it printed."""
    program, *words = shlex.split(line)
    if program == "mt-remote":
        words = ["-m", "mt_remote_tools.cli", *words]
    else:
        assert program == "python", line
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env={**os.environ, "PYTHONPATH": path, "COLUMNS": "160"}, text=True,
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (f"{PAGE.name}:{block.line}: {line}", done.stdout, done.stderr)
    return done.stdout


def test_it_imports_what_is_public(guide: list[Block], tmp_path: Path) -> None:
    written = [write(block, tmp_path) for block in guide if block.language == "python"]
    assert {path.name for path in written} == {"margin_desk.py", "test_margin_desk.py"}
    assert [line for path in written for line in not_public_in(path)] == []


def test_so_do_the_other_examples(tmp_path: Path) -> None:
    for page in (PAGE, ROOT / "README.md"):
        for name in conversations.write_plugins(page, tmp_path):
            assert not_public_in(tmp_path / name) == []


def test_so_does_what_new_plugin_writes(tmp_path: Path) -> None:
    from mt_remote_tools.cli.commands.new_plugin import write as write_package

    written = write_package("risk-desk", ["functions", "event", "veto", "backend"], tmp_path / "risk-desk")
    assert [line for path in written if path.suffix == ".py" for line in not_public_in(path)] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from mt_remote.plugin import hookimpl\nimport mt_remote.client\nfrom mt_remote import records", []),
        ("from mt_remote_tools.testing import Bench\nfrom mt_remote.records import *\nimport anyio", []),
        ("from mt_remote.gateway.gateway import Gateway", ["x.py:1 mt_remote.gateway.gateway.Gateway"]),
        ("import anyio\nimport mt_remote.plugins.host as host", ["x.py:2 mt_remote.plugins.host"]),
        ("from mt_remote import gateway", ["x.py:1 mt_remote.gateway"]),
        ("from mt_remote.plugin import functools", ["x.py:1 mt_remote.plugin.functools"]),
        ("def late():\n    from mt_remote_plugins import users", ["x.py:2 mt_remote_plugins.users"]),
    ],
)
def test_what_counts_as_public(tmp_path: Path, source: str, found: list[str]) -> None:
    (tmp_path / "x.py").write_text(source, encoding="utf-8")
    assert not_public_in(tmp_path / "x.py") == found


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_exist(module: str) -> None:
    assert is_public(module)
    imported = __import__(module, fromlist=["*"])
    assert names_of(module)
    assert [name for name in names_of(module) if not hasattr(imported, name)] == []
