"""What runs in the processes of ``serve --workers``, each on an event loop of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mt_remote.logs import Log
from mt_remote.plugin import BackendSpec
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import Catalogue
from mt_remote.settings import Settings
from mt_remote.shell import server
from mt_remote.workers.far import FarBackend, FarIdempotencyKeys, FarLogIns
from mt_remote.workers.host import hosting

log = Log()

HURRY = signal.SIGUSR2 if hasattr(signal, "SIGUSR2") else signal.SIGTERM
"""Tells a worker that stops to be quick about it. Not another SIGTERM: one that is sent to all processes of a service
reaches a worker twice."""

Ready = Callable[[dict[str, object]], None]
"""Tells the supervisor that a process serves, and what there is to say of it."""


@dataclass(frozen=True, slots=True)
class Common:
    """What all processes have: ``far`` is the backend as workers see it, ``contents`` what they serve, ``path`` where
    the backend's process listens."""

    settings: Settings
    hooks: Hooks
    spec: BackendSpec
    far: FarBackend
    contents: Catalogue
    path: Path


async def host(common: Common, life: int, ready: Ready) -> None:
    """The process with the backend: serves workers until ``life``, a pipe, ends. Signals are not for it: they reach it
    too when a whole group of processes is to end, and the workers still need it then."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(life, ended.set)
    backend = common.spec.make(common.settings)
    async with hosting(common.settings, common.hooks, backend, common.contents, common.path) as opened:
        keys = opened.gateway.idempotency.describe()
        log.info("idempotency keys", kept=keys)
        ready({"describe": backend.describe(), "keys": keys})
        await ended.wait()
        asyncio.get_running_loop().remove_reader(life)


async def work(common: Common, life: int, ready: Ready) -> None:
    """A gateway that shares the port, on the backend of another process. Stops on signals, and when the supervisor
    (``life``, a pipe, ends) or the backend's process is gone."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_reader(life)
        os.kill(os.getpid(), signal.SIGTERM)

    def announce(running: server.Running) -> None:
        gateway = running.gateway
        loop.add_signal_handler(HURRY, gateway.hurry)
        ready({"url": running.url, "functions": len(gateway.functions), "kinds": len(gateway.kinds)})

    loop.add_reader(life, stop)
    await common.far.connect(stop)
    worker = server.Worker(common.contents, FarIdempotencyKeys(common.far), partial(FarLogIns, backend=common.far))
    await server.serve(common.settings, common.hooks, common.far, announce=announce, worker=worker)
