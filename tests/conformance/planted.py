"""Runs the kit on a simulator with one planted bug: ``python -m tests.conformance.planted NUMBER``.

The bug's module is loaded from its changed text, in this process alone. Prints what the kit says as a line of JSON.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import sys
from collections.abc import Sequence
from types import ModuleType

from tests.conformance.mutants import MUTANTS, Mutant

_ROOTS = ("core/", "plugins/", "simulator/")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, with its bug."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        file = mutant.file
        for root in _ROOTS:
            file = file.removeprefix(root)
        self._name = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        file = self._mutant.path
        places = [str(file.parent)] if file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(fullname, file, loader=self, submodule_search_locations=places)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.text(), str(self._mutant.path), "exec"), module.__dict__)


def run(number: int) -> dict[str, object]:
    """The law that finds the bug, and how."""
    mutant = MUTANTS[number]
    sys.meta_path.insert(0, _Finder(mutant))

    from mt_remote_conformance.running.runner import Effort, examine
    from tests.conformance.conftest import simulator

    with simulator() as target:
        effort = Effort(cases=60, seconds=100, shrinking=0.0, first_failure=True)
        report = examine(target, effort=effort, only=mutant.suites)
    failure = report.failures[0] if report.failures else None
    return {
        "mutant": mutant.name,
        "law": failure.law if failure else "",
        "suite": failure.suite if failure else "",
        "detail": failure.detail if failure else "; ".join(each.unplayable for each in report.played),
        "seconds": round(report.seconds, 1),
    }


if __name__ == "__main__":
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(json.dumps(run(int(sys.argv[1]))))
