"""Whatever a desk does, the reports agree with the server's own figures, and with each other, to the cent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk_reports.daily import day_of
from desk_reports.figures import exact, plain
from mt_remote.client import Client
from mt_remote_conformance.strategies import orders
from mt_remote_tools.testing import Bench

STEPS = st.one_of(
    st.tuples(st.just("open"), orders()),
    st.tuples(st.just("open"), orders(pendings=False)),
    st.tuples(st.just("close"), st.tuples(st.integers(0, 9), st.integers(1, 400))),
    st.tuples(st.just("book"), st.integers(-50_000, 200_000)),
    st.tuples(st.just("sleep"), st.integers(1, 3)),
)
"""An order; the n-th open one closed, in part or wholly (hundredths of a lot); cents that come or go; nights."""


PARTS = ("profit", "swaps", "commission", "taxes", "deposits", "withdrawals")
"""Figures of a day that make up its `net`."""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench.of("simulator", plugins=["desk_reports.functions"]) as bench:
        charge = {"commission_base": 7.77, "commission_tax": 10.0}
        with session(bench) as client:
            client.call("config.group.set", group="demoforex", securities={"Forex": charge})
        yield bench


@contextmanager
def session(bench: Bench) -> Iterator[Client]:
    """A client that is gone when the next example is drawn. One that stayed would ping the gateway every 20 seconds,
    with numbers from `random`, which hypothesis forbids while it draws.
    """
    client = bench.client()
    try:
        yield client
    finally:
        client.close()


class Account:
    """An account of its own on the bench, and what its owner does."""

    def __init__(self, bench: Bench, client: Client) -> None:
        self.bench, self.client = bench, client
        fields = {
            "group": "demoforex",
            "name": "Ann",
            "password": "Secret1",
            "enable": True,
            "leverage": 100,
            "taxes": 10.0,
        }
        self.login = int(self.client.call("user.add", fields)["login"])
        self.book(1_000_000)

    def open(self, order: dict[str, Any]) -> None:
        self.client.call("order.open", order | {"login": self.login})

    def close(self, which: tuple[int, int]) -> None:
        number, hundredths = which
        held = self.client.call("trades.get", login=self.login, cmd=["buy", "sell"])
        if held:
            trade = held[number % len(held)]
            volume = min(hundredths / 100, trade["volume"])
            self.client.call("order.close", order=trade["order"], volume=volume, price=trade["close_price"])

    def book(self, cents: int) -> None:
        """Credits or debits the account; a server refuses nought, and what would leave it without funds."""
        answer = self.client.request(
            "order.balance", {"login": self.login, "command": "balance", "amount": cents / 100}
        )
        assert answer["status"] == "OK" or answer["code"] in ("trade_no_money", "invalid_data"), answer

    def sleep(self, nights: int) -> None:
        self.bench.clock.advance(nights * 86_400)

    def days(self, **period: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.call("report.daily", {"login": self.login, **period})
        return found


def total(amounts: Iterable[float]) -> float:
    return plain(sum((exact(amount) for amount in amounts), Decimal(0)))


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=8, max_size=14))
def test_the_reports_agree_with_the_server(bench: Bench, steps: list[tuple[str, Any]]) -> None:
    with session(bench) as client:
        account = Account(bench, client)
        first = day_of(bench.clock.now)
        for what, how in steps:
            getattr(account, what)(how)
        account.sleep(3)  # one of these nights is no weekend's, so that what is open has a swap
        balance = client.call("users.get", logins=[account.login])[0]["balance"]
        compare_days(account, first, balance)
        compare_account(account, balance)
        compare_exposure(client)


def compare_days(account: Account, first: date, balance: float) -> None:
    """The days come to the balance, each day's parts to its own sum, and reports of single days to that of all."""
    days = account.days(**{"from": first.isoformat()})
    assert total(day["net"] for day in days) == balance
    for day in days:
        assert total(day[part] for part in PARTS) == day["net"]
    assert [line for day in days for line in account.days(**{"from": day["date"], "to": day["date"]})] == days


def compare_account(account: Account, balance: float) -> None:
    """Equity is what the server makes of it, in cents."""
    line = account.client.call("report.accounts", group="demoforex", after=account.login - 1, limit=1)[0]
    level = account.bench.server.login(1, "manager").margin_level(account.login)
    assert (line["login"], line["balance"], line["equity"]) == (account.login, balance, level.equity / 100)


def compare_exposure(client: Client) -> None:
    """Net lots are those of all open positions."""
    trades = client.call("trades.get", cmd=["buy", "sell"])
    exposure = client.call("report.exposure")
    assert total(line["net"] for line in exposure) == total(
        trade["volume"] if trade["cmd"] == "buy" else -trade["volume"] for trade in trades
    )
    assert sum(line["positions"] for line in exposure) == len(trades)
