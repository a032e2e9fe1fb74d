"""``python -m benchmarks.workers``: operations a second with one gateway process and with several.

Nothing is pinned: on a machine of two cores the load generator, the workers and the backend's process share them, as
the numbers say. Calls that the backend answers (``ticks.get``) cross a local socket where there are workers; what a
gateway does alone (4 KiB of JSON, validated) does not; of a fan-out one message crosses for each worker.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.generator import Generator, build
from benchmarks.scenarios import scenarios
from benchmarks.servers import ROOT

SCENARIOS = ("sequential", "connections", "requests-4k", "fanout", "bursts")


class Gateway:
    """``mt-remote serve`` with so many workers; a context manager."""

    def __init__(self, workers: int) -> None:
        command = [sys.executable, "-m", "mt_remote_tools.cli", "serve", "--port", "0", "--clock", "manual",
                   "--feed", "off", "--plugin", "mt_remote_plugins", "--plugin", "mt4sim.gateway", "--plugin",
                   "benchmarks.gateway.functions", "--state", "memory", "--workers", str(workers), "--log-level",
                   "warning"]  # fmt: skip
        path = os.pathsep.join(filter(None, (str(ROOT), *sys.path)))
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
        )

    def __enter__(self) -> int:
        assert self._process.stdout is not None
        url = next(line.split()[-1] for line in self._process.stdout if line.startswith("listening on"))
        return int(url.rpartition(":")[2])

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def rate(generator: Generator, port: int, flags: tuple[str, ...], seconds: float) -> float:
    """Operations a second."""
    command = [*generator.command, "--port", str(port), "--seconds", str(seconds), *flags]
    done = subprocess.run(command, cwd=ROOT, input="\n", capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    report = json.loads(done.stdout.splitlines()[-1])
    return float(report["operations"]) / float(report["seconds"])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5)
    given = parser.parse_args(arguments)
    every = scenarios()
    found: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        generator = build(Path(folder), None)
        for _ in range(given.rounds):
            for workers in given.workers:
                with Gateway(workers) as port:
                    for name in SCENARIOS:
                        measured = rate(generator, port, every[name].flags, given.seconds)
                        found.setdefault((name, workers), []).append(measured)
    cores = len(os.sched_getaffinity(0))
    print(f"operations a second, medians of {given.rounds}; {cores} cores, the load generator's included\n")
    print("| | " + " | ".join(f"{workers} worker{'s' * (workers > 1)}" for workers in given.workers) + " |")
    print("| --- |" + " --- |" * len(given.workers))
    for name in SCENARIOS:
        medians = [statistics.median(found[name, workers]) for workers in given.workers]
        cells = [f"{median:,.0f} ({median / medians[0]:.2f})" for median in medians]
        print(f"| {every[name].title} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
