"""The simulated server behind a library: one lock around it, its clock, and the handles that programs made."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mt4abi import table
from mt4abi.marshal import Marshal
from mt4sim.echo import echo
from mt4sim.native.vtable import Memory, drop_object, make_object
from mt4sim.server import Server
from mt_remote.errors import InvalidData, NotFound, ReturnCode, ServerError

if TYPE_CHECKING:
    from mt4sim.native.manager import SimulatedManager

_STEP_SECONDS = 0.05


class Host:
    """What all handles of one simulated library share. The server is touched under ``lock`` alone."""

    def __init__(self, server: Server, *, code_page: str = "cp1252", beat: float | None = None) -> None:
        self.server = server
        if not server.externals:  # the example of a server's plugin that ships
            server.externals.append(echo)
        self.lock = threading.RLock()
        self.memory = Memory()
        self.marshal = Marshal(code_page, server.securities)
        self.beat = beat
        self.handles: dict[int, SimulatedManager] = {}
        self.reachable = True

    def attempt(self, action: Callable[[], object]) -> int:
        """Does something to the server; the library's code for how it went."""
        with self.lock:
            try:
                action()
            except ServerError as error:
                return error.return_code
            except (NotFound, InvalidData):
                return int(ReturnCode.INVALID_DATA)
        return int(ReturnCode.OK)

    def drop_connections(self) -> None:
        """The network broke: every connection is gone, pumping and dealing stop."""
        with self.lock:
            for handle in list(self.handles.values()):
                handle.lose()

    def flush(self) -> None:
        """Waits until every program was told of everything that happened up to now. Not to be called from a
        callback."""
        with self.lock:
            notifiers = [handle.notifier for handle in self.handles.values() if handle.notifier is not None]
        for notifier in notifiers:
            notifier.flush()

    def run_clock(self) -> None:
        """Lets the server's time pass with the machine's, on a thread, for as long as the process lives."""
        threading.Thread(target=self._tick_tock, name="mt4sim-clock", daemon=True).start()

    def _tick_tock(self) -> None:
        began, start = time.monotonic(), self.server.now
        while True:
            time.sleep(_STEP_SECONDS)
            with self.lock:
                self.server.advance_to(max(self.server.now, start + int(time.monotonic() - began)))


class SimulatedLibrary:
    """Stands where a loaded Manager library stands. Several may look at one host."""

    def __init__(self, server: Server | Host) -> None:
        self.host = server if isinstance(server, Host) else Host(server)

    def version(self) -> int:
        """The version whose interface this is."""
        return table().version_argument

    def create(self, version: int) -> int:
        """Address of a new interface object; 0 for a version of another program."""
        from mt4sim.native.manager import SimulatedManager

        if version >> 16 != table().program_version:
            return 0
        manager = SimulatedManager(self.host)
        manager.address = make_object(manager)
        with self.host.lock:
            self.host.handles[manager.address] = manager
        return manager.address


def forget(host: Host, address: int) -> None:
    """A handle was released."""
    with host.lock:
        host.handles.pop(address, None)
    drop_object(address)
