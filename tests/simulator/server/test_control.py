"""``simulator.*`` over the socket: what drives the simulation, and bad input to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.stories.client import CallFailed, Client, client, manager
from tests.stories.conftest import START, Desk, Open, anyio_backend, desk, opening

pytestmark = pytest.mark.anyio
__all__ = ["anyio_backend", "desk", "opening"]


def _codes(desk: Desk) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Every function but ``connect``, its example, and whether the reference page says that it works before that."""
    for function in desk.gateway.gateway.functions.values():
        if function.name != "connect":
            asks = function.needs_connection or "not_connected" in function.errors
            yield function.name, dict(function.example or {}), not asks


async def _code(one: Client, name: str, data: dict[str, Any]) -> str:
    try:
        await one.call_with(name, data)
    except CallFailed as error:
        return error.code
    return ""


async def test_what_works_before_connect_is_what_the_reference_page_says(desk: Desk) -> None:
    async with client(desk.url, headers={"VERSION": "2"}) as stranger:
        answered = {name: (await _code(stranger, name, data), free) for name, data, free in _codes(desk)}
        assert {name for name, (code, free) in answered.items() if (code == "not_connected") is free} == set()
        free = {name for name, (code, free) in answered.items() if free and not code}
    assert free == {
        "simulator.clock.get", "simulator.clock.advance", "simulator.reset", "simulator.fault.disconnect",
        "simulator.fault.down", "simulator.faults.set", "simulator.faults.get", "simulator.faults.clear",
        "simulator.faults.release",
    }  # fmt: skip


async def test_a_server_that_lets_nobody_in_is_mended_by_whoever_is_not_in(desk: Desk) -> None:
    async with client(desk.url, headers={"VERSION": "2"}) as one:
        await one.login()
        await one.call("simulator.fault.down", down=True)
        assert await one.call("simulator.fault.disconnect") == {"connections": 1}
        assert (await one.fails("users.get.all")).code == "not_connected"
        with pytest.raises(CallFailed, match="can't be reached"):
            await one.login()
        await one.call("simulator.fault.down", down=False)
        await one.call("simulator.faults.set", rules=[{"on": "connect", "do": "answer", "code": "account_disabled"}])
        with pytest.raises(CallFailed, match="disabled"):
            await one.login()
        assert [each["on"] for each in (await one.call("simulator.faults.get"))["strikes"]] == ["connect"]
        await one.call("simulator.faults.clear")
        await one.login()
        await one.call("users.get.all")


async def test_clock(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as one:
        assert await one.call("simulator.clock.get") == {"time": START}
        assert await one.call("simulator.clock.advance", seconds=3600) == {"time": START + 3600}
        assert await one.call("simulator.clock.advance", seconds=0) == {"time": START + 3600}
        for seconds in (-1, 366 * 86_400 + 1, 1.5):
            assert (await one.fails("simulator.clock.advance", seconds=seconds)).details[0]["path"] == "seconds"
        assert await one.call("simulator.clock.get") == {"time": START + 3600}


async def test_a_feeds_tick_passes_the_filter_and_a_managers_does_not(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as one:
        (before,) = await one.call("ticks.get", symbol="EURUSD")
        far = {"symbol": "EURUSD", "bid": before["bid"] * 2, "ask": before["bid"] * 2 + 0.0001}
        assert await one.call("simulator.tick", **far) == {"published": False}
        near = {"symbol": "EURUSD", "bid": before["bid"] + 0.0001, "ask": before["ask"] + 0.0001}
        assert await one.call("simulator.tick", **near) == {"published": True}
        await one.call("tick.add", **far)
        assert (await one.call("ticks.get", symbol="EURUSD"))[0]["bid"] == pytest.approx(far["bid"])
        assert "NOPE" in (await one.fails("simulator.tick", symbol="NOPE", bid=1.0, ask=1.1)).message


async def test_feeds(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as one:
        await one.call("symbol.show", symbol="EURUSD")
        await one.call("subscribe", event="tick")
        await one.call("simulator.feed", kind="random", rate=10)
        await one.call("simulator.clock.advance", seconds=600)
        assert await one.settled()
        await one.call("simulator.feed", kind="off")
        await one.call("simulator.clock.advance", seconds=600)
        assert await one.settled() == []
        missing = await one.fails("simulator.feed", kind="replay", file="none.csv")
        assert missing.details[0]["path"] == "file"


async def test_snapshot_and_reset(opening: Open, tmp_path: Path) -> None:
    async with opening(simulator={"folder": tmp_path}) as desk:
        await _saved_and_loaded(desk, "monday.json")


async def _saved_and_loaded(desk: Desk, file: str) -> None:
    async with manager(desk.url, dialect="2") as one:
        await one.call("user.add", login=100, group="miniforex", name="A", password="Pass1", enable=True)
        await one.call("order.balance", login=100, command="balance", amount=123.45)
        await one.call("simulator.snapshot.save", file=file)
        for name, path in (("load", "none.json"), ("save", "no/folder.json")):
            assert (await one.fails(f"simulator.snapshot.{name}", file=path)).details[0]["path"] == "file"
        await one.call("users.del", logins=[100])
    async with manager(desk.url) as zero:
        await zero.call("subscribe", event="connection")
        await zero.call("simulator.snapshot.load", file=file)
        assert await zero.event("connection") is False
        await zero.login()
        (user,) = await zero.call("users.get", logins=[100])
        assert user["balance"] == 123.45
        await zero.call("simulator.reset")
        await zero.login()
        assert await zero.call("users.get", logins=[100]) == []


async def test_traders_that_are_wrong(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as one:
        order = {"login": 4711, "symbol": "EURUSD", "command": "buy", "volume": 0.1}
        assert (await one.fails("simulator.trader.open", **order)).code == "bad_account_info"
        await one.call("user.add", login=100, group="miniforex", name="A", password="Pass1", enable=False)
        assert (await one.fails("simulator.trader.open", **{**order, "login": 100})).code == "account_disabled"
        await one.call("user.set", login=100, enable=True, leverage=100)
        poor = await one.call("simulator.trader.open", **{**order, "login": 100})
        assert (poor["status"], poor["code"], poor["order"]) == ("answered", 134, 0)
        await one.call("order.balance", login=100, command="balance", amount=1000.0)
        rich = await one.call("simulator.trader.open", **{**order, "login": 100})
        assert rich["code"] == 0
        assert (await one.call("trade.get", order=rich["order"]))["reason"] == "client"
        closed = await one.call("simulator.trader.close", login=100, order=rich["order"])
        assert closed["code"] == 0
        assert (await one.fails("simulator.trader.close", login=100, order=rich["order"])).code == "not_found"
        for name in ("request", "accept", "withdraw"):
            assert (await one.fails(f"simulator.trader.{name}", login=100, request_id=99)).code == "not_found"
        await one.call("simulator.trader.log_out", login=100)
        assert (await one.fails("simulator.trader.log_out", login=100)).code == "not_found"
