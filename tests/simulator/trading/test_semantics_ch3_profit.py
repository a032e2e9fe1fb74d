"""Semantics, chapter 3: profit and conversion."""

from __future__ import annotations

import pytest

from mt4sim.market.symbols import ProfitMode
from mt4sim.money import to_cents
from mt_remote.records import ConGroup, Draft, TradeCommand

from .conftest import Broker

BUY, SELL = TradeCommand.BUY, TradeCommand.SELL


@pytest.mark.parametrize(
    ("opened", "ask", "profit"), [(2.0, 2.02021, -40.42), (2.0, 2.02031, -40.62), (10.0, 2.02021, 15959.58)]
)
def test_observed_sells(broker: Broker, opened: float, ask: float, profit: float) -> None:
    login = broker.account()
    ticket = broker.open(login, SELL, 0.02, opened)
    broker.tick("EURUSD", 2.01, ask)
    record = broker.record(ticket)
    assert (record.profit, record.close_price) == (profit, ask)


def test_observed_eurcad_in_cad(broker: Broker) -> None:
    broker.server.config.add_group(Draft(ConGroup, {"group": "cad", "currency": "CAD", "default_leverage": 100}))
    login = broker.account(group="cad")
    ticket = broker.open(login, BUY, 0.05, 1.30046, "EURCAD")
    broker.trading.transactions.close(ticket, 0.05, 1.32051)
    assert broker.record(ticket).profit == 100.25
    assert broker.user(login).balance == 100.25


def test_deposit_is_the_base(broker: Broker) -> None:
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 150.0, "USDJPY")
    broker.trading.transactions.close(ticket, 1.0, 151.234)
    assert broker.record(ticket).profit == 815.95


def test_over_a_cross(broker: Broker) -> None:
    broker.tick("USDJPY", 148.90, 148.95)
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 160.0, "EURJPY")
    broker.trading.transactions.close(ticket, 1.0, 161.5)
    assert broker.record(ticket).profit == pytest.approx(1007.39, rel=1e-3)


def test_sells_convert_at_the_ask(broker: Broker) -> None:
    broker.tick("GBPUSD", 1.25, 1.26)
    login = broker.account()
    buy, sell = (broker.open(login, cmd, 1.0, 0.86, "EURGBP") for cmd in (BUY, SELL))
    broker.trading.transactions.close(buy, 1.0, 0.87)
    broker.trading.transactions.close(sell, 1.0, 0.87)
    assert [broker.record(ticket).profit for ticket in (buy, sell)] == [1250.0, -1260.0]


def test_names_with_suffixes_convert_too(broker: Broker) -> None:
    symbol = broker.server.symbols.pop("GBPUSD").changed(name="GBPUSD.m")
    broker.server.symbols["GBPUSD.m"] = symbol
    broker.symbol("GBPUSD.m")
    broker.tick("GBPUSD.m", 1.25, 1.25)
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 0.86, "EURGBP")
    broker.trading.transactions.close(ticket, 1.0, 0.87)
    assert broker.record(ticket).profit == 1250.0


def test_conversion_over_the_dollar(broker: Broker) -> None:
    broker.server.config.add_group(Draft(ConGroup, {"group": "chf", "currency": "CHF", "default_leverage": 100}))
    broker.tick("USDCHF", 0.9, 0.9)
    broker.tick("GBPUSD", 1.25, 1.25)
    login = broker.account(group="chf")
    ticket = broker.open(login, BUY, 1.0, 0.86, "EURGBP")
    broker.trading.transactions.close(ticket, 1.0, 0.87)
    assert broker.record(ticket).profit == 1125.0


def test_no_rate_no_profit(broker: Broker) -> None:
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 0.86, "EURGBP")
    broker.trading.transactions.close(ticket, 1.0, 0.87)
    assert broker.record(ticket).profit == 0.0


def test_futures_count_ticks(broker: Broker) -> None:
    broker.symbol("ACME", profit_mode=ProfitMode.FUTURES, tick_size=0.25, tick_value=12.5)
    login = broker.account()
    ticket = broker.open(login, BUY, 2.0, 100.0, "ACME")
    broker.trading.transactions.close(ticket, 2.0, 101.0)
    assert broker.record(ticket).profit == 100.0


def test_open_trades_follow_the_groups_quote(broker: Broker) -> None:
    broker.group(security={"spread_diff": 4})
    login = broker.account()
    buy, sell = (broker.open(login, cmd, 1.0, 1.1) for cmd in (BUY, SELL))
    broker.tick("EURUSD", 1.10000, 1.10010)
    assert [broker.record(ticket).close_price for ticket in (buy, sell)] == [1.09998, 1.10012]
    assert [broker.record(ticket).profit for ticket in (buy, sell)] == [-2.0, -12.0]


def test_conv_rates_on_a_dollar_pair(broker: Broker) -> None:
    login = broker.account()
    ticket = broker.open(login, BUY, 0.1, 2.0)
    assert broker.record(ticket).conv_rates == (2.0, 0.0)
    broker.tick("EURUSD", 2.01, 2.02)
    broker.trading.transactions.close(ticket, 0.1, 2.0)
    record = broker.record(ticket)
    assert (record.conv_rates, record.margin_rate, record.profit) == ((2.0, 2.0), 2.0, 0.0)


def test_pendings_have_no_profit(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1001)
    login = broker.account()
    ticket = broker.open(login, TradeCommand.BUY_LIMIT, 0.1, 1.05)
    assert broker.record(ticket).profit == 0.0
    broker.trading.transactions.delete(ticket)
    record = broker.record(ticket)
    assert (record.profit, record.comment) == (0.0, "cancelled by dealer")


def test_activation_fixes_the_rates_anew(broker: Broker) -> None:
    login = broker.account()
    ticket = broker.open(login, TradeCommand.SELL_STOP, 0.02, 1.05)
    broker.trading.transactions.activate(ticket, 10.0)
    assert (broker.record(ticket).conv_rates, broker.record(ticket).margin_rate) == ((10.0, 0.0), 10.0)


@pytest.mark.parametrize(
    ("amount", "cents"),
    [(-40.42000000000012, -4042), (1.005, 101), (-1.005, -101), (2.675, 268), (0.004999, 0), (0.0, 0)],
)
def test_rounding_is_half_away_from_zero_after_correction(amount: float, cents: int) -> None:
    assert to_cents(amount) == cents
