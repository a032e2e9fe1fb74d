"""Ticks per second with 1,000 open positions that carry SL and TP: the simulator beside its peers, in one run.

    pip install gym-mtsim pytz strategytester5
    python -m benchmarks.simulator.peers [--positions 1000] [--ticks 2000]

Each gets the same walk of EURUSD, which reaches no stop. gym-mtsim knows no SL and TP, so its positions have none; of
strategytester5 its own per-tick steps are run (tick, account and positions monitoring) without its progress bar and
curves. Both value every position at every tick; mt4sim values when somebody asks, so its second figure asks for the
account's equity and margin after each tick.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import logging
import random
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

from benchmarks.simulator.scale import MIDDLE, SYMBOL, Bench

START = datetime(2020, 5, 14, 12)


def walk(ticks: int) -> list[int]:
    """Bids in points."""
    chance, bid, bids = random.Random(1), MIDDLE, []
    for _ in range(ticks):
        bid += chance.choice((-3, -2, -1, 1, 2, 3))
        bids.append(bid)
    return bids


def rate(act: Callable[[int, int], object], bids: list[int]) -> float:
    """Ticks per second."""
    started = time.perf_counter()
    for number, bid in enumerate(bids):
        act(number, bid)
    return len(bids) / (time.perf_counter() - started)


def ours(positions: int, bids: list[int], *, ask: bool) -> float:
    bench = Bench(positions, accounts=1)
    login = bench.logins[0]

    def act(_: int, bid: int) -> None:
        bench.server.quotes.tick(SYMBOL, bid, bid + 10)
        if ask:
            bench.trading.engine.margin_level(login)

    return rate(act, bids)


def gym_mtsim(positions: int, bids: list[int]) -> float:
    with mock.patch("pickle.load", return_value=({}, {})):  # its sample data needs a pandas of its time, we need none
        simulator_module = importlib.import_module("gym_mtsim.simulator")
    pandas = importlib.import_module("pandas")
    simulator: Any = simulator_module.MtSimulator(balance=1e7, leverage=100.0, stop_out_level=0.2)
    simulator.symbols_info[SYMBOL] = SimpleNamespace(
        name=SYMBOL, currency_margin="EUR", currency_profit="USD", currencies=("EUR", "USD"), trade_contract_size=1e5,
        margin_rate=1.0, volume_min=0.01, volume_max=100.0, volume_step=0.01,
    )  # fmt: skip
    times = [START + timedelta(seconds=number) for number in range(len(bids) + 1)]
    frame = pandas.DataFrame({"Close": [MIDDLE / 1e5, *(bid / 1e5 for bid in bids)]}, index=pandas.DatetimeIndex(times))
    simulator.symbols_data[SYMBOL] = frame
    simulator.current_time = START
    kinds = simulator_module.OrderType
    for number in range(positions):
        simulator.create_order(kinds.Buy if number % 3 else kinds.Sell, SYMBOL, 0.01, fee=0.0)
    return rate(lambda number, bid: simulator.tick(timedelta(seconds=1)), bids)


def _position(package: Any, number: int) -> Any:
    position: dict[str, Any] = dict.fromkeys(package.TradePosition._fields, 0)
    buys = number % 3 > 0
    stops = {"sl": 1.0, "tp": 1.2} if buys else {"sl": 1.2, "tp": 1.0}
    position |= {"ticket": number, "symbol": SYMBOL, "type": 0 if buys else 1, "volume": 0.01, "margin": 11.0, **stops}
    return package.TradePosition(**{**position, "price_open": MIDDLE / 1e5})


def strategytester5(positions: int, bids: list[int]) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        package = importlib.import_module("strategytester5")
        kind: Any = importlib.import_module("strategytester5.tester").StrategyTester
    tester = object.__new__(kind)  # without the history on disk that its constructor wants
    tester.IS_TESTER, tester.logger = True, logging.getLogger("peers")
    tester.mt5_instance = package.MetaTrader5
    tester.tick_cache = {}
    symbol: dict[str, Any] = dict.fromkeys(package.SymbolInfo._fields, 0)
    symbol |= {"name": SYMBOL, "trade_contract_size": 1e5, "trade_calc_mode": 0, "digits": 5}
    tester.symbol_info_cache = {SYMBOL: package.SymbolInfo(**symbol)}
    account: dict[str, Any] = dict.fromkeys(package.AccountInfo._fields, 0)
    account |= {"balance": 1e7, "equity": 1e7, "margin_free": 1e7, "margin_so_call": 100.0, "margin_so_so": 50.0}
    tester.AccountInfo = package.AccountInfo(**account)
    tester.positions_unrealized_pl = tester.positions_total_margin = 0
    tester.__positions_container__ = [_position(package, number) for number in range(positions)]
    watch_account, watch_positions = (
        getattr(tester, f"_StrategyTester__{name}_monitoring") for name in ("account", "positions")
    )

    def act(number: int, bid: int) -> None:
        tick = package.Tick(number, bid / 1e5, (bid + 10) / 1e5, 0.0, 0, number * 1000, 0, 0.0)
        tester.TickUpdate(SYMBOL, tick)
        watch_account()
        if tester.positions_get(symbol=SYMBOL):
            watch_positions()

    return rate(act, bids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positions", type=int, default=1_000)
    parser.add_argument("--ticks", type=int, default=2_000)
    arguments = parser.parse_args()
    bids = walk(arguments.ticks)
    few = bids[: max(1, arguments.ticks // 40)]
    found = {
        "mt4sim": ours(arguments.positions, bids, ask=False),
        "mt4sim, asked for equity and margin at each tick": ours(arguments.positions, few, ask=True),
    }
    for name, peer in (("gym-mtsim", gym_mtsim), ("strategytester5", strategytester5)):
        try:
            found[name] = peer(arguments.positions, few)
        except ImportError as error:
            sys.stdout.write(f"{name} is not installed ({error.name})\n")
    for name, ticks in found.items():
        sys.stdout.write(f"{ticks:>12,.0f} ticks/s  {name} (mt4sim is {found['mt4sim'] / ticks:,.0f} times that)\n")


if __name__ == "__main__":
    main()
