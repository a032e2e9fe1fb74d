"""Benchmarks of the Manager library's backend, as ratios to plain ctypes: ``python -m benchmarks.native.library``.

* a direct call: the backend in this process, and over a worker process, against a bare ctypes call of the same slot;
* 10,000 trades read into records, against the same records read field by field through ctypes structures;
* 100,000 pumped ticks to the event stream, against a ctypes callback that reads each tick field by field.

The library is made in Python and answers at once, so that what is measured is ours.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from mt4abi import NotifyFunctionEx, Pump, structure, table
from mt4abi.marshal import Marshal
from mt4sim.native.library import SimulatedLibrary
from mt4sim.native.native_values import put, put_integer
from mt4sim.native.shared_server import SharedServer
from mt4sim.native.vtable import Memory, make_object
from mt4sim.server import Server
from mt4sim.world import World
from mt_remote.backend import Event
from mt_remote.errors import RequestError
from mt_remote.records import TradeRecord
from mt_remote.records.enums import TRADE_COMMAND_NUMBERS, TRADE_REASON_NUMBERS
from mt_remote_plugins.areas import Market
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from mt_remote_plugins.manager.engine.handle import Handle

TRADES, TICKS, CALLS = 10_000, 100_000, 2_000
ROUNDS = 5


def best(measure: Callable[[], float]) -> float:
    """The best of some rounds, in seconds: a loaded machine only ever takes longer."""
    return min(measure() for _ in range(ROUNDS))


def timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


# Trades


def trade_rows(count: int) -> bytes:
    """Native trades that differ from each other."""
    rows = (structure("TradeRecord") * count)()
    for number, row in enumerate(rows):
        row.order, row.login, row.symbol = number, 100 + number % 500, (b"EURUSD", b"GBPUSD", b"XAUUSD")[number % 3]
        row.digits, row.cmd, row.volume, row.open_time = 5, number % 2, 1 + number % 300, 1_600_000_000 + number
        row.open_price, row.close_price, row.comment = 1.1, 1.2, b"from #%d" % (number % 100)
    return bytes(rows)


_COMMANDS = {number: name for name, number in TRADE_COMMAND_NUMBERS.items()}
_REASONS = {number: name for name, number in TRADE_REASON_NUMBERS.items()}


def field_by_field(rows: bytes) -> list[TradeRecord]:
    """The same records as one would write it without the marshalling."""
    count = len(rows) // ctypes.sizeof(structure("TradeRecord"))
    natives: Any = (structure("TradeRecord") * count).from_buffer_copy(rows)
    return [
        TradeRecord(
            order=n.order, login=n.login, symbol=n.symbol.decode("cp1252"), digits=n.digits, cmd=_COMMANDS[n.cmd],
            reason=_REASONS[n.reason], volume=n.volume / 100, open_time=n.open_time, close_time=n.close_time,
            expiration=n.expiration, open_price=n.open_price, close_price=n.close_price, sl=n.sl, tp=n.tp,
            conv_rates=(n.conv_rates[0], n.conv_rates[1]), commission=n.commission,
            commission_agent=n.commission_agent, storage=n.storage, profit=n.profit, taxes=n.taxes, magic=n.magic,
            comment=n.comment.decode("cp1252"), margin_rate=n.margin_rate, timestamp=n.timestamp,
            api_data="" if not any(n.api_data) else bytes(n.api_data).hex(),
        )
        for n in natives
    ]  # fmt: skip


def measure_trades() -> dict[str, float]:
    rows = trade_rows(TRADES)
    codec = Marshal().codec(TradeRecord)
    assert codec.decode_many(rows) == field_by_field(rows)
    ours, plain = (
        best(lambda: timed(lambda: codec.decode_many(rows))),
        best(lambda: timed(lambda: field_by_field(rows))),
    )
    return {"ours_ms": ours * 1e3, "ctypes_ms": plain * 1e3, "times_faster": plain / ours}


# Calls


class Quiet:
    """A listener that counts."""

    def __init__(self) -> None:
        self.count = 0
        self.last: Any = None
        self.seen = asyncio.Event()
        self.final = 0.0

    def on_event(self, event: Event) -> None:
        self.count += 1
        self.last = event.data
        if self.final and self.last.bid >= self.final:
            self.seen.set()

    def on_lost(self, error: RequestError) -> None:
        raise error


def library() -> SimulatedLibrary:
    """For the worker process."""
    return SimulatedLibrary(SharedServer(Server(World.demo())))


async def backend_calls(isolate: bool) -> float:
    settings = ManagerSettings(library="benchmarks.native.library:library", isolate=isolate)
    connection = await ManagerBackend(settings).open("demo:443", 1, "manager", Quiet())
    try:
        rounds = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            for _ in range(CALLS):
                await connection.server_time()
            rounds.append(time.perf_counter() - begun)
        return min(rounds) / CALLS
    finally:
        await connection.aclose()


def bare_calls() -> float:
    handle = Handle(library().create(table().version_argument))
    handle.call("Connect", b"demo:443")
    handle.call("Login", 1, b"manager")
    function = handle.function("ServerTime")

    def calls() -> None:
        for _ in range(CALLS):
            function(handle.address)

    return best(lambda: timed(calls)) / CALLS


def measure_calls() -> dict[str, float]:
    bare = bare_calls()
    inside, worker = asyncio.run(backend_calls(False)), asyncio.run(backend_calls(True))
    return {
        "ctypes_us": bare * 1e6, "in_process_us": inside * 1e6, "worker_us": worker * 1e6,
        "in_process_ratio": inside / bare, "worker_ratio": worker / bare,
    }  # fmt: skip


# Ticks


_TICK = struct.Struct("<12sidd")
_BID = 16


class Flood:
    """A library whose pump tells of every tick there is, one after the other, as fast as it can."""

    def __init__(self) -> None:
        info = bytes(structure("SymbolInfo")(symbol=b"EURUSD", lasttime=1_600_000_000))
        at = table().layouts["SymbolInfo"].members["bid"].offset
        self.head, self.tail = info[:at], info[at + 16 :]
        self.memory = Memory()
        self.started = threading.Event()
        self.lock = threading.Lock()
        self.news: list[bytes] = []

    def version(self) -> int:
        return table().version_argument

    def create(self, version: int) -> int:
        return make_object(self)

    def _ok(self, *arguments: Any) -> int:
        return 0

    connect = login = disconnect = release = symbols_refresh = symbol_add = manager_rights = symbols_groups_get = _ok

    def is_connected(self) -> int:
        return 1

    def symbol_info_updated(self, infos: int, most: int) -> int:
        with self.lock:
            if not self.news:
                return 0
            put(infos, self.head + self.news[-1][_BID : _BID + 16] + self.tail)
            if most == 1:  # the plain reader takes one tick a call
                self.news.pop()
            return 1

    def tick_info_last(self, symbol: int, total: int) -> int | None:
        with self.lock:
            news, self.news = self.news, []
        put_integer(total, len(news))
        return self.memory.hold(b"".join(news)) if news else None

    def mem_free(self, address: int) -> None:
        self.memory.free(address)

    def trades_request(self, total: int) -> None:
        put_integer(total, 0)

    def pumping_switch_ex(self, function: int, flags: int, parameter: int) -> int:
        native: Any = NotifyFunctionEx(function)

        def run() -> None:
            self.started.wait()
            for number in range(1, TICKS + 1):
                tick = _TICK.pack(b"EURUSD", 1_600_000_000, number, number + 1)
                with self.lock:
                    self.news.append(tick)
                native(Pump.UPDATE_BIDASK, 0, None, parameter)

        threading.Thread(target=run, daemon=True).start()
        return 0


async def backend_ticks() -> float:
    flood, heard = Flood(), Quiet()
    heard.final = float(TICKS)
    backend = ManagerBackend(ManagerSettings(isolate=False), library=flood)
    connection = await backend.open("demo:443", 1, "manager", heard)
    await connection[Market].show("EURUSD")
    await connection.watch("tick")
    begun = time.perf_counter()
    flood.started.set()
    await heard.seen.wait()
    took = time.perf_counter() - begun
    await connection.aclose()
    assert heard.count == TICKS
    return took


def plain_ticks() -> float:
    """A callback that reads the changed symbol's fields and hands a tuple to a list."""
    flood, ticks = Flood(), []
    done = threading.Event()
    handle = Handle(flood.create(0))
    updated = handle.function("SymbolInfoUpdated")
    room: Any = structure("SymbolInfo")()

    def notified(code: int, kind: int, data: int, parameter: int) -> None:
        while updated(handle.address, ctypes.byref(room), 1):
            ticks.append((room.symbol.decode("cp1252"), room.lasttime, room.bid, room.ask))
        if len(ticks) == TICKS:
            done.set()

    function = NotifyFunctionEx(notified)
    handle.plain("PumpingSwitchEx", function, 0, 0)
    begun = time.perf_counter()
    flood.started.set()
    done.wait()
    return time.perf_counter() - begun


def measure_ticks() -> dict[str, float]:
    ours, plain = best(lambda: asyncio.run(backend_ticks())), best(plain_ticks)
    return {"ours_s": ours, "ctypes_s": plain, "times_faster": plain / ours, "per_second": TICKS / ours}


def main() -> None:
    """Runs everything and prints it, as JSON with ``--json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    results = {"trades": measure_trades(), "calls": measure_calls(), "ticks": measure_ticks()}
    if chosen.json:
        print(json.dumps(results, indent=1))
        return
    for name, figures in results.items():
        print(name, *(f"{figure}={value:.2f}" for figure, value in figures.items()))


if __name__ == "__main__":
    main()
