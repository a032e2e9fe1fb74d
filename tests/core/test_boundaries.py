"""Dependencies point one way: plugins → core, simulator → core; nothing points back."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "mt_remote"
TOOLS = ROOT / "core" / "mt_remote_tools"
KIT = ROOT / "core" / "mt_remote_conformance"
PLUGINS = ROOT / "plugins" / "mt_remote_plugins"
ABI = ROOT / "plugins" / "mt4abi"
SIMULATOR = ROOT / "simulator" / "mt4sim"

_FROM_CORE = ("mt_remote.records", "mt_remote.errors")
_GATEWAY_ROOMS = ("gateway", "native")
"""The rooms of the simulator that know the gateway's interfaces."""


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def files(root: Path) -> list[Path]:
    found = sorted(root.rglob("*.py"))
    assert found
    return found


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("path", files(CORE), ids=lambda path: path.relative_to(CORE).as_posix())
def test_core_knows_neither_plugins_nor_simulator(path: Path) -> None:
    assert [module for module in imports(path) if within(module, "mt_remote_plugins", "mt4abi", "mt4sim")] == []


@pytest.mark.parametrize("path", files(PLUGINS), ids=lambda path: path.relative_to(PLUGINS).as_posix())
def test_plugins_know_no_simulator(path: Path) -> None:
    assert [module for module in imports(path) if within(module, "mt4sim")] == []


@pytest.mark.parametrize("path", files(ABI), ids=lambda path: path.relative_to(ABI).as_posix())
def test_the_library_s_interface_knows_records_and_errors(path: Path) -> None:
    ours = [module for module in imports(path) if within(module, "mt_remote", "mt_remote_plugins", "mt4sim")]
    assert [module for module in ours if not within(module, *_FROM_CORE)] == []


@pytest.mark.parametrize("path", files(SIMULATOR), ids=lambda path: path.relative_to(SIMULATOR).as_posix())
def test_the_simulator_knows_records_and_errors(path: Path) -> None:
    room = path.relative_to(SIMULATOR).parts[0]
    manager = "mt_remote_plugins.manager"  # the backend for a stand, and the group of commands that both have
    shared = [f"{manager}.backend", f"{manager}.commands"] if room == "native" else []
    if room in _GATEWAY_ROOMS:  # what areas and tables there are
        areas = ("areas", "config", "dealing", "external", "market", "orders", "trades", "users")
        shared += [f"mt_remote_plugins.{each}" for each in areas]
    assert [m for m in imports(path) if within(m, "mt_remote_plugins") and not within(m, *shared)] == []
    if room not in _GATEWAY_ROOMS:
        assert [module for module in imports(path) if within(module, "mt4abi")] == []
        assert [m for m in imports(path) if within(m, "mt_remote") and not within(m, *_FROM_CORE)] == []


def test_core_names_no_function_and_no_backend() -> None:
    """But for the default of the setting ``backend``."""
    names = ("config.group", "order.open", "demoforex")
    for path in files(CORE):
        if path.parent.name == "records":
            continue
        code = ast.unparse(_without_docstrings(ast.parse(path.read_text(encoding="utf-8"))))
        assert [name for name in names if name in code] == [], path


def test_nobody_knows_the_conformance_kit() -> None:
    """It comes by its entry point, as a stranger's plugin does."""
    for path in [*files(CORE), *files(TOOLS), *files(PLUGINS)]:
        assert [m for m in imports(path) if within(m, "mt_remote_conformance")] == [], path


def test_the_gateway_knows_no_tools() -> None:
    for path in files(CORE):
        assert [m for m in imports(path) if within(m, "mt_remote_tools", "typer")] == [], path


def test_the_conformance_kit_is_a_client() -> None:
    """What it judges with shares nothing with what it judges: it knows what a client does, and the tools."""
    gateway = ("client", "errors", "plugin", "backend")  # the last two: to be a plugin, and to say what serving() takes
    tools = ("command_line", "recording", "testing")
    allowed = (
        "mt_remote_conformance",
        *(f"mt_remote.{name}" for name in gateway),
        *(f"mt_remote_tools.{t}" for t in tools),
    )
    for path in files(KIT):
        ours = [m for m in imports(path) if within(m, "mt_remote", "mt_remote_tools")]
        assert [m for m in ours if not within(m, *allowed)] == [], path


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0] = ast.Pass()
    return tree


def test_what_is_imported_is_a_dependency() -> None:
    """A bare installation has what pyproject.toml names, not what the tests' tools happen to bring along."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = [
        *project["dependencies"],
        *project["optional-dependencies"]["cert"],
        *project["optional-dependencies"]["dev"],
        *project["optional-dependencies"]["conformance"],
    ]
    known = {re.split(r"[^A-Za-z0-9-]", each)[0].replace("-", "_") for each in stated}
    known |= {"trio"}  # only where it is the loop already
    known |= {"pytest"}  # only by pytest itself
    known |= {"pydantic_core", *sys.stdlib_module_names}
    known |= {root.name for root in (CORE, TOOLS, KIT, ABI, PLUGINS, SIMULATOR)}
    paths = [path for root in (CORE, TOOLS, KIT, ABI, PLUGINS, SIMULATOR) for path in files(root)]
    found = {module.partition(".")[0] for path in paths for module in imports(path)}
    assert found - known == set()
