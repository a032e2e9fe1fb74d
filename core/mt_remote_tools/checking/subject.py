"""The plugin that is looked at: a module, its files, and where things stand in them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Subject:
    """A plugin's module as it was named (``mydesk.plugin``, or ``mydesk.py``)."""

    name: str
    module: ModuleType

    @cached_property
    def files(self) -> list[Path]:
        """Its source: the file, or all files of the package where it is one."""
        origin = self.module.__file__
        if origin is None:
            return []
        path = Path(origin)
        return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]

    @cached_property
    def trees(self) -> dict[Path, ast.Module]:
        """The files, parsed."""
        return {path: ast.parse(path.read_text(encoding="utf-8")) for path in self.files}

    @property
    def package(self) -> str:
        """The outermost package: what is in it is one author's."""
        return self.module.__name__.partition(".")[0]

    def place(self, function: Callable[..., Any] | None = None, line: int = 0) -> str:
        """``file:line`` of a function, or of the module's beginning."""
        code = getattr(inspect.unwrap(function), "__code__", None) if function is not None else None
        if code is not None:
            return f"{shown(Path(code.co_filename))}:{code.co_firstlineno}"
        return f"{shown(Path(self.module.__file__ or self.name))}:{line or 1}"


def shown(path: Path) -> str:
    """A path as a person would write it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
