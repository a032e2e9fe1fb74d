"""Two clients watching each other; connections that break; rights that are missing (protocol, chapters 1, 3, 4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from mt4sim.gateway.connection import SimulatorConnection
from tests.stories.client import PATIENCE, CallFailed, Client, Json, client, manager
from tests.stories.conftest import START, Desk, Open

pytestmark = pytest.mark.anyio

USER = {"login": 100, "group": "miniforex", "name": "A", "password": "Pass1", "enable": True}


async def test_what_one_changes_the_other_hears(desk: Desk) -> None:
    async with manager(desk.url) as one, manager(desk.url, dialect="1.00") as two:
        for kind in ("group", "user", "trade"):
            await two.call("subscribe", event=kind)
        await one.call("config.group.add", group="test", enable=True, news_languages=["en-EN", "ru-RU"])
        group = await two.event("group")
        assert group == await one.call("config.group.get", group="test")
        await one.call_with("user.add", {**USER, "api_data": "AAECAwQFBgcICQoLDA0ODw=="})
        user = await two.event("user")
        assert user == (await one.call("users.get", logins=[100]))[0]
        assert user["api_data"] == "AAECAwQFBgcICQoLDA0ODw=="
        deposit = await one.call("order.balance", login=100, command="balance", amount=1000.0)
        assert (await two.event("trade"))["order"] == deposit["order"]
        assert (await two.event("user"))["balance"] == 1000.0
        await one.call("tick.add", symbol="EURUSD", bid=2.00031, ask=2.02031)
        opened = await one.call("order.open", login=100, symbol="EURUSD", command="sell", volume=0.02, price=2.0)
        trade = await two.event("trade")
        assert (trade["order"], trade["profit"], trade["close_price"]) == (opened["order"], -40.62, 2.02031)
        await one.call("order.close", order=opened["order"], volume=0.02, price=2.0)
        closed = await two.event("trade")
        assert (closed["order"], closed["close_time"], closed["profit"]) == (opened["order"], START, 0.0)
        await two.call("unsubscribe", event="trade")
        await one.call("order.open", login=100, symbol="EURUSD", command="sell", volume=0.02, price=2.0)
        assert "trade" not in {event["event"] for event in await two.settled()}


async def test_event_ids_count_over_all_kinds(desk: Desk) -> None:
    async with manager(desk.url) as one:
        for kind in ("user", "trade", "group"):
            await one.call("subscribe", event=kind)
        await one.call_with("user.add", USER)
        for _ in range(5):
            await one.call("order.balance", login=100, command="balance", amount=1.0)
        await one.call("config.group.set", group="miniforex", copies=2)
        events = await one.settled()
        assert [event["event_id"] for event in events] == list(range(len(events)))
        assert {event["event"] for event in events} == {"user", "trade", "group"}


async def test_reconnection_makes_good_what_was_missed(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as other, client(desk.url) as one:
        await other.call_with("user.add", USER)
        await other.call("tick.add", symbol="EURUSD", bid=2.0, ask=2.1)
        open_all = {"login": 100, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 2.0}
        kept = (await other.call("order.open", **open_all))["order"]
        closing = (await other.call("order.open", **open_all))["order"]
        await one.call("subscribe", event="connection")
        await one.login(reconnect_delay=20)
        assert await one.event("connection") is True
        for kind in ("trade", "user", "group", "tick"):
            await one.call("subscribe", event=kind)
        await one.call("symbol.show", symbol="EURUSD")
        await other.call("simulator.fault.down", down=True)
        for session in list(desk.gateway.gateway.sessions):
            if session.mt4._delay:
                desk.server_backend.lose(cast(SimulatorConnection, session.connection), "test")
        assert await one.event("connection") is False
        assert "connection" in (await one.fails("config.common.get")).message
        await other.call("order.close", order=closing, volume=0.1, price=2.5)
        added = (await other.call("order.open", **open_all))["order"]
        await other.call("config.group.set", group="demoforex", copies=7)
        await other.call("tick.add", symbol="EURUSD", bid=2.2, ask=2.3)
        await other.call("simulator.fault.down", down=False)
        assert await one.event("connection") is True
        missed = await one.settled()
        trades = {e["data"]["order"]: e["data"] for e in missed if e["event"] == "trade"}
        assert set(trades) == {closing, added}
        assert trades[closing]["close_price"] == 2.5
        assert kept not in trades
        assert [e["data"]["group"] for e in missed if e["event"] == "group"] == ["demoforex"]
        assert [e["data"]["login"] for e in missed if e["event"] == "user"] == [100]
        await other.call("tick.add", symbol="EURUSD", bid=2.4, ask=2.5)
        assert (await one.event("tick"))["bid"] == 2.4


async def test_a_lost_connection_without_reconnection(desk: Desk) -> None:
    async with manager(desk.url) as zero, manager(desk.url, dialect="1.00") as one, manager(desk.url) as boss:
        await zero.call("subscribe", event="connection")
        lost = await boss.call("simulator.fault.disconnect", login=1)
        assert lost["connections"] == 3
        assert await zero.event("connection") is False
        assert "connect" in (await zero.fails("config.common.get")).message
        await zero.login()
        assert (await zero.call("config.common.get"))["name"] == "Demo"
        with pytest.raises(ConnectionClosedError) as closed:
            await one.call("config.common.get")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011


async def until(condition: Callable[[], bool]) -> None:
    """Gives the loop its turns until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event for a count
            await asyncio.sleep(0)


RIGHTS: list[tuple[str, str, dict[str, Any]]] = [
    ("admin", "config.common.get", {}),
    ("admin", "config.common.set", {"timeout": 1}),
    ("admin", "config.group.add", {"group": "test"}),
    ("admin", "config.group.set", {"group": "miniforex", "copies": 9}),
    ("admin", "config.group.del", {"group": "miniforex"}),
    ("admin", "config.manager.get", {"login": 1}),
    ("admin", "config.manager.set", {"login": 9}),
    ("admin", "config.manager.del", {"login": 1}),
    ("manager", "user.add", {"group": "miniforex", "name": "A", "password": "Pass1"}),
    ("manager", "user.set", {"login": 100, "name": "B"}),
    ("manager", "users.del", {"logins": [100]}),
    ("market_watch", "tick.add", {"symbol": "EURUSD", "bid": 1.0, "ask": 1.1}),
    ("money", "order.balance", {"login": 100, "command": "balance", "amount": 1.0}),
    ("trades", "order.open", {"login": 100, "symbol": "EURUSD", "command": "buy", "volume": 1, "price": 1.0}),
    ("trades", "order.modify", {"order": 0, "sl": 1.0}),
    ("trades", "order.close", {"order": 0, "volume": 0.1, "price": 1.0}),
    ("trades", "order.close_all", {"login": 100, "symbol": "EURUSD"}),
    ("see_trades", "trades.get", {}),
    ("see_trades", "trade.get", {"order": 0}),
    ("see_trades", "trades.get.by_login", {"login": 100, "group": "miniforex"}),
    ("reports", "trades.history", {"login": 100}),
    ("broker", "subscribe", {"event": "trade_request"}),
    ("broker", "request.reject", {"request_id": 4711}),
]


async def test_each_right_missing_once(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as boss:
        await boss.call_with("user.add", USER)
        order = await boss.call("order.open", login=100, symbol="EURUSD", command="buy", volume=1, price=1.0)
        full = await boss.call("config.manager.get", login=1)
        password = {"group": "manager", "name": "M", "password": "Pass1", "enable": True}
        await boss.call("user.add", login=123, **password)
        await boss.call_with("config.manager.set", {**full, "login": 123})
        async with manager(desk.url, dialect="2", login=123, password="Pass1") as limited:
            for right, name, data in RIGHTS:
                sent = {key: order["order"] if key == "order" else value for key, value in data.items()}
                await boss.call_with("config.manager.set", {"login": 123, right: False})
                assert (await limited.fails(name, **sent)).code == "not_enough_rights", (right, name)
                await boss.call_with("config.manager.set", {"login": 123, right: True})
        assert await boss.call("users.get", logins=[9]) == []


@asynccontextmanager
async def boss_and_limited(desk: Desk) -> AsyncIterator[tuple[Client, Client]]:
    """Two accounts, and two managers, the second of whom sees one of them and no details."""
    async with manager(desk.url, dialect="2") as boss:
        await boss.call_with("user.add", USER)
        await boss.call_with("user.add", {**USER, "login": 101, "group": "demoforex", "phone": "+371"})
        full = await boss.call("config.manager.get", login=1)
        await boss.call_with("config.manager.set", {**full, "login": 123, "groups": ["demo*"], "user_details": False})
        await boss.call("user.add", login=123, group="manager", name="M", password="Pass1", enable=True)
        async with manager(desk.url, dialect="2", login=123, password="Pass1") as limited:
            yield boss, limited


OUT_OF_SIGHT: tuple[tuple[str, Json], ...] = (
    ("user.set", {"login": 100, "name": "B"}),
    ("order.balance", {"login": 100, "command": "balance", "amount": 1.0}),
    ("trades.history", {"login": 100}),
    ("config.group.get", {"group": "miniforex"}),
)


async def test_users_outside_the_masks_are_invisible(desk: Desk) -> None:
    async with boss_and_limited(desk) as (boss, limited):
        await limited.call("subscribe", event="user")
        (seen,) = await limited.call("users.get.all")
        assert (seen["login"], seen["name"], seen["phone"]) == (101, "", "")
        assert await limited.call("users.get", logins=[100]) == []
        for name, data in OUT_OF_SIGHT:
            assert (await limited.fails(name, **data)).code in ("not_enough_rights", "not_found", "bad_account_info")
        await boss.call("user.set", login=100, city="Riga")
        await boss.call("user.set", login=101, city="Riga")
        assert [e["data"]["login"] for e in await limited.settled()] == [101]


async def test_what_is_out_of_sight_says_so(desk: Desk) -> None:
    async with boss_and_limited(desk) as (_, limited):
        codes = {name: (await limited.fails(name, **data)).code for name, data in OUT_OF_SIGHT}
    assert set(codes.values()) == {"not_enough_rights"}, codes


async def test_refusals_of_the_handshake(desk: Desk) -> None:
    good = {"MT-SERVER": "Demo", "MT-LOGIN": "1", "MT-PASSWORD": "manager", "VERSION": "1.00"}
    for headers, status in (
        ({**good, "MT-PASSWORD": "wrong"}, 401),
        ({**good, "MT-LOGIN": "4711"}, 401),
        ({**good, "MT-LOGIN": "one"}, 400),
        ({"MT-SERVER": "Demo", "MT-LOGIN": "1"}, 400),
        ({**good, "VERSION": "3"}, 426),
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with client(desk.url, headers=headers):
                pass
        assert refused.value.response.status_code == status
        assert refused.value.response.body
    assert desk.gateway.gateway.counters()["sessions"] == 0


async def test_a_server_outside_the_allow_list(opening: Open) -> None:
    async with opening(servers=["Demo"]) as desk, client(desk.url) as one:
        with pytest.raises(CallFailed, match="Other"):
            await one.login(server="Other")
        await one.login(server="Demo")


async def test_money_moves_once(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as one:
        await one.call_with("user.add", USER)
        deposit = {"login": 100, "command": "balance", "amount": 100.0}
        first = await one.call_with("order.balance", deposit, key="k1")
        assert await one.call_with("order.balance", deposit, key="k1") == first
        with pytest.raises(CallFailed) as reused:
            await one.call_with("order.balance", {**deposit, "amount": 5.0}, key="k1")
        assert reused.value.code == "key_reused"
        (user,) = await one.call("users.get", logins=[100])
        assert user["balance"] == 100.0
    async with manager(desk.url, dialect="2") as again:
        assert await again.call_with("order.balance", deposit, key="k1") == first


async def test_many_sessions_leave_nothing_behind(desk: Desk) -> None:
    """200 sessions under a busy feed; half of them broken off without a word."""
    contexts = [manager(desk.url) for _ in range(200)]
    clients = await asyncio.gather(*(context.__aenter__() for context in contexts))
    try:
        for each in clients:
            await each.send("symbol.show", {"symbol": "EURUSD"})
            await each.send("subscribe", {"event": "tick"})
        for each in clients:
            assert (await each.answer(2))["status"] == "OK"
        for number in range(20):
            desk.server.tick("EURUSD", 1.0 + number / 100, 1.1 + number / 100)
        for each in clients:
            ticks = [await each.event("tick") for _ in range(20)]
            assert ticks[-1]["bid"] == 1.19
        for each in clients[::2]:
            each.connection.transport.abort()
        counters = desk.gateway.gateway.counters
        await until(lambda: counters()["sessions"] == 100)
        assert counters()["subscriptions"] == 100
        assert counters()["connections"] == 100
    finally:
        await asyncio.gather(*(c.__aexit__(None, None, None) for c in contexts), return_exceptions=True)
    await until(lambda: not desk.gateway.gateway.counters()["sessions"])
    left = desk.gateway.gateway.counters()
    assert {name: left[name] for name in left if name != "call_tasks"} == dict.fromkeys(left.keys() - {"call_tasks"}, 0)
