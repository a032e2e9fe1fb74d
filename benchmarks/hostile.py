"""``python -m benchmarks.hostile``: how long other sessions wait, and what memory it takes, while one client does its
worst.

Starts a gateway on the simulator with some thousand accounts and open trades for each attack, lets some sessions call
``ticks.get`` again and again, first alone, then beside the client that attacks, which is a process of its own and does
the same again as soon as it was answered. Prints a table: p50, p99 and the longest wait in ms, p99 at rest,
the CPU time of the longest turn of the gateway's loop, which a busy machine does not change, and the MiB by which the
gateway's memory grew at most. Exits with 1 when a p99, a turn or a growth is above its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from websockets.asyncio.client import connect

from benchmarks.large import CREDENTIALS, PLUGIN, Prober, Waits, fill
from benchmarks.large import call as ask
from benchmarks.runner import cores

LOGIN = json.dumps({"id": 0, "name": "connect", "data": CREDENTIALS}).encode()


def frame(payload: bytes, opcode: int = 0x81) -> bytes:
    """A masked frame; its mask is nought."""
    length = len(payload)
    if length < 126:
        head = bytes((opcode, 0x80 | length))
    elif length < 65536:
        head = bytes((opcode, 0xFE)) + length.to_bytes(2, "big")
    else:
        head = bytes((opcode, 0xFF)) + length.to_bytes(8, "big")
    return head + bytes(4) + payload


def call(name: str, data: object = None, id_: int = 1) -> bytes:
    return frame(json.dumps({"id": id_, "name": name, **({} if data is None else {"data": data})}).encode())


class Attack(NamedTuple):
    """What is sent in one write, after a log-in or without; whether answers are read."""

    title: str
    content: Callable[[], bytes]
    logged_in: bool = True
    reads: bool = True


def _masks() -> bytes:
    masks = [f"*{number:03}*x*y*z" for number in range(1000)]
    return call("trades.get", {"comment": masks}) * 5


STARS = "*a" * 200 + "*b"

ATTACKS = {
    "unknown": Attack("20,000 unknown functions, no log-in", lambda: call("users.gett") * 20_000, logged_in=False),
    "pings": Attack("40,000 pings, no log-in", lambda: frame(b"", 0x89) * 40_000, logged_in=False),
    "buffer": Attack("a frame of 4 MiB, no log-in", lambda: frame(bytes(2**22 - 1))[:-1], logged_in=False),
    "fields": Attack(
        "a message with 300,000 unknown fields", lambda: call("users.get", {f"f{n}": 1 for n in range(300_000)})
    ),
    "few-fields": Attack(
        "ten messages with 9,900 unknown fields", lambda: call("users.get", {f"f{n}": 1 for n in range(9_900)}) * 10
    ),
    "values": Attack(
        "ten lists of 100,000 wrong logins", lambda: call("users.get", {"logins": [""] * 100_000}) * 10
    ),
    "lists": Attack("600 × `users.get.all`", lambda: call("users.get.all") * 600),
    "unread": Attack("600 × `users.get.all`, nothing read", lambda: call("users.get.all") * 600, reads=False),
    "trades": Attack("200 × `trades.get`", lambda: call("trades.get") * 200),
    "masks": Attack("`trades.get` with 1,000 masks", _masks),
    "stars": Attack(
        "a manager's masks with 200 stars",
        lambda: call("config.manager.set", {"login": 1, "groups": [STARS, "*"]}) + call("users.get.all") * 20,
    ),
    "year": Attack(
        "`simulator.clock.advance` over a year", lambda: call("simulator.clock.advance", {"seconds": 366 * 86_400})
    ),
    "calls": Attack("100,000 × `ticks.get`", lambda: call("ticks.get", {"symbol": "EURUSD"}) * 100_000),
}  # fmt: skip


def upgraded(port: int, *, logged_in: bool) -> socket.socket:
    """A connection with an open WebSocket."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    connection.recv(4096)
    if logged_in:
        connection.sendall(frame(LOGIN))
        connection.recv(4096)
    return connection


def attack(name: str, port: int, until: float) -> None:
    """The process of the client that attacks, until that time."""
    chosen = ATTACKS[name]
    content = chosen.content()
    while time.time() < until:
        with contextlib.suppress(OSError), upgraded(port, logged_in=chosen.logged_in) as connection:
            connection.setblocking(False)
            rest = memoryview(content)
            while time.time() < until:
                idle = True
                with contextlib.suppress(BlockingIOError):
                    rest = rest[connection.send(rest) :] or memoryview(content)
                    idle = False
                with contextlib.suppress(BlockingIOError):
                    if chosen.reads and not connection.recv(2**20):
                        break
                    idle = idle and not chosen.reads
                if idle:
                    time.sleep(0.001)


@contextmanager
def gateway(core: int | None) -> Iterator[tuple[int, int]]:
    """A gateway with its process id and port."""
    folder = tempfile.TemporaryDirectory()
    (Path(folder.name) / "turns.py").write_text(PLUGIN)
    command = [sys.executable, "-m", "mt_remote_tools.cli", "serve", "--port", "0", "--feed", "off", "--log-level",
               "error", "--plugin", "benchmarks.gateway.functions", "--plugins-dir", folder.name]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        assert process.stdout is not None
        url = next(line.split()[-1] for line in process.stdout if line.startswith("listening on"))
        yield process.pid, int(url.rpartition(":")[2])
    finally:
        process.kill()
        process.wait(30)
        folder.cleanup()


def resident(pid: int) -> float:
    """MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def _watch(pid: int, peak: list[float]) -> None:
    while True:
        peak[0] = max(peak[0], resident(pid))
        await asyncio.sleep(0.02)


class Result(NamedTuple):
    """Waits at rest and under the attack, ms of CPU of the longest turn under it, and MiB of growth."""

    rest: Waits
    busy: Waits
    turn: float
    growth: float


async def measure(name: str, pid: int, port: int, sessions: int, seconds: float) -> Result:
    url = f"ws://127.0.0.1:{port}"
    probers = [Prober(await connect(url, compression=None, ping_interval=None)) for _ in range(sessions)]
    for prober in probers:
        await prober.client.send(LOGIN.decode())
        await prober.client.recv()
    running = [asyncio.create_task(prober.run()) for prober in probers]
    await asyncio.sleep(1.0)
    at_rest = Waits.of([wait for prober in probers for wait in prober.waits])
    before = resident(pid)
    peak = [before]
    running.append(asyncio.create_task(_watch(pid, peak)))
    watcher = await connect(url, compression=None, ping_interval=None)
    await ask(watcher, "loop.watch", {})
    attacker = multiprocessing.get_context("spawn").Process(target=attack, args=(name, port, time.time() + seconds))
    attacker.start()
    await asyncio.sleep(0.5)
    for prober in probers:
        prober.waits.clear()
    began = {id(prober): time.perf_counter() for prober in probers}
    await asyncio.to_thread(attacker.join)
    turn = float(await ask(watcher, "loop.watched", {}))
    waits = [wait for prober in probers for wait in prober.waits]
    waits += [time.perf_counter() - began[id(prober)] for prober in probers if not prober.waits]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return Result(at_rest, Waits.of(waits), turn, peak[0] - before)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(ATTACKS), default=list(ATTACKS))
    parser.add_argument("--trades", type=int, default=20_000)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--sessions", type=int, default=5, help="other sessions")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each attack")
    parser.add_argument("--limit", type=float, default=50.0, help="ms, for the p99 of the waits")
    parser.add_argument("--memory", type=float, default=200.0, help="MiB, for the growth")
    given = parser.parse_args(arguments)
    server_core, client_core = cores()
    if client_core is not None:
        os.sched_setaffinity(0, {client_core})
    gc.disable()
    failed = False
    print("| what the client does | p50, ms | p99 | longest | p99 at rest | longest turn, ms of CPU | memory, MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in given.only:
        with gateway(server_core) as (pid, port):
            asyncio.run(fill(f"ws://127.0.0.1:{port}", given.trades, given.accounts))
            rest, busy, turn, growth = asyncio.run(measure(name, pid, port, given.sessions, given.seconds))
        failed = failed or max(busy.p99, turn) > given.limit or growth > given.memory
        print(
            f"| {ATTACKS[name].title} | {busy.p50:.1f} | {busy.p99:.1f} | {busy.longest:.1f} "
            f"| {rest.p99:.1f} | {turn:.1f} | {growth:.0f} |",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
