"""What the simulated library offers beyond the backend's needs: figures that the simulator has, by the rules of the
semantics, chapters 2, 6, 9 and 10."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from mt4abi import NotifyFunction, Pump, Trans, number, structure, table
from mt4sim import NewOrder
from mt4sim.market.bars import Bar, Period
from mt4sim.native.coverage import Offer, coverage
from mt4sim.native.shared_server import SharedServer
from mt4sim.state.orders import Activation
from mt_remote.errors import ReturnCode
from mt_remote.records import ConManager, Draft, ExecutionMode, Patch, TradeCommand, UserRecord
from mt_remote_plugins.manager.engine.handle import Handle
from tests.native.current import serving
from tests.native.test_manners import Program

OK, ERROR, INVALID = 0, int(ReturnCode.ERROR), int(ReturnCode.INVALID_DATA)
DENIED, NOT_OFFERED = int(ReturnCode.NOT_ENOUGH_RIGHTS), int(ReturnCode.MALFUNCTION)
WHILE_PUMPING = 152


@pytest.fixture
def shared() -> Iterator[SharedServer]:
    with serving() as served:
        yield served


@pytest.fixture
def program(shared: SharedServer) -> Iterator[Program]:
    made = Program(shared)
    yield made
    made.end()


@pytest.fixture
def direct(program: Program) -> Handle:
    return program.handle()


@pytest.fixture
def pump(program: Program) -> Handle:
    handle = program.handle()
    program.pump(handle)
    program.until(8)
    return handle


def rows(handle: Handle, key: str, kind: str, *values: Any) -> list[Any]:
    """A list as structs."""
    data, size = handle.call(key, *values).rows, table().layouts[kind].size
    return [structure(kind).from_buffer_copy(data[at : at + size]) for at in range(0, len(data), size)]


def one(handle: Handle, key: str, kind: str, *values: Any) -> Any:
    """What a call wrote into its last argument."""
    reply = handle.call(key, *values, b"")
    assert reply.code == OK, reply.code
    return structure(kind).from_buffer_copy(reply.outs[-1])  # type: ignore[arg-type]


def native(kind: str, **members: Any) -> bytes:
    made: Any = structure(kind)()
    for name, value in members.items():
        setattr(made, name.rstrip("_"), value)
    return bytes(made)


def integers(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def account(shared: SharedServer, login: int = 100, group: str = "miniforex", money: float = 10_000.0) -> None:
    fields = {"login": login, "group": group, "name": "A", "password": "Pass1", "enable": True, "leverage": 100}
    manager = shared.server.login(1, "manager")
    manager.add_user(Draft(UserRecord, fields))
    manager.balance(login, TradeCommand.BALANCE, money)


def deny(shared: SharedServer, right: str) -> None:
    shared.server.config.set_manager(Patch(ConManager, {"login": 1, right: False}))


# Margin


def test_margin_levels_are_the_servers(shared: SharedServer, direct: Handle, pump: Handle) -> None:
    account(shared)
    shared.server.trading.transactions.balance(100, TradeCommand.CREDIT, 200.0, expiration=shared.server.now + 86400)
    shared.server.tick("EURUSD", 1.10000, 1.10010)
    shared.server.trading.transactions.open(100, NewOrder("EURUSD", TradeCommand.BUY, 1.0, 1.1))
    expected = shared.server.trading.engine.margin_level(100)
    found = rows(pump, "MarginsGet", "MarginLevel", 0)
    assert [bytes(each) for each in found] == [bytes(one(direct, "MarginLevelRequest", "MarginLevel", 100))]
    assert bytes(one(pump, "MarginLevelGet", "MarginLevel", 100, b"miniforex")) == bytes(found[0])
    level = found[0]
    assert (level.login, level.group, level.leverage, level.volume) == (100, b"miniforex", 100, 100)
    assert (level.balance, level.margin, level.equity) == (10_200.0, 1100.0, expected.equity / 100)
    assert level.margin_level == round(level.equity / 1100.0 * 100, 2)
    assert direct.call("MarginLevelRequest", 4711, b"").code == ReturnCode.BAD_ACCOUNT_INFO
    assert pump.call("MarginLevelGet", 100, b"nosuch", b"").code == INVALID
    assert pump.call("MarginLevelRequest", 100, b"").code == WHILE_PUMPING
    assert direct.call("MarginLevelGet", 100, b"miniforex", b"").code == ERROR, "a look into the pump's cache"
    assert direct.call("MarginsGet", 0).rows == b""


def test_margin_calls_are_pumped(shared: SharedServer, program: Program, pump: Handle) -> None:
    shared.server.config.set_group(Patch.of(_called(shared)))
    account(shared, money=1200.0)
    shared.server.tick("EURUSD", 1.1, 1.1)
    shared.server.trading.transactions.open(100, NewOrder("EURUSD", TradeCommand.BUY, 1.0, 1.1))
    shared.server.tick("EURUSD", 1.098, 1.098)
    shared.flush()
    calls = [kind for code, kind, _ in program.told if code == Pump.UPDATE_MARGINCALL]
    assert calls == [Trans.ADD]
    shared.server.tick("EURUSD", 1.2, 1.2)
    shared.flush()
    calls = [kind for code, kind, _ in program.told if code == Pump.UPDATE_MARGINCALL]
    assert calls == [Trans.ADD, Trans.DELETE]


def _called(shared: SharedServer) -> Any:
    group = shared.server.config.group("miniforex")
    group.margin_call, group.margin_stopout = 100, 10
    return group


# Summaries and exposure


def test_summaries_and_exposure(shared: SharedServer, pump: Handle) -> None:
    account(shared, 100)
    account(shared, 101)
    shared.server.tick("EURUSD", 1.2, 1.2)
    shared.server.tick("USDJPY", 150.0, 150.0)
    for login, command, volume, price in (
        (100, TradeCommand.BUY, 0.2, 1.1), (101, TradeCommand.BUY, 0.1, 1.4), (101, TradeCommand.SELL, 0.1, 1.25),
        (101, TradeCommand.BUY_LIMIT, 5.0, 1.0),
    ):  # fmt: skip
        shared.server.trading.transactions.open(login, NewOrder("EURUSD", command, volume, price))
    shared.server.trading.transactions.open(100, NewOrder("USDJPY", TradeCommand.SELL, 0.1, 160.0))
    found = rows(pump, "SummaryGetAll", "SymbolSummary", 0)
    assert [each.symbol for each in found] == [b"EURUSD", b"USDJPY"]
    euro = found[0]
    assert (euro.orders, euro.buylots, euro.selllots) == (3, 30, 10)
    assert (euro.buyprice, euro.sellprice) == (pytest.approx(1.2), pytest.approx(1.25))
    floating = sum(shared.server.trading.engine.floating(o) for o in shared.server.trading.engine.book.all_open()
                   if o.symbol == "EURUSD" and o.cmd.is_market)  # fmt: skip
    assert euro.profit == pytest.approx(floating / 100)
    assert bytes(one(pump, "SummaryGet", "SymbolSummary", b"EURUSD")) == bytes(euro)
    assert bytes(one(pump, "SummaryGetByCount", "SymbolSummary", euro.count)) == bytes(euro)
    forex = one(pump, "SummaryGetByType", "SymbolSummary", euro.type)
    assert (forex.orders, forex.buylots, forex.selllots) == (4, 30, 20)
    assert one(pump, "SummaryGet", "SymbolSummary", b"XAUUSD").orders == 0
    assert pump.call("SummaryGet", b"NOPE", b"").code == INVALID
    assert {each.currency: each.clients for each in rows(pump, "ExposureGet", "ExposureValue", 0)} == {
        b"EUR": pytest.approx(20_000.0), b"USD": pytest.approx(-20_000 * 1.1 - 10_000 * 1.4 + 10_000 * 1.25 - 10_000),
        b"JPY": pytest.approx(1_600_000.0),
    }  # fmt: skip
    assert one(pump, "ExposureValueGet", "ExposureValue", b"EUR").clients == pytest.approx(20_000.0)
    assert pump.call("ExposureValueGet", b"CHF", b"").code == INVALID
    room = ctypes.create_string_buffer(8)
    assert pump.call("SummaryCurrency", ctypes.addressof(room), 8).code == OK
    assert room.value == b"USD"
    assert pump.call("SummaryCurrency", ctypes.addressof(room), 3).code == INVALID
    deny(shared, "riskman")
    assert pump.call("SummaryGetAll", 0).rows == b""
    assert pump.call("SummaryGet", b"EURUSD", b"").code == DENIED


# Charts


def _tick_through(shared: SharedServer) -> int:
    """Two ticks in each of three minutes, none of which is that of the starting prices; when the first began."""
    start = shared.server.now + 300
    for minute, bid in enumerate((1.1, 1.3, 1.2)):
        shared.server.advance_to(start + 60 * minute)
        shared.server.tick("EURUSD", bid, bid + 0.001)
        shared.server.tick("EURUSD", bid + 0.05, bid + 0.051)
    return start


def test_charts_are_made_of_ticks(shared: SharedServer, direct: Handle) -> None:
    start = _tick_through(shared)
    chart = native("ChartInfo", symbol=b"EURUSD", period=1, start=start, end=start + 60)
    found = rows(direct, "ChartRequest", "RateInfo", chart, 0, 0)
    assert [(r.ctm, r.open, r.high, r.low, r.close, r.vol) for r in found] == [
        (start, 110_000, 5_000, 0, 5_000, 2.0), (start + 60, 130_000, 5_000, 0, 5_000, 2.0),
    ]  # fmt: skip
    others = native("ChartInfo", symbol=b"EURUSD", period=1, start=start, end=start + 60,
                    mode=number("CHART_RANGE_OUT"))  # fmt: skip
    assert [r.ctm for r in rows(direct, "ChartRequest", "RateInfo", others, 0, 0)] == [start - 300, start + 120]
    last = native("ChartInfo", symbol=b"EURUSD", period=5, start=start, mode=number("CHART_RANGE_LAST"))
    (bar,) = rows(direct, "ChartRequest", "RateInfo", last, 0, 0)
    assert (bar.ctm, bar.open, bar.high, bar.low, bar.close, bar.vol) == (start, 110_000, 25_000, 0, 15_000, 6.0)
    reply = direct.call("ChartRequest", chart, 0, 0)
    assert reply.outs[-2:] == (shared.server.now, 2)
    for wrong in (native("ChartInfo", symbol=b"EURUSD", period=7), native("ChartInfo", symbol=b"NOPE", period=1)):
        assert direct.call("ChartRequest", wrong, 0, 0).rows == b""


def test_charts_are_written(shared: SharedServer, direct: Handle) -> None:
    start = _tick_through(shared)
    fresh = native("RateInfo", ctm=start - 60, open=100_000, high=10, low=-10, close=5, vol=3.0)
    there = native("RateInfo", ctm=start, open=90_000, high=1, low=0, close=1, vol=9.0)
    odd = native("RateInfo", ctm=start - 61, open=100_000, high=10, low=-10, close=5, vol=3.0)
    crossed = native("RateInfo", ctm=start - 120, open=100_000, high=-10, low=10, close=5, vol=3.0)
    current = native("RateInfo", ctm=start + 120, open=100_000, high=10, low=-10, close=5, vol=3.0)

    def write(key: str, *rates: bytes) -> Any:
        buffer = (ctypes.c_char * (28 * len(rates))).from_buffer_copy(b"".join(rates))
        count = ctypes.c_int(len(rates))
        function: Any = direct.function(key)
        code = function(direct.address, b"EURUSD", 1, ctypes.cast(buffer, function.argtypes[3]), ctypes.byref(count))
        return code, count.value

    assert write("ChartAdd", fresh, there, odd, crossed, current) == (OK, 1)
    assert write("ChartUpdate", there, fresh[:4] + there[4:], odd) == (OK, 2)
    bars = shared.server.quotes.bars
    assert bars.between("EURUSD", Period.M1, start - 60, start) == [
        Bar(start - 60, 90_000, 90_001, 90_000, 90_001, 9), Bar(start, 90_000, 90_001, 90_000, 90_001, 9),
    ]  # fmt: skip
    assert bars.last("EURUSD", Period.M5)[0].open == 110_000, "other periods stay"
    assert write("ChartDelete", fresh, odd) == (OK, 1)
    assert [bar.time for bar in bars.between("EURUSD", Period.M1, start - 60, start)] == [start]
    deny(shared, "admin")
    assert write("ChartDelete", there) == (DENIED, 1)


def test_ticks_are_kept(shared: SharedServer, direct: Handle) -> None:
    start = _tick_through(shared)
    asked = native("TickRequest", symbol=b"EURUSD", from_=start + 60, to=start + 60, flags=number("TICK_FLAG_ALL"))
    found = rows(direct, "TicksRequest", "TickRecord", asked, 0)
    assert [(tick.ctm, round(tick.bid, 5), round(tick.ask, 5)) for tick in found] == [
        (start + 60, 1.3, 1.301), (start + 60, 1.35, 1.351),
    ]  # fmt: skip
    raw = native("TickRequest", symbol=b"EURUSD", from_=0, to=2**31 - 1, flags=number("TICK_FLAG_RAW"))
    assert direct.call("TicksRequest", raw, 0).rows == b""


# Reports and synchronisation


def test_reports_of_closed_orders(shared: SharedServer, direct: Handle) -> None:
    account(shared, 100)
    account(shared, 101, "demoforex")
    ticket = shared.server.trading.transactions.open(100, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.1))
    shared.server.trading.transactions.close(ticket, 0.1, 1.2)
    asked = native("ReportGroupRequest", from_=0, to=2**31 - 1, total=2)
    found = rows(direct, "ReportsRequest", "TradeRecord", asked, integers(101, 100), 0)
    assert [each.login for each in found] == [100, 100, 101]
    assert found[1].order == ticket
    by_group = native("ReportGroupRequest", name=b"demo*", from_=0, to=2**31 - 1)
    assert {each.login for each in rows(direct, "ReportsRequest", "TradeRecord", by_group, b"", 0)} == {101}
    early = native("ReportGroupRequest", name=b"*", from_=0, to=shared.server.now - 1)
    assert direct.call("ReportsRequest", early, b"", 0).rows == b""
    deny(shared, "reports")
    assert direct.call("ReportsRequest", asked, integers(100, 101), 0).rows == b""


def test_daily_reports(shared: SharedServer, direct: Handle) -> None:
    account(shared)
    ticket = shared.server.trading.transactions.open(100, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.1))
    shared.server.trading.transactions.close(ticket, 0.1, 1.2)
    shared.server.advance(86_400)
    asked = native("DailyGroupRequest", from_=0, to=2**31 - 1, total=1)
    (report,) = rows(direct, "DailyReportsRequest", "DailyReport", asked, integers(100), 0)
    assert (report.login, report.group, report.balance_prev, report.balance) == (100, b"miniforex", 0.0, 11_000.0)
    assert (report.deposit, report.profit_closed, report.equity, report.margin_free) == (
        10_000.0, 1000.0, 11_000.0, 11_000.0,
    )  # fmt: skip
    assert direct.call("DailySyncStart", report.ctm).code == OK
    everybody = rows(direct, "DailySyncRead", "DailyReport", 0)
    assert bytes(report) in [bytes(each) for each in everybody]
    assert len(everybody) == len(shared.server.accounts.all())
    assert direct.call("DailySyncRead", 0).rows == b""
    assert direct.call("DailySyncStart", report.ctm + 1).code == OK
    assert direct.call("DailySyncRead", 0).rows == b""


def test_synchronisation_gives_what_changed_in_blocks(shared: SharedServer, direct: Handle) -> None:
    account(shared, 100)
    before = len(rows(direct, "UsersRequest", "UserRecord", 0))
    then = shared.server.now + 100
    shared.server.advance_to(then)
    account(shared, 101)
    ticket = shared.server.trading.transactions.open(101, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.1))
    assert direct.call("UsersSyncStart", then).code == OK
    assert [user.login for user in rows(direct, "UsersSyncRead", "UserRecord", 0)] == [101]
    assert direct.call("UsersSyncRead", 0).rows == b""
    assert direct.call("TradesSyncStart", then).code == OK
    assert [trade.order for trade in rows(direct, "TradesSyncRead", "TradeRecord", 0)] == [ticket - 1, ticket]
    assert {100, 101} <= set(struct.unpack(f"<{before + 1}i", direct.call("UsersSnapshot", 0).rows))
    assert struct.unpack("<3i", direct.call("TradesSnapshot", 0).rows) == (ticket - 2, ticket - 1, ticket)
    for _ in range(1500):
        shared.server.trading.transactions.balance(100, TradeCommand.BALANCE, 1.0)
    assert direct.call("TradesSyncStart", then).code == OK
    sizes = [len(rows(direct, "TradesSyncRead", "TradeRecord", 0)) for _ in range(3)]
    assert sizes == [1000, 502, 0]


def test_administrators_read_across_groups(shared: SharedServer, direct: Handle) -> None:
    account(shared, 100)
    account(shared, 101, "demoforex")
    ticket = shared.server.trading.transactions.open(101, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.1))
    assert [user.login for user in rows(direct, "AdmUsersRequest", "UserRecord", b"demo*", 0)] == [101]
    assert [each.order for each in rows(direct, "AdmTradesRequest", "TradeRecord", b"demo*", 1, 0)] == [ticket]
    assert [each.order for each in rows(direct, "AdmTradesRequest", "TradeRecord", b"*,!mini*", 0, 0)] == [
        ticket - 1, ticket,
    ]  # fmt: skip
    deny(shared, "trades")
    assert direct.call("AdmTradesRequest", b"*", 1, 0).rows == b""


def test_who_is_online(shared: SharedServer, direct: Handle, pump: Handle) -> None:
    account(shared)
    trader = shared.server.trader(100, address="10.0.0.7")
    shared.server.trader(100, address="10.0.0.8")
    (record,) = rows(direct, "OnlineRequest", "OnlineRecord", 0)
    assert (record.login, record.counter, record.group) == (100, 2, b"miniforex")
    assert record.ip.to_bytes(4, "little") == bytes((10, 0, 0, 8))
    assert bytes(one(pump, "OnlineRecordGet", "OnlineRecord", 100)) == bytes(record)
    assert [each.login for each in rows(pump, "OnlineGet", "OnlineRecord", 0)] == [100]
    assert pump.call("OnlineRecordGet", 4711, b"").code == INVALID
    trader.log_out()
    assert one(pump, "OnlineRecordGet", "OnlineRecord", 100).counter == 1
    deny(shared, "online")
    assert direct.call("OnlineRequest", 0).rows == b""


# Orders and requests


def test_stops_and_profit_are_worked_out(shared: SharedServer, direct: Handle, pump: Handle) -> None:
    account(shared)
    shared.server.symbols["EURUSD"] = shared.server.symbols["EURUSD"].changed(stops_level=10)
    for sl, code in ((1.0999, OK), (1.09991, int(ReturnCode.TRADE_BAD_STOPS))):
        trade = native("TradeTransInfo", symbol=b"EURUSD", cmd=0, sl=sl, price=1.1)
        assert direct.call("TradeCheckStops", trade, 1.1).code == code
    trade = native("TradeRecord", login=100, symbol=b"USDJPY", cmd=0, volume=100, open_price=150.0, close_price=151.234)
    for handle in (direct, pump):
        reply = handle.call("TradeCalcProfit", trade)
        assert reply.code == OK
        assert structure("TradeRecord").from_buffer_copy(reply.outs[0]).profit == 815.95  # type: ignore[arg-type]
    stranger = native("TradeRecord", login=4711, symbol=b"USDJPY", cmd=0, volume=100)
    assert direct.call("TradeCalcProfit", stranger).code == ReturnCode.BAD_ACCOUNT_INFO


def test_activations_wait_for_a_dealer(shared: SharedServer, program: Program, pump: Handle) -> None:
    group = shared.server.config.group("miniforex")
    group.securities["Forex"].execution_mode = ExecutionMode.MANUAL
    shared.server.config.set_group(Patch.of(group))
    account(shared)
    shared.server.tick("EURUSD", 1.1, 1.1)
    ticket = shared.server.trading.transactions.open(100, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.1, sl=1.05))
    assert pump.call("TradesGetByMarket", 0).rows == b""
    shared.server.tick("EURUSD", 1.04, 1.04)
    assert [each.order for each in rows(pump, "TradesGetByMarket", "TradeRecord", 0)] == [ticket]
    shared.flush()
    assert [kind for code, kind, _ in program.told if code == Pump.UPDATE_ACTIVATION] == [Trans.ADD]
    shared.server.tick("EURUSD", 1.1, 1.1)
    assert shared.server.trading.engine.book.find(ticket).activation is Activation.SL_ROLLBACK
    assert pump.call("TradeClearRollback", ticket).code == OK
    assert pump.call("TradesGetByMarket", 0).rows == b""
    shared.flush()
    kinds = [kind for code, kind, _ in program.told if code == Pump.UPDATE_ACTIVATION]
    assert kinds[0] == Trans.ADD
    assert kinds[-1] == Trans.DELETE


def test_requests_are_seen_by_those_who_pump(shared: SharedServer, program: Program, pump: Handle) -> None:
    account(shared, 100, "demodealing")
    shared.server.tick("EURUSD", 1.1, 1.2)
    deal = shared.server.trader(100).open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    (request,) = rows(pump, "RequestsGet", "RequestInfo", 0)
    assert (request.id, request.login, request.trade.volume) == (deal.id, 100, 10)
    assert bytes(one(pump, "RequestInfoGet", "RequestInfo", 0)) == bytes(request)
    assert pump.call("RequestInfoGet", 1, b"").code == INVALID
    shared.server.desk.withdraw(deal.id)
    assert pump.call("RequestsGet", 0).rows == b""
    shared.flush()
    told = [kind for code, kind, _ in program.told[8:] if code == Pump.UPDATE_REQUESTS]
    assert (told[0], told[-1]) == (Trans.ADD, Trans.DELETE)


# Timetable and symbols


def test_hours_and_holidays(shared: SharedServer, direct: Handle) -> None:
    hours: Any = one(direct, "CfgRequestTime", "ConTime")
    assert {hour for day in hours.days for hour in day} == {1}
    hours.days[1][6] = 0
    assert direct.call("CfgUpdateTime", bytes(hours)).code == OK
    assert not shared.server.quotes.calendar.clients_welcome(shared.server.now)
    before = len(rows(direct, "CfgRequestHoliday", "ConHoliday", 0))
    for day in (24, 25):
        row = native("ConHoliday", month=12, day=day, to=720, symbol=b"All", description=b"Christmas", enable=1)
        assert direct.call("CfgUpdateHoliday", row, -1).code == OK
    changed = native("ConHoliday", month=12, day=26, enable=1)
    assert direct.call("CfgUpdateHoliday", changed, before + 1).code == OK
    assert direct.call("CfgShiftHoliday", before + 1, -1).code == OK
    found = rows(direct, "CfgRequestHoliday", "ConHoliday", 0)[before:]
    assert [(each.day, each.to, each.symbol, each.description) for each in found] == [
        (26, 0, b"All", b""), (24, 720, b"All", b"Christmas"),
    ]  # fmt: skip
    assert direct.call("CfgDeleteHoliday", before).code == OK
    assert direct.call("CfgDeleteHoliday", 99).code == INVALID
    assert direct.call("CfgUpdateHoliday", native("ConHoliday", month=13, day=1), 0).code == INVALID
    assert [each.day for each in shared.server.quotes.calendar.holidays][before:] == [24]
    deny(shared, "admin")
    assert direct.call("CfgDeleteHoliday", before).code == DENIED
    assert direct.call("CfgRequestHoliday", 0).rows == b""


def test_a_dealer_changes_a_symbol(shared: SharedServer, program: Program, direct: Handle, pump: Handle) -> None:
    changes = native("SymbolProperties", symbol=b"EURUSD", spread=20, spread_balance=-10, stops_level=7, color=0xFF,
                     exemode=number("EXE_MARKET"))  # fmt: skip
    assert direct.call("SymbolChange", changes).code == OK
    symbol: Any = one(direct, "SymbolGet", "ConSymbol", b"EURUSD")
    assert (symbol.spread, symbol.spread_balance, symbol.stops_level, symbol.exemode) == (20, -10, 7, 2)
    shared.flush()
    assert program.told[-1][:2] == (Pump.UPDATE_SYMBOLS, Trans.UPDATE)
    assert direct.call("SymbolChange", native("SymbolProperties", symbol=b"NOPE")).code == INVALID
    assert direct.call("SymbolChange", native("SymbolProperties", symbol=b"EURUSD", exemode=9)).code == INVALID
    deny(shared, "market_watch")
    assert direct.call("SymbolChange", changes).code == DENIED


# What is there and what is not


def test_the_older_pumping_tells_codes(shared: SharedServer, program: Program) -> None:
    handle, codes = program.handle(), list[int]()
    function = NotifyFunction(codes.append)
    assert handle.plain("PumpingSwitch", function, None, 0, 0) == OK
    shared.flush()
    account(shared)
    shared.flush()
    assert codes[:2] == [Pump.START_PUMPING, Pump.UPDATE_SYMBOLS]
    assert codes[8:] == [Pump.UPDATE_USERS, Pump.UPDATE_TRADES, Pump.UPDATE_USERS]
    assert handle.plain("Disconnect") == OK


def test_a_switch_without_a_function_is_refused(direct: Handle) -> None:
    nobody = NotifyFunction(0)
    assert direct.plain("PumpingSwitch", nobody, None, 0, 0) == INVALID
    assert direct.plain("DealerSwitch", nobody, None, 0) == INVALID
    assert direct.call("UsersRequest", 0).rows != b"", "it does not pump"


def test_boxes_are_empty(direct: Handle, pump: Handle) -> None:
    assert direct.call("MailsRequest", 0).outs == (0,)
    assert pump.call("NewsGet", 0).outs == (0,)
    assert pump.plain("NewsTotal") == 0


def test_what_is_not_offered_says_so(shared: SharedServer, program: Program, direct: Handle) -> None:
    """Code 9, or no array and a count of 0 whatever the count was before; 6 before the login."""
    stranger = Handle(program.library.create(table().version_argument))
    program.handles.append(stranger)
    missing = [each for each in coverage() if each.offer is Offer.NO]
    assert len(missing) > 50
    for slot in missing:
        method = table().methods[slot.name]
        function: Any = direct.function(slot.name)
        values = [kind() if kind else None for kind in function.argtypes[1:]]
        count = ctypes.c_int(77)
        returns_array = method.returns.endswith("*") and method.arguments[-1].type == "int*"
        if returns_array:
            values[-1] = ctypes.pointer(count)
        answer = function(direct.address, *values)
        if returns_array:
            assert (answer, count.value) == (None, 0), slot.name
        elif method.returns == "int":
            assert answer == NOT_OFFERED, slot.name
            assert function(stranger.address, *values) == ReturnCode.NO_CONNECT, slot.name
        else:
            assert not answer, slot.name


def test_the_coverage_is_of_every_slot() -> None:
    found = coverage()
    assert [each.index for each in found] == list(range(195))
    assert {each.offer for each in found} == set(Offer)
    offers = {each.name: each.offer for each in found}
    assert offers["ChartRequest"] is Offer.YES
    assert offers["BackupRestoreUsers"] is Offer.NO
    assert offers["ChartRequestObsolete"] is Offer.OBSOLETE
