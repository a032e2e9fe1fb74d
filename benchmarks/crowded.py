"""``python -m benchmarks.crowded``: ticks in at one session, events out at 1,000, while the simulated server has more
and more open positions to look after. Prints the server's CPU per event, and beside the first what each costs.

Servers run side by side, idle but for the one under load, and take turns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from websockets.sync.client import connect

from benchmarks.generator import build
from benchmarks.runner import cores
from benchmarks.sample import request
from benchmarks.scenarios import scenarios
from benchmarks.servers import Server

POSITIONS_AN_ACCOUNT = 10
_PATIENCE = 600.0


def fill(port: int, positions: int) -> None:
    """Opens positions in a server."""
    what = request("bench.fill", {"trades": positions, "accounts": max(1, positions // POSITIONS_AN_ACCOUNT)})
    with connect(f"ws://127.0.0.1:{port}", proxy=None, ping_interval=None) as client:
        client.send(f'{{"id":1,{what}}}')
        answer = str(client.recv(_PATIENCE))
    if f'"result":{positions}' not in answer:
        raise RuntimeError(answer)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positions", type=int, nargs="+", default=[0, 1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5)
    given = parser.parse_args(arguments)
    server_core, generator_core = cores()
    scenario = scenarios()["fanout"]
    found: dict[int, list[float]] = {positions: [] for positions in given.positions}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        generator = build(folder, generator_core)
        servers = {}
        for positions in given.positions:
            servers[positions] = stack.enter_context(Server("gateway", server_core, folder / f"{positions}.log"))
            fill(servers[positions].port, positions)
        for _ in range(given.rounds):
            for positions, server in servers.items():
                found[positions].append(generator.run(scenario, server, given.seconds).value)
    first = found[given.positions[0]]
    print(f"medians of {given.rounds}\n\n| open positions | µs CPU per event | beside the first |\n| --- | --- | --- |")
    for positions, values in found.items():
        ratio = statistics.median(value / base for value, base in zip(values, first, strict=True))
        print(f"| {positions:,} | {statistics.median(values):.1f} | {ratio:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
