"""A broker's day, first chapter: a group, an account in it, a deposit (Semantics 7.3, 9.1)."""

from __future__ import annotations

import pytest

from tests.stories.client import manager
from tests.stories.conftest import START, Desk

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("dialect", ["0", "1.00", "2"])
async def test_group_user_deposit(desk: Desk, dialect: str) -> None:
    async with manager(desk.url, dialect=dialect) as mt:
        await mt.call("config.group.add", group="test", enable=True, currency="USD", default_leverage=100)
        group = await mt.call("config.group.get", group="test")
        assert group["enable"] is True
        assert set(group["securities"]) >= {"Forex", "CFD", "Indexes", "Metals", "Futures"}
        assert not any(security["trade"] or security["lot_max"] for security in group["securities"].values())
        added = await mt.call("user.add", login=100, group="test", name="User One", password="Pass1", enable=True)
        assert added == {"login": 100}
        (user,) = await mt.call("users.get", logins=[100, 99])
        assert (user["balance"], user["credit"], user["leverage"]) == (0.0, 0.0, 0)
        assert (user["reg_date"], user["last_date"], user["timestamp"]) == (START, START, 0)
        assert user["last_ip"] == "0.0.0.0"
        assert "password" not in user
        before = (await mt.call("config.common.get"))["last_order"]
        deposit = await mt.call("order.balance", login=100, command="balance", amount=111.11, comment="Initial deposit")
        assert deposit == {"order": before + 1}
        (record,) = await mt.call("trades.history", login=100)
        assert record == {
            "order": before + 1, "login": 100, "symbol": "", "digits": 0, "cmd": "balance", "reason": "client",
            "volume": 0.01, "open_time": START, "close_time": START, "expiration": 0, "open_price": 0.0,
            "close_price": 0.0, "sl": 0.0, "tp": 0.0, "conv_rates": [0.0, 0.0], "commission": 0.0,
            "commission_agent": 0.0, "storage": 0.0, "profit": 111.11, "taxes": 0.0, "magic": 0,
            "comment": "Initial deposit", "margin_rate": 0.0, "timestamp": START, "api_data": "",
        }  # fmt: skip
        (user,) = await mt.call("users.get", logins=[100])
        assert (user["balance"], user["credit"]) == (111.11, 0.0)
        await mt.call("order.balance", login=100, command="credit", amount=111.11, expiration=START + 86400)
        (user,) = await mt.call("users.get", logins=[100])
        assert (user["balance"], user["credit"]) == (111.11, 111.11)


async def test_the_server_chooses_a_login(desk: Desk) -> None:
    async with manager(desk.url) as mt:
        last = (await mt.call("config.common.get"))["last_login"]
        first = await mt.call("user.add", group="demoforex", name="A", password="Pass1")
        second = await mt.call("user.add", login=0, group="demoforex", name="B", password="Pass1")
        assert [first["login"], second["login"]] == [last + 1, last + 2]


async def test_what_the_server_insists_on(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as mt:
        missing = await mt.fails("user.add", login=100)
        assert {detail["path"] for detail in missing.details} == {"group", "name", "password"}
        unknown = await mt.fails("user.add", login=100, group="nope", name="A", password="Pass1")
        assert "nope" in unknown.message
        assert (await mt.fails("user.add", login=100, group="demoforex", name="A", password="abc")).code
        await mt.call("user.add", login=100, group="demoforex", name="A", password="Pass1")
        assert "100" in (await mt.fails("user.add", login=100, group="demoforex", name="A", password="Pass1")).message
        assert await mt.call("users.get", logins=[101]) == []


async def test_a_deleted_user_leaves_nothing(desk: Desk) -> None:
    async with manager(desk.url) as mt:
        await mt.call("user.add", login=100, group="miniforex", name="A", password="Pass1")
        await mt.call("order.balance", login=100, command="balance", amount=1000.0)
        order = (await mt.call("order.open", login=100, symbol="EURUSD", command="buy", volume=1, price=1.1))["order"]
        await mt.call("users.del", logins=[100])
        assert await mt.call("users.get", logins=[100]) == []
        assert order not in [trade["order"] for trade in await mt.call("trades.get")]
        await mt.call("user.add", login=100, group="miniforex", name="A", password="Pass1")
        assert await mt.call("trades.history", login=100) == []
