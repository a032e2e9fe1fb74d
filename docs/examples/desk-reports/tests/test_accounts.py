"""`report.accounts`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mt4sim import Server
from mt_remote.client import Client
from mt_remote_tools.testing import ManualClock


def buy(client: Client, login: int, volume: float, command: str = "buy") -> None:
    client.call("order.open", login=login, symbol="EURUSD", command=command, volume=volume, price=1.1)


@pytest.mark.mt_remote_backends
def test_floating_and_equity_follow_the_price(
    mt_client: Client, mt4_server: Server, manual_clock: ManualClock, new_account: Callable[..., int]
) -> None:
    rich, poor = new_account(5000.0), new_account(10.55)
    until = manual_clock.now + 86_400
    mt_client.call("order.balance", login=rich, command="credit", amount=200.0, expiration=until)
    buy(mt_client, rich, 0.1)
    buy(mt_client, rich, 0.2)
    buy(mt_client, rich, 0.3, "buy_limit")  # no position yet
    mt4_server.tick("EURUSD", 1.1010, 1.1011)
    assert mt_client.call("report.accounts", group="demoforex") == [
        {
            "login": rich,
            "currency": "USD",
            "balance": 5000.0,
            "credit": 200.0,
            "floating": 27.9,  # 10 + 20 of profit, 0.70 + 1.40 of commission
            "equity": 5227.9,
            "positions": 2,
        },
        {
            "login": poor,
            "currency": "USD",
            "balance": 10.55,
            "credit": 0.0,
            "floating": 0.0,
            "equity": 10.55,
            "positions": 0,
        },
    ]


def test_pages_and_filters(mt_client: Client, mt4_server: Server, new_account: Callable[..., int]) -> None:
    first, second, third = new_account(100.0), new_account(5000.0), new_account(300.0)
    new_account(1.0, group="miniforex")
    buy(mt_client, second, 0.1)

    def logins(**fields: object) -> list[int]:
        return [line["login"] for line in mt_client.call("report.accounts", {"group": "demoforex", **fields})]

    assert logins() == [first, second, third]
    assert logins(active=True) == [second]
    assert logins(active=False) == [first, third]
    assert logins(equity_below=300.0) == [first]
    assert logins(equity_below=300.01, active=False) == [first, third]
    assert logins(limit=1, after=first, active=False) == [third]
    page = mt_client.request("report.accounts", {"group": "demoforex", "limit": 2})
    assert (len(page["result"]), page["next"]) == (2, second)


@pytest.mark.mt_remote_backends
def test_data_that_is_wrong(mt_client: Client) -> None:
    error = mt_client.fails("report.accounts", group="nosuch")
    assert (error.code, error.message) == ("not_found", "Cannot find group 'nosuch'")
    error = mt_client.fails("report.accounts", group="demoforex", equity_below="much")
    assert error.details == [{"path": "equity_below", "problem": "must be a number"}]
