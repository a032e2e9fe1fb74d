"""The server that the shared object serves in this process: whichever the running test made."""

from __future__ import annotations

from mt4sim.native.host import Host, SimulatedLibrary
from mt_remote_plugins.manager.abi import table

hosts: list[Host] = []
"""The last one is served."""


class CurrentLibrary:
    """The shared object asks once a process; tests come and go."""

    def version(self) -> int:
        return table().version_argument

    def create(self, version: int) -> int:
        return SimulatedLibrary(hosts[-1]).create(version)


library = CurrentLibrary()
