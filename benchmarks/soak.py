"""``python -m benchmarks.soak``: many sessions under a busy feed for a minute, half of them broken off at random.

Starts a gateway of its own on the simulator, opens the sessions, subscribes each to ticks, counts what comes, breaks
half of the connections without a word, and asks the gateway's own counters what is left. Exits with 1 when an event id
was skipped, an answer was an error, a session ended that was not broken off, or something stayed behind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SYMBOLS = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD")

COUNTERS = '''
from mt_remote.plugin import Namespace, Session, hookimpl

gateway = Namespace("gateway")


@gateway.function()
def counters(session: Session) -> dict[str, int]:
    """What the gateway counts."""
    return session.gateway.counters()


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [gateway]
'''


class Visitor:
    """One session: what it heard, and what went wrong."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.events = 0
        self.problem = ""
        self.leaving = False

    async def call(self, name: str, **data: object) -> Any:
        """Calls a function before the session listens."""
        await self.connection.send(json.dumps({"id": 0, "name": name, "data": data}))
        while "event" in (answer := json.loads(await self.connection.recv())):
            self._count(answer)
        if answer["status"] != "OK":
            raise RuntimeError(f"{name}: {answer['message']}")
        return answer.get("result")

    async def start(self) -> None:
        """Connects and subscribes."""
        await self.call("connect", server="Demo", login=1, password="manager", reconnect_delay=0)
        for symbol in SYMBOLS:
            await self.call("symbol.show", symbol=symbol)
        await self.call("subscribe", event="tick")

    async def listen(self) -> None:
        """Counts events until the connection ends."""
        try:
            async for message in self.connection:
                self._count(json.loads(message))
        except ConnectionClosed as closed:
            if not self.leaving:
                self.problem = f"closed: {closed}"

    def _count(self, event: dict[str, Any]) -> None:
        if event.get("event_id") != self.events:
            self.problem = f"event {event.get('event_id')} where {self.events} was expected"
        self.events += 1


async def visit(url: str, sessions: int, seconds: float) -> list[str]:
    """Runs the visit; gives what went wrong."""
    visitors = []
    for _ in range(sessions):
        visitors.append(Visitor(await connect(url, compression=None, ping_interval=None)))
        await visitors[-1].start()
    listening = [asyncio.create_task(visitor.listen()) for visitor in visitors]
    print(f"{sessions} sessions listen", flush=True)
    await asyncio.sleep(seconds)
    print(f"{sum(visitor.events for visitor in visitors)} events", flush=True)
    broken = random.Random(1).sample(visitors, sessions // 2)
    for visitor in broken:
        visitor.leaving = True
        visitor.connection.transport.abort()
    problems = [visitor.problem for visitor in visitors if visitor.problem]
    problems += await left_behind(url, sessions - len(broken))
    for visitor in visitors:
        visitor.leaving = True
        await visitor.connection.close()
    await asyncio.gather(*listening)
    return problems + await left_behind(url, 0)


async def left_behind(url: str, expected: int) -> list[str]:
    """What the gateway counts beyond the sessions that should be there, once it had the time to notice."""
    async with connect(url) as connection:
        visitor = Visitor(connection)
        for _ in range(100):
            counted = await visitor.call("gateway.counters")
            if counted["sessions"] == expected + 1:
                break
            await asyncio.sleep(0.1)
    wanted = {"sessions": expected + 1, "subscriptions": expected, "connections": expected, "calls_waiting": 0}
    return [f"{name}: {counted[name]}, not {count}" for name, count in wanted.items() if counted[name] != count]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--speed", type=float, default=20, help="of the server's clock, and so of the feed")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "counters.py").write_text(COUNTERS)
        command = [sys.executable, "-m", "mt_remote_tools.cli", "serve", "--port", "0", "--state", "memory",
                   "--clock", "2020-05-14T12:00",
                   "--speed", str(given.speed), "--feed", "random", "--plugins-dir", folder]  # fmt: skip
        gateway = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert gateway.stdout is not None
            url = next(line.split()[-1] for line in gateway.stdout if line.startswith("listening on"))
            problems = asyncio.run(visit(url, given.sessions, given.seconds))
        finally:
            gateway.terminate()
            code = gateway.wait(30)
    problems += [f"the gateway ended with {code}"] if code else []
    print("\n".join(problems[:20]) or "nothing went wrong, nothing stayed behind")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
