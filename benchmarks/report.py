"""What is printed and kept: the table, the targets, the JSON, the section of docs/performance.md."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.runner import NOISY, Results
from benchmarks.scenarios import Measure, Scenario
from benchmarks.servers import BASE, TITLES

GATEWAY = "gateway"
LIBRARIES = ("websockets", "wsproto", "uvicorn", "fastapi", "aiohttp", "picows", "uvloop", "pydantic", "anyio")


def table(results: Results, scenarios: Sequence[Scenario], servers: Sequence[str]) -> str:
    """Markdown: a row for each server, a column for each scenario."""
    head = ["", *(scenario.title for scenario in scenarios)]
    rows = [[TITLES[name], *(_cell(results, scenario, name) for scenario in scenarios)] for name in servers]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [head, rule, *rows]
    )


def _cell(results: Results, scenario: Scenario, server: str) -> str:
    value = results.median(scenario.name, server)
    if value is None:
        return "failed" if server in results.failures.get(scenario.name, {}) else "-"
    number = f"{value:.0f}" if value >= 100 else f"{value:.1f}"
    ratio = results.ratio(scenario.name, server)
    return number if ratio is None or scenario.measure is Measure.MEMORY else f"{number} ({ratio:.2f})"


def verdicts(results: Results, scenarios: Sequence[Scenario]) -> list[str]:
    """One line for each target: what was asked and what was measured."""
    lines = []
    for scenario in scenarios:
        value = results.median(scenario.name, GATEWAY)
        if value is None:
            continue
        wanted: Iterable[tuple[str, float | None]] = ((BASE, scenario.target), ("picows", scenario.picows_target))
        for base, target in wanted:
            ratio = results.ratio(scenario.name, GATEWAY, base)
            if target is not None and ratio is not None:
                word = "met" if ratio >= target else "MISSED"
                lines.append(f"{scenario.title}: {ratio:.2f} of {base}, target {target}: {word}")
        if scenario.limit is not None:
            word = "met" if value <= scenario.limit else "MISSED"
            lines.append(f"{scenario.title}: {value:.1f} {scenario.measure}, limit {scenario.limit}: {word}")
    return lines


def doubts(results: Results) -> list[str]:
    """What to hold against this run."""
    lines = [
        f"{name}: too noisy to believe, the base's rounds lie {results.spread(name) or 0:.0%} apart "
        f"(more than {NOISY:.0%})"
        for name in results.noisy()
    ]
    lines += [
        f"{scenario}: {server} failed: {reason.splitlines()[0]}"
        for scenario, failed in results.failures.items()
        for server, reason in failed.items()
    ]
    return lines


def environment() -> dict[str, str]:
    """What the numbers depend on."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def as_json(results: Results, scenarios: Sequence[Scenario], servers: Sequence[str], **settings: object) -> str:
    """Everything, for machines."""
    kept: dict[str, Any] = {}
    for scenario in scenarios:
        kept[scenario.name] = {
            "title": scenario.title,
            "measure": scenario.measure.value,
            "base_spread": results.spread(scenario.name),
            "servers": {
                name: {
                    "median": results.median(scenario.name, name),
                    "ratio": results.ratio(scenario.name, name),
                    "ratio_to_picows": results.ratio(scenario.name, name, "picows"),
                    "rounds": [asdict(sample) for sample in results.samples.get(scenario.name, {}).get(name, [])],
                }
                for name in servers
            },
        }
    document = {
        "environment": environment(), "settings": settings, "scenarios": kept, "failures": results.failures,
        "doubts": doubts(results),
    }  # fmt: skip
    return json.dumps(document, indent=1) + "\n"


def write_docs(page: Path, writer: str, content: str) -> None:
    """Puts content into the page, between the marks of its writer ("benchmark" or "stages")."""
    first, last = f"<!-- begin: written by the {writer} -->", f"<!-- end: written by the {writer} -->"
    before, begin, rest = page.read_text().partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        sys.exit(f"{page.name} has no '{first}' … '{last}'")
    page.write_text(f"{before}{first}\n\n{content.strip()}\n\n{last}{after}")
