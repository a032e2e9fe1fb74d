"""Semantics, 6.7 and 6.8: partial close, close-by, close-all."""

from __future__ import annotations

import pytest

from mt4sim.events import Change
from mt4sim.state.orders import OrderState
from mt_remote.errors import InvalidData, NotFound, ServerError
from mt_remote.records import ConGroup, Draft, TradeCommand, TradeDenial, TradeRecord, TransactionType

from .conftest import Broker

BUY, SELL = TradeCommand.BUY, TradeCommand.SELL


def swapped(broker: Broker, ticket: int, storage: float) -> int:
    """Gives a position a swap, as rollovers would have."""
    broker.trading.engine.charge_swap(broker.trading.engine.book.find(ticket), round(storage * 100))
    return ticket


def figures(record: TradeRecord) -> tuple[float, float, float, float]:
    return record.volume, record.storage, record.commission, record.profit


@pytest.fixture
def charging() -> Broker:
    return Broker(security={"commission_base": 8.0})


def test_partial_close(charging: Broker) -> None:
    login = charging.account()
    one = swapped(charging, charging.open(login, BUY, 1.0, 1.1, sl=1.0, tp=1.2, magic=7), -0.80)
    opened = charging.record(one).open_time
    charging.server.advance(60)
    charging.trading.transactions.close(one, 0.7, 1.10064)
    closed, rest = charging.record(one), charging.record(one + 1)
    assert figures(closed) == (0.7, -0.56, -5.60, 44.80)
    assert (closed.comment, charging.trading.engine.book.find(one).state) == (f"to #{one + 1}", OrderState.CLOSED_PART)
    assert figures(rest)[:3] == (0.3, -0.24, -2.40)
    assert (rest.comment, rest.open_time, rest.open_price) == (f"from #{one}", opened, 1.1)
    assert (rest.sl, rest.tp, rest.magic, rest.close_time) == (1.0, 1.2, 7, 0)
    charging.trading.transactions.close(one + 1, 0.3, 1.10064)
    assert figures(charging.record(one + 1)) == (0.3, -0.24, -2.40, 19.20)
    assert charging.user(login).balance == 64.0 - 8.0 - 0.8


def test_cents_add_up(charging: Broker) -> None:
    login = charging.account()
    ticket = swapped(charging, charging.open(login, SELL, 0.07, 1.1), -0.10)
    for _ in range(6):
        charging.trading.transactions.close(ticket, 0.01, 1.1)
        ticket = charging.orders(login)[0].order
    charging.trading.transactions.close(ticket, 0.01, 1.1)
    records = charging.history(login)
    assert round(sum(record.storage for record in records), 2) == -0.10
    assert round(sum(record.commission for record in records), 2) == -0.56


def test_close_reopen_closes_the_whole_and_opens_the_rest_anew(charging: Broker) -> None:
    charging.group(close_reopen=True)
    login = charging.account()
    one = swapped(charging, charging.open(login, BUY, 1.0, 1.1, sl=1.0), -0.80)
    charging.server.advance(60)
    charging.trading.transactions.close(one, 0.7, 1.101)
    assert figures(charging.record(one)) == (1.0, -0.80, -8.0, 100.0)
    rest = charging.record(one + 1)
    assert figures(rest) == (0.3, 0.0, -2.40, 0.0)
    assert (rest.open_price, rest.open_time, rest.sl) == (1.101, charging.server.now, 1.0)


def test_more_than_is_open(broker: Broker) -> None:
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    with pytest.raises(ServerError, match=r"volume.*1 lots") as refused:
        broker.trading.transactions.close(ticket, 1.01, 1.1)
    assert refused.value.return_code == 131


@pytest.mark.parametrize(("volume", "price", "field"), [(0.0, 1.1, "volume"), (1.0, 0.0, "price")])
def test_closing_needs_volume_and_price(broker: Broker, volume: float, price: float, field: str) -> None:
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    with pytest.raises(InvalidData, match=field):
        broker.trading.transactions.close(ticket, volume, price)


def test_unknown_and_closed_tickets(broker: Broker) -> None:
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    broker.trading.transactions.close(ticket, 1.0, 1.1)
    for each in (4711, ticket):
        with pytest.raises(NotFound, match=f"Cannot find order {each}"):
            broker.trading.transactions.close(each, 1.0, 1.1)


def pair(broker: Broker, login: int, one: tuple[TradeCommand, float, float], two: tuple[TradeCommand, float, float]
         ) -> tuple[int, int]:  # fmt: skip
    """Two opposite positions with swaps: a buy at 1.31660, a sell at 1.31557."""
    prices = {BUY: 1.31660, SELL: 1.31557}
    first, second = (
        swapped(broker, broker.open(login, cmd, lots, prices[cmd], magic=5), swap) for cmd, lots, swap in (one, two)
    )
    return first, second


def test_close_by_of_equal_volumes(charging: Broker) -> None:
    login = charging.account()
    a, b = pair(charging, login, (BUY, 1.0, -0.80), (SELL, 1.0, -1.50))
    charging.trading.transactions.comment(a, "mine")
    charging.trading.transactions.close_by(a, b)
    one, two = charging.record(a), charging.record(b)
    assert figures(one) == (1.0, -2.30, -8.00, -103.00)
    assert (one.close_price, one.comment) == (1.31557, "mine")
    assert figures(two) == (0.0, 0.0, 0.0, 0.0)
    assert (two.close_price, two.comment) == (1.31557, f"close hedge by #{a}")
    assert charging.orders(login) == []
    assert one.close_time == two.close_time
    assert {charging.trading.engine.book.find(each).state for each in (a, b)} == {OrderState.CLOSED_BY}
    assert charging.user(login).balance == -113.30


def test_close_by_with_the_second_larger(charging: Broker) -> None:
    login = charging.account()
    a, b = pair(charging, login, (BUY, 0.7, -0.56), (SELL, 1.0, -1.50))
    charging.trading.transactions.close_by(a, b)
    one, two, rest = (charging.record(each) for each in (a, b, b + 1))
    assert figures(one) == (0.7, -2.06, -5.60, -72.10)
    assert one.comment == "partial close"
    assert (figures(two), two.comment) == ((0.0, 0.0, 0.0, 0.0), f"close hedge by #{a}")
    assert (rest.cmd, rest.volume, rest.open_price, rest.commission) == (SELL, 0.3, 1.31557, -2.40)
    assert (rest.storage, rest.comment, rest.magic, rest.close_time) == (0.0, f"from #{a}", 5, 0)


def test_close_by_with_the_first_larger(charging: Broker) -> None:
    login = charging.account()
    a, b = pair(charging, login, (SELL, 1.0, -1.50), (BUY, 0.7, -0.56))
    charging.trading.transactions.close_by(a, b)
    one, two, rest = (charging.record(each) for each in (a, b, b + 1))
    assert figures(one) == (0.7, -2.06, -5.60, -72.10)
    assert (one.close_price, one.comment) == (1.31660, "partial close")
    assert (two.volume, two.comment) == (0.0, f"close hedge by #{a}")
    assert (rest.cmd, rest.volume, rest.open_price, rest.commission) == (SELL, 0.3, 1.31557, -2.40)
    assert (rest.storage, rest.comment) == (0.0, "partial close")


def test_close_by_of_a_real_server(broker: Broker) -> None:
    login = broker.account()
    n, m = broker.open(login, BUY, 0.2, 1.1), broker.open(login, SELL, 0.5, 1.1)
    broker.trading.transactions.close_by(n, m)
    one, two, rest = (broker.record(each) for each in (n, m, m + 1))
    assert (one.volume, one.comment) == (0.2, "partial close")
    assert (two.volume, two.comment) == (0.0, f"close hedge by #{n}")
    assert (rest.order, rest.cmd, rest.volume, rest.comment) == (n + 2, SELL, 0.3, f"from #{n}")


def test_close_by_tells_of_both_legs_and_the_rest(broker: Broker) -> None:
    login = broker.account()
    a, b = broker.open(login, BUY, 0.2, 1.1), broker.open(login, SELL, 0.5, 1.1)
    broker.told()
    broker.trading.transactions.close_by(a, b)
    told = [(change, record.order) for change, record in broker.told()]
    assert told == [(Change.DELETE, a), (Change.DELETE, b), (Change.ADD, b + 1)]


def test_close_by_needs_opposite_positions_of_one_account_and_symbol(broker: Broker) -> None:
    login, other = broker.account(), broker.account()
    buy = broker.open(login, BUY, 1.0, 1.1)
    refused = [
        broker.open(login, BUY, 1.0, 1.1),
        broker.open(login, SELL, 1.0, 1.1, "GBPUSD"),
        broker.open(other, SELL, 1.0, 1.1),
        broker.open(login, TradeCommand.SELL_LIMIT, 1.0, 1.1),
        buy,
    ]
    for each in refused:
        with pytest.raises(InvalidData):
            broker.trading.transactions.close_by(buy, each)
    assert len(broker.trading.engine.book.all_open()) == 5


def test_close_all(broker: Broker) -> None:
    login = broker.account()
    first = broker.open(login, BUY, 0.7, 1.1)
    broker.open(login, SELL, 0.5, 1.1)
    broker.open(login, SELL, 1.0, 1.1)
    broker.trading.transactions.close_all(login, "EURUSD")
    closed = [(r.order - first + 1, r.cmd, r.volume, r.comment) for r in broker.history(login)]
    assert closed == [
        (1, BUY, 0.5, "partial close"),
        (2, SELL, 0.0, f"close hedge by #{first}"),
        (3, SELL, 0.2, "partial close"),
        (4, BUY, 0.0, f"close hedge by #{first + 2}"),
    ]
    assert [(r.order - first + 1, r.cmd, r.volume, r.comment) for r in broker.orders(login)] == [
        (5, SELL, 0.8, "partial close")
    ]


def test_close_all_of_unknown_logins_and_symbols(broker: Broker) -> None:
    with pytest.raises(NotFound, match="Cannot find symbol 'NOPE'"):
        broker.trading.transactions.close_all(broker.account(), "NOPE")
    with pytest.raises(ServerError, match="there is no account 4711") as refused:
        broker.trading.transactions.close_all(4711, "EURUSD")
    assert refused.value.return_code == 65


def test_clients_may_be_denied_closing_by(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account()
    a, b = broker.open(login, BUY, 1.0, 1.1), broker.open(login, SELL, 1.0, 1.1)
    broker.group(security={"trade_rights": [TradeDenial.CLOSE_BY]})
    with pytest.raises(ServerError) as refused:
        broker.send(login, TransactionType.ORDER_CLOSE_BY, BUY, 1.0, 0.0, order=a, order_by=b)
    assert refused.value.return_code == 133
    broker.group(security={"trade_rights": [TradeDenial.MULTIPLE_CLOSE_BY]})
    with pytest.raises(ServerError) as refused:
        broker.send(login, TransactionType.ORDER_CLOSE_ALL, BUY, 1.0, 0.0)
    assert refused.value.return_code == 133
    broker.group(security={"trade_rights": []})
    broker.send(login, TransactionType.ORDER_CLOSE_BY, BUY, 1.0, 0.0, order=a, order_by=b)
    assert broker.orders(login) == []


def test_a_group_of_another_currency(broker: Broker) -> None:
    """What a close-by realises is counted in the account's own currency."""
    broker.server.config.add_group(Draft(ConGroup, {"group": "eur", "currency": "EUR", "default_leverage": 100}))
    login = broker.account(group="eur")
    a, b = broker.open(login, BUY, 1.0, 1.25), broker.open(login, SELL, 1.0, 1.20)
    broker.trading.transactions.close_by(a, b)
    assert broker.user(login).balance == -4166.67
