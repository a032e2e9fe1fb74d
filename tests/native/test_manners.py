"""The simulated library's manners, as a program that knows only the interface meets them (semantics, 9 and 10)."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mt4abi import (
    Deal,
    NotifyFunction,
    NotifyFunctionEx,
    Pump,
    Trans,
    number,
    structure,
    table,
)
from mt4sim import NewOrder, OrderChange
from mt4sim.native.library import SimulatedLibrary
from mt4sim.native.shared_server import SharedServer
from mt4sim.native.vtable import method_name
from mt_remote.errors import ReturnCode, describe
from mt_remote.records import ConManager, Draft, Patch, TradeCommand, UserRecord
from mt_remote_plugins.manager.engine.handle import Handle
from tests.native.current import serving

OK, ERROR, NO_CONNECT = 0, int(ReturnCode.ERROR), int(ReturnCode.NO_CONNECT)


@pytest.fixture
def shared() -> Iterator[SharedServer]:
    with serving() as served:
        yield served


class Program:
    """Handles of one program, released at its end, and what its callbacks were told."""

    def __init__(self, shared: SharedServer) -> None:
        self.library = SimulatedLibrary(shared)
        self.handles: list[Handle] = []
        self.told: list[tuple[int, int, bytes]] = []
        self._changed = threading.Condition()
        self.functions: list[Any] = []

    def handle(self, *, login: int = 1, password: bytes = b"manager") -> Handle:
        handle = Handle(self.library.create(table().version_argument))
        self.handles.append(handle)
        assert handle.call("Connect", b"demo:443").code == OK
        assert handle.call("Login", login, password).code == OK
        return handle

    def pump(self, handle: Handle, flags: int = 0) -> None:
        """Switches to pumping; every notification is kept."""
        sizes = {Pump.UPDATE_GROUPS: 13696, Pump.UPDATE_USERS: 1120, Pump.UPDATE_TRADES: 224, Pump.UPDATE_ONLINE: 4}

        def notified(code: int, kind: int, data: int, parameter: int) -> None:
            size = sizes.get(Pump(code), 0)
            self._tell(code, kind, ctypes.string_at(data, size) if data and size else b"")

        function = NotifyFunctionEx(notified)
        self.functions.append(function)
        assert handle.plain("PumpingSwitchEx", function, flags, 7) == OK

    def deal(self, handle: Handle) -> int:
        function = NotifyFunction(lambda code: self._tell(code, -1, b""))
        self.functions.append(function)
        return handle.plain("DealerSwitch", function, None, 0)

    def _tell(self, code: int, kind: int, data: bytes) -> None:
        with self._changed:
            self.told.append((code, kind, data))
            self._changed.notify_all()

    def until(self, count: int) -> list[tuple[int, int, bytes]]:
        """The notifications, when there are that many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, 10), self.told
            return list(self.told)

    def end(self) -> None:
        for handle in self.handles:
            handle.plain("Release")


@pytest.fixture
def program(shared: SharedServer) -> Iterator[Program]:
    made = Program(shared)
    yield made
    made.end()


def _codes(told: list[tuple[int, int, bytes]]) -> list[int]:
    return [code for code, _, _ in told]


def _user(shared: SharedServer, login: int = 100) -> None:
    fields = {"login": login, "group": "miniforex", "name": "A", "password": "Pass1", "enable": True}
    shared.server.login(1, "manager").add_user(Draft(UserRecord, fields))


def test_nothing_works_before_connect_and_login(program: Program) -> None:
    handle = Handle(program.library.create(table().version_argument))
    program.handles.append(handle)
    assert handle.call("Login", 1, b"manager").code == NO_CONNECT
    assert handle.call("Ping").code == NO_CONNECT
    assert handle.call("CfgRequestCommon", b"").code == NO_CONNECT
    assert handle.call("UsersRequest", 0).code == NO_CONNECT
    assert handle.call("Connect", b"demo:443").code == OK
    assert handle.call("UserRecordNew", b"").code == NO_CONNECT
    assert handle.plain("IsConnected") == 1


def test_another_programs_version_gets_no_object(program: Program) -> None:
    assert program.library.create(500 << 16 | 1260) == 0


def test_error_texts(program: Program) -> None:
    handle = program.handle()
    for code in (*ReturnCode, 9999, -1):
        assert handle.describe(int(code)) == describe(int(code))


def test_logins_that_are_refused(program: Program, shared: SharedServer) -> None:
    _user(shared)
    handle = Handle(program.library.create(table().version_argument))
    program.handles.append(handle)
    handle.call("Connect", b"demo:443")
    for login, password in ((1, b"wrong"), (100, b"Pass1"), (4711, b"x")):
        assert handle.call("Login", login, password).code == ReturnCode.BAD_ACCOUNT_INFO


def test_requests_are_refused_while_pumping_and_the_cache_answers_only_then(
    program: Program, shared: SharedServer
) -> None:
    _user(shared)
    handle = program.handle()
    assert handle.call("UsersGet", 0).rows == b""
    assert handle.call("UserRecordGet", 100, b"").code == ERROR
    assert handle.call("SymbolInfoUpdated", bytes(112), 1).code == 0
    assert len(handle.call("UsersRequest", 0).rows) > 0
    program.pump(handle)
    assert handle.call("UsersRequest", 0).rows == b""
    assert handle.call("CfgRequestCommon", b"").code == 152
    assert len(handle.call("UsersGet", 0).rows) > 0
    assert handle.call("UserRecordGet", 100, b"").code == OK
    assert handle.call("UserRecordGet", 4711, b"").code == ERROR


def test_pumping_starts_with_one_notice_a_table(program: Program) -> None:
    program.pump(program.handle())
    told = program.until(8)
    assert _codes(told) == [
        Pump.START_PUMPING, Pump.UPDATE_SYMBOLS, Pump.UPDATE_GROUPS, Pump.UPDATE_USERS, Pump.UPDATE_ONLINE,
        Pump.UPDATE_TRADES, Pump.UPDATE_REQUESTS, Pump.UPDATE_PLUGINS,
    ]  # fmt: skip
    assert {data for _, _, data in told} == {b""}


def test_changes_are_told_in_the_order_in_which_they_happened(program: Program, shared: SharedServer) -> None:
    pump, direct = program.handle(), program.handle()
    program.pump(pump)
    program.until(8)
    _user(shared)
    manager = shared.server.login(1, "manager")
    manager.balance(100, TradeCommand.BALANCE, 1000.0)
    ticket = manager.open(100, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.1))
    manager.modify(ticket, OrderChange(sl=1.0))
    manager.close(ticket, 0.1, 1.2)
    trades = [(kind, data) for code, kind, data in program.until(15)[8:] if code == Pump.UPDATE_TRADES]
    assert [kind for kind, _ in trades] == [Trans.ADD, Trans.ADD, Trans.UPDATE, Trans.DELETE]
    closed: Any = structure("TradeRecord").from_buffer_copy(trades[-1][1])
    assert (closed.order, closed.close_time) == (ticket, shared.server.now)
    assert program.told[8][:2] == (Pump.UPDATE_USERS, Trans.ADD)
    assert direct.call("TradeRecordsRequest", ticket.to_bytes(4, "little"), 1).rows == trades[-1][1]


def test_flags_hide_tables_and_masks_hide_users(program: Program, shared: SharedServer) -> None:
    shared.server.config.set_manager(Patch(ConManager, {"login": 1, "groups": ["demoforex"]}))
    program.pump(program.handle(), number("CLIENT_FLAGS_HIDETICKS"))
    program.until(8)
    handle = program.handles[0]
    handle.call("SymbolAdd", b"EURUSD")
    shared.server.tick("EURUSD", 1.1, 1.2)
    shared.server.accounts.add(Draft(UserRecord, {"group": "miniforex", "name": "A", "password": "Pass1"}))
    shared.server.accounts.add(Draft(UserRecord, {"group": "demoforex", "name": "B", "password": "Pass1"}))
    (told,) = program.until(9)[8:]
    assert told[2][4:13] == b"demoforex"


def test_ticks_come_for_shown_symbols_newest_state_only(program: Program, shared: SharedServer) -> None:
    handle = program.handle()
    program.pump(handle)
    program.until(8)
    assert handle.call("SymbolAdd", b"NOPE").code == ERROR
    shared.server.tick("EURUSD", 1.0, 1.1)
    handle.call("SymbolAdd", b"EURUSD")
    for bid in (1.1, 1.2, 1.3):
        shared.server.tick("EURUSD", bid, 1.4)
    assert _codes(program.until(11)[8:]) == [Pump.UPDATE_BIDASK] * 3
    reply = handle.call("SymbolInfoUpdated", bytes(3 * 112), 3)
    info: Any = structure("SymbolInfo").from_buffer_copy(reply.outs[0])  # type: ignore[arg-type]
    assert (reply.code, info.symbol, info.bid, info.lasttime) == (1, b"EURUSD", 1.3, shared.server.now)
    assert handle.call("SymbolInfoUpdated", bytes(112), 1).code == 0
    assert len(handle.call("TickInfoLast", b"EURUSD", 0).rows) == 3 * 32
    assert handle.call("TickInfoLast", b"EURUSD", 0).rows == b""
    handle.call("SymbolHide", b"EURUSD")
    shared.server.tick("EURUSD", 1.5, 1.6)
    assert len(program.told) == 11


def test_a_dealer_is_told_of_each_request_and_takes_it_locked(program: Program, shared: SharedServer) -> None:
    fields = {"login": 100, "group": "demodealing", "name": "A", "password": "Pass1", "enable": True, "leverage": 100}
    manager = shared.server.login(1, "manager")
    manager.add_user(Draft(UserRecord, fields))
    manager.balance(100, TradeCommand.BALANCE, 10_000.0)
    shared.server.tick("EURUSD", 1.1, 1.2)
    handle = program.handle()
    assert program.deal(handle) == OK
    deal = shared.server.trader(100).open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    assert _codes(program.until(2)) == [Deal.START_DEALING, Deal.REQUEST_NEW]
    reply = handle.call("DealerRequestGet", b"")
    request: Any = structure("RequestInfo").from_buffer_copy(reply.outs[0])  # type: ignore[arg-type]
    assert (reply.code, request.id, request.status, request.manager) == (OK, deal.id, number("DC_LOCKED"), 1)
    assert handle.call("DealerRequestGet", b"").code == ReturnCode.OK_NONE
    assert handle.call("DealerReject", 4711).code == ReturnCode.INVALID_DATA
    assert handle.call("DealerReject", deal.id).code == OK
    assert deal.answer is not None


def test_a_right_that_is_missing(program: Program, shared: SharedServer) -> None:
    handle = program.handle()
    shared.server.config.set_manager(
        Patch(ConManager, {"login": 1, "broker": False, "admin": False, "see_trades": False, "manager": False})
    )
    assert program.deal(handle) == ReturnCode.NOT_ENOUGH_RIGHTS
    assert handle.call("CfgRequestCommon", b"").code == ReturnCode.NOT_ENOUGH_RIGHTS
    assert handle.call("UserRecordNew", b"").code == ReturnCode.NOT_ENOUGH_RIGHTS
    assert handle.call("TradesRequest", 0).rows == b""


def test_client_transactions_are_refused(program: Program) -> None:
    info = bytes(structure("TradeTransInfo")(type=number("TT_ORDER_MK_OPEN")))
    assert program.handle().call("TradeTransaction", info).code == ReturnCode.INVALID_DATA


def test_symbols_and_their_terms(program: Program, shared: SharedServer) -> None:
    rows = program.handle().call("CfgRequestSymbol", 0).rows
    size = table().layouts["ConSymbol"].size
    found = [structure("ConSymbol").from_buffer_copy(rows[at : at + size]) for at in range(0, len(rows), size)]
    for native, symbol in zip(found, shared.server.symbols.values(), strict=True):
        read: Any = native
        assert read.symbol.decode() == symbol.name
        assert (read.digits, read.point, read.contract_size) == (symbol.digits, symbol.point, symbol.contract_size)
        assert shared.server.securities[read.type] == symbol.security


def test_groups_of_users_are_changed_together(program: Program, shared: SharedServer) -> None:
    for login in (100, 101):
        _user(shared, login)
    handle = program.handle()
    logins = b"".join(login.to_bytes(4, "little") for login in (100, 101))
    command = structure("GroupCommandInfo")(len=2, command=number("GROUP_LEVERAGE"), leverage=50)
    assert handle.call("UsersGroupOp", bytes(command), logins).code == OK
    assert {shared.server.accounts.get(login).info.leverage for login in (100, 101)} == {50}
    unknown = structure("GroupCommandInfo")(len=2, command=99)
    assert handle.call("UsersGroupOp", bytes(unknown), logins).code == ReturnCode.INVALID_DATA


def test_the_last_reference_ends_the_object(program: Program, shared: SharedServer) -> None:
    handle = program.handle()
    assert handle.plain("AddRef") == 2
    assert handle.plain("Release") == 1
    assert handle.call("Ping").code == OK
    assert handle.plain("Release") == 0
    program.handles.remove(handle)
    assert shared.interfaces == {}


def test_a_mode_is_not_switched_on_a_second_time(program: Program) -> None:
    dealer = program.handle()
    assert program.deal(dealer) == OK
    assert program.deal(dealer) == ERROR
    function = NotifyFunctionEx(lambda *told: None)
    assert dealer.plain("PumpingSwitchEx", function, 0, None) == ERROR
    assert dealer.call("DealerRequestGet", b"").code == ReturnCode.OK_NONE  # it deals as before


@pytest.mark.skipif(sys.platform == "win32", reason="there are windows there: see test_wine")
def test_a_window_where_there_are_none(program: Program) -> None:
    handle = program.handle()
    function = NotifyFunction(lambda code: None)
    assert handle.plain("DealerSwitch", function, 4711, 0x8001) == ReturnCode.INVALID_DATA
    assert handle.plain("PumpingSwitch", NotifyFunction(0), 4711, 0x8001, 0) == ReturnCode.INVALID_DATA
    assert handle.plain("DealerSwitch", NotifyFunction(0), None, 0) == ReturnCode.INVALID_DATA


def test_disconnecting_leaves_untold_what_was_not_told_yet(program: Program, shared: SharedServer) -> None:
    handle = program.handle()
    entered, go_on = threading.Event(), threading.Event()
    codes: list[int] = []

    def slow(code: int, *more: int) -> None:
        codes.append(code)
        entered.set()
        go_on.wait(30)

    function = NotifyFunctionEx(slow)
    assert handle.plain("PumpingSwitchEx", function, 0, None) == OK
    assert entered.wait(30)
    notifier = shared.interfaces[handle.address].notifier
    assert notifier is not None
    leaving = threading.Thread(target=handle.plain, args=("Disconnect",))
    leaving.start()
    while not notifier.closed:
        leaving.join(0.01)
    go_on.set()
    leaving.join(30)
    assert codes == [Pump.START_PUMPING]


def test_keys_want_a_connection_and_are_not_offered(program: Program) -> None:
    handle = Handle(program.library.create(table().version_argument))
    program.handles.append(handle)
    assert handle.call("LoginSecured", b"key.bin").code == NO_CONNECT
    assert handle.call("Connect", b"demo:443").code == OK
    assert handle.call("LoginSecured", b"key.bin").code == ReturnCode.MALFUNCTION
    assert handle.call("MailSend", b"", b"").code == NO_CONNECT  # wants a login


def test_texts_of_codes(program: Program) -> None:
    handle = program.handle()
    told = {code: handle.describe(code) for code in (0, 1, 6, 150, 152, -1)}
    assert told == {0: "OK", 1: "OK/None", 6: "No connection", 150: "Prohibited by FIFO rule", 152: "Unknown error",
                    -1: "Unknown error"}  # fmt: skip


def test_a_released_object_answers_errors_and_takes_nothing_down(program: Program) -> None:
    handle = program.handle()
    handle.plain("Release")
    program.handles.remove(handle)
    assert handle.call("CfgRequestCommon", b"").code == ERROR
    assert handle.plain("IsConnected") == ERROR


def test_every_slot_can_be_called_without_harm(program: Program) -> None:
    """With zeros for everything: a slot answers, whether this server offers it or not."""
    handle = program.handle()
    for key, method in table().methods.items():
        if key in ("AddRef", "Release", "Disconnect", "Login"):
            continue
        function: Any = handle.function(key)
        answer = function(handle.address, *(kind() if kind else None for kind in function.argtypes[1:]))
        if method.returns.endswith("*") and answer:
            handle.plain("MemFree", answer)


def test_slots_are_named_in_snake_case() -> None:
    assert method_name("CfgRequestGroup") == "cfg_request_group"
    assert method_name("PumpingSwitchEx") == "pumping_switch_ex"
