"""Open orders read at leisure: whatever happens meanwhile, they show the moment when the reading began."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from mt4sim import OrderChange
from mt4sim.market.symbols import GtcMode
from mt4sim.trading.reading import Reading, records
from mt_remote.records import TradeCommand, TransactionType

from .conftest import Broker

BUY, SELL, BUY_LIMIT = TradeCommand.BUY, TradeCommand.SELL, TradeCommand.BUY_LIMIT
DAY = 86_400


class Market:
    """A position, one against it, and a pending, with what belongs to them."""

    def __init__(self) -> None:
        self.broker = broker = Broker(security={"commission_base": 7.0})
        broker.symbol("EURUSD", swap_long=-3.1, swap_short=1.2, gtc_pendings=GtcMode.DAILY)
        broker.tick("EURUSD", 1.1, 1.1002)
        self.login = broker.account(10_000)
        self.buy = broker.open(self.login, BUY, 0.1, 1.1, sl=1.0)
        self.sell = broker.open(self.login, SELL, 0.3, 1.1)
        self.pending = broker.open(self.login, BUY_LIMIT, 0.1, 1.05, expiration=broker.server.now + 60)


def send(kind: TransactionType, **others: Any) -> Callable[[Market], object]:
    return lambda m: m.broker.send(m.login, kind, BUY, 0.1, 1.1, order=m.buy, **others)


HAPPENINGS: dict[str, Callable[[Market], object]] = {
    "a tick": lambda m: m.broker.tick("EURUSD", 1.2, 1.2005),
    "a stop": lambda m: m.broker.tick("EURUSD", 0.9, 0.9005),
    "a modification": lambda m: m.broker.trading.transactions.modify(m.buy, OrderChange(sl=0.9, comment="other")),
    "another price": lambda m: m.broker.trading.transactions.modify(m.pending, OrderChange(price=1.04)),
    "a comment": lambda m: m.broker.trading.transactions.modify(m.sell, OrderChange(comment="noted")),
    "a comment alone": lambda m: m.broker.trading.transactions.comment(m.sell, "noted"),
    "a close": lambda m: m.broker.trading.transactions.close(m.buy, 0.1, 1.1),
    "a close in part": lambda m: m.broker.trading.transactions.close(m.sell, 0.1, 1.1),
    "a close by": lambda m: m.broker.trading.transactions.close_by(m.buy, m.sell),
    "a deletion": lambda m: m.broker.trading.transactions.delete(m.buy),
    "an activation": lambda m: m.broker.trading.transactions.activate(m.pending, 1.05),
    "an expiry": lambda m: m.broker.server.advance(120),
    "a day's end": lambda m: m.broker.server.advance(DAY),
    "a swap": lambda m: m.broker.trading.engine.charge_swap(m.broker.trading.engine.book.find(m.sell), 5),
    "a client's modification": send(TransactionType.ORDER_MODIFY, sl=0.95, tp=1.3),
    "the account's end": lambda m: m.broker.server.accounts.delete(m.login),
    "a new order": lambda m: m.broker.open(m.login, BUY, 0.1, 1.1),
}


@pytest.mark.parametrize("what", HAPPENINGS)
def test_it_shows_what_was(what: str) -> None:
    market = Market()
    trading, record = market.broker.trading, market.broker.server.record
    orders = trading.engine.book.all_open()
    expected = [record(order) for order in orders]
    reading = Reading(trading.engine, orders)
    HAPPENINGS[what](market)
    assert reading[:] == expected
    assert [reading[place] for place in range(len(reading))] == expected
    assert [record(order) for order in trading.engine.book.all_open()] != expected, "something did happen"


def test_few_orders_are_read_at_once_and_many_at_leisure(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1002)
    login = broker.account(1e9)
    tickets = [broker.open(login, BUY, 0.01, 1.1) for _ in range(600)]
    trading = broker.trading
    assert isinstance(records(trading.engine, trading.engine.book.all_open()[:500]), list)
    reading = records(trading.engine, trading.engine.book.all_open())
    assert isinstance(reading, Reading)
    broker.trading.transactions.close(tickets[77], 0.01, 1.2)
    assert [record.order for record in reading[70:80]] == tickets[70:80]
    assert reading[77].close_time == 0


def test_one_that_nobody_holds_costs_nothing(broker: Broker) -> None:
    reading = Reading(broker.trading.engine, [])
    assert list(broker.trading.engine.readings) == [reading]
    del reading
    gc.collect()
    assert not broker.trading.engine.readings
