"""A back office looks through accounts and trades page by page, while business goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.client import Client, Json, manager
from tests.stories.conftest import Desk

pytestmark = pytest.mark.anyio


async def page(client: Client, name: str, /, **data: Any) -> tuple[list[Json], object]:
    answer = await client.answer(await client.send(name, data))
    assert answer["status"] == "OK", answer
    return answer["result"], answer.get("next")


async def opened(client: Client, login: int, symbol: str = "EURUSD", command: str = "buy") -> int:
    price = {"buy": 1.1, "buy_limit": 1.0, "sell": 1.1}[command]
    answer = await client.call("order.open", login=login, symbol=symbol, command=command, volume=0.1, price=price)
    return int(answer["order"])


async def desk_of(client: Client) -> None:
    """Three accounts in two groups, with money."""
    for login, group in ((100, "demoforex"), (101, "miniforex"), (102, "miniforex")):
        await client.call("user.add", login=login, group=group, name=f"User {login}", password="Pass1", enable=True)
        await client.call("order.balance", login=login, command="balance", amount=10000)
    for symbol in ("EURUSD", "GBPUSD"):
        await client.call("tick.add", symbol=symbol, bid=1.1, ask=1.1002)


async def test_trades_page_by_page_while_they_are_opened_and_closed(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as office:
        await desk_of(office)
        tickets = [await opened(office, 100 + number % 3) for number in range(5)]
        found, cursor = await page(office, "trades.get", limit=2)
        assert [trade["order"] for trade in found] == tickets[:2]
        assert cursor == tickets[1]
        await office.call("order.close", order=tickets[1], volume=0.1, price=1.1)
        await office.call("order.close", order=tickets[2], volume=0.1, price=1.1)
        new = await opened(office, 100)
        found, cursor = await page(office, "trades.get", limit=10, after=cursor)
        assert ([trade["order"] for trade in found], cursor) == ([*tickets[3:], new], None)
        found, cursor = await page(office, "trades.history", login=101, limit=2, cmd="buy")
        assert [trade["order"] for trade in found] == [tickets[1]]
        found, _ = await page(office, "trades.get.by_login", login=100, group="demoforex", after=tickets[0])
        assert [trade["order"] for trade in found] == [tickets[3], new]


async def test_trades_by_what_they_are(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as office:
        await desk_of(office)
        euro, pound, pending = (
            await opened(office, 100), await opened(office, 101, "GBPUSD", "sell"),
            await opened(office, 102, "GBPUSD", "buy_limit"),
        )  # fmt: skip
        for data, expected in (
            ({"login": 101}, [pound]),
            ({"login": [100, 102]}, [euro, pending]),
            ({"group": "mini*"}, [pound, pending]),
            ({"group": "mini*", "cmd": "buy_limit"}, [pending]),
            ({"symbol": "*USD", "cmd": ["buy", "sell"]}, [euro, pound]),
            ({"symbol": "GBPUSD", "limit": 1, "after": pound}, [pending]),
            ({"group": "nosuch*"}, []),
        ):
            found, _ = await page(office, "trades.get", **data)
            assert [trade["order"] for trade in found] == expected, data


async def test_accounts_and_groups(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as office:
        await desk_of(office)
        await office.call("user.set", login=101, enable=False)
        found, cursor = await page(office, "users.get.all", group="mini*", enable=True)
        assert ([user["login"] for user in found], cursor) == ([102], None)
        found, cursor = await page(office, "users.get.all", name="User *", limit=2)
        assert ([user["login"] for user in found], cursor) == ([100, 101], 101)
        await office.call("users.del", logins=[101])
        found, cursor = await page(office, "users.get.all", name="User *", limit=2, after=cursor)
        assert ([user["login"] for user in found], cursor) == ([102], None)
        found, cursor = await page(office, "users.get", logins=[102, 100, 1], limit=2)
        assert ([user["login"] for user in found], cursor) == ([102, 100], 100)
        found, _ = await page(office, "config.groups.get.all", group=["mini*", "manager"])
        assert sorted(group["group"] for group in found) == ["manager", "miniforex"]
        tick, _ = await page(office, "ticks.get", symbol="EURUSD", after=0)
        assert (await page(office, "ticks.get", symbol="EURUSD", after=tick[0]["time"])) == ([], None)
