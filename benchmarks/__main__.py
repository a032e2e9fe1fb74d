"""``python -m benchmarks``: the gateway beside its peers, in one table."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.generator import Generator, build
from benchmarks.runner import Results, Runner, cores
from benchmarks.scenarios import Scenario, scenarios
from benchmarks.servers import BASE, ROOT, TITLES

PAGE = ROOT / "docs" / "performance.md"

_NEEDS = {
    "uvicorn-wsproto": "uvicorn", "uvicorn-sansio": "uvicorn", "fastapi": "fastapi", "aiohttp": "aiohttp",
    "picows": "picows",
}  # fmt: skip


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round with fewer clients: shows that it works")
    parser.add_argument("--only", metavar="SCENARIO,…", help=f"of {', '.join(scenarios())}")
    parser.add_argument("--peer", metavar="NAME,…", help=f"beside {BASE}, of {', '.join(TITLES)}")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--seconds", type=float, help="of each run, default 1.5")
    parser.add_argument("--generator", choices=("c", "python"), help="default: c where there is a compiler")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "benchmarks.json", help="where the numbers go")
    parser.add_argument("--stages", action="store_true", help="only the profile of the gateway's own stages")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args(arguments)


def _chosen(given: str | None, known: list[str], what: str) -> list[str]:
    if given is None:
        return known
    names = given.split(",")
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"unknown {what}: {', '.join(unknown)}; known: {', '.join(known)}")
    return [name for name in known if name in names]


def _servers(given: str | None) -> list[str]:
    chosen = _chosen(given, list(TITLES), "peer")
    missing = [name for name in chosen if name in _NEEDS and importlib.util.find_spec(_NEEDS[name]) is None]
    for name in missing:
        print(f"{name} is left out: {_NEEDS[name]} is not installed (scripts/bench installs it)")
    kept = [name for name in chosen if name not in missing]
    return kept if BASE in kept else [BASE, *kept]


def _print(results: Results, listed: list[Scenario], servers: list[str], generator: Generator) -> str:
    """The report, which is also what goes into the documentation."""
    versions = ", ".join(f"{name} {version}" for name, version in report.environment().items())
    parts = [
        report.table(results, listed, servers),
        "µs of server CPU per operation, in brackets the capacity relative to the base; a fan-out's operation is one "
        "event delivered to one session. The busy feed's column is milliseconds, idle sessions' KiB.",
        f"{versions}; load generator in {generator.language}.",
    ]
    for lines in (report.verdicts(results, listed), report.doubts(results)):
        if lines:
            parts.append("\n".join(f"- {line}" for line in lines))
    content = "\n\n".join(parts)
    print(f"\n{content}")
    return content


def _stages(*, write: bool) -> int:
    from benchmarks.stages import profile, tables

    content = tables(profile("simulator"))
    print(content)
    if write:
        report.write_docs(PAGE, "stages", content)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 when a server failed a scenario."""
    given = _arguments(arguments)
    if given.stages:
        return _stages(write=given.write_docs)
    every = scenarios(quick=given.quick)
    listed = [every[name] for name in _chosen(given.only, list(every), "scenario")]
    servers = _servers(given.peer)
    rounds = given.rounds or (1 if given.quick else 5)
    seconds = given.seconds or (0.3 if given.quick else 1.5)
    server_core, generator_core = cores()
    if server_core is None:
        print("one core only: server and load generator share it, times per operation are less exact")
    with tempfile.TemporaryDirectory(prefix="mt-remote-bench-") as name:
        folder = Path(name)
        generator = build(folder, generator_core, given.generator)
        runner = Runner(generator, server_core, folder, lambda line: print(line, flush=True), seconds, rounds)
        results = runner.run(listed, servers)
    content = _print(results, listed, servers, generator)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(report.as_json(results, listed, servers, rounds=rounds, seconds=seconds, quick=given.quick))
    if given.write_docs:
        report.write_docs(PAGE, "benchmark", content)
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
