"""No sequence of orders through the gateway exceeds a limit; and what is within the limits passes.

The rules are said here again, in other words and in whole points and hundredths, from what the server shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mt_remote.client import Client
from mt_remote_tools.testing import Bench
from scene import Json

POINT = 100_000
MIDDLE = 110_000
"""The price that everything is around, in points."""

LONG = {"buy", "buy_limit", "buy_stop"}
PENDING = ("buy_limit", "buy_stop", "sell_limit", "sell_stop")
COMMANDS = ("buy", "sell", *PENDING)

offsets = st.integers(-250, 250)
indices = st.integers(0, 7)

opens = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(("EURUSD", "EURUSD", "EURUSD", "GBPUSD")),
        "command": st.sampled_from(COMMANDS),
        "hundredths": st.integers(1, 130),
        "offset": offsets,
    }
)
steps = st.one_of(
    st.tuples(st.just("open"), opens),
    st.tuples(st.just("open"), opens),
    st.tuples(st.just("race"), st.tuples(opens, opens)),
    st.tuples(st.sampled_from(("activate", "modify")), st.tuples(indices, offsets)),
    st.tuples(st.just("close"), st.tuples(indices, st.integers(1, 4))),
    st.tuples(st.just("close_by"), st.tuples(indices, indices)),
    st.tuples(st.just("close_all"), st.none()),
    st.tuples(st.just("cancel"), indices),
    st.tuples(st.just("tick"), offsets),
)


@dataclass
class Rules:
    """Limits: hundredths of a lot, points."""

    largest: int
    net: int
    points: int
    banned: bool

    def as_data(self) -> Json:
        terms = {"max_lots": self.largest / 100, "max_net_lots": self.net / 100, "max_points": self.points}
        own = {"GBPUSD": {"banned": True}} if self.banned else {"GBPUSD": None}
        return {**terms, "digits": 5, "symbols": own}


rules = st.builds(Rules, st.integers(20, 100), st.integers(50, 200), st.integers(0, 150), st.booleans())


@dataclass
class Desk:
    """Two sessions that trade one account, and what they see of it."""

    first: Client
    second: Client
    bench: Bench
    login: int
    rules: Rules
    price: int = MIDDLE
    passed: list[str] = field(default_factory=list)

    def trades(self) -> list[Json]:
        trades: list[Json] = self.first.call("trades.get", login=self.login)
        return trades

    def chosen(self, index: int, *commands: str) -> Json | None:
        found = [trade for trade in self.trades() if trade["cmd"] in commands]
        return found[index % len(found)] if found else None

    def side(self, symbol: str, is_long: bool) -> int:
        return sum(
            round(trade["volume"] * 100)
            for trade in self.trades()
            if trade["symbol"] == symbol and (trade["cmd"] in LONG) == is_long
        )

    def near(self, points: int) -> bool:
        """The tick's ask is ten points above its bid."""
        return self.price - self.rules.points <= points <= self.price + 10 + self.rules.points

    def data(self, wanted: Json) -> Json:
        volume, price = wanted["hundredths"] / 100, (MIDDLE + wanted["offset"]) / POINT
        order = {"symbol": wanted["symbol"], "command": wanted["command"], "volume": volume, "price": price}
        return {"login": self.login, **order}

    def may_open(self, wanted: Json) -> bool:
        side = self.side(wanted["symbol"], wanted["command"] in LONG) + wanted["hundredths"]
        banned = self.rules.banned and wanted["symbol"] == "GBPUSD"
        large = wanted["hundredths"] > self.rules.largest or side > self.rules.net
        return not banned and not large and self.near(MIDDLE + wanted["offset"])

    def must(self, name: str, allowed: bool, **data: Any) -> None:
        """Calls something that the server itself has nothing against."""
        answer = self.second.request(name, data)
        assert (answer["status"] == "OK") == allowed, answer
        assert allowed or answer["code"] == "risk_limit"

    def do_open(self, wanted: Json) -> None:
        self.must("order.open", self.may_open(wanted), **self.data(wanted))

    def do_race(self, both: tuple[Json, Json]) -> None:
        may = [self.may_open(wanted) for wanted in both]
        clients = (self.first, self.second)
        for client, wanted in zip(clients, both, strict=True):
            client.send({"id": 1, "name": "order.open", "data": self.data(wanted)})
        done = [client.receive()["status"] == "OK" for client in clients]
        for passed, alone in zip(done, may, strict=True):
            assert alone or not passed
        assert any(done) == any(may)

    def do_activate(self, step: tuple[int, int]) -> None:
        if order := self.chosen(step[0], *PENDING):
            price = MIDDLE + step[1]
            self.must("order.activate", self.near(price), order=order["order"], price=price / POINT)

    def do_modify(self, step: tuple[int, int]) -> None:
        if order := self.chosen(step[0], *PENDING):
            price = MIDDLE + step[1]
            same = price == round(order["open_price"] * POINT)
            self.must("order.modify", same or self.near(price), order=order["order"], price=price / POINT)

    def do_close(self, step: tuple[int, int]) -> None:
        if order := self.chosen(step[0], "buy", "sell"):
            part = max(1, round(order["volume"] * 100) // step[1])
            self.must("order.close", True, order=order["order"], volume=part / 100, price=2.0)

    def do_close_by(self, step: tuple[int, int]) -> None:
        buy = self.chosen(step[0], "buy")
        sell = self.chosen(step[1], "sell")
        if buy and sell and buy["symbol"] == sell["symbol"]:
            self.must("order.close_by", True, order=buy["order"], order_by=sell["order"])

    def do_close_all(self, step: None) -> None:
        self.must("order.close_all", True, login=self.login, symbol="EURUSD")

    def do_cancel(self, index: int) -> None:
        if order := self.chosen(index, *PENDING):
            self.must("order.cancel", True, order=order["order"], command=order["cmd"])

    def do_tick(self, offset: int) -> None:
        """Another price, which pending orders may be waiting for."""
        self.price = MIDDLE + offset
        for symbol in ("EURUSD", "GBPUSD"):
            self.bench.server.tick(symbol, self.price / POINT, (self.price + 10) / POINT)

    def hold(self) -> None:
        """What must be so after every step."""
        trades = self.trades()
        for symbol in ("EURUSD", "GBPUSD"):
            positions = [trade for trade in trades if trade["symbol"] == symbol and trade["cmd"] in ("buy", "sell")]
            lots = [round(trade["volume"] * 100) for trade in positions]
            net = sum(lot if trade["cmd"] == "buy" else -lot for trade, lot in zip(positions, lots, strict=True))
            assert abs(net) <= self.rules.net
            assert max(self.side(symbol, True), self.side(symbol, False)) <= self.rules.net
        assert all(round(trade["volume"] * 100) <= self.rules.largest for trade in trades)
        assert not (self.rules.banned and any(trade["symbol"] == "GBPUSD" for trade in trades))


@pytest.fixture(scope="module", params=["simulator", "manager"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """One gateway for all cases; each has an account of its own."""
    with Bench.of(request.param, plugins=["risk_limits.plugin"]) as bench:
        yield bench


@pytest.fixture(scope="module")
def sessions(bench: Bench) -> tuple[Client, Client]:
    return bench.client(), bench.client()


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rules=rules, plan=st.lists(steps, min_size=3, max_size=14))
def test_no_sequence_of_orders_exceeds_a_limit(
    bench: Bench, sessions: tuple[Client, Client], rules: Rules, plan: list[tuple[str, Any]]
) -> None:
    first, second = sessions
    ann = {"group": "demoforex", "name": "Ann Example", "password": "Secret1", "enable": True, "leverage": 100}
    login = int(first.call("user.add", ann)["login"])
    first.call("risk.limits.set", rules.as_data())
    desk = Desk(first, second, bench, login, rules)
    desk.do_tick(0)
    for name, step in plan:
        getattr(desk, f"do_{name}")(step)
        desk.hold()
