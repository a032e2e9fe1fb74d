"""Drives a load generator: builds the one in C where there is a compiler, else takes the one in Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.scenarios import Measure, Scenario
from benchmarks.servers import ROOT, Server

SOURCE = Path(__file__).resolve().parent / "load" / "loadgen.c"


class WrongAnswer(Exception):
    """The generator refused what a server sent."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one scenario on one server. ``value`` is in the unit of the scenario's measure."""

    value: float
    operations: int
    seconds: float
    latency_us: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Operations a second, as it was with one generator; capacity is 10⁶ / µs of CPU."""
        return self.operations / self.seconds


@dataclass(frozen=True, slots=True)
class Generator:
    """``command`` starts it, pinned to ``core``."""

    language: str
    command: tuple[str, ...]
    core: int | None

    def run(self, scenario: Scenario, server: Server, seconds: float) -> Sample:
        """Loads a server. Raises :class:`WrongAnswer` with what the generator says."""
        flags = ["--port", str(server.port), "--seconds", str(seconds), *scenario.flags]
        process = subprocess.Popen(
            [*self.command, *flags], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, preexec_fn=self._prepare,
        )  # fmt: skip
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            ready = process.stdout.readline()
            cpu, memory = server.cpu_seconds(), server.resident_kib()
            if ready:
                process.stdin.write("\n")
                process.stdin.flush()
            report = process.stdout.readline()
            used, grown = server.cpu_seconds() - cpu, server.resident_kib() - memory
            process.stdin.close()
            if process.wait() != 0 or not report:
                raise WrongAnswer(process.stderr.read().strip() or f"ended with {process.returncode}")
        return _sample(scenario, json.loads(report), used, grown)

    def _prepare(self) -> None:
        if self.core is not None:
            os.sched_setaffinity(0, {self.core})


def _sample(scenario: Scenario, report: dict[str, Any], cpu_seconds: float, grown_kib: float) -> Sample:
    operations = int(report["operations"])
    if scenario.measure is Measure.CPU:
        value = cpu_seconds * 1e6 / operations
    elif scenario.measure is Measure.MEMORY:
        value = grown_kib / operations
    else:
        value = report["latency_us"]["p99"] / 1e3
    return Sample(value, operations, float(report["seconds"]), report["latency_us"])


def build(folder: Path, core: int | None, language: str | None = None) -> Generator:
    """The generator in ``language`` ("c" or "python"), by default the faster one that is to be had here."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if language == "python" or (language is None and compiler is None):
        return Generator("python", (sys.executable, "-m", "benchmarks.load.loadgen"), core)
    if compiler is None:
        raise FileNotFoundError("no C compiler: set CC, or take --generator python")
    binary = folder / "loadgen"
    subprocess.run([compiler, "-O2", "-o", str(binary), str(SOURCE)], check=True)
    return Generator("c", (str(binary),), core)
