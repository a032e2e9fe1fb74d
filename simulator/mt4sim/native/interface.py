"""One interface object of the simulated library: its life, its connection, and the rooms that its functions are in."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from mt4abi import Deal, Pump
from mt4sim.native.account_calls import AccountCalls
from mt4sim.native.cache_calls import CacheCalls
from mt4sim.native.calls import Calls, slot_names
from mt4sim.native.chart_calls import ChartCalls
from mt4sim.native.configuration_calls import ConfigurationCalls
from mt4sim.native.connection import NO_CONNECT, OK, Connection
from mt4sim.native.dealer_calls import DealerCalls
from mt4sim.native.notifier import Notifier
from mt4sim.native.order_calls import OrderCalls
from mt4sim.native.pumping_calls import PumpingCalls
from mt4sim.native.report_calls import ReportCalls
from mt4sim.native.risk_calls import RiskCalls
from mt4sim.native.shared_server import SharedServer
from mt4sim.native.symbol_calls import SymbolCalls
from mt4sim.native.table_calls import TableCalls, table_functions
from mt4sim.native.tables import TABLES
from mt4sim.native.trade_calls import TradeCalls
from mt4sim.native.vtable import drop_object, make_object
from mt_remote.errors import ReturnCode, describe

_BEFORE_LOGIN = ("login_secured", "keys_send")
"""Functions that want a connection alone."""

ROOMS: tuple[type[Calls], ...] = (
    ConfigurationCalls,
    SymbolCalls,
    AccountCalls,
    TradeCalls,
    OrderCalls,
    DealerCalls,
    PumpingCalls,
    CacheCalls,
    RiskCalls,
    ChartCalls,
    ReportCalls,
)
"""Where the functions are, beside those of the configuration's tables and of the object's own life."""


class SimulatedInterface:
    """What ``MtManCreate`` makes."""

    def __init__(self, shared: SharedServer) -> None:
        self.shared = shared
        self.connection = Connection(shared)
        self._rooms: list[Calls] = [room(self.connection) for room in ROOMS]
        self._rooms += [TableCalls(self.connection, table) for table in TABLES]
        self._functions = dict(function for room in self._rooms for function in room.functions())
        self._references = 1
        self.address = make_object(self)
        with shared.lock:
            shared.interfaces[self.address] = self

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The function of a slot that one of the rooms answers."""
        try:
            return self.__dict__["_functions"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def notifier(self) -> Notifier | None:
        """Who tells the program, while it pumps or deals."""
        return self.connection.notifier

    def not_offered(self, name: str) -> int:
        """What a function answers that this server has nothing for (keys, mail, backups, the feeders' settings …)."""
        reached = self.connection.connected if name in _BEFORE_LOGIN else self.connection.session is not None
        return int(ReturnCode.MALFUNCTION) if reached else NO_CONNECT

    # Memory and texts

    def mem_free(self, address: int | None) -> None:
        if address:
            self.shared.memory.free(address)

    def error_description(self, code: int) -> int:
        return ctypes.addressof(_text(describe(code)))

    def add_ref(self) -> int:
        with self.shared.lock:
            self._references += 1
            return self._references

    def release(self) -> int:
        """The last one ends the connection and the object."""
        with self.shared.lock:
            self._references -= 1
            left = self._references
        if not left:
            self.disconnect()
            with self.shared.lock:
                self.shared.interfaces.pop(self.address, None)
            drop_object(self.address)
        return left

    # Connection

    def connect(self, server: int) -> int:
        """Any server name reaches the one server that there is."""
        if not self.shared.reachable or not self._rooms[0].text(server):
            return NO_CONNECT
        self.connection.connected = True
        return OK

    def disconnect(self) -> int:
        notifier = self._end()
        if notifier is not None:
            notifier.close()
        return OK

    def lose(self) -> None:
        """The network broke: the program is told by its callback, as by a real server's silence."""
        was_pumping = self.connection.pumping
        notifier = self._end()
        if notifier is not None:
            notifier.put(Pump.STOP_PUMPING if was_pumping else Deal.STOP_DEALING)
            notifier.finish()

    def _end(self) -> Notifier | None:
        with self.shared.lock:
            for room in self._rooms:
                room.ended()
            connection = self.connection
            connection.connected, connection.session = False, None
            notifier, connection.notifier = connection.notifier, None
        return notifier

    def is_connected(self) -> int:
        return int(self.connection.connected)

    def login(self, login: int, password: int) -> int:
        if not self.connection.connected:
            return NO_CONNECT
        secret = self._rooms[0].text(password)

        def log_in() -> None:
            self.connection.session = self.shared.server.login(login, secret)

        return self.shared.attempt(log_in)

    def ping(self) -> int:
        return OK if self.connection.connected else NO_CONNECT

    def bytes_sent(self) -> int:
        return 0

    def bytes_received(self) -> int:
        return 0


def offered() -> frozenset[str]:
    """The slots that are answered, by their methods' names."""
    own = frozenset(name for name in slot_names() if hasattr(SimulatedInterface, name))
    return own.union(*(room.offered() for room in ROOMS), *(table_functions(table) for table in TABLES))


@cache
def _text(value: str) -> Any:
    """A text that stays where it is."""
    return ctypes.create_string_buffer(value.encode("ascii"))
