"""Rounds: in each, every server in turn gets every scenario, so that a slow minute of the machine hits all alike."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.generator import Generator, Sample, WrongAnswer
from benchmarks.scenarios import Measure, Scenario
from benchmarks.servers import BASE, Server, ServerFailed

NOISY = 0.25
"""From this spread of the base on, a scenario's ratios are not to be believed."""

Tell = Callable[[str], None]


@dataclass(slots=True)
class Results:
    """``samples`` by scenario and server, one a round; ``failures`` say why there is none."""

    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    failures: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, scenario: str, server: str, sample: Sample) -> None:
        self.samples.setdefault(scenario, {}).setdefault(server, []).append(sample)

    def fail(self, scenario: str, server: str, reason: str) -> None:
        self.failures.setdefault(scenario, {})[server] = reason

    def median(self, scenario: str, server: str) -> float | None:
        """The median of a server's numbers."""
        taken = self.samples.get(scenario, {}).get(server)
        return statistics.median(sample.value for sample in taken) if taken else None

    def ratio(self, scenario: str, server: str, base: str = BASE) -> float | None:
        """How many times better than the base: the median of the ratios within each round."""
        taken = self.samples.get(scenario, {})
        pairs = list(zip(taken.get(base, []), taken.get(server, []), strict=False))
        if not pairs or not all(sample.value > 0 for _, sample in pairs):
            return None
        return statistics.median(first.value / sample.value for first, sample in pairs)

    def spread(self, scenario: str, server: str = BASE) -> float | None:
        """How far a server's rounds lie apart: (highest - lowest) / median; ``None`` with a single round."""
        values = [sample.value for sample in self.samples.get(scenario, {}).get(server, [])]
        if len(values) < 2:
            return None
        return (max(values) - min(values)) / statistics.median(values)

    def noisy(self) -> list[str]:
        """Scenarios whose base varied too much between the rounds. Tail latencies vary by nature and don't count."""
        return [name for name in self.samples if (self.spread(name) or 0) > NOISY and name != "feed"]


@dataclass(slots=True)
class Runner:
    """``cores`` are for server and generator; ``None`` where the machine has only one."""

    generator: Generator
    server_core: int | None
    folder: Path
    tell: Tell
    seconds: float = 1.5
    rounds: int = 5
    results: Results = field(default_factory=Results)

    def run(self, scenarios: Sequence[Scenario], servers: Sequence[str]) -> Results:
        """All rounds. A server that fails a scenario is not asked for it again."""
        for number in range(1, self.rounds + 1):
            self.tell(f"round {number} of {self.rounds}")
            self._shared([each for each in scenarios if each.measure is not Measure.MEMORY], servers)
            for scenario in scenarios:
                if scenario.measure is Measure.MEMORY:
                    self._fresh(scenario, servers)
        return self.results

    def _shared(self, scenarios: Sequence[Scenario], names: Sequence[str]) -> None:
        """Servers that run side by side, idle but for the one under load."""
        if not scenarios:
            return
        with ExitStack() as stack:
            servers: list[Server] = []
            for name in names:
                try:
                    servers.append(stack.enter_context(self._server(name)))
                except ServerFailed as failed:
                    for scenario in scenarios:
                        self._failed(scenario, name, failed)
            for scenario in scenarios:
                for server in servers:
                    self._measure(scenario, server)

    def _fresh(self, scenario: Scenario, names: Sequence[str]) -> None:
        """A server of its own for each run: memory that was used once is not given back."""
        for name in names:
            try:
                with self._server(name) as server:
                    self._measure(scenario, server)
            except ServerFailed as failed:
                self._failed(scenario, name, failed)

    def _server(self, name: str) -> Server:
        return Server(name, self.server_core, self.folder / f"{name}.log")

    def _measure(self, scenario: Scenario, server: Server) -> None:
        if server.name in self.results.failures.get(scenario.name, {}):
            return
        try:
            sample = self.generator.run(scenario, server, self.seconds)
        except (WrongAnswer, OSError, ZeroDivisionError) as error:
            self._failed(scenario, server.name, error)
            return
        self.results.add(scenario.name, server.name, sample)
        self.tell(f"  {scenario.title:32} {server.name:20} {sample.value:10.2f} {scenario.measure}")

    def _failed(self, scenario: Scenario, name: str, error: Exception) -> None:
        self.results.fail(scenario.name, name, str(error) or repr(error))
        self.tell(f"  {scenario.title:32} {name:20} FAILED: {error}")


def cores() -> tuple[int | None, int | None]:
    """A core for the server and one for the generator."""
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)
