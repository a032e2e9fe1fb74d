"""Semantics, chapter 2: margin."""

from __future__ import annotations

from typing import Any

import pytest

from mt4sim.market.symbols import MarginMode
from mt_remote.errors import ServerError
from mt_remote.records import GroupMarginMode, TradeCommand, TransactionType

from .conftest import Broker

BUY, SELL = TradeCommand.BUY, TradeCommand.SELL
MK_OPEN = TransactionType.ORDER_MK_OPEN


def test_forex_margin_is_counted_at_the_open_price(broker: Broker) -> None:
    login = broker.account()
    broker.open(login, BUY, 1.0, 1.1)
    assert broker.margin(login) == 1100.0


def test_no_rate_where_margin_arises_in_the_deposit_currency(broker: Broker) -> None:
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 150.0, "USDJPY")
    assert broker.margin(login) == 1000.0
    assert broker.record(ticket).margin_rate == 1.0


def test_margin_over_a_cross(broker: Broker) -> None:
    broker.tick("EURUSD", 1.0850, 1.0850)
    login = broker.account(leverage=200)
    broker.open(login, BUY, 0.5, 0.86, "EURGBP")
    assert broker.margin(login) == 271.25


def test_small_sell_with_high_leverage(broker: Broker) -> None:
    login = broker.account(leverage=10_000)
    ticket = broker.open(login, SELL, 0.02, 2.0)
    assert broker.margin(login) == 0.40
    assert broker.record(ticket).margin_rate == 2.0


def test_leverage_0_is_the_groups_default(broker: Broker) -> None:
    login = broker.account(leverage=0)
    broker.open(login, BUY, 1.0, 1.0)
    assert broker.margin(login) == 1000.0


@pytest.mark.parametrize(("hedged", "margin"), [(50_000, 1000.0), (25_000, 500.0), (0, 0.0), (100_000, 2000.0)])
def test_hedged_lots_count_by_margin_hedged(broker: Broker, hedged: float, margin: float) -> None:
    broker.symbol("EURUSD", margin_hedged=float(hedged))
    login = broker.account()
    broker.open(login, BUY, 1.0, 1.0)
    broker.open(login, SELL, 1.0, 1.0)
    assert broker.margin(login) == margin


def test_partly_hedged_counts_the_average_rate(broker: Broker) -> None:
    broker.symbol("EURUSD", margin_hedged=50_000.0)
    login = broker.account()
    broker.open(login, BUY, 1.0, 1.10)
    broker.open(login, SELL, 0.4, 1.12)
    assert broker.margin(login) == 1105.71
    broker.group(hedge_large_leg=True)
    assert broker.margin(login) == 1100.0


@pytest.mark.parametrize(
    ("terms", "lots", "price", "leverage", "margin"),
    [
        ({"margin_mode": MarginMode.CFD, "contract_size": 100.0, "margin_divider": 10.0}, 10, 150.0, 100, 15_000.0),
        ({"margin_mode": MarginMode.CFD_LEVERAGE, "margin_divider": 1.0}, 10, 150.0, 50, 3000.0),
        ({"margin_mode": MarginMode.CFD_INDEX, "contract_size": 1.0, "margin_divider": 10.0, "tick_value": 5.0,
          "tick_size": 1.0}, 2, 12_000.0, 100, 12_000.0),
        ({"margin_mode": MarginMode.FUTURES, "margin_initial": 2500.0, "margin_divider": 1.0}, 3, 80.0, 100, 7500.0),
        ({"margin_mode": MarginMode.FUTURES, "margin_initial": 2500.0, "margin_maintenance": 2000.0,
          "margin_divider": 1.0}, 3, 80.0, 100, 6000.0),
    ],
)  # fmt: skip
def test_other_modes(
    broker: Broker, terms: dict[str, Any], lots: float, price: float, leverage: int, margin: float
) -> None:
    broker.symbol("ACME", **terms)
    login = broker.account(leverage=leverage)
    broker.open(login, BUY, lots, price, "ACME")
    assert broker.margin(login) == margin


def test_margin_initial_replaces_the_contract_in_forex(broker: Broker) -> None:
    broker.symbol("EURUSD", margin_initial=50_000.0)
    login = broker.account()
    broker.open(login, BUY, 1.0, 1.1)
    assert broker.margin(login) == 550.0


def test_a_groups_divider_goes_before_the_symbols(broker: Broker) -> None:
    login = broker.account()
    broker.open(login, BUY, 1.0, 1.1)
    broker.group(symbols={"EURUSD": {"margin_pct": 50.0}})  # a divider of 2
    assert broker.margin(login) == 550.0
    broker.group(symbols={"EURUSD": {"margin_pct": 0.0}})
    assert broker.margin(login) == 1100.0


def test_margin_does_not_float(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1002)
    login = broker.account(5000)
    broker.open(login, BUY, 1.0, 1.1)
    broker.tick("EURUSD", 1.2, 1.2002)
    assert broker.margin(login) == 1100.0


def test_pendings_bind_no_margin_until_they_are_active(broker: Broker) -> None:
    login = broker.account()
    ticket = broker.open(login, TradeCommand.BUY_LIMIT, 0.02, 1.0)
    assert broker.margin(login) == 0.0
    broker.trading.transactions.activate(ticket, 10.0)
    assert broker.margin(login) == 200.0
    assert broker.record(ticket).margin_rate == 10.0


@pytest.mark.parametrize(
    ("mode", "free"),
    [(GroupMarginMode.DONT_USE, 800), (GroupMarginMode.USE_ALL, 500), (GroupMarginMode.USE_PROFIT, 800),
     (GroupMarginMode.USE_LOSS, 500)],
)  # fmt: skip
def test_account_figures(broker: Broker, mode: GroupMarginMode, free: float) -> None:
    broker.group(margin_mode=mode)
    broker.tick("EURUSD", 0.4, 0.41)
    login = broker.account(1000)
    broker.trading.transactions.balance(login, TradeCommand.CREDIT, 200, expiration=broker.server.now + 3600)
    ticket = broker.open(login, BUY, 1.0, 0.4)
    assert broker.margin(login) == 400.0
    broker.tick("EURUSD", 0.397, 0.407)
    figures = broker.trading.engine.margin_level(login)
    assert (figures.balance, figures.credit, figures.equity) == (1000_00, 200_00, 900_00)
    assert (figures.free / 100, figures.level) == (free, 225.0)
    assert broker.record(ticket).profit == -300.0


def test_open_test_refuses_what_the_account_can_not_bear(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account(1099.99)
    with pytest.raises(ServerError) as refused:
        broker.send(login, MK_OPEN, BUY, 1.0, 1.1)
    assert refused.value.return_code == 134
    broker.trading.transactions.balance(login, TradeCommand.BALANCE, 0.01)
    assert broker.send(login, MK_OPEN, BUY, 1.0, 1.1)


def test_a_groups_virtual_credit_loosens_the_open_test_alone(broker: Broker) -> None:
    broker.group(credit=200.0)
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account(900)
    broker.send(login, MK_OPEN, BUY, 1.0, 1.1)
    figures = broker.trading.engine.margin_level(login)
    assert (figures.credit, figures.free) == (0, -200_00)


@pytest.mark.parametrize("strong", [False, True])
def test_a_hedge_needs_no_free_margin_unless_strong(broker: Broker, strong: bool) -> None:
    broker.symbol("EURUSD", margin_hedged=25_000.0, margin_hedged_strong=strong)
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account(1100)
    broker.open(login, BUY, 1.0, 1.1)
    broker.tick("EURUSD", 1.09, 1.09)  # free margin: -1000; hedged: -1000 + 545
    if strong:
        with pytest.raises(ServerError) as refused:
            broker.send(login, MK_OPEN, SELL, 1.0, 1.09)
        assert refused.value.return_code == 134
    else:
        broker.send(login, MK_OPEN, SELL, 1.0, 1.09)
        assert broker.margin(login) == 547.5


def test_futures_are_opened_on_initial_and_held_on_maintenance_margin(broker: Broker) -> None:
    broker.symbol("ACME", margin_mode=MarginMode.FUTURES, margin_initial=2500.0, margin_maintenance=2000.0,
                  margin_divider=1.0)  # fmt: skip
    broker.tick("ACME", 80.0, 80.0)
    login = broker.account(2499)
    with pytest.raises(ServerError) as refused:
        broker.send(login, MK_OPEN, BUY, 1.0, 80.0, "ACME")
    assert refused.value.return_code == 134
    broker.trading.transactions.balance(login, TradeCommand.BALANCE, 1)
    broker.send(login, MK_OPEN, BUY, 1.0, 80.0, "ACME")
    assert broker.margin(login) == 2000.0


def test_no_rate_no_opening(broker: Broker) -> None:
    broker.tick("EURGBP", 0.86, 0.86)
    login = broker.account(10_000)
    with pytest.raises(ServerError) as refused:
        broker.send(login, MK_OPEN, BUY, 0.1, 0.86, "EURGBP")
    assert refused.value.return_code == 136
