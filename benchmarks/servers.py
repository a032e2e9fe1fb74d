"""The servers under test: how each is started, and what it uses."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
BASE = "websockets"

TITLES = {
    "websockets": "`websockets`",
    "websockets-uvloop": "`websockets` on uvloop",
    "uvicorn-wsproto": "uvicorn + wsproto",
    "uvicorn-sansio": "uvicorn, sansio",
    "fastapi": "FastAPI endpoint",
    "aiohttp": "aiohttp",
    "picows": "picows + uvloop",
    "gateway-memory": "MT Remote, backend in memory",
    "gateway": "**MT Remote on the simulator**",
}
"""Every server by name, in the order of the table."""


GATEWAYS = {"gateway": "simulator", "gateway-memory": "memory"}
"""The gateway's backend by the server's name."""


class ServerFailed(Exception):
    """A server did not start or ended on its own."""


def command(name: str, port: int) -> list[str]:
    """How a server is started."""
    if name in GATEWAYS:
        return [sys.executable, "-m", "benchmarks.gateway", GATEWAYS[name], str(port)]
    return [sys.executable, "-m", "benchmarks.peers", name, str(port)]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Server:
    """A server process, pinned to ``core``; a context manager."""

    name: str
    core: int | None
    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.port = free_port()
        roots = [str(ROOT / part) for part in ("", "core", "plugins", "simulator")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(roots)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command(self.name, self.port), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=self._prepare,
            )  # fmt: skip
        self._wait_until_it_listens()
        return self

    def _prepare(self) -> None:
        if self.core is not None:
            os.sched_setaffinity(0, {self.core})
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def _wait_until_it_listens(self) -> None:
        assert self.process is not None
        until = time.monotonic() + 30
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        self.__exit__(None, None, None)
        raise ServerFailed(f"{self.name} does not listen; its last words: {self._last_words()}")

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "(none)"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def cpu_seconds(self) -> float:
        """CPU time of the process and its children so far, to the nanosecond where the kernel tells."""
        assert self.process is not None
        return sum(_cpu_seconds(pid) for pid in _family(self.process.pid))

    def resident_kib(self) -> float:
        """Memory that the process and its children have resident."""
        assert self.process is not None
        pages = sum(int(_proc(pid, "statm").split()[1]) for pid in _family(self.process.pid))
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def _proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def _family(pid: int) -> Iterable[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _cpu_seconds(pid: int) -> float:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except FileNotFoundError:
        fields = _proc(pid, "stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
