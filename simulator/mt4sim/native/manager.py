"""One handle of the simulated library: its life, and all the parts that its functions are in."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

from mt4abi import Deal, Pump
from mt4sim.native.chart_calls import ChartPart
from mt4sim.native.handle_base import NO_CONNECT, OK
from mt4sim.native.host import Host, forget
from mt4sim.native.order_calls import OrderPart
from mt4sim.native.pumping import PumpingPart
from mt4sim.native.report_calls import ReportPart
from mt4sim.native.timetable_calls import TimetablePart
from mt_remote.errors import ReturnCode, describe

_BEFORE_LOGIN = ("login_secured", "keys_send")
"""Functions that want a connection alone."""


class SimulatedManager(PumpingPart, ChartPart, ReportPart, OrderPart, TimetablePart):
    """What ``MtManCreate`` makes."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._references = 1

    def not_offered(self, name: str) -> int:
        """What a function answers that this server has nothing for (keys, mail, backups, the feeders' settings …)."""
        reached = self.connected if name in _BEFORE_LOGIN else self.session is not None
        return int(ReturnCode.MALFUNCTION) if reached else NO_CONNECT

    # Memory and texts

    def mem_free(self, address: int | None) -> None:
        if address:
            self.host.memory.free(address)

    def error_description(self, code: int) -> int:
        return ctypes.addressof(_text(describe(code)))

    def add_ref(self) -> int:
        with self.host.lock:
            self._references += 1
            return self._references

    def release(self) -> int:
        """The last one ends the connection and the object."""
        with self.host.lock:
            self._references -= 1
            left = self._references
        if not left:
            self.disconnect()
            forget(self.host, self.address)
        return left

    # Connection

    def connect(self, server: int) -> int:
        """Any server name reaches the one server that there is."""
        if not self.host.reachable or not self.text(server):
            return NO_CONNECT
        self.connected = True
        return OK

    def disconnect(self) -> int:
        notifier = self._end()
        if notifier is not None:
            notifier.close()
        return OK

    def lose(self) -> None:
        """The network broke: the program is told by its callback, as by a real server's silence."""
        was_pumping = self.pumping
        notifier = self._end()
        if notifier is not None:
            notifier.put(Pump.STOP_PUMPING if was_pumping else Deal.STOP_DEALING)
            notifier.finish()

    def _end(self) -> Any:
        with self.host.lock:
            if self.pumping:
                self.stop_pumping()
            self.stop_dealing()
            self.connected, self.session = False, None
            notifier, self.notifier = self.notifier, None
        return notifier

    def is_connected(self) -> int:
        return int(self.connected)

    def login(self, login: int, password: int) -> int:
        if not self.connected:
            return NO_CONNECT
        secret = self.text(password)

        def log_in() -> None:
            self.session = self.host.server.login(login, secret)

        return self.host.attempt(log_in)

    def ping(self) -> int:
        return OK if self.connected else NO_CONNECT

    def password_change(self, password: int, investor: int) -> int:
        """A manager's own password."""
        if self.session is None:
            return NO_CONNECT
        login, secret = self.session.login, self.text(password)
        accounts = self.host.server.accounts
        if accounts.find(login) is None:
            return int(ReturnCode.BAD_ACCOUNT_INFO)
        return self.host.attempt(lambda: accounts.set_password(login, secret, investor=bool(investor)))

    def bytes_sent(self) -> int:
        return 0

    def bytes_received(self) -> int:
        return 0


@cache
def _text(value: str) -> Any:
    """A text that stays where it is."""
    return ctypes.create_string_buffer(value.encode("ascii"))
