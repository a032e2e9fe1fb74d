"""Bugs planted in the session, the plugins and the simulator: the kit must find each.

A mutant is a change of a source text; ``old`` is there exactly once. They stand in mutants.toml.
:mod:`tests.conformance.planted` runs the kit on one of them, :mod:`tests.conformance.matrix` on all.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug: what it is, where, and the suites around it."""

    name: str
    file: str
    old: str
    new: str
    suites: tuple[str, ...]

    @property
    def path(self) -> Path:
        return ROOT / self.file

    def text(self) -> str:
        """The module's source with the bug. Raises ``ValueError`` where the place is not what it was."""
        source = self.path.read_text(encoding="utf-8")
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.old!r} is {source.count(self.old)} times in {self.file}")
        return source.replace(self.old, self.new)


def read() -> list[Mutant]:
    """All of them, as mutants.toml has them."""
    rows = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["mutant"]
    return [Mutant(**{**row, "suites": tuple(row["suites"])}) for row in rows]


MUTANTS = read()
