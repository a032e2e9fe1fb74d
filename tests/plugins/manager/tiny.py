"""A tiny Manager library in Python: a server of a few native structs behind the real table of functions.

It knows nothing of trading rules. It is what the backend's own tests need: the library's manners (``NULL`` for empty,
arrays to be freed, notifications from a foreign thread) and, on purpose, its misbehaviour.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any

from mt4abi import Deal, Pump, Trans, Transaction, structure, table
from mt4sim.native.native_values import (
    integer_at,
    integers_at,
    put,
    put_integer,
    put_pointer,
    size_of,
    struct_at,
    text_at,
)  # fmt: skip
from mt4sim.native.notifier import Notifier, plain_delivery, pumping_delivery
from mt4sim.native.vtable import Memory, drop_object, make_object
from mt_remote.errors import ReturnCode, describe

OK, NO_CONNECT, INVALID = int(ReturnCode.OK), int(ReturnCode.NO_CONNECT), int(ReturnCode.INVALID_DATA)
NOW = 1_600_000_000


def row(kind: str, /, **members: Any) -> bytes:
    """A native struct with some members set."""
    made: Any = structure(kind)()
    for member, value in members.items():
        setattr(made, member, value)
    return bytes(made)


class TinyServer:
    """The state that all handles of one library share."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.memory = Memory()
        self.passwords = {1: b"manager"}
        self.rights = row("ConManager", login=1, admin=1, see_trades=1, reports=1)
        self.securities = [b"Forex", b"CFD"]
        self.common = row("ConCommon", name=b"Tiny")
        self.groups: dict[bytes, bytes] = {b"demo": row("ConGroup", group=b"demo", reserved=_noise())}
        self.managers: dict[int, bytes] = {1: self.rights}
        self.users: dict[int, bytes] = {}
        self.trades: dict[int, bytes] = {}
        self.closed: dict[int, bytes] = {}
        self.infos = {b"EURUSD": row("SymbolInfo", symbol=b"EURUSD", digits=5)}
        self.requests: dict[int, bytes] = {}
        self.answers: list[tuple[int, tuple[float, float], int, int]] = []
        self.handles: list[TinyManager] = []
        self.faults: dict[str, Callable[..., Any]] = {}
        self.logins = 0

    # What a test does to the server

    def pump(self, code: Pump, change: Trans, data: bytes) -> None:
        """Notifies every pumping handle."""
        for handle in list(self.handles):
            if handle.notifier is not None and not handle.dealing:
                handle.notifier.put(code, change, data)

    def tick(self, symbol: bytes, bid: float, ask: float, time: int = NOW) -> None:
        """A new price."""
        with self.lock:
            info: Any = structure("SymbolInfo").from_buffer_copy(self.infos[symbol])
            info.bid, info.ask, info.lasttime = bid, ask, time
            self.infos[symbol] = bytes(info)
            for handle in self.handles:
                if symbol in handle.shown:
                    handle.changed[symbol] = None
        self.pump(Pump.UPDATE_BIDASK, Trans.ADD, b"")

    def trade(self, order: int, change: Trans = Trans.ADD, **members: Any) -> bytes:
        """A trade that opened, changed or closed."""
        data = row("TradeRecord", order=order, login=members.pop("login", 100), **members)
        with self.lock:
            (self.closed if change == Trans.DELETE else self.trades)[order] = data
            if change == Trans.DELETE:
                self.trades.pop(order, None)
        self.pump(Pump.UPDATE_TRADES, change, data)
        return data

    def request(self, number: int) -> None:
        """A client asks a dealer."""
        with self.lock:
            self.requests[number] = row("RequestInfo", id=number, status=1, login=100, group=b"demo")
        self.call_dealers(Deal.REQUEST_NEW)

    def call_dealers(self, code: Deal) -> None:
        for handle in list(self.handles):
            if handle.notifier is not None and handle.dealing:
                handle.notifier.put(code)

    def stop(self, code: int, *, dealing: bool = False) -> None:
        """The server stops pumping or dealing on every handle."""
        for handle in list(self.handles):
            if handle.notifier is not None and handle.dealing == dealing:
                handle.notifier.put(code)


def _noise() -> Any:
    return (ctypes.c_int * 17)(*range(1, 18))


class TinyLibrary:
    """What stands in the place of a loaded library."""

    def __init__(self, server: TinyServer | None = None) -> None:
        self.server = server or TinyServer()

    def version(self) -> int:
        return table().version_argument

    def create(self, version: int) -> int:
        manager = TinyManager(self.server)
        self.server.handles.append(manager)
        manager.address = make_object(manager)
        return manager.address


class TinyManager:
    """One handle."""

    address = 0

    def __init__(self, server: TinyServer) -> None:
        self.server = server
        self.connected = False
        self.notifier: Notifier | None = None
        self.dealing = False
        self.shown: set[bytes] = set()
        self.changed: dict[bytes, None] = {}

    def __getattribute__(self, name: str) -> Any:
        server = object.__getattribute__(self, "__dict__").get("server")
        if server is not None and name in server.faults:
            fault = server.faults[name]
            return lambda *arguments: fault(self, *arguments)
        return object.__getattribute__(self, name)

    def array(self, rows: list[bytes], total: int) -> int | None:
        """An array that the caller must free; nothing for an empty one."""
        put_integer(total, len(rows))
        return self.server.memory.hold(b"".join(rows)) if rows else None

    # Connection

    def release(self) -> int:
        drop_object(self.address)
        self.server.handles.remove(self)
        return OK

    def mem_free(self, address: int) -> None:
        self.server.memory.free(address)

    def error_description(self, code: int) -> int:
        return _text(describe(code))

    def connect(self, server: int) -> int:
        if text_at(server) != b"tiny:443":
            return NO_CONNECT
        self.connected = True
        return OK

    def disconnect(self) -> int:
        self.connected = False
        notifier, self.notifier = self.notifier, None
        if notifier is not None:
            notifier.close()
        return OK

    def is_connected(self) -> int:
        return int(self.connected)

    def login(self, login: int, password: int) -> int:
        self.server.logins += 1
        return OK if self.server.passwords.get(login) == text_at(password) else int(ReturnCode.BAD_ACCOUNT_INFO)

    def ping(self) -> int:
        return OK if self.connected else NO_CONNECT

    def manager_rights(self, rights: int) -> int:
        put(rights, self.server.rights)
        return OK

    def server_time(self) -> int:
        return NOW

    # Configuration

    def symbols_refresh(self) -> int:
        return OK

    def symbol_get(self, symbol: int, native: int) -> int:
        return OK if text_at(symbol) in self.server.infos else int(ReturnCode.ERROR)

    def symbols_groups_get(self, groups: int) -> int:
        rows = [row("ConSymbolGroup", name=name) for name in self.server.securities]
        put(groups, b"".join(rows).ljust(32 * size_of("ConSymbolGroup"), b"\0"))
        return OK

    def cfg_request_common(self, common: int) -> int:
        put(common, self.server.common)
        return OK

    def cfg_update_common(self, common: int) -> int:
        self.server.common = struct_at("ConCommon", common)
        return OK

    def groups_request(self, total: int) -> int | None:
        return self.array(list(self.server.groups.values()), total)

    cfg_request_group = groups_request

    def cfg_update_group(self, group: int) -> int:
        data = struct_at("ConGroup", group)
        name = data[:16].partition(b"\0")[0]
        change = Trans.UPDATE if name in self.server.groups else Trans.ADD
        self.server.groups[name] = data
        self.server.pump(Pump.UPDATE_GROUPS, change, data)
        return OK

    def cfg_delete_group(self, position: int) -> int:
        del self.server.groups[list(self.server.groups)[position]]
        return OK

    def cfg_request_manager(self, total: int) -> int | None:
        return self.array(list(self.server.managers.values()), total)

    def cfg_update_manager(self, manager: int) -> int:
        data = struct_at("ConManager", manager)
        self.server.managers[int.from_bytes(data[:4], "little")] = data
        return OK

    def cfg_delete_manager(self, position: int) -> int:
        del self.server.managers[list(self.server.managers)[position]]
        return OK

    # Accounts

    def users_request(self, total: int) -> int | None:
        return self.array(list(self.server.users.values()), total)

    def user_records_request(self, logins: int, total: int) -> int | None:
        asked = integers_at(logins, integer_at(total))
        return self.array([self.server.users[n] for n in sorted(set(asked)) if n in self.server.users], total)

    def user_record_new(self, user: int) -> int:
        data = bytearray(struct_at("UserRecord", user))
        login = int.from_bytes(data[:4], "little") or 100 + len(self.server.users)
        data[:4] = login.to_bytes(4, "little")
        put(user, bytes(data))
        return self._store_user(bytes(data), Trans.ADD)

    def user_record_update(self, user: int) -> int:
        return self._store_user(struct_at("UserRecord", user), Trans.UPDATE)

    def _store_user(self, data: bytes, change: Trans) -> int:
        self.server.users[int.from_bytes(data[:4], "little")] = data
        self.server.pump(Pump.UPDATE_USERS, change, data)
        return OK

    def users_group_op(self, command: int, logins: int) -> int:
        info: Any = structure("GroupCommandInfo").from_buffer_copy(struct_at("GroupCommandInfo", command))
        for login in integers_at(logins, info.len):
            self.server.users.pop(login, None)
        return OK

    # Prices

    def symbol_add(self, symbol: int) -> int:
        name = text_at(symbol)
        if name not in self.server.infos:
            return int(ReturnCode.ERROR)
        self.shown.add(name)
        return OK

    def symbol_hide(self, symbol: int) -> int:
        self.shown.discard(text_at(symbol))
        return OK

    def symbol_send_tick(self, symbol: int, bid: float, ask: float) -> int:
        self.server.tick(text_at(symbol), bid, ask)
        return OK

    def symbol_info_get(self, symbol: int, info: int) -> int:
        data = self.server.infos.get(text_at(symbol))
        if data is None:
            return int(ReturnCode.ERROR)
        put(info, data)
        return OK

    def symbol_info_updated(self, infos: int, most: int) -> int:
        with self.server.lock:
            names = list(self.changed)[:most]
            for name in names:
                del self.changed[name]
            put(infos, b"".join(self.server.infos[name] for name in names))
        return len(names)

    # Trades

    def trade_transaction(self, address: int) -> int:
        info: Any = structure("TradeTransInfo").from_buffer_copy(struct_at("TradeTransInfo", address))
        if info.type in (Transaction.OPEN, Transaction.BALANCE):
            order = 1 + len(self.server.trades) + len(self.server.closed)
            info.order = order
            put(address, bytes(info))
            self.server.trade(order, login=info.orderby, symbol=info.symbol, cmd=info.cmd, volume=info.volume,
                              open_price=info.price, sl=info.sl, tp=info.tp, comment=info.comment)  # fmt: skip
            return OK
        if info.order not in self.server.trades:
            return INVALID
        known: Any = structure("TradeRecord").from_buffer_copy(self.server.trades[info.order])
        if info.type == Transaction.CLOSE:
            self.server.trade(info.order, Trans.DELETE, login=known.login, close_time=NOW, close_price=info.price)
        elif info.type == Transaction.MODIFY:
            self.server.trade(info.order, Trans.UPDATE, login=known.login,
                              open_price=info.price, sl=info.sl, tp=info.tp,
                              comment=info.comment, cmd=known.cmd)  # fmt: skip
        return OK

    def trades_request(self, total: int) -> int | None:
        return self.array(list(self.server.trades.values()), total)

    def trade_records_request(self, orders: int, total: int) -> int | None:
        every = self.server.trades | self.server.closed
        return self.array([every[n] for n in integers_at(orders, integer_at(total)) if n in every], total)

    def trades_user_history(self, login: int, start: int, end: int, total: int) -> int | None:
        return self.array(list(self.server.closed.values()), total)

    def external_command(self, data: int, size: int, out: int, out_size: int) -> int:
        answer = ctypes.string_at(data, size)[::-1]
        put_pointer(out, self.server.memory.hold(answer))
        put_integer(out_size, len(answer))
        return OK

    # Pumping and dealing

    def pumping_switch_ex(self, function: int, flags: int, parameter: int) -> int:
        self.notifier = Notifier(pumping_delivery(function, parameter))
        self.notifier.put(Pump.START_PUMPING)
        return OK

    def dealer_switch(self, function: int, window: int, message: int) -> int:
        self.dealing = True
        self.notifier = Notifier(plain_delivery(function))
        self.notifier.put(Deal.START_DEALING)
        return OK

    def dealer_request_get(self, info: int) -> int:
        with self.server.lock:
            for number, data in self.server.requests.items():
                if data[4] == 1:
                    locked = data[:4] + b"\x02" + data[5:]
                    self.server.requests[number] = locked
                    put(info, locked)
                    return OK
        return int(ReturnCode.OK_NONE)

    def dealer_send(self, address: int, requote: int, mode: int) -> int:
        info: Any = structure("RequestInfo").from_buffer_copy(struct_at("RequestInfo", address))
        self.server.answers.append((info.id, tuple(info.prices), requote, mode))
        return OK

    def dealer_reject(self, number: int) -> int:
        self.server.answers.append((number, (0.0, 0.0), -1, 0))
        return OK

    def dealer_reset(self, number: int) -> int:
        self.server.answers.append((number, (0.0, 0.0), -2, 0))
        return OK


_texts: dict[str, Any] = {}


def _text(value: str) -> int:
    return ctypes.addressof(_texts.setdefault(value, ctypes.create_string_buffer(value.encode())))


# Libraries by name, for worker processes


def well_behaved() -> TinyLibrary:
    """One server a process."""
    return TinyLibrary()


def with_trades() -> TinyLibrary:
    """Has five."""
    library = TinyLibrary()
    for order in range(5):
        library.server.trade(order)
    return library


def crashing() -> TinyLibrary:
    """Takes its process down when asked for the users."""
    library = TinyLibrary()
    library.server.faults["users_request"] = lambda handle, total: os.abort()
    return library


def hanging() -> TinyLibrary:
    """Never comes back when asked for the users."""
    library = TinyLibrary()
    library.server.faults["users_request"] = lambda handle, total: threading.Event().wait()
    return library
