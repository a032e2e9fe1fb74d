"""A broker's day, second chapter: open, modify, partial close, close-by, close-all, history (Semantics 6, 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.stories.client import Client, manager
from tests.stories.conftest import Desk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def mt(desk: Desk) -> AsyncIterator[Client]:
    async with manager(desk.url) as client:
        await client.call(
            "user.add", login=100, group="miniforex", name="User One", password="Pass1", enable=True, leverage=1000
        )
        await client.call("order.balance", login=100, command="balance", amount=1_000_000.0)
        await client.call("tick.add", symbol="EURUSD", bid=2.00021, ask=2.02021)
        yield client


async def opened(mt: Client, command: str, volume: float, price: float, **more: Any) -> int:
    result = await mt.call(
        "order.open", login=100, symbol="EURUSD", command=command, volume=volume, price=price, **more
    )
    return int(result["order"])


async def balance(mt: Client) -> float:
    (user,) = await mt.call("users.get", logins=[100])
    return float(user["balance"])


async def test_a_position_as_a_real_server_writes_it(mt: Client) -> None:
    order = await opened(mt, "sell", 0.02, 2.0)
    trade = await mt.call("trade.get", order=order)
    assert trade["conv_rates"] == [2.0, 0.0]
    assert (trade["margin_rate"], trade["close_price"], trade["profit"]) == (2.0, 2.02021, -40.42)
    assert (trade["reason"], trade["volume"], trade["digits"], trade["cmd"]) == ("dealer", 0.02, 5, "sell")
    assert await mt.call("trades.get") == [trade]
    assert await mt.call("trades.get.by_login", login=100, group="miniforex") == [trade]
    await mt.call("tick.add", symbol="EURUSD", bid=2.00031, ask=2.02031)
    assert (await mt.call("trade.get", order=order))["profit"] == -40.62
    await mt.call("order.close", order=order, volume=0.02, price=2.0)
    closed = await mt.call("trade.get", order=order)
    assert (closed["conv_rates"], closed["close_price"], closed["profit"]) == ([2.0, 2.0], 2.0, 0.0)
    assert closed["close_time"] > 0
    assert await mt.call("trades.get") == []


async def test_partial_close(mt: Client) -> None:
    order = await opened(mt, "buy", 1.0, 2.0, sl=1.0, tp=3.0)
    before = await balance(mt)
    await mt.call("order.close", order=order, volume=0.7, price=2.001)
    first = await mt.call("trade.get", order=order)
    rest = await mt.call("trade.get", order=order + 1)
    assert (first["volume"], first["comment"], first["profit"]) == (0.7, f"to #{order + 1}", 70.0)
    assert (rest["volume"], rest["comment"], rest["close_time"]) == (0.3, f"from #{order}", 0)
    assert (rest["open_price"], rest["sl"], rest["tp"], rest["open_time"]) == (2.0, 1.0, 3.0, first["open_time"])
    assert await balance(mt) == before + 70.0


async def test_close_by(mt: Client) -> None:
    """Semantics 6.8: BUY 0.20 by SELL 0.50 leaves SELL 0.30 "from #n"."""
    buy = await opened(mt, "buy", 0.2, 2.0)
    sell = await opened(mt, "sell", 0.5, 2.0)
    await mt.call("order.close_by", order=buy, order_by=sell)
    first, second = await mt.call("trade.get", order=buy), await mt.call("trade.get", order=sell)
    (rest,) = await mt.call("trades.get")
    assert (first["volume"], first["comment"]) == (0.2, "partial close")
    assert (second["volume"], second["comment"]) == (0.0, f"close hedge by #{buy}")
    assert (rest["order"], rest["cmd"], rest["volume"]) == (sell + 1, "sell", 0.3)
    assert rest["comment"] == f"from #{buy}"
    assert first["close_time"] == second["close_time"] > 0


async def test_close_all(mt: Client) -> None:
    """Semantics 6.8: BUY 0.7, SELL 0.5, SELL 1.0."""
    first = await opened(mt, "buy", 0.7, 2.0)
    await opened(mt, "sell", 0.5, 2.0)
    await opened(mt, "sell", 1.0, 2.0)
    await mt.call("order.close_all", login=100, symbol="EURUSD")
    history = await mt.call("trades.history", login=100)
    seen = {t["order"] - first + 1: (t["cmd"], t["volume"], t["comment"]) for t in history if t["cmd"] != "balance"}
    assert seen == {
        1: ("buy", 0.5, "partial close"),
        2: ("sell", 0.0, f"close hedge by #{first}"),
        3: ("sell", 0.2, "partial close"),
        4: ("buy", 0.0, f"close hedge by #{first + 2}"),
    }
    (rest,) = await mt.call("trades.get")
    assert (rest["order"], rest["cmd"], rest["volume"], rest["comment"]) == (first + 4, "sell", 0.8, "partial close")


async def test_modify_and_history_in_a_range(mt: Client) -> None:
    order = await opened(mt, "buy", 0.01, 2.0)
    await mt.call("order.modify", order=order, sl=1.0)
    await mt.call("order.modify", order=order, tp=1000.0)
    trade = await mt.call("trade.get", order=order)
    assert (trade["sl"], trade["tp"], trade["open_price"]) == (1.0, 1000.0, 2.0)
    await mt.call("order.close", order=order, volume=0.01, price=2.5)
    closed = await mt.call("trade.get", order=order)
    moment = closed["close_time"]
    inside = await mt.call_with("trades.history", {"login": 100, "from": moment, "to": moment})
    assert closed in inside
    assert await mt.call_with("trades.history", {"login": 100, "from": moment + 1, "to": moment + 9}) == []
    assert [t["order"] for t in inside] == sorted(t["order"] for t in inside)


async def test_bad_orders_change_nothing(mt: Client) -> None:
    order = await opened(mt, "buy", 0.5, 2.0)
    other = await opened(mt, "buy", 0.5, 2.0)
    base = {"login": 100, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 2.0}
    before = (await mt.call("trades.get"), await mt.call("users.get.all"), await mt.call("config.common.get"))
    bad: list[tuple[str, str, dict[str, Any]]] = [
        *[("order.open", field, {k: v for k, v in base.items() if k != field}) for field in base],
        *[("order.open", "volume", {**base, "volume": v}) for v in (0, -1, 0.001, 1e9, "1", None)],
        *[("order.open", "price", {**base, "price": p}) for p in (0, -1.1, "2.0", True)],
        ("order.open", "login", {**base, "login": 4711}),
        ("order.open", "symbol", {**base, "symbol": "NOPE"}),
        ("order.open", "symbol", {**base, "symbol": "EURUSDEURUSD"}),
        ("order.open", "command", {**base, "command": "balance"}),
        ("order.open", "comment", {**base, "comment": "x" * 32}),
        ("order.open", "extra", {**base, "extra": 1}),
        ("order.close", "volume", {"order": order, "volume": 0.6, "price": 2.0}),
        ("order.close", "order", {"order": 4711, "volume": 0.6, "price": 2.0}),
        ("order.close_by", "order_by", {"order": order, "order_by": order}),
        ("order.close_by", "", {"order": order, "order_by": other}),
        ("order.modify", "order", {"order": 4711, "sl": 1.0}),
        ("order.cancel", "", {"order": order, "command": "buy_limit"}),
        ("order.activate", "", {"order": order, "price": 1.0}),
        ("order.balance", "amount", {"login": 100, "command": "balance", "amount": 0}),
        ("order.balance", "expiration", {"login": 100, "command": "credit", "amount": 5.0, "expiration": 1}),
        ("order.balance", "login", {"login": 4711, "command": "balance", "amount": 5.0}),
        ("trades.history", "login", {"login": 4711}),
        ("trades.get.by_login", "login", {"login": 4711, "group": "miniforex"}),
    ]  # fmt: skip
    for name, field, data in bad:
        error = await mt.fails(name, **data)
        assert field in error.message or str(data.get(field)) in error.message, (name, data, error.message)
    after = (await mt.call("trades.get"), await mt.call("users.get.all"), await mt.call("config.common.get"))
    assert after == before
