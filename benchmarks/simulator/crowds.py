"""Whether the cost of what concerns many orders or accounts at once grows with their number, or with its square.

    python -m benchmarks.simulator.crowds [--size 2500]

Each scene is timed with so many orders (or accounts) and with four times as many: about 4 is linear, 16 quadratic. All
orders are one account's where a scene does not say otherwise, in USDJPY, whose results have to be converted and rounded
one by one.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from statistics import median

from mt4sim import NewOrder, Server, World
from mt4sim.market.symbols import Symbol
from mt4sim.state.requests import ClientRequest
from mt_remote.records import (
    ConGroup,
    Draft,
    ExecutionMode,
    Patch,
    TradeCommand,
    TransactionType,
    UserRecord,
)  # fmt: skip

SYMBOL = "USDJPY"
MIDDLE = 100_000  # points
BUY, SELL = TradeCommand.BUY, TradeCommand.SELL
WORLD = """
version = 1
[securities.Forex]
[groups.main]
enable = true
currency = "USD"
default_leverage = 100
margin_mode = 1
margin_call = 100
margin_stopout = 50
[groups.main.securities.Forex]
show = true
trade = true
execution_mode = 1
lot_min = 0.01
lot_step = 0.01
lot_max = 100.0
"""


class Crowd:
    """A server and what scenes do with it. Every account has 50 dollars for each 0.01 lot: a level of 500 %."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.server = Server(World.from_toml(WORLD))
        self.server.symbols[SYMBOL] = Symbol(
            name=SYMBOL, currency="USD", margin_currency="USD", digits=3, margin_hedged=100_000.0
        )
        self.trading = self.server.trading
        self.tick(MIDDLE)

    def tick(self, bid: int) -> None:
        self.server.quotes.tick(SYMBOL, bid, bid + 1)

    def account(self, orders: int) -> int:
        draft = {"group": "main", "name": "Crowd", "password": "Pass1", "enable": True, "leverage": 100}
        login = self.server.accounts.add(Draft(UserRecord, draft)).login
        self.trading.transactions.balance(login, TradeCommand.BALANCE, 50.0 * orders)
        return login

    def open(self, login: int, cmd: TradeCommand = BUY, at: int = MIDDLE, *, sl: float = 0.0, lives: int = 0) -> int:
        """One order of 0.01 lot, which lives for so many seconds."""
        expiration = self.server.now + lives if lives else 0
        return self.trading.transactions.open(
            login, NewOrder(SYMBOL, cmd, 0.01, at / 1000, sl=sl, expiration=expiration)
        )

    def crowd(self, *cmds: TradeCommand, at: int = MIDDLE, sl: float = 0.0, lives: int = 0) -> int:
        """One account with ``size`` orders, of these types in turn."""
        login = self.account(self.size)
        for number in range(self.size):
            self.open(login, cmds[number % len(cmds)], at, sl=sl, lives=lives)
        return login

    def terms(self, **fields: object) -> None:
        self.server.config.set_group(Patch(ConGroup, {"group": "main", **fields}))


Scene = Callable[[Crowd], Callable[[], object]]
"""Prepares a crowd; gives what is timed."""


def opening(crowd: Crowd) -> Callable[[], object]:
    return lambda: crowd.crowd(BUY)


def opening_as_client(crowd: Crowd) -> Callable[[], object]:
    login = crowd.account(crowd.size)
    request = ClientRequest(login=login, type=TransactionType.ORDER_IE_OPEN, cmd=BUY, symbol=SYMBOL, volume=1,
                            price=MIDDLE)  # fmt: skip
    return lambda: [crowd.trading.clients.execute(request, MIDDLE) for _ in range(crowd.size)]


def one_stop_out(crowd: Crowd) -> Callable[[], object]:
    crowd.crowd(BUY)
    return lambda: crowd.tick(MIDDLE // 2)


def one_partial_stop_out(crowd: Crowd) -> Callable[[], object]:
    """The level is met again when about half of the positions are closed."""
    crowd.crowd(BUY)
    return lambda: crowd.tick(95_550)


def stop_out_of_everybody(crowd: Crowd) -> Callable[[], object]:
    """As many accounts, of one position each."""
    for _ in range(crowd.size):
        crowd.open(crowd.account(1))
    return lambda: crowd.tick(MIDDLE // 2)


def look_at_everybody(crowd: Crowd) -> Callable[[], object]:
    """A tick of 500 points after which every account has to be looked at, and none stopped out."""
    for _ in range(crowd.size):
        crowd.open(crowd.account(1))
    crowd.tick(MIDDLE - 3_500)
    return lambda: crowd.tick(MIDDLE - 4_000)


def activation(crowd: Crowd) -> Callable[[], object]:
    crowd.crowd(TradeCommand.BUY_LIMIT, TradeCommand.SELL_STOP, at=99_000)
    return lambda: crowd.tick(98_990)


def activation_without_money(crowd: Crowd) -> Callable[[], object]:
    login = crowd.crowd(TradeCommand.SELL_STOP, at=99_000)
    crowd.trading.transactions.balance(login, TradeCommand.BALANCE, -45.0 * crowd.size)
    return lambda: crowd.tick(98_990)


def stop_losses(crowd: Crowd) -> Callable[[], object]:
    crowd.crowd(BUY, sl=99.0)
    return lambda: crowd.tick(98_990)


def close_all(crowd: Crowd) -> Callable[[], object]:
    login = crowd.crowd(BUY, SELL)
    return lambda: crowd.trading.transactions.close_all(login, SYMBOL)


def close_one_by_one(crowd: Crowd) -> Callable[[], object]:
    crowd.crowd(BUY)
    return lambda: [
        crowd.trading.transactions.close(o.ticket, 0.01, 100.0) for o in crowd.trading.engine.book.all_open()
    ]


def close_in_parts(crowd: Crowd) -> Callable[[], object]:
    login = crowd.account(crowd.size)
    crowd.trading.transactions.open(login, NewOrder(SYMBOL, BUY, crowd.size / 100, 100.0))

    def act() -> None:
        for _ in range(crowd.size - 1):
            crowd.trading.transactions.close(crowd.server.common.last_order, 0.01, 100.0)

    return act


def requests_to_a_dealer(crowd: Crowd) -> Callable[[], object]:
    """Stop losses of a manual group are marked, and roll back."""
    crowd.terms(securities={"Forex": {"execution_mode": ExecutionMode.MANUAL}})
    crowd.crowd(BUY, sl=99.0)

    def act() -> None:
        crowd.tick(98_990)
        crowd.tick(MIDDLE)

    return act


def day_end(crowd: Crowd) -> Callable[[], object]:
    crowd.server.symbols[SYMBOL] = crowd.server.symbols[SYMBOL].changed(swap_long=-3.0)
    crowd.terms(use_swap=True)
    crowd.crowd(BUY)
    return lambda: crowd.server.advance(90_000)


def expirations(crowd: Crowd) -> Callable[[], object]:
    crowd.crowd(TradeCommand.BUY_LIMIT, at=90_000, lives=1000)
    return lambda: crowd.server.advance(1000)


def new_thresholds(crowd: Crowd) -> Callable[[], object]:
    """One account's positions go because its group's threshold rises."""
    crowd.crowd(BUY)
    return lambda: crowd.terms(margin_stopout=100_000)


def erasing(crowd: Crowd) -> Callable[[], object]:
    login = crowd.crowd(BUY, sl=99.0)
    return lambda: crowd.server.accounts.delete(login)


SCENES: tuple[Scene, ...] = (
    opening, opening_as_client, one_stop_out, one_partial_stop_out, stop_out_of_everybody, look_at_everybody,
    activation, activation_without_money, stop_losses, close_all, close_one_by_one, close_in_parts,
    requests_to_a_dealer, day_end, expirations, new_thresholds, erasing,
)  # fmt: skip


def seconds(scene: Scene, size: int, rounds: int) -> float:
    """What a scene takes, the median of rounds."""
    found = []
    for _ in range(rounds):
        act = scene(Crowd(size))
        gc.collect()
        started = time.perf_counter()
        act()
        found.append(time.perf_counter() - started)
    return median(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2_500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="SCENE")
    arguments = parser.parse_args()
    size = arguments.size
    for scene in SCENES:
        if arguments.only and scene.__name__ not in arguments.only:
            continue
        few, many = (seconds(scene, each, arguments.rounds) for each in (size, 4 * size))
        name = scene.__name__.replace("_", " ")
        sys.stdout.write(
            f"{name:<26} {size:>7,}: {few / size * 1e6:6.1f} µs each, "
            f"{4 * size:>7,}: {many / size / 4 * 1e6:6.1f} µs each, ratio {many / few:.1f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
