"""The simulated library, and the one that native programs and worker processes get by default: a world of its own in
each process."""

from __future__ import annotations

import os
import time
from functools import cache

from mt4abi import table
from mt4sim.market.feeds.specs import FeedSpec
from mt4sim.native.interface import SimulatedInterface
from mt4sim.native.shared_server import SharedServer
from mt4sim.server import Server
from mt4sim.world import World


class SimulatedLibrary:
    """Stands where a loaded Manager library stands. Several may look at one server."""

    def __init__(self, server: Server | SharedServer) -> None:
        self.shared = server if isinstance(server, SharedServer) else SharedServer(server)

    def version(self) -> int:
        """The version whose interface this is."""
        return table().version_argument

    def create(self, version: int) -> int:
        """Address of a new interface object; 0 for a version of another program."""
        return SimulatedInterface(self.shared).address if version >> 16 == table().program_version else 0


@cache
def _shared() -> SharedServer:
    """One server for the process. ``MT4SIM_WORLD`` names a world file, none the packaged demo broker;
    ``MT4SIM_CLOCK=manual`` stops its clock, ``MT4SIM_START`` sets it; ``MT4SIM_FEED`` is ``random`` or ``off``, none
    the world's; ``MT4SIM_CODE_PAGE`` is the texts' code page."""
    path = os.environ.get("MT4SIM_WORLD")
    world = World.load(path) if path else World.demo()
    manual = os.environ.get("MT4SIM_CLOCK") == "manual"
    stated = os.environ.get("MT4SIM_START")
    start = int(stated) if stated else None if manual else int(time.time()) + world.make_common().timezone * 3600
    server = Server(world, start=start)
    feed = os.environ.get("MT4SIM_FEED")
    if feed:
        server.set_feed(FeedSpec.model_validate(world.feed.model_dump() | {"kind": feed}))
    shared = SharedServer(server, code_page=os.environ.get("MT4SIM_CODE_PAGE", "cp1252"), beat=5.0)
    if not manual:
        shared.run_clock()
    return shared


def library() -> SimulatedLibrary:
    """A library on the process's server."""
    return SimulatedLibrary(_shared())
