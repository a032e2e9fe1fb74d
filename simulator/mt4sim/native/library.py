"""The library that native programs and worker processes get by default: a world of its own in each process."""

from __future__ import annotations

import os
import time
from functools import cache

from mt4sim.market.feeds.specs import FeedSpec
from mt4sim.native.host import Host, SimulatedLibrary
from mt4sim.server import Server
from mt4sim.world import World


@cache
def _host() -> Host:
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
    host = Host(server, code_page=os.environ.get("MT4SIM_CODE_PAGE", "cp1252"), beat=5.0)
    if not manual:
        host.run_clock()
    return host


def library() -> SimulatedLibrary:
    """A library on the process's server."""
    return SimulatedLibrary(_host())
