"""The simulated server behind a library: one lock around it, its clock, and the interface objects made of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from mt4abi.marshal import Marshal
from mt4sim.desk.echo import echo
from mt4sim.native.notifier import Notifier
from mt4sim.native.vtable import Memory
from mt4sim.server import Server
from mt_remote.errors import InvalidData, NotFound, ReturnCode, ServerError

_STEP_SECONDS = 0.05


class Interface(Protocol):
    """What the server has to know of an interface object."""

    @property
    def notifier(self) -> Notifier | None:
        """Who tells its program, while it pumps or deals."""

    def lose(self) -> None:
        """The network broke."""


class SharedServer:
    """What all interface objects of one simulated library share. The server is touched under ``lock`` alone."""

    def __init__(self, server: Server, *, code_page: str = "cp1252", beat: float | None = None) -> None:
        self.server = server
        if not server.externals:  # the example of a server's plugin that ships
            server.externals.append(echo)
        self.lock = threading.RLock()
        self.memory = Memory()
        self.marshal = Marshal(code_page, server.securities)
        self.beat = beat  # seconds between pings of a connection that pumps; none: no pings
        self.interfaces: dict[int, Interface] = {}  # by address
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
            for interface in list(self.interfaces.values()):
                interface.lose()

    def flush(self) -> None:
        """Waits until every program was told of everything that happened up to now. Not to be called from a
        callback."""
        with self.lock:
            notifiers = [each.notifier for each in self.interfaces.values()]
        for notifier in filter(None, notifiers):
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
