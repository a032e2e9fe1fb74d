"""Margins, summaries, exposure, terminals, bars, ticks, reports and checks as a native program reads them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest

from mt4sim.native.host import Host
from mt_remote.errors import ReturnCode
from mt_remote.records import Draft, TradeCommand, UserRecord
from mt_remote_plugins.manager.abi import NotifyFunction, Pump, structure
from tests.native.current import START, serving
from tests.native.test_manners import OK, Program

DAY = 86_400


@pytest.fixture
def host() -> Iterator[Host]:
    """One account of 1,000 that holds EURUSD: 0.50 bought at 1.2, 0.20 sold at 1.3, the market at 1.25."""
    with serving() as served:
        server = served.server
        manager = server.login(1, "manager")
        manager.add_user(Draft(UserRecord, {"login": 100, "group": "demoforex", "name": "A", "password": "Pass1",
                                            "enable": True, "leverage": 100}))  # fmt: skip
        manager.balance(100, TradeCommand.BALANCE, 10_000.0)
        server.tick("EURUSD", 1.25, 1.2501)
        manager.open(100, "EURUSD", TradeCommand.BUY, 0.5, 1.2)
        manager.open(100, "EURUSD", TradeCommand.SELL, 0.2, 1.3)
        yield served


@pytest.fixture
def program(host: Host) -> Iterator[Program]:
    made = Program(host)
    try:
        yield made
    finally:
        for handle in made.handles:
            handle.plain("Disconnect")
            handle.plain("Release")


def rows(name: str, data: bytes) -> list[Any]:
    kind: Any = structure(name)
    size = len(bytes(kind()))
    return [kind.from_buffer_copy(data, at) for at in range(0, len(data), size)]


def zeros(name: str) -> bytes:
    kind: Any = structure(name)
    return bytes(kind())


def test_a_margin_level(program: Program, host: Host) -> None:
    handle = program.handle()
    reply = handle.call("MarginLevelRequest", 100, zeros("MarginLevel"))
    assert reply.code == OK
    (level,) = rows("MarginLevel", bytes(reply.outs[0]))  # type: ignore[arg-type]
    # profits: 0.05 x 50,000 and 0.0499 x 20,000
    assert (level.login, level.balance, level.equity, level.volume) == (100, 10_000.0, 13_498.0, 70)
    expected = host.server.trading.margin_level(100)
    assert (level.margin * 100, level.margin_level) == (pytest.approx(expected.margin), expected.level)
    assert handle.call("MarginLevelRequest", 4711, zeros("MarginLevel")).code == int(ReturnCode.BAD_ACCOUNT_INFO)


def test_summary_and_exposure_while_pumping(program: Program) -> None:
    handle = program.handle()
    assert handle.call("SummaryGet", b"EURUSD", zeros("SymbolSummary")).code != OK
    program.pump(handle)
    reply = handle.call("SummaryGet", b"EURUSD", zeros("SymbolSummary"))
    assert reply.code == OK
    (summary,) = rows("SymbolSummary", bytes(reply.outs[0]))  # type: ignore[arg-type]
    assert (summary.symbol, summary.orders, summary.buylots, summary.selllots) == (b"EURUSD", 2, 50, 20)
    assert (summary.buyprice, summary.sellprice, summary.profit) == (1.2, 1.3, 3498.0)
    everything = rows("SymbolSummary", handle.call("SummaryGetAll", 0).rows)
    assert sum(each.orders for each in everything) == 2
    exposure = {each.currency: each.clients for each in rows("ExposureValue", handle.call("ExposureGet", 0).rows)}
    assert exposure == {b"EUR": 30_000.0, b"USD": -34_000.0}
    levels = rows("MarginLevel", handle.call("MarginsGet", 0).rows)
    assert [level.login for level in levels] == [100]


def test_who_is_online(program: Program, host: Host) -> None:
    handle = program.handle()
    assert handle.call("OnlineRequest", 0).rows == b""
    host.server.trader(100)
    (record,) = rows("OnlineRecord", handle.call("OnlineRequest", 0).rows)
    assert (record.login, record.group) == (100, b"demoforex")


def test_bars_and_ticks(program: Program, host: Host) -> None:
    for minute, bid in enumerate((1.25, 1.27, 1.24, 1.26)):
        host.server.advance(60 if minute else 0)
        host.server.tick("EURUSD", bid, bid + 0.0001)
    kind: Any = structure("ChartInfo")
    asked = kind(symbol=b"EURUSD", period=5, start=START - DAY, end=START + DAY)
    bars = rows("RateInfo", program.handle().call("ChartRequest", bytes(asked), 0, 0).rows)
    high, low = max(bar.open + bar.high for bar in bars), min(bar.open + bar.low for bar in bars)
    assert (high, bars[-1].open + bars[-1].close) == (127_000, 126_000)
    assert low <= 124_000
    wanted: Any = structure("TickRequest")(symbol=b"EURUSD", to=START + DAY)
    ticks = rows("TickRecord", program.handles[0].call("TicksRequest", bytes(wanted), 0).rows)
    assert [tick.bid for tick in ticks][-4:] == [1.25, 1.27, 1.24, 1.26][-len(ticks[-4:]) :]
    assert program.handles[0].call("ChartRequest", bytes(kind(symbol=b"EURUSD", period=7)), 0, 0).rows == b""


def test_reports_and_an_administrators_view(program: Program, host: Host) -> None:
    handle = program.handle()
    host.server.advance(DAY)
    daily: Any = structure("DailyGroupRequest")(total=1, to=START + 2 * DAY)
    (report,) = rows("DailyReport", handle.call("DailyReportsRequest", bytes(daily), struct.pack("<i", 100), 0).rows)
    assert (report.login, report.balance, report.deposit, report.group) == (100, 10_000.0, 10_000.0, b"demoforex")
    closed: Any = structure("ReportGroupRequest")(total=1, to=START + 2 * DAY)
    (deposit,) = rows("TradeRecord", handle.call("ReportsRequest", bytes(closed), struct.pack("<i", 100), 0).rows)
    assert (deposit.login, deposit.profit) == (100, 10_000.0)
    users = rows("UserRecord", handle.call("AdmUsersRequest", b"demo*", 0).rows)
    assert [user.login for user in users] == [100]
    assert len(rows("TradeRecord", handle.call("AdmTradesRequest", b"*", 1, 0).rows)) == 2
    assert len(rows("TradeRecord", handle.call("AdmTradesRequest", b"*", 0, 0).rows)) == 3
    tickets = [trade.order for trade in rows("TradeRecord", handle.call("TradesRequest", 0).rows)]
    snapshot = handle.call("TradesSnapshot", 0).rows
    assert list(struct.unpack(f"<{len(snapshot) // 4}i", snapshot)) == tickets


def test_stops_are_checked_by_the_symbols_distance(program: Program) -> None:
    handle = program.handle()
    transaction: Any = structure("TradeTransInfo")
    near = bytes(transaction(symbol=b"EURUSD", cmd=0, sl=1.2, price=1.20009))
    assert handle.call("TradeCheckStops", near, 1.20009).code == int(ReturnCode.TRADE_BAD_STOPS)
    assert handle.call("TradeCheckStops", near, 1.2001).code == OK


def test_the_older_pumping_switch_tells_codes(program: Program, host: Host) -> None:
    handle = program.handle()
    told: list[int] = []
    callback: Any = NotifyFunction(told.append)
    program.functions.append(callback)
    assert handle.plain("PumpingSwitch", callback, None, 0, 0) == OK
    host.server.tick("EURUSD", 1.3, 1.3001)
    host.flush()
    assert told[0] == int(Pump.START_PUMPING)
    assert handle.call("TradesRequest", 0).rows == b""
