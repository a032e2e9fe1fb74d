"""Two sessions, one account: what one session is opening counts for the other, and no moment lies between."""

from __future__ import annotations

from typing import Any

import pytest

from mt_remote.client import Client
from mt_remote_tools.testing import Bench
from risk_limits.ledger import UNKNOWN_FOR, Ledger
from risk_limits.orders import Side
from scene import Json, Limit, order


@pytest.fixture
def rivals(mt_gateway: Bench) -> tuple[Client, Client]:
    return mt_gateway.client(), mt_gateway.client()


def fault(client: Client, **rule: Any) -> None:
    client.call("simulator.faults.set", rules=[rule])


def struck(client: Client, times: int = 1) -> None:
    """Waits until faults struck so many times."""
    while len(client.call("simulator.faults.get")["strikes"]) < times:
        pass


def send(client: Client, wanted: Json) -> None:
    client.send({"id": 1000, "name": "order.open", "data": wanted})


def test_an_order_under_way_counts(
    mt_client: Client, rivals: tuple[Client, Client], account: int, limit: Limit
) -> None:
    """The server takes its time with the first order; the second one is refused before that is done."""
    limit(max_net_lots=1.0)
    first, second = rivals
    fault(mt_client, on="order.open", do="hang")
    send(first, order(account, volume=0.6))
    struck(mt_client)
    assert second.fails("order.open", order(account, volume=0.6)).code == "risk_limit"
    assert mt_client.call("trades.get", login=account) == []
    send(second, order(account, volume=0.4))
    struck(mt_client, 2)
    mt_client.call("simulator.faults.release")
    assert [client.receive()["status"] for client in rivals] == ["OK", "OK"]
    assert second.fails("order.open", order(account, volume=0.01)).code == "risk_limit"


def test_an_order_that_was_filled_while_another_was_checked(
    mt_client: Client, rivals: tuple[Client, Client], account: int, limit: Limit
) -> None:
    """The first order's check has read that nothing is open, and hears of it only when the second one is filled."""
    limit(max_net_lots=1.0)
    first, second = rivals
    fault(mt_client, on="trades.get.by_login", nth=1, do="hang", after=True)
    send(first, order(account, volume=1.0))
    struck(mt_client)
    second.call("order.open", order(account, volume=1.0))
    mt_client.call("simulator.faults.release")
    answer = first.receive()
    assert (answer["status"], answer["code"]) == ("ERROR", "risk_limit")
    assert len(mt_client.call("trades.get", login=account)) == 1


def test_a_limit_that_fell_while_an_order_was_checked(
    mt_client: Client, rivals: tuple[Client, Client], account: int, limit: Limit
) -> None:
    limit(max_net_lots=1.0)
    fault(mt_client, on="trades.get.by_login", nth=1, do="hang", after=True)
    send(rivals[0], order(account, volume=1.0))
    struck(mt_client)
    limit(max_lots=0.5)
    mt_client.call("simulator.faults.release")
    assert rivals[0].receive()["code"] == "risk_limit"


def test_an_order_that_failed_counts_no_longer(mt_client: Client, account: int, limit: Limit) -> None:
    limit(max_net_lots=1.0)
    fault(mt_client, on="order.open", nth=1, do="answer", code="trade_no_money")
    assert mt_client.fails("order.open", order(account, volume=1.0)).code == "trade_no_money"
    mt_client.call("order.open", order(account, volume=1.0))


def test_an_order_of_unknown_outcome_counts_for_a_while(
    mt_client: Client, rivals: tuple[Client, Client], account: int, limit: Limit
) -> None:
    """A session breaks off while its order is under way: the server may have it, or get it yet."""
    limit(max_net_lots=1.0)
    fault(mt_client, on="order.open", nth=1, do="hang")
    send(rivals[0], order(account, volume=1.0))
    struck(mt_client)
    rivals[0].close()
    assert rivals[1].fails("order.open", order(account, volume=0.01)).code == "risk_limit"
    mt_client.call("simulator.faults.release")
    assert rivals[1].fails("order.open", order(account, volume=0.01)).code == "risk_limit"


@pytest.mark.mt_remote_backends
def test_many_at_once(mt_client: Client, rivals: tuple[Client, Client], account: int, limit: Limit) -> None:
    """An order that was filled and not answered yet counts twice, so some may be refused too early; none too late."""
    limit(max_net_lots=1.0)
    for _ in range(20):
        for client in rivals:
            send(client, order(account, volume=0.1))
    answers = [client.receive()["status"] for _ in range(20) for client in rivals]
    passed = answers.count("OK")
    assert 1 <= passed <= 10
    assert len(mt_client.call("trades.get", login=account)) == passed
    for _ in range(10 - passed):
        mt_client.call("order.open", order(account))
    assert mt_client.fails("order.open", order(account, volume=0.01)).code == "risk_limit"


@pytest.mark.mt_remote_backends
def test_a_repeated_call_is_no_second_order(
    mt_client: Client, rivals: tuple[Client, Client], account: int, limit: Limit
) -> None:
    """The client missed the answer and asks again under the same key, in another session: he gets it, and no more."""
    limit(max_net_lots=1.0)
    wanted = order(account, volume=1.0)
    first = mt_client.call("order.open", wanted, key="7c1")
    assert rivals[0].call("order.open", wanted, key="7c1") == first
    assert rivals[0].fails("order.open", wanted).code == "risk_limit"
    answer = rivals[0].request("order.open", {**wanted, "comment": "another"}, key="7c1")
    assert answer["status"] == "ERROR"
    assert len(mt_client.call("trades.get", login=account)) == 1


class TestLedger:
    def test_what_is_held_ends_with_its_owner(self) -> None:
        ledger, owner = Ledger(), object()
        ledger.hold(owner, 100, "EURUSD", Side.LONG, 50)
        assert ledger.volume(100, "EURUSD", Side.LONG) == 50
        assert ledger.volume(100, "EURUSD", Side.SHORT) == 0
        assert ledger.volume(101, "EURUSD", Side.LONG) == 0
        ledger.end(owner, known=True)
        ledger.end(owner, known=True)
        assert (ledger.volume(100, "EURUSD", Side.LONG), len(ledger)) == (0, 0)

    def test_unknown_outcomes_are_forgotten_in_the_end(self) -> None:
        now = 0.0
        ledger, owner = Ledger(lambda: now), object()
        ledger.hold(owner, 100, "EURUSD", Side.LONG, 50)
        ledger.end(owner, known=False)
        now = UNKNOWN_FOR - 1
        assert ledger.volume(100, "EURUSD", Side.LONG) == 50
        with ledger.look(100, "EURUSD") as look:
            now = UNKNOWN_FOR
            assert (ledger.volume(100, "EURUSD", Side.LONG), look.stale) == (0, True)

    def test_a_look_hears_of_its_own_account_and_symbol(self) -> None:
        ledger, owners = Ledger(), [object(), object(), object()]
        for owner, login, symbol in zip(owners, (100, 101, 100), ("EURUSD", "EURUSD", "GBPUSD"), strict=True):
            ledger.hold(owner, login, symbol, Side.LONG, 50)
        with ledger.look(100, "EURUSD") as look:
            for owner in owners[1:]:
                ledger.end(owner, known=True)
            assert not look.stale
            ledger.end(owners[0], known=True)
            assert look.stale
