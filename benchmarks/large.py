"""``python -m benchmarks.large``: how long other sessions wait while one client fetches all open trades.

Starts a gateway on the simulator, opens the trades in it, lets some sessions call ``ticks.get`` again and again, and
fetches ``trades.get`` meanwhile, in turns with rest. The fetching client is a process of its own that reads and counts
bytes, so that it holds up nobody but the gateway. Prints p50, p99 and the longest wait of the others, in ms, in rest
and while a list was on its way; then, from one more list, the CPU time of the longest turn of the gateway's loop, which
a busy machine does not change. Exits with 1 when that, or the p99 of the waits, is above ``--limit``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.sync.client import connect as connect_sync

from benchmarks.runner import cores

PLUGIN = '''
from mt_remote.plugin import Namespace, Session, hookimpl

loop = Namespace("loop")


longest: list[float] = []


@loop.function()
def watch(session: Session) -> None:
    """From now on the longest turn of the loop is taken down."""
    longest[:] = [0.0]
    session.gateway.spawn(turns)


async def turns() -> None:
    import time

    import anyio.lowlevel

    while longest:
        began = time.thread_time()
        await anyio.lowlevel.checkpoint()
        if longest:
            longest[0] = max(longest[0], time.thread_time() - began)


@loop.function()
def watched() -> float:
    """Milliseconds of CPU that it took."""
    return longest.pop() * 1e3


@hookimpl
def mt_remote_namespaces():
    return [loop]
'''

CREDENTIALS = {"server": "Demo", "login": 1, "password": "manager", "reconnect_delay": 0}
ASK = json.dumps({"id": 0, "name": "ticks.get", "data": {"symbol": "EURUSD"}})


class Waits(NamedTuple):
    """Milliseconds that calls of other sessions took."""

    calls: int
    p50: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: list[float]) -> Waits:
        ordered = sorted(each * 1e3 for each in seconds)
        return cls(len(ordered), ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)], ordered[-1])

    def __str__(self) -> str:
        return f"{self.calls} calls, p50 {self.p50:.2f}, p99 {self.p99:.2f}, longest {self.longest:.2f} ms"


class Result(NamedTuple):
    """Waits at rest and under a list, the list's bytes, the seconds that it took on average, and the CPU ms of the
    loop's longest turn."""

    rest: Waits
    busy: Waits
    size: int
    seconds: float
    turn: float


def fetch(url: str, orders: Connection) -> None:
    """The process of the client that fetches: at each word from ``orders`` one list; tells bytes and seconds."""
    with connect_sync(url, max_size=None, compression=None, proxy=None) as client:
        client.send(json.dumps({"id": 0, "name": "connect", "data": CREDENTIALS}))
        assert json.loads(client.recv())["status"] == "OK"
        while orders.recv():
            began = time.perf_counter()
            client.send(json.dumps({"id": 1, "name": "trades.get"}))
            size = len(client.recv(decode=False))
            orders.send((size, time.perf_counter() - began))


class Prober:
    """One other session, that calls and calls."""

    def __init__(self, client: ClientConnection) -> None:
        self.client = client
        self.waits: list[float] = []
        self.at_rest = True

    async def run(self) -> None:
        while True:
            began = time.perf_counter()
            await self.client.send(ASK)
            answer = await self.client.recv()
            self.waits.append(time.perf_counter() - began)
            if '"OK"' not in str(answer)[:40]:
                raise RuntimeError(str(answer))
            await asyncio.sleep(0.002)


async def measure(url: str, sessions: int, rounds: int, orders: Connection) -> Result:
    probers = [Prober(await connect(url, compression=None, ping_interval=None)) for _ in range(sessions)]
    for prober in probers:
        await prober.client.send(json.dumps({"id": 0, "name": "connect", "data": CREDENTIALS}))
        await prober.client.recv()
    running = [asyncio.create_task(prober.run()) for prober in probers]
    found: dict[bool, list[float]] = {True: [], False: []}
    size, spent = 0, 0.0
    for _ in range(rounds):
        for at_rest in (True, False):
            for prober in probers:
                prober.waits.clear()
            if at_rest:
                await asyncio.sleep(1.0)
            else:
                orders.send(True)
                size, seconds = await asyncio.to_thread(orders.recv)
                spent += seconds
            found[at_rest] += [wait for prober in probers for wait in prober.waits]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    turn = await longest_turn(url, orders)
    orders.send(False)
    return Result(Waits.of(found[True]), Waits.of(found[False]), size, spent / rounds, turn)


async def call(client: ClientConnection, name: str, data: dict[str, Any]) -> Any:
    await client.send(json.dumps({"id": 0, "name": name, "data": data}))
    answer: dict[str, Any] = json.loads(await client.recv())
    if answer["status"] != "OK":
        raise RuntimeError(answer["message"])
    return answer.get("result")


async def fill(url: str, trades: int, accounts: int = 0) -> None:
    async with connect(url, compression=None, ping_interval=None) as client:
        await call(client, "connect", CREDENTIALS)
        await call(client, "bench.fill", {"trades": trades, "accounts": accounts or max(1, trades // 100)})


async def longest_turn(url: str, orders: Connection) -> float:
    """Milliseconds of CPU of the longest turn of the gateway's loop under a list."""
    async with connect(url, compression=None, ping_interval=None) as client:
        await call(client, "loop.watch", {})
        orders.send(True)
        await asyncio.to_thread(orders.recv)
        return float(await call(client, "loop.watched", {}))


def run(given: argparse.Namespace) -> Result:
    """Starts the gateway and measures."""
    server_core, client_core = cores()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bench.py").write_text(PLUGIN)
        command = [sys.executable, "-m", "mt_remote_tools.cli", "serve", "--port", "0", "--state", "memory",
                   "--feed", given.feed,
                   "--plugin", "mt_remote_plugins", "--plugin", "mt4sim.gateway",
                   "--plugin", "benchmarks.gateway.functions", "--plugins-dir", folder, *given.flag]  # fmt: skip
        gateway = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if server_core is not None and client_core is not None:
                os.sched_setaffinity(gateway.pid, {server_core})
                os.sched_setaffinity(0, {client_core})
            assert gateway.stdout is not None
            url = next(line.split()[-1] for line in gateway.stdout if line.startswith("listening on"))
            asyncio.run(fill(url, given.trades))
            here, there = multiprocessing.get_context("spawn").Pipe()
            fetching = multiprocessing.get_context("spawn").Process(target=fetch, args=(url, there))
            fetching.start()
            gc.disable()
            try:
                return asyncio.run(measure(url, given.sessions, given.rounds, here))
            finally:
                fetching.join(10)
        finally:
            gateway.terminate()
            gateway.wait(30)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=int, default=100_000)
    parser.add_argument("--sessions", type=int, default=10, help="other sessions")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--feed", default="random", help="the simulator's, off for none")
    parser.add_argument("--limit", type=float, default=20.0, help="ms, for the p99 of the waits and for one turn")
    parser.add_argument("--flag", action="append", default=[], help="a further flag of serve; repeatable")
    given = parser.parse_args(arguments)
    found = run(given)
    print(f"{given.trades} open trades, {found.size / 1e6:.1f} MB in {found.seconds:.2f} s; {given.sessions} others:")
    print(f"at rest:         {found.rest}")
    print(f"under the list:  {found.busy}")
    print(f"longest turn of the gateway's loop: {found.turn:.2f} ms of CPU")
    return 0 if max(found.busy.p99, found.turn) <= given.limit else 1


if __name__ == "__main__":
    sys.exit(main())
