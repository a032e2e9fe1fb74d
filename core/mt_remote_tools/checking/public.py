"""What is public: what a plugin may import and rely on. All else may change in any version."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

PUBLIC = (
    "mt_remote.plugin",
    "mt_remote.interfaces",
    "mt_remote.area",
    "mt_remote.table",
    "mt_remote.backend",
    "mt_remote.outcomes",
    "mt_remote.records",
    "mt_remote_plugins.areas",
    "mt_remote.values",
    "mt_remote.errors",
    "mt_remote.hookspecs",
    "mt_remote.client",
    "mt_remote_tools.command_line",
    "mt_remote_tools.testing",
    "mt_remote_tools.checking",
    "mt_remote_conformance",
    "mt_remote_conformance.strategies",
)
"""The modules that plugins and their tests may import; of each, the names in its ``__all__``."""

OURS = ("mt_remote", "mt_remote_tools", "mt_remote_conformance", "mt_remote_plugins")
"""Our packages: the core, its tools, the conformance kit, the functions that ship. Each may be named as a whole."""


def names_of(module: str) -> list[str]:
    """The public names of a public module."""
    return list(importlib.import_module(module).__all__)


def is_public(module: str, name: str = "") -> bool:
    """Whether ``from module import name``, or ``import module``, takes what is public."""
    if not name:
        return module in (*PUBLIC, *OURS)
    return f"{module}.{name}" in PUBLIC or (module in PUBLIC and (name in names_of(module) or name == "*"))


def not_public(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, name) of what a file imports from us that isn't public."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in OURS and not is_public(alias.name):
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OURS and not node.level:
            for alias in node.names:
                if not is_public(node.module or "", alias.name):
                    yield node.lineno, f"{node.module}.{alias.name}"


def not_public_in(path: Path) -> list[str]:
    """``file:line name`` of what a file imports from us that isn't public."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [f"{path.name}:{line} {name}" for line, name in not_public(tree)]
