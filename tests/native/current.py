"""The server that the shared object serves in this process: whichever the running test made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from mt4abi import table
from mt4sim.market.feeds.specs import FeedSpec
from mt4sim.native.library import SimulatedLibrary
from mt4sim.native.shared_server import SharedServer
from mt4sim.server import Server
from mt4sim.world import World

START = 1_579_500_000
"""Monday, 20 January 2020, 06:00 on the server."""

served: list[SharedServer] = []
"""The last one is served."""


class CurrentLibrary:
    """The shared object asks once a process; tests come and go."""

    def version(self) -> int:
        return table().version_argument

    def create(self, version: int) -> int:
        return SimulatedLibrary(served[-1]).create(version)


library = CurrentLibrary()


@contextmanager
def serving(code_page: str = "cp1252") -> Iterator[SharedServer]:
    """The demo world with its feed off and its clock in the test's hands. Every handle and every array must have been
    given back at the end."""
    server = Server(World.demo(), start=START)
    server.set_feed(FeedSpec(kind="off"))
    shared = SharedServer(server, code_page=code_page)
    served.append(shared)
    try:
        yield shared
        patience = time.monotonic() + 10
        while shared.interfaces and time.monotonic() < patience:
            time.sleep(0.01)  # sessions that broke off are cleared up on threads
        assert shared.interfaces == {}
        assert (shared.memory.outstanding, shared.memory.wrong_frees) == (0, 0)
    finally:
        served.remove(shared)
