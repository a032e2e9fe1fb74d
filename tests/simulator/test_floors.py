"""The simulator's floors: what may import what, type-only and local imports included, and no file in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "simulator" / "mt4sim"
GROUND = {"clock", "events", "money"}

FLOORS: dict[str, set[str]] = {
    "clock": set(),
    "events": set(),
    "money": set(),
    "market": GROUND,
    "state": GROUND | {"market"},
    "trading": GROUND | {"market", "state"},
    "desk": GROUND | {"market", "state", "trading"},
    "world": GROUND | {"market", "state"},
    "reactions": GROUND | {"market", "state", "trading", "desk"},
    "server": GROUND | {"market", "state", "trading", "desk", "world", "reactions"},
    "": {"server", "state", "world"},  # what the package shows
    "gateway": GROUND | {"market", "state", "desk", "world", "server", ""},
    "native": GROUND | {"market", "state", "trading", "desk", "world", "server", "gateway", ""},
}
"""Each file or folder, and what of the others it may import."""

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").removesuffix("."): path
    for path in sorted(ROOT.rglob("*.py"))
}


@cache
def imports(module: str) -> frozenset[str]:
    """The simulator's modules that one of them imports, wherever in it."""
    return frozenset(_imports(module)) - {module}


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            named = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in named:
            if name == "mt4sim" or name.startswith("mt4sim."):
                found = name.removeprefix("mt4sim").removeprefix(".")
                while found not in FILES:  # what is imported of a module is not one
                    found = found.rpartition(".")[0]
                yield found


def floor(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("module", FILES)
def test_imports_go_downwards(module: str) -> None:
    here = floor(module)
    assert {floor(other) for other in imports(module)} - {here} <= FLOORS[here]


def reached(module: str) -> set[str]:
    """Everything that a module imports, by way of others too."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for other in imports(waiting.pop()) - found:
            found.add(other)
            waiting.append(other)
    return found


@pytest.mark.parametrize("module", [each for each in FILES if floor(each) != "native"])
def test_no_file_is_in_a_circle(module: str) -> None:
    assert module not in reached(module)


def test_rules_do_not_know_the_server() -> None:
    knowing = {floor(module) for module in FILES if "server" in imports(module)}
    assert knowing == {"", "gateway", "native"}
