"""Semantics, 6.2 and 6.5: clients' requests, their checks in order and their distances. Also 1.2, 1.3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mt4sim.market.symbols import DaySessions, TradeMode
from mt_remote.errors import ServerError
from mt_remote.records import (
    ConGroup,
    Draft,
    Patch,
    TradeCommand,
    TradeReason,
    TransactionFlag,
    TransactionType,
    UserRecord,
)  # fmt: skip

from .conftest import Broker

BUY, SELL = TradeCommand.BUY, TradeCommand.SELL
BUY_LIMIT, SELL_LIMIT = TradeCommand.BUY_LIMIT, TradeCommand.SELL_LIMIT
BUY_STOP, SELL_STOP = TradeCommand.BUY_STOP, TradeCommand.SELL_STOP
OPEN, CLOSE = TransactionType.ORDER_MK_OPEN, TransactionType.ORDER_MK_CLOSE
PENDING, MODIFY = TransactionType.ORDER_PENDING_OPEN, TransactionType.ORDER_MODIFY
DELETE = TransactionType.ORDER_DELETE
CLOSED = (DaySessions(),) * 7


@pytest.fixture
def market(broker: Broker) -> Broker:
    broker.tick("EURUSD", 1.10000, 1.10010)
    return broker


def code(broker: Broker, *request: Any, **others: Any) -> int:
    """What a request is answered with: 0 when it is carried out."""
    try:
        broker.send(*request, **others)
    except ServerError as error:
        return error.return_code
    return 0


def test_checks_in_the_documented_order(market: Broker) -> None:
    """Everything is wrong at once; each mended fault brings up the next."""
    market.symbol("EURUSD", long_only=True, trade=TradeMode.CLOSE, tick_size=0.0001, sessions=CLOSED, stops_level=10)
    market.group(max_positions=1, hedge_prohibited=True, rights=[],
                 security={"trade": False, "lot_min": 0.1, "lot_step": 0.1})  # fmt: skip
    login = market.account(10, enable=False, read_only=True)
    opposite = market.open(login, BUY, 0.01, 1.1, "GBPUSD")
    asked: dict[str, Any] = {"cmd": SELL, "volume": 0.15, "price": 1.10005, "sl": 1.1, "expiration": 0}

    def answer() -> int:
        given = dict(asked)
        return code(market, login, OPEN, given.pop("cmd"), given.pop("volume"), given.pop("price"), **given)

    def user(**fields: Any) -> None:
        market.server.accounts.set(Patch(UserRecord, {"login": login, **fields}))

    seen = [answer()]
    mended: list[Callable[[], object]] = [
        lambda: user(enable=True),
        lambda: user(read_only=False),
        lambda: market.symbol("EURUSD", long_only=False),
        lambda: market.symbol("EURUSD", trade=TradeMode.FULL),
        lambda: asked.update(price=1.1),
        lambda: market.group(security={"trade": True}),
        lambda: market.symbol("EURUSD", sessions=market.server.symbols["GBPUSD"].sessions),
        lambda: asked.update(volume=0.2),
        lambda: asked.update(sl=0.0),
        lambda: market.trading.transactions.balance(login, TradeCommand.BALANCE, 10_000),
        lambda: market.group(max_positions=0),
    ]
    for mend in mended:
        mend()
        seen.append(answer())
    assert seen == [64, 133, 140, 133, 129, 133, 132, 131, 130, 134, 148, 0]
    market.open(login, BUY, 0.1, 1.1)
    assert answer() == 149
    assert code(market, login, PENDING, BUY_LIMIT, 0.1, 1.0, expiration=market.server.now + 3600) == 147
    assert opposite


@pytest.mark.parametrize(("size", "price", "answer"), [
    (0.0, 1.10010, 0), (0.0, 1.100105, 129), (0.00025, 1.10025, 0), (0.00025, 1.10010, 129), (0.0, 0.0, 129),
])  # fmt: skip
def test_prices_are_on_the_tick_grid(market: Broker, size: float, price: float, answer: int) -> None:
    market.symbol("EURUSD", tick_size=size)
    assert code(market, market.account(10_000), OPEN, BUY, 0.1, price) == answer


def test_no_prices_yet(broker: Broker) -> None:
    assert code(broker, broker.account(1000), OPEN, BUY, 0.1, 1.1) == 136


def test_a_symbol_that_has_expired(market: Broker) -> None:
    login = market.account(1000)
    ticket = market.open(login, BUY, 0.1, 1.1)
    market.symbol("EURUSD", expiration=market.server.now)
    assert code(market, login, OPEN, BUY, 0.1, 1.1001) == 133
    assert code(market, login, CLOSE, BUY, 0.1, 1.1, order=ticket) == 133


def test_a_close_only_symbol_lets_close(market: Broker) -> None:
    login = market.account(1000)
    ticket = market.open(login, BUY, 0.1, 1.1)
    market.symbol("EURUSD", trade=TradeMode.NO)
    assert code(market, login, CLOSE, BUY, 0.1, 1.1, order=ticket) == 133
    market.symbol("EURUSD", trade=TradeMode.CLOSE)
    assert code(market, login, OPEN, BUY, 0.1, 1.1001) == 133
    assert code(market, login, CLOSE, BUY, 0.1, 1.1, order=ticket) == 0


@pytest.mark.parametrize(
    ("lots", "answer"), [(0.1, 0), (0.3, 0), (2.0, 0), (0.05, 131), (0.15, 131), (2.1, 131), (0.0, 131)]
)
def test_volumes(market: Broker, lots: float, answer: int) -> None:
    market.group(security={"lot_min": 0.1, "lot_max": 2.0, "lot_step": 0.1})
    assert code(market, market.account(100_000), OPEN, BUY, lots, 1.1001) == answer


def test_partial_closes_keep_the_limits(market: Broker) -> None:
    market.group(security={"lot_min": 0.1, "lot_step": 0.1})
    login = market.account(100_000)
    ticket = market.open(login, BUY, 0.5, 1.1)
    answers = [code(market, login, CLOSE, BUY, lots, 1.1, order=ticket) for lots in (0.05, 0.15, 0.6, 0.2)]
    assert answers == [131, 131, 131, 0]


def test_a_new_groups_clients_can_not_trade(market: Broker) -> None:
    market.server.config.add_group(Draft(ConGroup, {"group": "fresh", "enable": True, "currency": "USD"}))
    assert code(market, market.account(1000, group="fresh"), OPEN, BUY, 0.1, 1.1001) == 133


@pytest.mark.parametrize(
    ("kind", "cmd", "price", "sl", "tp", "answer"),
    [
        (OPEN, BUY, 1.1001, 1.09990, 0.0, 0),
        (OPEN, BUY, 1.1001, 1.09991, 0.0, 130),
        (OPEN, BUY, 1.1001, 0.0, 1.10010, 0),
        (OPEN, BUY, 1.1001, 0.0, 1.10009, 130),
        (OPEN, SELL, 1.1, 1.10020, 0.0, 0),
        (OPEN, SELL, 1.1, 1.10019, 0.0, 130),
        (OPEN, SELL, 1.1, 0.0, 1.10000, 0),
        (OPEN, SELL, 1.1, 0.0, 1.10001, 130),
        (PENDING, BUY_LIMIT, 1.10000, 0.0, 0.0, 0),
        (PENDING, BUY_LIMIT, 1.10001, 0.0, 0.0, 130),
        (PENDING, BUY_STOP, 1.10020, 0.0, 0.0, 0),
        (PENDING, BUY_STOP, 1.10019, 0.0, 0.0, 130),
        (PENDING, SELL_LIMIT, 1.10010, 0.0, 0.0, 0),
        (PENDING, SELL_LIMIT, 1.10009, 0.0, 0.0, 130),
        (PENDING, SELL_STOP, 1.09990, 0.0, 0.0, 0),
        (PENDING, SELL_STOP, 1.09991, 0.0, 0.0, 130),
        (PENDING, BUY_LIMIT, 1.05000, 1.04990, 1.05010, 0),
        (PENDING, BUY_LIMIT, 1.05000, 1.04991, 0.0, 130),
        (PENDING, SELL_STOP, 1.05000, 0.0, 1.04991, 130),
    ],
)
def test_distances(
    market: Broker, kind: TransactionType, cmd: TradeCommand, price: float, sl: float, tp: float, answer: int
) -> None:
    market.symbol("EURUSD", stops_level=10)
    assert code(market, market.account(10_000), kind, cmd, 0.1, price, sl=sl, tp=tp) == answer


@pytest.mark.parametrize(("sl", "answer"), [(1.1, 0), (1.10001, 130)])
def test_without_a_stops_level_stops_may_touch_the_market(market: Broker, sl: float, answer: int) -> None:
    assert code(market, market.account(10_000), OPEN, BUY, 0.1, 1.1001, sl=sl) == answer


@pytest.mark.parametrize(("sl", "answer"), [(1.09989, 0), (1.09990, 145), (1.09995, 145), (0.0, 0)])
def test_freeze_level(market: Broker, sl: float, answer: int) -> None:
    """Closing is refused unless the distance is more than the level."""
    market.symbol("EURUSD", freeze_level=10)
    login = market.account(10_000)
    ticket = market.open(login, BUY, 0.1, 1.1, sl=sl)
    assert code(market, login, CLOSE, BUY, 0.1, 1.1, order=ticket) == answer


@pytest.mark.parametrize(("price", "answer"), [(1.09999, 0), (1.1, 145)])
@pytest.mark.parametrize("kind", [DELETE, MODIFY])
def test_freeze_level_of_pendings(market: Broker, kind: TransactionType, price: float, answer: int) -> None:
    market.symbol("EURUSD", freeze_level=10)
    login = market.account(10_000)
    ticket = market.open(login, BUY_LIMIT, 0.1, price)
    assert code(market, login, kind, BUY_LIMIT, 0.1, 1.05, order=ticket) == answer


def test_fifo(market: Broker) -> None:
    market.group(close_fifo=True)
    login = market.account(10_000)
    first, second = (market.open(login, BUY, 0.1, 1.1) for _ in range(2))
    market.open(login, BUY, 0.1, 1.3, "GBPUSD")
    assert code(market, login, CLOSE, BUY, 0.1, 1.1, order=second) == 150
    assert code(market, login, CLOSE, BUY, 0.1, 1.1, order=first) == 0
    assert code(market, login, CLOSE, BUY, 0.1, 1.1, order=second) == 0


def test_others_orders_can_not_be_touched(market: Broker) -> None:
    mine, others = market.account(10_000), market.account(10_000)
    ticket = market.open(others, BUY, 0.1, 1.1)
    for kind in (CLOSE, MODIFY, DELETE):
        assert code(market, mine, kind, BUY, 0.1, 1.1, order=ticket) == 3
    assert len(market.orders(others)) == 1


def test_what_clients_do(market: Broker) -> None:
    login = market.account(10_000)
    market.told()
    ticket = market.send(login, OPEN, BUY, 0.1, 1.1001, sl=1.05, comment="mine", flags=TransactionFlag.EXPERT)
    assert market.record(ticket).reason is TradeReason.EXPERT
    market.send(login, MODIFY, BUY, 0.1, 0.0, order=ticket, sl=1.06, tp=1.2)
    assert (market.record(ticket).sl, market.record(ticket).tp, market.record(ticket).open_price) == (1.06, 1.2, 1.1001)
    pending = market.send(login, PENDING, BUY_LIMIT, 0.1, 1.05, expiration=market.server.now + 3600)
    market.send(login, MODIFY, BUY_LIMIT, 0.1, 1.04, order=pending, expiration=0)
    record = market.record(pending)
    assert (record.open_price, record.expiration, record.margin_rate) == (1.04, 0, 1.04)
    market.send(login, DELETE, BUY_LIMIT, 0.1, 0.0, order=pending)
    assert (market.record(pending).comment, market.record(pending).profit) == ("cancelled", 0.0)
    market.send(login, CLOSE, BUY, 0.1, 1.1, order=ticket)
    assert market.record(ticket).profit == -0.1 * 10
    assert market.orders(login) == []


@pytest.mark.parametrize(
    ("flag", "reason"),
    [(TransactionFlag.NONE, TradeReason.CLIENT), (TransactionFlag.EXPERT, TradeReason.EXPERT),
     (TransactionFlag.SIGNAL, TradeReason.SIGNAL), (TransactionFlag.GATEWAY, TradeReason.GATEWAY),
     (TransactionFlag.MOBILE, TradeReason.MOBILE), (TransactionFlag.WEB, TradeReason.WEB),
     (TransactionFlag.API, TradeReason.API)],
)  # fmt: skip
def test_reasons(market: Broker, flag: TransactionFlag, reason: TradeReason) -> None:
    ticket = market.send(market.account(10_000), OPEN, BUY, 0.1, 1.1001, flags=flag)
    assert market.record(ticket).reason is reason


def test_a_request_names_the_symbol_of_its_order(market: Broker) -> None:
    market.tick("GBPUSD", 1.3, 1.3001)
    login = market.account(10_000)
    ticket = market.open(login, BUY, 0.1, 1.1)
    assert code(market, login, CLOSE, BUY, 0.1, 1.3, "GBPUSD", order=ticket) == 3


@pytest.mark.parametrize(("kind", "cmd"), [(OPEN, BUY_LIMIT), (PENDING, BUY), (OPEN, TradeCommand.BALANCE)])
def test_types_and_commands_have_to_fit(market: Broker, kind: TransactionType, cmd: TradeCommand) -> None:
    assert code(market, market.account(10_000), kind, cmd, 0.1, 1.05) == 3


def test_expirations_need_a_right_and_a_future(market: Broker) -> None:
    login, soon = market.account(10_000), market.server.now + 3600
    ticket = market.open(login, BUY_LIMIT, 0.1, 1.05, expiration=soon)
    assert code(market, login, PENDING, BUY_LIMIT, 0.1, 1.05, expiration=market.server.now) == 3
    market.group(rights=[])
    assert code(market, login, MODIFY, BUY_LIMIT, 0.1, 1.04, order=ticket, expiration=soon + 1) == 147
    assert code(market, login, MODIFY, BUY_LIMIT, 0.1, 1.04, order=ticket, expiration=soon) == 0
