"""Semantics, 6.1 and 6.6: what managers do, and what expires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mt4sim import NewOrder, OrderChange
from mt4sim.events import Change
from mt4sim.market.symbols import GtcMode
from mt4sim.state.orders import OrderState
from mt_remote.errors import InvalidData, NotFound, ServerError
from mt_remote.records import TradeCommand, TradeReason

from .conftest import Broker

BUY, SELL, BUY_LIMIT = TradeCommand.BUY, TradeCommand.SELL, TradeCommand.BUY_LIMIT


def test_opening_is_executed_as_given(broker: Broker) -> None:
    broker.tick("EURUSD", 2.01, 2.02)
    login = broker.account()
    ticket = broker.open(login, BUY, 0.02, 2.0, sl=3.0, tp=1.0, comment="as is")
    record = broker.record(ticket)
    assert (record.order, record.login, record.cmd, record.volume) == (101, login, BUY, 0.02)
    assert (record.open_price, record.sl, record.tp, record.comment) == (2.0, 3.0, 1.0, "as is")
    assert (record.open_time, record.close_time, record.reason) == (broker.server.now, 0, TradeReason.DEALER)
    assert (record.close_price, record.profit, record.digits) == (2.01, 20.0, 5)
    broker.trading.transactions.close(ticket, 0.02, 2.0)
    record = broker.record(ticket)
    assert (record.close_price, record.profit, record.close_time) == (2.0, 0.0, broker.server.now)
    assert broker.trading.engine.book.find(ticket).state is OrderState.CLOSED_NORMAL


def test_before_the_first_tick_a_position_is_worth_nothing(broker: Broker) -> None:
    record = broker.record(broker.open(broker.account(), BUY, 0.02, 2.0))
    assert (record.close_price, record.profit) == (2.0, 0.0)


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"login": 4711}, ServerError, "login: there is no account 4711"),
        ({"symbol": "NOPE"}, NotFound, "Cannot find symbol 'NOPE'"),
        ({"volume": 0.0}, InvalidData, "volume"),
        ({"volume": -1.0}, InvalidData, "volume"),
        ({"price": 0.0}, InvalidData, "price"),
        ({"price": float("nan")}, InvalidData, "price"),
        ({"sl": -1.0}, InvalidData, "sl"),
        ({"command": TradeCommand.BALANCE}, InvalidData, "command"),
        ({"comment": "x" * 32}, InvalidData, "comment"),
    ],
)
def test_what_opening_needs(broker: Broker, change: dict[str, object], error: type[Exception], named: str) -> None:
    given: dict[str, Any] = {"symbol": "EURUSD", "command": BUY, "volume": 0.02, "price": 2.0, **change}
    login = given.pop("login", None) or broker.account()
    last = broker.server.common.last_order
    with pytest.raises(error, match=named):
        broker.trading.transactions.open(login, NewOrder(**given))
    assert broker.trading.engine.book.all_open() == []
    assert broker.server.common.last_order == last


def test_deleting_a_pending(broker: Broker) -> None:
    ticket = broker.open(broker.account(), BUY_LIMIT, 0.1, 1.0)
    broker.told()
    broker.trading.transactions.delete(ticket)
    record = broker.record(ticket)
    assert (record.cmd, record.comment, record.profit) == (BUY_LIMIT, "cancelled by dealer", 0.0)
    assert (record.close_time, broker.trading.engine.book.find(ticket).state) == (broker.server.now, OrderState.DELETED)
    assert [change for change, _ in broker.told()] == [Change.DELETE]


def test_deleting_a_position_brings_nothing(broker: Broker) -> None:
    broker.tick("EURUSD", 1.2, 1.2002)
    login = broker.account()
    ticket = broker.open(login, BUY, 0.1, 1.1)
    broker.trading.transactions.delete(ticket)
    assert (broker.record(ticket).comment, broker.record(ticket).profit) == ("cancelled by dealer", 0.0)
    assert (broker.user(login).balance, broker.margin(login)) == (0.0, 0.0)


def test_cancelling_states_the_type(broker: Broker) -> None:
    ticket = broker.open(broker.account(), BUY_LIMIT, 0.1, 1.0)
    with pytest.raises(InvalidData, match="command"):
        broker.trading.transactions.cancel(ticket, TradeCommand.SELL_LIMIT)
    broker.trading.transactions.cancel(ticket, BUY_LIMIT)
    assert broker.record(ticket).comment == "cancelled by dealer"


def test_modifying_a_pending_replaces_what_is_stated(broker: Broker) -> None:
    ticket = broker.open(broker.account(), BUY_LIMIT, 0.1, 1.0, sl=0.9, tp=1.2)
    broker.server.advance(7)
    later = broker.server.now + 7200
    broker.trading.transactions.modify(ticket, OrderChange(price=1.05, sl=0.95, expiration=later, comment="new"))
    record = broker.record(ticket)
    assert (record.open_price, record.sl, record.tp, record.expiration, record.comment) == (
        1.05, 0.95, 1.2, later, "new",
    )  # fmt: skip
    assert (record.margin_rate, record.timestamp) == (1.05, broker.server.now)


def test_modifying_a_position_moves_its_open_price(broker: Broker) -> None:
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 1.1)
    broker.trading.transactions.modify(ticket, OrderChange(price=1.2))
    assert (broker.record(ticket).open_price, broker.margin(login)) == (1.2, 1200.0)


def test_a_modification_that_fails_changed_nothing(broker: Broker) -> None:
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    before = broker.record(ticket)
    asked = OrderChange(price=1.2, sl=1.0)
    wrongs: list[dict[str, Any]] = [{"tp": -1.0}, {"sl": float("inf")}, {"comment": "x" * 32}, {"price": 0.0}]
    for wrong in wrongs:
        with pytest.raises(InvalidData):
            broker.trading.transactions.modify(ticket, replace(asked, **wrong))
    assert broker.record(ticket) == before


def test_activation(broker: Broker) -> None:
    broker.group(security={"commission_base": 7.0})
    ticket = broker.open(broker.account(), BUY_LIMIT, 0.5, 1.0, expiration=broker.server.now + 60)
    broker.server.advance(10)
    broker.trading.transactions.activate(ticket, 10.0)
    record = broker.record(ticket)
    assert (record.order, record.cmd, record.open_price, record.open_time) == (ticket, BUY, 10.0, broker.server.now)
    assert (record.expiration, record.conv_rates, record.margin_rate) == (0, (10.0, 0.0), 10.0)
    assert record.commission == -3.5
    broker.server.advance(120)
    assert broker.record(ticket).close_time == 0
    with pytest.raises(InvalidData, match="order"):
        broker.trading.transactions.activate(ticket, 10.0)


@pytest.mark.parametrize(
    "act",
    [
        lambda trading: trading.transactions.close(4711, 1.0, 1.0),
        lambda trading: trading.transactions.modify(4711, OrderChange(sl=1.0)),
        lambda trading: trading.transactions.delete(4711),
        lambda trading: trading.transactions.cancel(4711, BUY_LIMIT),
        lambda trading: trading.transactions.activate(4711, 1.0),
        lambda trading: trading.transactions.comment(4711, ""),
        lambda trading: trading.engine.book.find(4711),
        lambda trading: trading.transactions.close_by(4711, 4712),
    ],
)
def test_unknown_tickets(broker: Broker, act: Callable[[object], object]) -> None:
    with pytest.raises(NotFound, match="Cannot find order 4711"):
        act(broker.trading)


def test_comment_alone(broker: Broker) -> None:
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    broker.told()
    broker.trading.transactions.comment(ticket, "other")
    assert [(change, record.comment) for change, record in broker.told()] == [(Change.UPDATE, "other")]


# Expiration and GTC


def test_a_pending_expires(broker: Broker) -> None:
    ticket = broker.open(broker.account(), BUY_LIMIT, 0.1, 1.0, expiration=broker.server.now + 600)
    broker.server.advance(599)
    assert broker.record(ticket).close_time == 0
    broker.server.advance(1)
    record = broker.record(ticket)
    assert (record.comment, record.close_time, record.profit) == ("expiration", record.expiration, 0.0)


def test_a_moved_expiration_counts(broker: Broker) -> None:
    start = broker.server.now
    ticket = broker.open(broker.account(), BUY_LIMIT, 0.1, 1.0, expiration=start + 600)
    broker.trading.transactions.modify(ticket, OrderChange(expiration=start + 1200))
    broker.server.advance(1199)
    assert broker.record(ticket).close_time == 0
    broker.trading.transactions.modify(ticket, OrderChange(expiration=0))
    broker.server.advance(10_000)
    assert broker.record(ticket).close_time == 0


@pytest.mark.parametrize(
    ("mode", "pendings", "stops"),
    [(GtcMode.GTC, 1, 1.0), (GtcMode.DAILY, 0, 0.0), (GtcMode.DAILY_NO_STOPS, 0, 1.0)],
)
def test_what_a_days_end_leaves(broker: Broker, mode: GtcMode, pendings: int, stops: float) -> None:
    broker.symbol("EURUSD", gtc_pendings=mode)
    login = broker.account()
    position = broker.open(login, BUY, 0.1, 1.1, sl=1.0)
    broker.open(login, BUY_LIMIT, 0.1, 1.0)
    broker.server.advance(86_400)
    assert len(broker.trading.engine.book.open_of(login)) == 1 + pendings
    assert broker.record(position).sl == stops
    broker.tick("EURUSD", 0.99, 0.9901)
    assert bool(broker.record(position).close_time) == bool(stops)
