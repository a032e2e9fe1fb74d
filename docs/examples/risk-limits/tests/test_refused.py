"""The event: who subscribed hears of refusals, of accounts that he sees; and all are counted."""

from __future__ import annotations

import pytest

from mt_remote.client import Client
from mt_remote_tools.testing import Bench
from scene import ASK, Limit, manager, order


@pytest.mark.mt_remote_backends
def test_what_is_told(mt_client: Client, mt_gateway: Bench, account: int, limit: Limit) -> None:
    limit(max_lots=1.0, max_points=100)
    other, deaf = mt_gateway.client(), mt_gateway.client()
    other.subscribe("risk.refused")
    mt_client.subscribe("risk.refused")
    error = mt_client.fails("order.open", order(account, volume=2.0))
    told = {
        "name": "order.open",
        "by": 1,
        "login": account,
        "symbol": "EURUSD",
        "order": 0,
        "field": "volume",
        "limit": "max_lots",
        "value": 2.0,
        "allowed": 1.0,
        "message": error.details[0]["problem"],
    }
    assert mt_client.event("risk.refused") == told
    assert other.event("risk.refused") == told

    waiting = mt_client.call("order.open", order(account, command="buy_limit", price=1.0991))["order"]
    mt_client.fails("order.activate", order=waiting, price=1.0980)
    told = other.event("risk.refused")
    assert (told["name"], told["order"], told["login"], told["symbol"]) == (
        "order.activate",
        waiting,
        account,
        "EURUSD",
    )
    assert (told["field"], told["limit"], told["value"], told["allowed"]) == ("price", "max_points", 200.0, 100.0)

    other.unsubscribe("risk.refused")
    mt_client.fails("order.open", order(account, volume=3.0))
    assert mt_client.event("risk.refused")["order"] == waiting
    assert mt_client.event("risk.refused")["value"] == 3.0
    assert other.settled() == []
    assert deaf.settled() == []


@pytest.mark.mt_remote_backends
def test_nobody_hears_of_accounts_that_he_does_not_see(
    mt_client: Client, mt_gateway: Bench, account: int, limit: Limit
) -> None:
    limit(max_lots=1.0)
    mini = {"group": "miniforex", "name": "Bob Example", "password": "Secret1", "enable": True, "leverage": 100}
    seen = int(mt_client.call("user.add", mini)["login"])
    dealer = manager(mt_client, mt_gateway, trades=True, groups=["mini*"])
    dealer.subscribe("risk.refused")
    mt_client.fails("order.open", order(account, volume=2.0))
    mt_client.fails("order.open", order(seen, volume=2.0))
    assert dealer.event("risk.refused")["login"] == seen  # the first one never came: they are told in order
    dealer.fails("order.open", order(account, volume=2.0))
    assert dealer.event("risk.refused")["login"] == account  # his own


def test_all_are_counted(mt_client: Client, account: int, limit: Limit) -> None:
    limit(max_lots=1.0, max_points=100, max_net_lots=1.5, symbols={"GBPUSD": {"banned": True}})
    mt_client.call("order.open", order(account, volume=1.0))
    refused = [
        order(account, volume=2.0),
        order(account, volume=2.0),
        order(account, volume=0.6),
        order(account, price=ASK + 0.1),
        order(account, symbol="GBPUSD"),
        order(987654),
    ]
    for wrong in refused:
        mt_client.fails("order.open", wrong)
    limits = {"banned": 1, "max_lots": 2, "max_net_lots": 1, "max_points": 1, "refuse_dealing": 0, "unchecked": 1}
    assert mt_client.call("risk.refusals.get") == {"total": 6, "limits": limits, "untold": 0}
