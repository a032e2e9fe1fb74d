"""Semantics, chapter 5: commission."""

from __future__ import annotations

from typing import Any

import pytest

from mt_remote.records import CommissionMode, CommissionType, TradeCommand

from .conftest import Broker

BUY = TradeCommand.BUY


@pytest.mark.parametrize(
    ("terms", "lots", "price", "commission"),
    [
        ({"commission_base": 7.0}, 2.5, 1.1, -17.50),
        ({"commission_base": 5.0, "commission_lots_mode": CommissionMode.PER_DEAL}, 2.5, 1.1, -5.00),
        ({"commission_base": 0.01, "commission_type": CommissionType.PERCENT}, 1.0, 1.1, -11.00),
    ],
)
def test_commission_at_open(
    broker: Broker, terms: dict[str, Any], lots: float, price: float, commission: float
) -> None:
    broker.group(security=terms)
    ticket = broker.open(broker.account(), BUY, lots, price)
    assert broker.record(ticket).commission == commission


def test_commission_in_pips(broker: Broker) -> None:
    broker.symbol("EURUSD", digits=4)
    broker.group(security={"commission_base": 1.5, "commission_type": CommissionType.PIPS})
    ticket = broker.open(broker.account(), BUY, 0.5, 1.1)
    assert broker.record(ticket).commission == -7.50


def test_charged_once_and_not_on_pendings(broker: Broker) -> None:
    broker.group(security={"commission_base": 7.0})
    login = broker.account()
    ticket = broker.open(login, TradeCommand.BUY_LIMIT, 1.0, 1.1)
    assert broker.record(ticket).commission == 0.0
    broker.trading.transactions.activate(ticket, 1.1)
    assert broker.record(ticket).commission == -7.0
    assert broker.user(login).balance == 0.0
    broker.trading.transactions.close(ticket, 1.0, 1.1)
    assert broker.record(ticket).commission == -7.0
    assert broker.user(login).balance == -7.0


def test_the_agent_is_paid_at_the_close(broker: Broker) -> None:
    broker.group(security={"commission_agent": 2.0})
    agent = broker.account()
    login = broker.account(agent_account=agent)
    ticket = broker.open(login, BUY, 1.5, 1.1)
    assert broker.user(agent).balance == 0.0
    broker.trading.transactions.close(ticket, 1.5, 1.1)
    assert (broker.record(ticket).commission_agent, broker.user(agent).balance) == (3.0, 3.0)
    assert (broker.record(ticket).profit, broker.user(login).balance) == (0.0, 0.0)
    assert [record.cmd for record in broker.history(agent)] == [TradeCommand.BALANCE]


def test_commission_of_an_unknown_agent_goes_to_the_lost_login(broker: Broker) -> None:
    broker.group(security={"commission_agent": 2.0})
    lost = broker.account(login=999)
    ticket = broker.open(broker.account(agent_account=4711), BUY, 1.0, 1.1)
    broker.trading.transactions.close(ticket, 1.0, 1.1)
    assert broker.user(lost).balance == 2.0


def test_the_agents_share_of_a_partial_close_and_none_for_an_emptied_hedge(broker: Broker) -> None:
    broker.group(security={"commission_agent": 2.0, "commission_agent_mode": CommissionMode.PER_DEAL})
    agent = broker.account()
    login = broker.account(agent_account=agent)
    buy, sell = broker.open(login, BUY, 1.0, 1.1), broker.open(login, TradeCommand.SELL, 1.0, 1.1)
    broker.trading.transactions.close_by(buy, sell)
    assert (broker.record(buy).commission_agent, broker.record(sell).commission_agent) == (2.0, 0.0)
    assert broker.user(agent).balance == 2.0


def test_taxes_default_to_nothing_and_are_taken_at_the_close(broker: Broker) -> None:
    plain, taxed = broker.account(), broker.account(taxes=10.0)
    tickets = [broker.open(login, BUY, 1.0, 1.1) for login in (plain, taxed)]
    for ticket in tickets:
        broker.trading.transactions.close(ticket, 1.0, 1.101)
    assert [broker.record(ticket).taxes for ticket in tickets] == [0.0, -10.0]
    assert [broker.user(login).balance for login in (plain, taxed)] == [100.0, 90.0]
