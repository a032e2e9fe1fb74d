"""One interface object's connection to the server: who is logged in, and in which mode it is."""

from __future__ import annotations

from mt4sim.desk.managers import ManagerSession
from mt4sim.native.market_watch import MarketWatch
from mt4sim.native.notifier import Notifier
from mt4sim.native.shared_server import SharedServer
from mt_remote.errors import ReturnCode

OK, ERROR = int(ReturnCode.OK), int(ReturnCode.ERROR)
NO_CONNECT = int(ReturnCode.NO_CONNECT)


def refused_while_pumping() -> int:
    """What a request answers on a connection that pumps. Assumed: clients saw 151 and 152, which the library's table
    of texts does not have (Semantics 9, connection state)."""
    return 152


class Connection:
    """What the rooms of an interface object share. ``notifier`` is there while it pumps or deals."""

    def __init__(self, shared: SharedServer) -> None:
        self.shared = shared
        self.connected = False
        self.session: ManagerSession | None = None
        self.notifier: Notifier | None = None
        self.pumping = False
        self.watch = MarketWatch()

    @property
    def manager(self) -> ManagerSession:
        """The session. Guards make sure that there is one."""
        assert self.session is not None
        return self.session

    def state(self, *, pumped: bool) -> int:
        """Whether a function can be called now: the code it would answer."""
        if not self.connected or self.session is None:
            return NO_CONNECT
        if pumped:
            return OK if self.pumping else ERROR
        return refused_while_pumping() if self.pumping else OK

    def logged_in(self) -> int:
        """The same of a function that works in every mode."""
        return OK if self.session is not None else NO_CONNECT
