"""The kill matrix: every planted bug with the law that finds it. ``python -m tests.conformance.matrix [--write]``.

Each bug is run in a process of its own, two at a time. ``--write`` puts the table into docs/conformance.md. Exit code 1
when a bug survives.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.conformance.mutants import MUTANTS, ROOT, Mutant

PAGE = ROOT / "docs" / "conformance.md"
BEGIN, END = "<!-- kill matrix -->\n", "<!-- end of the kill matrix -->"
PATIENCE = 150.0


def killed(number: int) -> dict[str, Any]:
    """What the kit says of one bug."""
    command = [sys.executable, "-m", "tests.conformance.planted", str(number)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    except subprocess.CalledProcessError as error:
        return {"law": "", "detail": error.stderr.strip().splitlines()[-1:], "seconds": 0.0, "suite": ""}
    except subprocess.TimeoutExpired:
        return {"law": "", "detail": f"nothing in {PATIENCE:g} s", "seconds": PATIENCE, "suite": ""}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(outcomes: list[tuple[Mutant, dict[str, Any]]]) -> str:
    """The table in Markdown."""
    rows = [f"| {m.name} | `{m.file}` | {o['law'] or '**survives**'} | {o['suite']} |" for m, o in outcomes]
    return "\n".join(["| planted bug | in | found by law | in suite |", "| --- | --- | --- | --- |", *rows, ""])


def main(arguments: list[str]) -> int:
    """Runs them all."""
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(zip(MUTANTS, pool.map(killed, range(len(MUTANTS))), strict=True))
    for mutant, outcome in outcomes:
        print(
            f"{outcome['law'] or 'SURVIVES':10} {outcome['seconds']:6.1f} s  {mutant.name}: {outcome['detail']!s:.160}"
        )
    dead = sum(bool(outcome["law"]) for _, outcome in outcomes)
    slowest = max(outcome["seconds"] for _, outcome in outcomes)
    print(f"{dead} of {len(outcomes)} are found, the slowest in {slowest:.0f} s")
    if "--write" in arguments:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{table(outcomes)}{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0 if dead == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
