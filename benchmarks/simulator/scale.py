"""How the simulator's costs grow with open positions: a growth curve on one core.

    python -m benchmarks.simulator.scale [--sizes 1000 10000 100000 1000000] [--near] [--json curve.json]

For each size, positions with SL and TP are spread over 10,000 accounts whose group has a margin call and a stop-out
level, and these are measured: a tick that triggers nothing, a tick by what it triggers, opening, modifying and closing
an order, and memory per position. ``--near`` leaves every account a level of 130 %, 30 above its margin call, so that
supervision has to look at accounts as prices move; what a tick triggers is not measured then, as the move that it
takes would stop everybody out. Times are medians of rounds; every size runs the same ticks.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mt4sim import NewOrder, OrderChange, Server, World
from mt4sim.market.symbols import Symbol
from mt_remote.records import Draft, TradeCommand, UserRecord

ACCOUNTS = 10_000
SYMBOL = "EURUSD"
MIDDLE = 110_000  # points

WORLD = """
version = 1
[securities.Forex]
[groups.main]
enable = true
currency = "USD"
default_leverage = 100
margin_mode = 1
margin_type = 0
margin_call = 100
margin_stopout = 50
[groups.main.securities.Forex]
show = true
trade = true
execution_mode = 1
lot_max = 100.0
"""


def resident() -> int:
    """Bytes of memory that the process holds."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * 4096


class Bench:
    """A server with so many positions."""

    def __init__(self, positions: int, *, accounts: int = ACCOUNTS, near: bool = False) -> None:
        self.random = random.Random(positions)
        self.server = Server(World.from_toml(WORLD))
        self.server.symbols[SYMBOL] = Symbol(name=SYMBOL, currency="EUR", margin_currency="EUR", margin_hedged=50_000.0)
        self.server.quotes.tick(SYMBOL, MIDDLE, MIDDLE + 10)
        self.trading = self.server.trading
        self.logins = [self._account(number) for number in range(accounts)]
        self.price = MIDDLE
        gc.collect()
        before = resident()
        started = time.perf_counter()
        self.tickets = [self._open(number) for number in range(positions)]
        self.built = time.perf_counter() - started
        self.tick(1)
        gc.collect()
        self.memory = (resident() - before) / positions  # supervision included
        if near:
            self._impoverish()
        self.tick(-1)

    def _account(self, number: int) -> int:
        draft = {"group": "main", "name": "Bench", "password": "Pass1", "enable": True, "leverage": 100}
        login = self.server.accounts.add(Draft(UserRecord, draft)).login
        self.trading.transactions.balance(login, TradeCommand.BALANCE, 10_000 + number % 997)
        return login

    def _open(self, number: int) -> int:
        """Stops lie 2,000 points away or more: no tick of the walk reaches them."""
        buys = number % 3 > 0
        far = 2_000 + self.random.randrange(5_000)
        below, above = (MIDDLE - far) / 1e5, (MIDDLE + far) / 1e5
        command, (sl, tp) = (TradeCommand.BUY, (below, above)) if buys else (TradeCommand.SELL, (above, below))
        order = NewOrder(SYMBOL, command, 0.01, MIDDLE / 1e5, sl=sl, tp=tp)
        return self.trading.transactions.open(self.logins[number % len(self.logins)], order)

    def _impoverish(self) -> None:
        for login in self.logins:
            level = self.trading.engine.margin_level(login)
            if level.margin:
                self.trading.transactions.balance(
                    login, TradeCommand.BALANCE, (level.margin * 1.3 - level.equity) / 100
                )

    def tick(self, move: int) -> None:
        self.price += move
        self.server.quotes.tick(SYMBOL, self.price, self.price + 10)


def timed(times: int, act: Callable[[int], object]) -> float:
    """Seconds for each of ``times`` calls, on average."""
    started = time.perf_counter()
    for number in range(times):
        act(number)
    return (time.perf_counter() - started) / times


def quiet_ticks(bench: Bench, rounds: int = 9, ticks: int = 2_000) -> tuple[float, float]:
    """Seconds of a tick that triggers nothing: the median of rounds, and the mean of all, supervision included."""
    walk = random.Random(1)
    moves = [walk.choice((-3, -2, -1, 1, 2, 3)) for _ in range(ticks)]
    found = []
    for number in range(rounds):
        signed = moves if number % 2 == 0 else [-move for move in reversed(moves)]
        found.append(timed(ticks, lambda index, signed=signed: bench.tick(signed[index])))  # type: ignore[misc]
    return statistics.median(found), statistics.fmean(found)


def touched_orders(bench: Bench, count: int = 2_000) -> dict[str, float]:
    """Seconds of opening, modifying and closing an order, each followed by its share of a tick."""
    opened: list[int] = []
    transactions = bench.trading.transactions
    figures = {
        "open": timed(count, lambda number: opened.append(bench._open(number))),
        "modify": timed(count, lambda number: transactions.modify(opened[number], OrderChange(sl=1.0 + number / 1e5))),
        "close": timed(count, lambda number: transactions.close(opened[number], 0.01, 1.1)),
    }
    started = time.perf_counter()
    bench.tick(1)
    return {**figures, "looking at the accounts after it": (time.perf_counter() - started) / count}


def triggering(bench: Bench, counts: tuple[int, ...] = (1, 10, 100, 1_000)) -> dict[str, float]:
    """Seconds of a tick for each position that it closes, by how many it closes."""
    figures = {}
    for count in counts:
        for number in range(count):
            ticket = bench._open(number)
            bench.trading.transactions.modify(ticket, OrderChange(sl=0.0, tp=0.0))
            order = bench.trading.engine.book.find(ticket)
            bench.trading.transactions.modify(
                ticket, OrderChange(tp=(MIDDLE + 500) / 1e5 if order.is_buy else (MIDDLE - 500) / 1e5)
            )
        bench.tick(1)
        bench.price = MIDDLE
        started = time.perf_counter()
        bench.tick(500)
        bench.price = MIDDLE - 510
        bench.tick(0)
        figures[str(count)] = (time.perf_counter() - started) / count
        bench.price = MIDDLE
        bench.tick(0)
    return figures


def measure(positions: int, *, near: bool) -> dict[str, object]:
    """Everything at one size."""
    gc.disable()
    bench = Bench(positions, near=near)
    gc.freeze()
    before = bench.trading.supervisor.looks
    median, mean = quiet_ticks(bench)
    looks = bench.trading.supervisor.looks - before
    return {
        "positions": positions, "tick_us": median * 1e6, "tick_mean_us": mean * 1e6, "looks": looks,
        "open_us": bench.built / positions * 1e6, "bytes": bench.memory,
        "orders_us": {name: value * 1e6 for name, value in touched_orders(bench).items()},
        "trigger_us": {} if near else {count: value * 1e6 for count, value in triggering(bench).items()},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--near", action="store_true", help="accounts close to their margin call")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    for size in arguments.sizes:
        row = measure(size, near=arguments.near)
        rows.append(row)
        orders, triggers = row["orders_us"], row["trigger_us"]
        assert isinstance(orders, dict)
        assert isinstance(triggers, dict)
        sys.stdout.write(
            f"{size:>9,} positions: tick {row['tick_us']:.2f} µs (mean {row['tick_mean_us']:.2f}, {row['looks']} looks "
            f"at accounts), {row['bytes']:.0f} bytes each; "
            + ", ".join(f"{name} {value:.1f}" for name, value in orders.items())
            + " µs; closed by a tick: "
            + (", ".join(f"{value:.1f} µs each of {count}" for count, value in triggers.items()) or "not measured")
            + "\n"
        )
        sys.stdout.flush()
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
