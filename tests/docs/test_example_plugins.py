"""The plugins under docs/examples, each a package as a stranger writes one from docs/plugins.md: its own tests pass, it
imports what is public alone, and ``mt-remote check-plugin`` finds nothing."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mt4sim
from mt_remote_tools.checking.public import not_public_in
from tests.cli.command import command
from tests.cli.installed import ROOT, search_path

EXAMPLES = ROOT / "docs" / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/pyproject.toml"))

SHOWN = {
    *[("mt4sim", name) for name in mt4sim.__all__],
    *[
        (module, name.strip())
        for page in (ROOT / "docs").glob("*.md")
        for module, names in re.findall(
            r"^from (mt4sim[\w.]*) import (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE
        )
        for name in names.split(",")
    ],
}
"""What the pages show of the simulator, which is a library of its own (docs/public-api.md)."""

each_example = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def project_of(folder: Path) -> dict[str, Any]:
    """What its pyproject.toml says."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def sources_of(folder: Path) -> list[Path]:
    return sorted(path for part in ("src", "tests") for path in (folder / part).rglob("*.py"))


def test_there_are_at_least_three() -> None:
    assert len(FOLDERS) >= 3


@each_example
def test_its_own_tests_pass(folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0"], cwd=folder, text=True,
        env={**os.environ, "PYTHONPATH": search_path(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* passed", done.stdout), done.stdout


@each_example
def test_it_imports_what_is_public(folder: Path) -> None:
    assert sources_of(folder)
    assert [line for path in sources_of(folder) for line in not_public_in(path)] == []


@each_example
def test_all_else_that_it_imports_is_its_own_or_brought_by_what_it_states(folder: Path) -> None:
    project = project_of(folder)["project"]
    stated = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    stated += project_of(ROOT)["project"]["dependencies"]  # what mt-remote brings, its types are made of
    known = {re.split(r"[\[<>=~! ]", each)[0].replace("-", "_") for each in stated}
    known |= {
        "mt4sim",
        "mt_remote_plugins",
        "mt_remote_tools",
        "mt_remote_conformance",
        "__future__",
        *sys.stdlib_module_names,
        *(path.stem for path in (folder / "tests").glob("*.py")),
    }
    known |= {"pydantic_core", *(path.name for path in (folder / "src").iterdir())}  # pydantic's own half
    imported = {(path.name, module, name) for path in sources_of(folder) for module, name in imports_of(path)}
    assert {each for each in imported if each[1].partition(".")[0] not in known} == set()
    of_simulator = {each for each in imported if each[1].partition(".")[0] == "mt4sim"}
    assert {each for each in of_simulator if each[1:] not in SHOWN} == set()


def imports_of(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name or "") of what a file imports, but from beside itself."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, alias.name) for alias in node.names)


@each_example
def test_check_plugin_finds_nothing(folder: Path) -> None:
    project = project_of(folder)
    modules = list(project["project"]["entry-points"]["mt_remote"].values())
    assert project["tool"]["pytest"]["ini_options"]["mt_remote_plugins"] == modules
    done = command("check-plugin", *modules, cwd=folder / "src")
    assert (done.code, done.errors) == (0, ""), done.output
    assert done.output == "".join(f"{module}: nothing found\n" for module in modules)
