"""``python -m benchmarks.keys``: a call under a key (``order.balance`` on the simulator) beside the same call without
one, with keys in memory and in a state folder, one session alone and 32 at once. Each session waits for an answer
before its next call. Prints medians in µs a call and ratios to calls without a key, by the clock: a claim waits for the
disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.asyncio.client import connect

from benchmarks.servers import ROOT

_HEADERS = {"MT-SERVER": "Demo", "MT-LOGIN": "1", "MT-PASSWORD": "manager", "VERSION": "2"}
_LOGIN = 990_000


@contextmanager
def serving(state: str) -> Iterator[str]:
    """The address of a gateway that keeps its keys there."""
    command = [sys.executable, "-m", "mt_remote_tools.cli", "serve", "--port", "0", "--clock", "manual", "--feed",
               "off", "--state", state, "--plugin", "mt_remote_plugins", "--plugin", "mt4sim.gateway", "--log-level",
               "warning"]  # fmt: skip
    path = os.pathsep.join(filter(None, (str(ROOT), *sys.path)))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}) as process:
        assert process.stdout is not None
        try:
            yield next(line.split()[-1] for line in process.stdout if line.startswith("listening on"))
        finally:
            process.terminate()


async def _one(url: str, calls: int, key: str | None) -> None:
    async with connect(url, proxy=None, additional_headers=_HEADERS) as client:
        for number in range(calls):
            data = {"login": _LOGIN, "command": "balance", "amount": 1.0}
            more = {} if key is None else {"key": f"{key}-{number}"}
            await client.send(json.dumps({"id": number, "name": "order.balance", "data": data, **more}))
            answer = json.loads(await client.recv())
            if answer["status"] != "OK":
                raise RuntimeError(f"the answer is {answer}")


async def _account(url: str) -> None:
    user = {"login": _LOGIN, "group": "demoforex", "name": "Keys", "password": "Secret1", "enable": True}
    async with connect(url, proxy=None, additional_headers=_HEADERS) as client:
        await client.send(json.dumps({"id": 1, "name": "user.add", "data": user}))
        await client.recv()


async def measured(url: str, sessions: int, calls: int, name: str | None) -> float:
    """µs a call. ``name`` makes the calls' keys."""
    began = time.perf_counter()
    keys = [None if name is None else f"{name}-{number}" for number in range(sessions)]
    await asyncio.gather(*(_one(url, calls // sessions, key) for key in keys))
    return (time.perf_counter() - began) / (calls // sessions * sessions) * 1e6


def main(arguments: list[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keys", description=__doc__)
    parser.add_argument("--calls", type=int, default=3200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="on the disk that is measured; default: one for temporary files")
    given = parser.parse_args(arguments)
    print("| sessions | keys | without | with a key | ratio |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for state, title in (("memory", "in memory"), (folder, "in SQLite")):
            with serving(state) as url:
                asyncio.run(_account(url))
                for sessions in (1, 32):
                    plain, keyed = [], []
                    for number in range(given.rounds):
                        plain.append(asyncio.run(measured(url, sessions, given.calls, None)))
                        keyed.append(asyncio.run(measured(url, sessions, given.calls, f"{sessions}-{number}")))
                    one, other = statistics.median(plain), statistics.median(keyed)
                    print(f"| {sessions} | {title} | {one:.0f} µs | {other:.0f} µs | {other / one:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
