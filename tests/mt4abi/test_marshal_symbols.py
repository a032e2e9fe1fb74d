"""Symbols and holidays against bytes that a C++ compiler made of the generated header, and single values."""

from __future__ import annotations

import shutil
import struct
import subprocess

import pytest

from mt4abi import structure, table
from mt4abi.header import header
from mt4abi.marshal import Marshal
from mt_remote.errors import InvalidData
from mt_remote.records import (
    ConHoliday,
    ConSession,
    ConSessions,
    ConSymbol,
    MarginMode,
    Patch,
    PendingsMode,
    ProfitMode,
    Record,
    SwapType,
    SymbolExecution,
    SymbolTradeMode,
    Weekday,
)

MARSHAL = Marshal("cp1252", ("Forex", "", "Metals"))

GOLD = ConSymbol(
    symbol="GOLD",
    description="Gold, ounce",
    source="XAUUSD",
    currency="USD",
    security="Metals",
    digits=2,
    trade_mode=SymbolTradeMode.CLOSE,
    color=0x00B4D2F0,
    realtime=True,
    starts=1_577_836_800,
    expires=1_893_456_000,
    sessions={day: ConSessions() for day in Weekday}
    | {
        Weekday.MONDAY: ConSessions(
            quotes=[ConSession(from_="1:0", to="24:0")],
            trades=[ConSession(from_="1:5", to="12:30"), ConSession(from_="13:0", to="23:55")],
        )
    },
    profit_mode=ProfitMode.CFD,
    filter=40,
    filter_limit=10.5,
    filter_smoothing=3,
    log_quotes=True,
    spread=35,
    spread_balance=-2,
    execution_mode=SymbolExecution.MARKET,
    swap_enable=True,
    swap_type=SwapType.MARGIN_CURRENCY,
    swap_long=-3.25,
    swap_short=1.5,
    swap_triple_day=4,
    swap_open_price=True,
    swap_variation_margin=True,
    contract_size=100.0,
    tick_value=1.0,
    tick_size=0.01,
    stops_level=50,
    freeze_level=7,
    pendings_mode=PendingsMode.DAILY_NO_STOPS,
    margin_mode=MarginMode.CFD_LEVERAGE,
    margin_initial=1000.0,
    margin_maintenance=500.0,
    margin_hedged=50.0,
    margin_pct=25.0,
    margin_currency="EUR",
    margin_hedged_strong=True,
    long_only=True,
    instant_max_lots=12.34,
    value_date=1_600_000_000,
    quotes_delay=90,
)
"""Every field is another value than a new symbol's."""

CHRISTMAS = ConHoliday(
    year=2025, month=12, day=24, from_="8:0", to="24:0", symbol="Metals", description="Christmas Eve", enable=True
)

PROGRAM = r"""
#include <cstdio>
#include <cstring>
#include "manager_api.h"
using namespace mtapi;
static void window(ConSession &at, int hour, int minute, int close_hour, int close_minute) {
  at.open_hour = hour; at.open_min = minute; at.close_hour = close_hour; at.close_min = close_minute;
}
int main() {
  static ConSymbol s;
  std::strcpy(s.symbol, "GOLD"); std::strcpy(s.description, "Gold, ounce"); std::strcpy(s.source, "XAUUSD");
  std::strcpy(s.currency, "USD"); s.type = 2; s.digits = 2; s.trade = TRADE_CLOSE; s.background_color = 0xB4D2F0;
  s.realtime = 1; s.starting = 1577836800; s.expiration = 1893456000;
  window(s.sessions[1].quote[0], 1, 0, 24, 0);
  window(s.sessions[1].trade[0], 1, 5, 12, 30); window(s.sessions[1].trade[1], 13, 0, 23, 55);
  s.profit_mode = PROFIT_CALC_CFD; s.filter = 40; s.filter_limit = 10.5; s.filter_smoothing = 3; s.logging = 1;
  s.spread = 35; s.spread_balance = -2; s.exemode = EXE_MARKET; s.swap_enable = 1;
  s.swap_type = SWAP_BY_MARGIN_CURRENCY; s.swap_long = -3.25; s.swap_short = 1.5; s.swap_rollover3days = 4;
  s.swap_openprice = 1; s.swap_variation_margin = 1; s.contract_size = 100; s.tick_value = 1; s.tick_size = 0.01;
  s.stops_level = 50; s.freeze_level = 7; s.gtc_pendings = ORDERS_DAILY_NO_STOPS;
  s.margin_mode = MARGIN_CALC_CFDLEVERAGE; s.margin_initial = 1000; s.margin_maintenance = 500; s.margin_hedged = 50;
  s.margin_divider = 4; std::strcpy(s.margin_currency, "EUR"); s.margin_hedged_strong = 1; s.long_only = 1;
  s.instant_max_volume = 1234; s.value_date = 1600000000; s.quotes_delay = 90;
  static ConHoliday h;
  h.year = 2025; h.month = 12; h.day = 24; h.from = 480; h.to = 1440; std::strcpy(h.symbol, "Metals");
  std::strcpy(h.description, "Christmas Eve"); h.enable = 1;
  std::fwrite(&s, sizeof s, 1, stdout);
  std::fwrite(&h, sizeof h, 1, stdout);
}
"""


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> dict[type[Record], bytes]:
    """The two structs' bytes, filled by their members' names in C++."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++ here")
    directory = tmp_path_factory.mktemp("golden")
    (directory / "manager_api.h").write_text(header())
    source, program = directory / "golden.cpp", directory / "golden"
    source.write_text(PROGRAM)
    subprocess.run([compiler, "-std=c++17", "-w", str(source), "-o", str(program)], check=True)
    data = subprocess.run([str(program)], capture_output=True, check=True).stdout
    size = table().layouts["ConSymbol"].size
    return {ConSymbol: data[:size], ConHoliday: data[size:]}


@pytest.mark.parametrize("record", [GOLD, CHRISTMAS], ids=["symbol", "holiday"])
def test_the_compilers_bytes(golden: dict[type[Record], bytes], record: Record) -> None:
    kind = type(record)
    codec = MARSHAL.codec(kind)
    native = golden[kind]
    assert codec.decode(native) == record
    assert codec.encode(record) == native
    blank = kind()
    assert codec.updated(codec.encode(blank), blank, record) == native
    differing = [
        name for name, wire in kind.wires.items() if wire.member and getattr(record, name) == getattr(blank, name)
    ]
    assert differing == [], "the golden record leaves nothing as it is by default"


def test_what_the_server_works_out_is_kept_and_not_shown() -> None:
    """Counters, points, tick values, the windows' own minutes: written by nobody, lost to nobody."""
    codec = MARSHAL.codec(ConSymbol)
    native = structure("ConSymbol").from_buffer_copy(codec.encode(GOLD))
    for name in ("count", "count_original", "filter_counter", "profit_reserved"):
        setattr(native, name, 77)
    for name in ("point", "multiply", "bid_tickvalue", "ask_tickvalue"):
        setattr(native, name, 0.125)
    monday = native.sessions[1]
    monday.trade[1].open, monday.trade[1].close, monday.trade_overnight = 780, 1435, 5
    before = bytes(native)
    read = codec.decode(before)
    assert read == GOLD
    change = {"symbol": "GOLD", "digits": 3, "sessions": {"monday": {"trades": [{"from_": "2:0", "to": "3:0"}]}}}
    after = codec.updated(before, read, Patch(ConSymbol, change).applied_to(read))
    kept = structure("ConSymbol").from_buffer_copy(after)
    assert (kept.count, kept.count_original, kept.filter_counter, kept.profit_reserved) == (77, 77, 77, 77)
    assert (kept.point, kept.multiply, kept.bid_tickvalue, kept.ask_tickvalue) == (0.125, 0.125, 0.125, 0.125)
    first, second, _ = kept.sessions[1].trade
    assert (first.open_hour, first.open_min, first.close_hour, first.close_min) == (2, 0, 3, 0)
    assert (second.open_hour, second.open_min, second.close_hour, second.close_min) == (0, 0, 0, 0)
    assert (second.open, second.close, kept.sessions[1].trade_overnight) == (780, 1435, 5)
    assert bytes(kept.sessions[1].quote) == bytes(native.sessions[1].quote)
    assert codec.decode(after).sessions[Weekday.MONDAY].trades == [ConSession(from_="2:0", to="3:0")]


def test_windows_between_unused_ones_are_read() -> None:
    codec = MARSHAL.codec(ConSessions)
    native = structure("ConSessions")()
    native.trade[2].close_hour = 24
    read = codec.decode(bytes(native))
    assert read == ConSessions(trades=[ConSession(to="24:0")])


def test_a_security_is_its_place_and_an_unnamed_one_stays() -> None:
    codec = MARSHAL.codec(ConSymbol)
    place = table().layouts["ConSymbol"].members["type"].offset
    for number, name in ((0, "Forex"), (2, "Metals"), (1, ""), (9, ""), (-1, "")):
        native = bytearray(codec.size)
        struct.pack_into("<i", native, place, number)
        read = codec.decode(bytes(native))
        assert read.security == name
        renamed = codec.updated(bytes(native), read, read.with_values({"digits": 2}))
        assert struct.unpack_from("<i", renamed, place) == (number,)
    with pytest.raises(InvalidData, match=r"security: the server has no security of that name \(it has Forex, Metals"):
        codec.encode(ConSymbol(symbol="X", security="Stocks"))


def test_refusals_have_the_wires_names() -> None:
    holidays, symbols = MARSHAL.codec(ConHoliday), MARSHAL.codec(ConSymbol)
    with pytest.raises(InvalidData, match=r"^from: must be a time of day"):
        holidays.encode(ConHoliday(from_="24:1"))
    week = {day: ConSessions() for day in Weekday} | {
        Weekday.FRIDAY: ConSessions(quotes=[ConSession(), ConSession(from_="25:0")])
    }
    with pytest.raises(InvalidData, match=r"^sessions\.friday\.quotes\.1\.from: "):
        symbols.encode(ConSymbol(symbol="X", sessions=week))
    week[Weekday.FRIDAY] = ConSessions(quotes=[ConSession(to="1:0")] * 4)
    with pytest.raises(InvalidData, match=r"^sessions\.friday\.quotes: at most 3 entries, got 4"):
        symbols.encode(ConSymbol(symbol="X", sessions=week))
