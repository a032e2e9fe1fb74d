"""A broker's day: dealing (Semantics 6.3, 8). The traders are simulated; the dealers are clients of the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.stories.client import Client, manager
from tests.stories.conftest import START, Desk

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def dealer(desk: Desk, **more: Any) -> AsyncIterator[Client]:
    async with manager(desk.url, **more) as client:
        await client.call("subscribe", event="trade_request")
        yield client


@pytest.fixture
async def trader(desk: Desk) -> AsyncIterator[Client]:
    """A manager who plays the trader 200 in a group that dealers serve."""
    async with manager(desk.url, dialect="2") as client:
        await client.call(
            "user.add", login=200, group="demodealing", name="T", password="Pass1", enable=True, leverage=100
        )
        await client.call("order.balance", login=200, command="balance", amount=1_000_000.0)
        await client.call("tick.add", symbol="GBPUSD", bid=1.26748, ask=1.26753)
        yield client


async def ask(trader: Client, **more: Any) -> dict[str, Any]:
    request = {"login": 200, "symbol": "GBPUSD", "command": "buy", "volume": 0.01, **more}
    heard: dict[str, Any] = await trader.call("simulator.trader.open", **request)
    return heard


async def heard(trader: Client, request_id: int) -> dict[str, Any]:
    answer: dict[str, Any] = await trader.call("simulator.trader.request", login=200, request_id=request_id)
    return answer


DEALING_CLOCK = 1.6777216
"""Seconds that the clock of requests goes by."""


async def test_a_request_as_a_dealer_sees_it(desk: Desk, trader: Client) -> None:
    async with dealer(desk) as zero, manager(desk.url) as other:
        sent = await ask(trader, price=1.26755)
        assert (sent["status"], sent["code"]) == ("locked", None)
        request = await zero.event("trade_request")
        crc = request["trade"].pop("crc")
        assert isinstance(crc, int)
        assert crc != 0
        assert START - DEALING_CLOCK < request.pop("time") <= START
        assert request == {
            "id": sent["request_id"], "status": "locked", "manager": 1, "login": 200,
            "group": "demodealing", "balance": 1_000_000.0, "credit": 0.0, "prices": [1.26755, 1.26746],
            "trade": {
                "type": "order_ie_open", "cmd": "buy", "order": 0, "order_by": 0, "symbol": "GBPUSD", "volume": 0.01,
                "price": 1.26755, "sl": 0.0, "tp": 0.0, "ie_deviation": 0, "comment": "", "expiration": 0,
            },
        }  # fmt: skip
        assert "dealing" in (await other.fails("request.reject", request_id=request["id"])).message.lower()


async def test_confirm_at_another_price(desk: Desk, trader: Client) -> None:
    async with dealer(desk, dialect="1.00") as one:
        await one.call("subscribe", event="trade")
        sent = await ask(trader)
        request = await one.event("trade_request")
        assert request["trade"]["flags"] == "none"
        await one.call("request.confirm", request_id=request["id"], bid=2.11, ask=2.12, mode="normal")
        trade = await one.event("trade")
        assert (trade["open_price"], trade["cmd"], trade["reason"]) == (2.12, "buy", "client")
        done = await heard(trader, sent["request_id"])
        assert (done["status"], done["code"], done["order"]) == ("answered", 0, trade["order"])
        assert (await trader.call("ticks.get", symbol="GBPUSD"))[0]["bid"] == 1.26748
        closing = await trader.call("simulator.trader.close", login=200, order=trade["order"])
        await one.event("trade_request")
        await one.call("request.confirm", request_id=closing["request_id"], bid=2.2, ask=2.3, mode="add_prices")
        assert (await one.event("trade"))["close_price"] == 2.2
        assert (await trader.call("ticks.get", symbol="GBPUSD"))[0]["bid"] == 2.2


async def test_requote_and_the_traders_yes(desk: Desk, trader: Client) -> None:
    async with dealer(desk) as one:
        sent = await ask(trader)
        await one.event("trade_request")
        await one.call("request.requote", request_id=sent["request_id"], bid=1.27, ask=1.28)
        requoted = await heard(trader, sent["request_id"])
        assert (requoted["code"], requoted["prices"]) == (138, {"bid": 1.27, "ask": 1.28})
        again = await trader.call("simulator.trader.accept", login=200, request_id=sent["request_id"])
        assert (await one.event("trade_request"))["trade"]["price"] == 1.28
        await one.call("request.confirm", request_id=again["request_id"], bid=1.27, ask=1.28)
        assert (await heard(trader, again["request_id"]))["code"] == 0


async def test_reject_and_answers_to_what_is_over(desk: Desk, trader: Client) -> None:
    async with dealer(desk, dialect="2") as one:
        sent = await ask(trader)
        await one.event("trade_request")
        await one.call("request.reject", request_id=sent["request_id"])
        assert (await heard(trader, sent["request_id"]))["code"] == 133
        for name in ("request.reject", "request.reset"):
            assert (await one.fails(name, request_id=sent["request_id"])).code == "not_found"
        assert (await one.fails("request.confirm", request_id=99, bid=1.0, ask=1.1)).code == "not_found"
        assert (await trader.call("trades.get")) == []


async def test_reset_goes_to_the_second_dealer(desk: Desk, trader: Client) -> None:
    async with dealer(desk) as one, dealer(desk) as two:
        sent = await ask(trader)
        await one.event("trade_request")
        await one.call("request.reset", request_id=sent["request_id"])
        assert (await two.event("trade_request"))["id"] == sent["request_id"]
        assert (await one.fails("request.confirm", request_id=sent["request_id"], bid=1.0, ask=1.1)).message
        await two.call("request.confirm", request_id=sent["request_id"], bid=1.26, ask=1.27)
        assert (await heard(trader, sent["request_id"]))["code"] == 0


async def test_a_dealer_who_disconnects_returns_what_he_held(desk: Desk, trader: Client) -> None:
    async with dealer(desk) as two:
        async with dealer(desk) as one:
            first, second = await ask(trader), await ask(trader)
            held = {(await one.event("trade_request"))["id"], (await two.event("trade_request"))["id"]}
            assert held == {first["request_id"], second["request_id"]}
        assert (await two.event("trade_request"))["id"] in held
        await two.call("unsubscribe", event="trade_request")
        assert (await heard(trader, first["request_id"]))["status"] == "reseted"


async def test_time_out(desk: Desk, trader: Client) -> None:
    async with dealer(desk) as one:
        sent = await ask(trader)
        await one.event("trade_request")
        await trader.call("simulator.clock.advance", seconds=60)
        late = await heard(trader, sent["request_id"])
        assert (late["status"], late["code"]) == ("canceled", 128)
        assert (await one.fails("request.confirm", request_id=sent["request_id"], bid=1.0, ask=1.1)).message


async def test_only_what_a_dealer_may_deal(desk: Desk, trader: Client) -> None:
    """Semantics 8.6: security enabled, volume within his lots, group in his masks, right ``broker``."""
    boss = {"broker": True, "groups": ["*"], "securities": {"Forex": {"enable": True, "maximum_lots": 1.0}}}
    await trader.call_with("config.manager.set", {"login": 123, **boss})
    await trader.call("user.add", login=123, group="manager", name="Dealer", password="Pass1", enable=True)
    async with dealer(desk, login=123, password="Pass1") as small:
        big = await ask(trader, volume=1.01)
        assert big["status"] == "request"
        fits = await ask(trader, volume=1.0)
        assert (await small.event("trade_request"))["id"] == fits["request_id"]
        await trader.call("config.manager.set", login=123, broker=False)
        assert (await small.fails("request.reject", request_id=fits["request_id"])).message
