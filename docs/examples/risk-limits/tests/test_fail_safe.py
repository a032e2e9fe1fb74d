"""When the check can't read what it needs, the order does not pass, and the answer says what was missing."""

from __future__ import annotations

from typing import Any

import pytest

from mt4sim import NewOrder, Server, World
from mt4sim.world import demo_toml
from mt_remote.client import Client
from mt_remote.records import TradeCommand
from mt_remote_tools.testing import Bench
from risk_limits import check
from scene import ASK, BID, Json, Limit, manager, order


def unchecked(client: Client, name: str, /, **fields: Any) -> tuple[str, str]:
    """The code and the message of a call that could not be checked; it must have been counted as such."""
    before = client.call("risk.refusals.get")["limits"]["unchecked"]
    error = client.fails(name, fields)
    assert client.call("risk.refusals.get")["limits"]["unchecked"] == before + 1
    assert "can't be held against the limits" in error.message
    return error.code, error.message


class TestNoTickYet:
    @pytest.fixture
    def mt4_world(self) -> World:
        switch = "starting_prices_are_ticks = true"
        assert switch in demo_toml()
        return World.from_toml(demo_toml().replace(switch, switch.replace("true", "false")))

    @pytest.mark.mt_remote_backends
    def test_no_tick(self, mt_client: Client, account: int, limit: Limit, mt4_server: Server) -> None:
        limit(max_points=100)
        code, message = unchecked(mt_client, "order.open", **order(account, symbol="GBPUSD", price=1.25))
        assert (code, "there is no tick of GBPUSD yet" in message) == ("risk_unchecked", True)
        mt4_server.tick("GBPUSD", 1.25, 1.2501)
        mt_client.call("order.open", order(account, symbol="GBPUSD", price=1.25))


@pytest.mark.mt_remote_backends
def test_what_does_not_exist(mt_client: Client, account: int, limit: Limit) -> None:
    limit(max_points=100, max_net_lots=10)
    code, message = unchecked(mt_client, "order.open", **order(987654))
    assert (code, "there is no account 987654" in message) == ("bad_account_info", True)
    code, message = unchecked(mt_client, "order.open", **order(account, symbol="NOSUCH"))
    assert (code, "the last tick of NOSUCH can't be read" in message) == ("not_found", True)
    code, message = unchecked(mt_client, "order.activate", order=987654, price=ASK)
    assert (code, "the order 987654 can't be read" in message) == ("not_found", True)


def test_points_without_digits_and_a_session_without_connection(
    mt_client: Client, mt_gateway: Bench, account: int
) -> None:
    mt_client.call("risk.limits.set", max_points=100)
    code, message = unchecked(mt_client, "order.open", **order(account))
    assert (code, "digits of EURUSD" in message) == ("risk_unchecked", True)
    stranger = mt_gateway.client(log_in=False)
    assert stranger.fails("order.open", order(account)).code == "not_connected"


@pytest.mark.mt_remote_backends
def test_a_manager_who_may_not_see_trades(mt_client: Client, mt_gateway: Bench, account: int, limit: Limit) -> None:
    limit(max_net_lots=10)
    dealer = manager(mt_client, mt_gateway, trades=True)
    code, message = unchecked(dealer, "order.open", **order(account))
    assert (code, f"the orders of {account} can't be read" in message) == ("not_enough_rights", True)
    assert mt_client.call("trades.get", login=account) == []


def test_reads_that_fail(mt_client: Client, account: int, limit: Limit) -> None:
    limit(max_points=100, max_net_lots=10)
    for call in ("ticks.get", "users.get", "trades.get.by_login"):
        faults(mt_client, on=call, do="answer", code="tech_problem")
        assert unchecked(mt_client, "order.open", **order(account))[0] == "tech_problem"
        mt_client.call("order.open", order(account))


def test_reads_that_hang(mt_client: Client, account: int, limit: Limit, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(max_net_lots=10)
    monkeypatch.setattr(check, "PATIENCE", 0.05)
    faults(mt_client, on="trades.get.by_login", do="hang")
    code, message = unchecked(mt_client, "order.open", **order(account))
    assert (code, "did not say what is needed within 0.05 s" in message) == ("risk_unchecked", True)
    mt_client.call("simulator.faults.release")
    assert mt_client.call("trades.get", login=account) == []


@pytest.mark.mt_remote_backends
def test_dealing_can_be_refused_as_a_whole(mt_client: Client, mt4_server: Server, account: int, limit: Limit) -> None:
    """What a trader's request asks for is hidden from plugins: a confirmation passes unchecked, or not at all."""
    limit(max_net_lots=0.1)
    mt_client.call("user.set", login=account, group="demodealing")
    mt_client.subscribe("trade_request")

    def offered() -> int:
        mt4_server.trader(account).open(NewOrder("EURUSD", TradeCommand.BUY, 0.5))
        return int(mt_client.event("trade_request")["id"])

    prices = {"bid": BID, "ask": ASK}
    mt_client.call("request.confirm", {"request_id": offered(), **prices})
    assert mt_client.fails("order.open", order(account, volume=0.01)).code == "risk_limit"  # it counts from now on
    limit(max_net_lots=0.1, refuse_dealing=True)
    waiting = offered()
    for name in ("request.confirm", "request.requote"):
        error = mt_client.fails(name, {"request_id": waiting, **prices})
        assert (error.code, error.details[0]["path"]) == ("risk_limit", "request_id")
    mt_client.call("request.reject", request_id=waiting)
    assert [trade["volume"] for trade in mt_client.call("trades.get", login=account)] == [0.5]


def faults(client: Client, **rule: Any) -> None:
    """One thing that goes wrong, once."""
    rules: list[Json] = [{"times": 1, **rule}]
    client.call("simulator.faults.set", rules=rules)
