"""A broker's day: pending orders, placed, modified, activated, cancelled, expired (Semantics 6.1, 6.4, 6.6)."""

from __future__ import annotations

import pytest

from tests.stories.client import manager
from tests.stories.conftest import START, Desk

pytestmark = pytest.mark.anyio


async def test_life_of_a_pending_order(desk: Desk) -> None:
    async with manager(desk.url) as mt:
        await mt.call("user.add", login=100, group="miniforex", name="A", password="Pass1", enable=True)
        await mt.call("order.balance", login=100, command="balance", amount=1_000_000.0)
        await mt.call("tick.add", symbol="EURUSD", bid=2.00021, ask=2.02021)
        place = {"login": 100, "symbol": "EURUSD", "volume": 0.02, "price": 3.0, "command": "sell_limit"}
        order = (await mt.call("order.open", **place))["order"]
        pending = await mt.call("trade.get", order=order)
        assert (pending["cmd"], pending["profit"]) == ("sell_limit", 0.0)
        await mt.call(
            "order.modify", order=order, price=2.9, sl=4.0, tp=1.5, expiration=START + 7200, comment="new comment"
        )
        changed = await mt.call("trade.get", order=order)
        assert [changed[name] for name in ("open_price", "sl", "tp", "expiration", "comment")] == [
            2.9, 4.0, 1.5, START + 7200, "new comment",
        ]  # fmt: skip
        await mt.call("order.activate", order=order, price=10.0)
        active = await mt.call("trade.get", order=order)
        assert (active["order"], active["cmd"], active["open_price"], active["expiration"]) == (order, "sell", 10.0, 0)
        assert (active["conv_rates"], active["margin_rate"], active["profit"]) == ([10.0, 0.0], 10.0, 15959.58)

        cancelled = (await mt.call("order.open", **place))["order"]
        assert (await mt.fails("order.cancel", order=cancelled, command="buy_stop")).message
        await mt.call("order.cancel", order=cancelled, command="sell_limit")
        record = await mt.call("trade.get", order=cancelled)
        assert (record["comment"], record["profit"]) == ("cancelled by dealer", 0.0)
        assert record["close_time"] == START

        expiring = (await mt.call("order.open", **place, expiration=START + 3600))["order"]
        desk.server.advance(3601)
        record = await mt.call("trade.get", order=expiring)
        assert (record["close_time"], record["profit"]) == (START + 3600, 0.0)
