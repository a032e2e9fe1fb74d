"""Semantics, 6.4: stops, limits, gaps, failed activations, groups that dealers execute."""

from __future__ import annotations

from typing import Any

import pytest

from mt4sim import OrderChange
from mt4sim.events import Change
from mt4sim.market.symbols import TradeMode
from mt4sim.state.orders import Activation, OrderState
from mt_remote.records import ExecutionMode, TradeCommand

from .conftest import Broker

BUY, SELL = TradeCommand.BUY, TradeCommand.SELL
BUY_LIMIT, SELL_LIMIT = TradeCommand.BUY_LIMIT, TradeCommand.SELL_LIMIT
BUY_STOP, SELL_STOP = TradeCommand.BUY_STOP, TradeCommand.SELL_STOP


@pytest.mark.parametrize(
    ("cmd", "level", "still", "reached", "fill"),
    [
        (BUY, {"sl": 1.0950}, (1.0952, 1.0954), (1.0950, 1.0952), 1.0950),
        (BUY, {"sl": 1.0950}, (1.0951, 1.0953), (1.0940, 1.0942), 1.0940),
        (BUY, {"tp": 1.2050}, (1.2049, 1.2051), (1.2050, 1.2052), 1.2050),
        (BUY, {"tp": 1.2050}, (1.2049, 1.2051), (1.2060, 1.2062), 1.2050),
        (SELL, {"sl": 1.2050}, (1.2047, 1.2049), (1.2048, 1.2050), 1.2050),
        (SELL, {"sl": 1.2050}, (1.2047, 1.2049), (1.2058, 1.2060), 1.2060),
        (SELL, {"tp": 1.0950}, (1.0949, 1.0951), (1.0948, 1.0950), 1.0950),
        (SELL, {"tp": 1.0950}, (1.0949, 1.0951), (1.0938, 1.0940), 1.0950),
    ],
)
def test_stops(
    broker: Broker, cmd: TradeCommand, level: dict[str, Any], still: tuple[float, float],
    reached: tuple[float, float], fill: float,
) -> None:  # fmt: skip
    login = broker.account()
    ticket = broker.open(login, cmd, 1.0, 1.1, comment="mine", **level)
    broker.tick("EURUSD", *still)
    assert broker.record(ticket).close_time == 0
    broker.tick("EURUSD", *reached)
    record = broker.record(ticket)
    assert (record.close_price, record.close_time) == (fill, broker.server.now)
    assert record.comment == ("mine[sl]" if "sl" in level else "mine[tp]")
    assert broker.user(login).balance == record.profit


@pytest.mark.parametrize(
    ("cmd", "price", "still", "reached", "fill"),
    [
        (BUY_LIMIT, 1.1000, (1.0999, 1.1001), (1.0998, 1.1000), 1.1000),
        (BUY_LIMIT, 1.1000, (1.0999, 1.1001), (1.0990, 1.0992), 1.1000),
        (BUY_STOP, 1.1100, (1.1097, 1.1099), (1.1098, 1.1100), 1.1100),
        (BUY_STOP, 1.1100, (1.1097, 1.1099), (1.1108, 1.1110), 1.1110),
        (SELL_LIMIT, 1.2000, (1.1999, 1.2001), (1.2000, 1.2002), 1.2000),
        (SELL_LIMIT, 1.2000, (1.1999, 1.2001), (1.2010, 1.2012), 1.2000),
        (SELL_STOP, 1.1000, (1.1001, 1.1003), (1.1000, 1.1002), 1.1000),
        (SELL_STOP, 1.1000, (1.1001, 1.1003), (1.0990, 1.0992), 1.0990),
    ],
)
def test_pendings(
    broker: Broker, cmd: TradeCommand, price: float, still: tuple[float, float], reached: tuple[float, float],
    fill: float,
) -> None:  # fmt: skip
    ticket = broker.open(broker.account(10_000), cmd, 0.1, price, expiration=broker.server.now + 3600)
    broker.tick("EURUSD", *still)
    assert broker.record(ticket).cmd is cmd
    broker.server.advance(5)
    broker.tick("EURUSD", *reached)
    record = broker.record(ticket)
    assert record.cmd is (BUY if cmd in (BUY_LIMIT, BUY_STOP) else SELL)
    assert (record.open_price, record.open_time, record.expiration) == (fill, broker.server.now, 0)
    assert (record.margin_rate, record.conv_rates) == (fill, (fill, 0.0))


def test_a_pending_hits_its_stop_at_a_later_tick(broker: Broker) -> None:
    ticket = broker.open(broker.account(10_000), BUY_STOP, 0.1, 1.11, sl=1.109)
    broker.tick("EURUSD", 1.1080, 1.1110)
    assert (broker.record(ticket).cmd, broker.record(ticket).close_time) == (BUY, 0)
    broker.tick("EURUSD", 1.1081, 1.1110)
    assert broker.record(ticket).comment == "[sl]"


def test_triggers_see_the_groups_quote(broker: Broker) -> None:
    broker.group(security={"spread_diff": 4})
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1, sl=1.09)
    broker.tick("EURUSD", 1.09003, 1.0901)
    assert broker.record(ticket).close_time == 0
    broker.tick("EURUSD", 1.09002, 1.0901)
    assert broker.record(ticket).close_price == 1.09
    pending = broker.open(broker.account(10_000), BUY_STOP, 0.1, 1.0950)
    broker.tick("EURUSD", 1.0947, 1.09498)
    assert broker.record(pending).cmd is BUY


def test_nothing_fires_but_by_ticks(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1002)
    ticket = broker.open(broker.account(), BUY, 1.0, 1.2, sl=1.15)
    assert broker.record(ticket).close_time == 0
    broker.tick("EURUSD", 1.1001, 1.1003)
    assert broker.record(ticket).close_price == 1.1001


def test_moved_and_removed_levels_count(broker: Broker) -> None:
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 1.1, sl=1.09, tp=1.11)
    broker.trading.transactions.modify(ticket, OrderChange(sl=1.08))
    broker.tick("EURUSD", 1.085, 1.0852)
    assert broker.record(ticket).close_time == 0
    broker.trading.transactions.modify(ticket, OrderChange(sl=0.0))
    broker.tick("EURUSD", 1.07, 1.0702)
    assert broker.record(ticket).close_time == 0
    broker.tick("EURUSD", 1.12, 1.1202)
    assert (broker.record(ticket).close_price, broker.record(ticket).comment) == (1.11, "[tp]")


def test_no_money_for_an_activation(broker: Broker) -> None:
    login = broker.account(100)
    buy = broker.open(login, BUY_LIMIT, 1.0, 1.1)
    sell = broker.open(login, SELL_STOP, 1.0, 1.1)
    broker.tick("EURUSD", 1.0998, 1.0999)
    for ticket, price in ((buy, 1.0999), (sell, 1.0998)):
        record = broker.record(ticket)
        assert (record.comment, record.close_price, record.profit) == ("deleted [no money]", price, 0.0)
        assert broker.trading.engine.book.find(ticket).state is OrderState.DELETED


def test_a_close_only_symbol_drops_pendings(broker: Broker) -> None:
    ticket = broker.open(broker.account(10_000), SELL_LIMIT, 0.1, 1.2)
    broker.symbol("EURUSD", trade=TradeMode.CLOSE)
    broker.tick("EURUSD", 1.2001, 1.2003)
    record = broker.record(ticket)
    assert (record.cmd, record.comment, record.close_price) == (SELL_LIMIT, "deleted [close only]", 1.2001)


def test_comments_are_cut_to_31_characters(broker: Broker) -> None:
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1, sl=1.09, comment="x" * 31)
    broker.tick("EURUSD", 1.08, 1.0802)
    assert broker.record(ticket).comment == "x" * 27 + "[sl]"


def test_in_dealers_groups_what_is_reached_is_marked(broker: Broker) -> None:
    broker.group(security={"execution_mode": ExecutionMode.MANUAL})
    login = broker.account(10_000)
    stop = broker.open(login, BUY, 0.1, 1.1, sl=1.09)
    gain = broker.open(login, SELL, 0.1, 1.1, tp=1.0902)
    pending = broker.open(login, BUY_LIMIT, 0.1, 1.0903)
    broker.told()
    broker.tick("EURUSD", 1.09, 1.0902)
    marks = [broker.trading.engine.book.find(each).activation for each in (stop, gain, pending)]
    assert marks == [Activation.SL, Activation.TP, Activation.PENDING]
    assert [change for change, _ in broker.told("activation")] == [Change.ADD] * 3
    assert {order.ticket for order in broker.trading.triggers.marked()} == {stop, gain, pending}
    assert [record.close_time for record in broker.orders(login)] == [0, 0, 0]


def test_marks_go_negative_when_the_price_has_gone_back(broker: Broker) -> None:
    broker.group(security={"execution_mode": ExecutionMode.MANUAL})
    login = broker.account(10_000)
    ticket = broker.open(login, BUY, 0.1, 1.1, sl=1.09)
    pending = broker.open(login, BUY_LIMIT, 0.1, 1.0903)
    broker.tick("EURUSD", 1.09, 1.0902)
    broker.tick("EURUSD", 1.0905, 1.0907)
    orders = [broker.trading.engine.book.find(each) for each in (ticket, pending)]
    assert [order.activation for order in orders] == [Activation.SL_ROLLBACK, Activation.PENDING_ROLLBACK]
    broker.trading.triggers.clear(pending)
    assert orders[1].activation is Activation.NONE
    broker.tick("EURUSD", 1.0895, 1.0897)
    assert [order.activation for order in orders] == [Activation.SL, Activation.PENDING]
    broker.trading.transactions.activate(pending, 1.0897)
    assert orders[1].activation is Activation.NONE
    broker.trading.transactions.close(ticket, 0.1, 1.0895)
    assert broker.trading.triggers.marked() == []
