"""Mutation testing of the money rules: ``python -m tests.simulator.trading.mutation SESSION [--again] [--write]``.

Changes one thing in a rule of money (``mutation.toml`` names the modules), runs the tests of the semantics, and counts
the changes that no test notices. Works on a copy of the repository; SESSION is the file that the results are kept in:
a run that was stopped goes on, with the modules that are as they were; ``--again`` tries what survived once more, and
``--write`` puts the score into docs/mutation.md. Exit code 1 when it is below the goal.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cosmic_ray.config import load_config
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, WorkerOutcome, WorkItem, WorkResult

ROOT = Path(__file__).parents[3]
CONFIG = Path(__file__).with_suffix(".toml").relative_to(ROOT)
PAGE = ROOT / "docs" / "mutation.md"
BEGIN, END = "<!-- scores -->\n", "<!-- end of the scores -->"
GOAL = 0.85
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".*_cache")


Place = tuple[int, int]
"""A line, counted from 1, and a column, counted from 0."""


def _span(node: ast.expr) -> tuple[Place, Place]:
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


@cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def never_runs(source: str, place: Place) -> bool:
    """Whether a place is in an annotation or a signature, where nothing runs but the defaults."""
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.FunctionDef):
            defaults = [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]
            inside = (node.lineno, node.col_offset) <= place < (node.body[0].lineno, node.body[0].col_offset)
            if inside and not any(begin <= place < end for begin, end in map(_span, defaults)):
                return True
        elif isinstance(node, ast.AnnAssign):
            begin, end = _span(node.annotation)
            if begin <= place < end:
                return True
    return False


def prepare(session: Path, folder: Path, *, again: bool) -> None:
    """Finds what can be changed, and skips what the configuration excludes and what never runs. Results of modules that
    are as they were stay, when ``again`` without what survived."""
    tools, fresh, sources = Path(sys.executable).parent, folder.parent / session.name, session.with_suffix(".json")
    subprocess.run([tools / "cosmic-ray", "init", CONFIG, fresh], cwd=folder, check=True)
    subprocess.run([tools / "cr-filter-operators", fresh, CONFIG], cwd=folder, check=True)
    texts = {
        name: (folder / name).read_text(encoding="utf-8") for name in load_config(str(folder / CONFIG))["module-path"]
    }
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    before: dict[str, str] = json.loads(sources.read_text()) if session.exists() and sources.exists() else {}
    known = results_of(session, [name for name in digests if digests[name] == before.get(name)], again=again)
    with use_db(fresh) as found:
        for item in found.pending_work_items:
            (change,) = item.mutations
            if never_runs(texts[str(change.module_path)], change.start_pos):
                found.set_result(item.job_id, WorkResult(WorkerOutcome.SKIPPED, "never runs"))
            elif result := known.get(key(change)):
                found.set_result(item.job_id, result)
    shutil.move(fresh, session)
    sources.write_text(json.dumps(digests))


def key(change: MutationSpec) -> tuple[str, str, int]:
    """What tells a change from all others."""
    return str(change.module_path), change.operator_name, change.occurrence


def results_of(session: Path, modules: list[str], *, again: bool) -> dict[tuple[str, str, int], WorkResult]:
    """What became of the changes that were tried in these modules."""
    if not modules:
        return {}
    with use_db(session) as found:
        return {
            key(change): result
            for _, change, result in tried(found)
            if str(change.module_path) in modules and (result.is_killed or not again)
        }


def run(session: Path, folder: Path) -> None:
    """Tries every change that was not tried yet. The copy's own packages come first on the path."""
    path = os.pathsep.join(str(folder / each) for each in ("core", "plugins", "simulator"))
    environment = {**os.environ, "PYTHONPATH": path, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the worker itself sees to that
    check = "import mt4sim, sys; sys.exit(not mt4sim.__file__.startswith(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", check, folder], cwd=folder, env=environment, check=True)
    worker: list[str | Path] = [sys.executable, "-m", "tests.simulator.trading.mutation_worker", session]
    subprocess.run(worker, cwd=folder, env=environment, check=True)


def tried(found: WorkDB) -> Iterator[tuple[WorkItem, MutationSpec, WorkResult]]:
    """Every change that was tried, with what became of it."""
    items = {item.job_id: item for item in found.work_items}
    for job, result in found.results:
        if result.worker_outcome is not WorkerOutcome.SKIPPED:
            yield items[job], items[job].mutations[0], result


def table(found: WorkDB) -> tuple[str, float]:
    """The scores by module in Markdown, and that of all."""
    made, noticed = Counter[str](), Counter[str]()
    for _, change, result in tried(found):
        made[str(change.module_path)] += 1
        noticed[str(change.module_path)] += result.is_killed
    rows = [
        f"| `{name}` | {made[name]} | {noticed[name]} | {noticed[name] / made[name]:.1%} |" for name in sorted(made)
    ]
    score = noticed.total() / made.total()
    rows.append(f"| all | {made.total()} | {noticed.total()} | **{score:.1%}** |")
    head = ["| module | changes | noticed | score |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, ""]), score


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("session", type=Path)
    parser.add_argument("--again", action="store_true", help="try what survived once more")
    parser.add_argument("--write", action="store_true", help="put the scores into docs/mutation.md")
    given = parser.parse_args(arguments)
    session = given.session.absolute()
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "copy"
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        prepare(session, folder, again=given.again)
        run(session, folder)
    with use_db(session) as found:
        text, score = table(found)
        for _, change, result in tried(found):
            if not result.is_killed:
                print(f"{change.module_path}:{change.start_pos[0]} {change.operator_name}\n{result.diff}")
    print(text)
    if given.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{text}{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0 if score >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
