"""A broker's day: market watch (protocol, chapters 3 and 4; Semantics 1.6, 10.4)."""

from __future__ import annotations

import pytest

from tests.stories.client import manager
from tests.stories.conftest import START, Desk

pytestmark = pytest.mark.anyio


async def test_show_ticks_hide(desk: Desk) -> None:
    async with manager(desk.url) as mt:
        await mt.call("subscribe", event="tick")
        await mt.call("tick.add", symbol="EURUSD", bid=0.21, ask=0.31)
        assert await mt.settled() == []
        await mt.call("symbol.show", symbol="EURUSD")
        await mt.call("tick.add", symbol="EURUSD", bid=0.22, ask=0.32)
        assert await mt.event("tick") == {"symbol": "EURUSD", "time": START, "bid": 0.22, "ask": 0.32}
        assert await mt.call("ticks.get", symbol="EURUSD") == [
            {"symbol": "EURUSD", "time": START, "bid": 0.22, "ask": 0.32}
        ]
        await mt.call("tick.add", symbol="EURUSD", bid=1.1142, ask=1.1141)
        assert (await mt.event("tick"))["ask"] == 1.1141
        await mt.call("symbol.hide", symbol="EURUSD")
        await mt.call("tick.add", symbol="EURUSD", bid=0.23, ask=0.33)
        assert await mt.settled() == []
        await mt.call("symbol.show", symbol="EURUSD")
        await mt.call("unsubscribe", event="tick")
        await mt.call("tick.add", symbol="EURUSD", bid=0.24, ask=0.34)
        assert await mt.settled() == []


async def test_wrong_market_calls(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as mt:
        for name, data, path in (
            ("symbol.show", {"symbol": "NOPE"}, "NOPE"),
            ("symbol.hide", {"symbol": "NOPE"}, "NOPE"),
            ("ticks.get", {"symbol": "NOPE"}, "NOPE"),
            ("tick.add", {"symbol": "NOPE", "bid": 1.0, "ask": 1.1}, "NOPE"),
            ("tick.add", {"symbol": "EURUSD", "bid": 0.0, "ask": 1.1}, "bid"),
            ("tick.add", {"symbol": "EURUSD", "bid": 1.0, "ask": -1.1}, "ask"),
            ("tick.add", {"symbol": "EURUSD", "bid": 1.0}, "ask"),
            ("subscribe", {"event": "tock"}, "tick"),
            ("unsubscribe", {"event": "tick"}, "tick"),
        ):
            assert path in (await mt.fails(name, **data)).message
        await mt.call("subscribe", event="tick")
        assert (await mt.fails("subscribe", event="tick")).code == "already_subscribed"
