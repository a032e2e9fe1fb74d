"""Random scripts: what a day may bring, drawn by hypothesis, played on a server. A refusal is part of the story."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from mt4sim import NewOrder, OrderChange, Server
from mt4sim.desk.managers import ManagerSession
from mt_remote.errors import RequestError
from mt_remote.records import ConGroup, Draft, Patch, TradeCommand, UserRecord

LOGINS = (101, 102, 103)
GROUPS = ("demoforex", "demopro", "extra")

Step = tuple[str, tuple[Any, ...]]

logins = st.sampled_from(LOGINS)
groups = st.sampled_from(GROUPS)
volumes = st.sampled_from([0.1, 0.5, 1.0])
prices = st.integers(90_000, 120_000).map(lambda points: points / 100_000)
nth = st.integers(0, 5)


def _step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.tuples(*arguments))


steps: st.SearchStrategy[Step] = st.one_of(
    _step("tick", prices),
    _step("tick", prices),
    _step("open", logins, st.sampled_from([TradeCommand.BUY, TradeCommand.SELL]), volumes, prices),
    _step("open", logins, st.sampled_from([TradeCommand.BUY_LIMIT, TradeCommand.SELL_STOP]), volumes, prices),
    _step("ask", logins, st.sampled_from([TradeCommand.BUY, TradeCommand.SELL]), volumes),
    _step("close", nth, volumes, prices),
    _step("modify", nth, prices, prices),
    _step("delete", nth),
    _step("close_all", logins),
    _step("balance", logins, st.integers(-50_000, 50_000).map(lambda cents: cents / 100)),
    _step("advance", st.sampled_from([1, 61, 3600, 90_000])),
    _step("add_user", logins, groups),
    _step("move_user", logins, groups),
    _step("delete_user", logins),
    _step("add_group"),
    _step("set_group", st.integers(0, 80)),
    _step("delete_group"),
)
scripts = st.lists(steps, min_size=1, max_size=30)


class Player:
    """Plays steps on a server as its first admin."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.admin: ManagerSession = server.login(1, "manager")

    def prepare(self) -> None:
        """The accounts that most steps are about."""
        for login in LOGINS[:2]:
            self.add_user(login, "demoforex")
            self.balance(login, 5000.0)

    def play(self, script: list[Step]) -> None:
        for name, arguments in script:
            act: Callable[..., object] = getattr(self, name)
            try:
                act(*arguments)
            except RequestError:
                continue

    def _ticket(self, index: int) -> int:
        orders = self.server.trading.engine.book.all_open()
        return orders[index % len(orders)].ticket if orders else 1

    def tick(self, bid: float) -> None:
        self.server.tick("EURUSD", bid, bid + 0.0001)

    def open(self, login: int, command: TradeCommand, volume: float, price: float) -> None:
        self.admin.open(login, NewOrder("EURUSD", command, volume, price))

    def ask(self, login: int, command: TradeCommand, volume: float) -> None:
        trader = self.server.trader(login)
        trader.open(NewOrder("EURUSD", command, volume))
        trader.log_out()

    def close(self, index: int, volume: float, price: float) -> None:
        self.admin.close(self._ticket(index), volume, price)

    def modify(self, index: int, sl: float, tp: float) -> None:
        self.admin.modify(self._ticket(index), OrderChange(sl=sl, tp=tp))

    def delete(self, index: int) -> None:
        self.admin.delete(self._ticket(index))

    def close_all(self, login: int) -> None:
        self.admin.close_all(login, "EURUSD")

    def balance(self, login: int, amount: float) -> None:
        self.admin.balance(login, TradeCommand.BALANCE, amount)

    def advance(self, seconds: int) -> None:
        self.server.advance(seconds)

    def add_user(self, login: int, group: str) -> None:
        self.admin.add_user(Draft(UserRecord, {"login": login, "group": group, "name": "N", "password": "Trader1",
                                               "enable": True, "leverage": 100}))  # fmt: skip

    def move_user(self, login: int, group: str) -> None:
        self.admin.change_users([login], group=group)

    def delete_user(self, login: int) -> None:
        self.admin.delete_users([login])

    def add_group(self) -> None:
        self.admin.add_group(Draft(ConGroup, {"group": "extra"}))

    def set_group(self, stop_out: int) -> None:
        self.admin.set_group(Patch(ConGroup, {"group": "demoforex", "margin_stopout": stop_out}))

    def delete_group(self) -> None:
        self.admin.delete_group("extra")
