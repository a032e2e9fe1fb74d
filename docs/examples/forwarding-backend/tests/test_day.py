"""A broker's day through the gateway in front; the other one is asked directly whether it came to the same."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from conftest import MANAGER, in_front_of, logged_in
from mt4sim import NewOrder
from mt_remote.client import Client, Credentials
from mt_remote.records import TradeCommand
from mt_remote_tools.testing import Bench


@pytest.fixture
def ann(here: Client) -> Iterator[int]:
    """An account with 10000 dollars in it."""
    login = onboard(here, "demoforex")
    yield login
    here.call("users.del", logins=[login])


def onboard(client: Client, group: str) -> int:
    account = {"group": group, "name": "Ann Exämple", "password": "Secret1", "enable": True, "leverage": 100}
    login = int(client.call("user.add", account)["login"])
    client.call("order.balance", login=login, command="balance", amount=10000.0, comment="Deposit")
    return login


def same(here: Client, there: Client, name: str, data: dict[str, Any] | None = None) -> Any:
    """A result that both gateways give."""
    result = here.call(name, data)
    assert result == there.call(name, data)
    return result


def test_onboarding(here: Client, there: Client, ann: int) -> None:
    user = same(here, there, "users.get", {"logins": [ann, 987654]})[0]
    assert (user["name"], user["balance"]) == ("Ann Exämple", 10000.0)
    here.call("user.set", {"login": ann, "leverage": 200, "city": "Riga", "api_data": "AAAAAAAAAAAAAAAAAAAAAQ=="})
    user = same(here, there, "users.get", {"logins": [ann]})[0]
    assert (user["leverage"], user["city"], user["group"]) == (200, "Riga", "demoforex")
    assert ann in [user["login"] for user in same(here, there, "users.get.all")]
    assert same(here, there, "users.get.all", {"limit": 1, "group": "demo*"})[0]["group"] == "demoforex"


def test_the_password_that_was_set_here_counts_there(here: Client, upstream: Bench) -> None:
    here.call("user.add", login=77, group="manager", name="Dealer", password="Dealer1", enable=True)
    here.call("config.manager.set", login=77, name="Dealer", manager=True, groups=["*"])
    with logged_in(upstream.url, Credentials("Demo", 77, "Dealer1")) as dealer:
        assert dealer.fails("config.common.get").code == "not_enough_rights"
    here.call("config.manager.del", login=77)
    here.call("users.del", logins=[77])


def test_configuration(here: Client, there: Client) -> None:
    common = same(here, there, "config.common.get")
    here.call("config.common.set", {"timeout": common["timeout"] + 1, "bind_adresses": ["10.0.0.1"]})
    assert same(here, there, "config.common.get")["timeout"] == common["timeout"] + 1
    here.call("config.group.add", {"group": "vip", "currency": "EUR", "rights": ["email", "trailing"], "news": 2})
    here.call("config.group.set", {"group": "vip", "securities": {"Forex": {"trade": True, "lot_min": 0.1}}})
    here.call("config.group.set", {"group": "vip", "symbols": {"EURUSD": {"swap_long": 1.5}, "USDJPY": {}}})
    here.call("config.group.set", {"group": "vip", "symbols": {"USDJPY": None}})
    group = same(here, there, "config.group.get", {"group": "vip"})
    assert (group["rights"], group["news"], group["currency"]) == (["email", "trailing"], 2, "EUR")
    assert (group["securities"]["Forex"]["lot_min"], list(group["symbols"])) == (0.1, ["EURUSD"])
    assert "vip" in [group["group"] for group in same(here, there, "config.groups.get.all")]
    here.call("config.group.del", group="vip")
    here.call("config.manager.set", {"login": 123, "name": "Mia", "groups": ["mini*", "!minigold"], "broker": True})
    assert same(here, there, "config.manager.get", {"login": 123})["groups"] == ["mini*", "!minigold"]
    here.call("config.manager.del", login=123)


def test_trading_and_its_history(here: Client, there: Client, upstream: Bench, ann: int) -> None:
    upstream.server.tick("EURUSD", 1.1000, 1.1001)

    def opened(command: str, price: float, **more: Any) -> int:
        deal = {"login": ann, "symbol": "EURUSD", "volume": 0.5, "command": command, "price": price}
        return int(here.call("order.open", {**deal, **more})["order"])

    first = opened("buy", 1.1001, sl=1.05, comment="first")
    second = opened("sell", 1.1)
    waiting = opened("buy_limit", 1.05, expiration=1900000000)
    here.call("order.modify", order=first, tp=1.2)
    trade = same(here, there, "trade.get", {"order": first})
    assert (trade["sl"], trade["tp"], trade["comment"], trade["cmd"]) == (1.05, 1.2, "first", "buy")
    assert len(same(here, there, "trades.get", {"login": ann})) == 3
    assert len(same(here, there, "trades.get.by_login", {"login": ann, "group": "demoforex"})) == 3
    here.call("order.activate", order=waiting, price=1.05)
    here.call("order.close", order=waiting, volume=0.5, price=1.05)
    here.call("order.close_by", order=first, order_by=second)
    gone = opened("sell_stop", 1.0)
    here.call("order.cancel", order=gone, command="sell_stop")
    opened("buy", 1.1)
    opened("sell", 1.1)
    here.call("order.close_all", login=ann, symbol="EURUSD")
    here.call("order.balance", login=ann, command="credit", amount=50.0, expiration=1900000000)
    assert same(here, there, "trades.get", {"login": ann}) == []
    history = same(here, there, "trades.history", {"login": ann, "from": 0, "to": upstream.clock.now})
    assert {first, second, waiting, gone} <= {trade["order"] for trade in history}


def test_prices_of_the_symbols_that_are_shown(here: Client, there: Client, upstream: Bench) -> None:
    here.subscribe("tick")
    here.call("symbol.show", symbol="EURUSD")
    here.call("symbol.show", symbol="USDJPY")
    here.call("symbol.hide", symbol="USDJPY")
    there.call("tick.add", symbol="USDJPY", bid=107.0, ask=107.01)
    there.call("tick.add", symbol="EURUSD", bid=1.2, ask=1.2001)
    assert here.event("tick") == {"symbol": "EURUSD", "time": upstream.clock.now, "bid": 1.2, "ask": 1.2001}
    here.call("tick.add", symbol="EURUSD", bid=1.3, ask=1.3001)
    assert [event["data"]["bid"] for event in here.settled()] == [1.3]
    assert same(here, there, "ticks.get", {"symbol": "EURUSD"})[0]["ask"] == 1.3001
    here.unsubscribe("tick")
    here.call("tick.add", symbol="EURUSD", bid=1.4, ask=1.4001)
    assert here.settled() == []


def test_events_come_in_the_order_in_which_things_happened(here: Client, there: Client, upstream: Bench) -> None:
    for client in (here, there):
        client.call("symbol.show", symbol="GBPUSD")
        for kind in ("group", "user", "trade", "tick"):
            client.subscribe(kind)
    with logged_in(upstream.url) as third:
        for number in range(5):
            third.call("config.group.add", {"group": f"order{number}"})
            third.call("tick.add", symbol="GBPUSD", bid=1.25 + number / 100, ask=1.26 + number / 100)
            onboard(third, "demoforex")
        third.call("tick.add", symbol="GBPUSD", bid=1.5, ask=1.51)
    told = up_to_the_bid(here, 1.5)
    assert told == up_to_the_bid(there, 1.5)
    kinds = [kind for kind, _ in told]
    assert [kinds.count(kind) for kind in ("group", "tick", "trade")] == [5, 6, 5]


def up_to_the_bid(client: Client, bid: float) -> list[tuple[str, Any]]:
    told = []
    for message in client.events():
        told.append((message["event"], message["data"]))
        if message["event"] == "tick" and message["data"]["bid"] == bid:
            break
    return told


def test_dealing(here: Client, there: Client, upstream: Bench) -> None:
    login = onboard(here, "demodealing")
    there.call("tick.add", symbol="EURUSD", bid=1.1, ask=1.1001)
    here.subscribe("trade_request")
    trader = upstream.server.trader(login)
    waiting = trader.open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    offered = here.event("trade_request")
    assert (offered["login"], offered["manager"], offered["trade"]["symbol"]) == (login, 1, "EURUSD")
    here.call("request.confirm", request_id=offered["id"], bid=1.1001, ask=1.1002, mode="add_prices")
    assert waiting.answer.code == 0
    assert same(here, there, "trade.get", {"order": waiting.answer.order})["open_price"] == 1.1002
    assert same(here, there, "ticks.get", {"symbol": "EURUSD"})[0]["ask"] == 1.1002

    requoted = trader.open(NewOrder("EURUSD", TradeCommand.SELL, 0.1))
    here.call("request.requote", request_id=here.event("trade_request")["id"], bid=1.09, ask=1.0901)
    assert requoted.answer.code.name == "TRADE_REQUOTE"
    rejected = trader.open(NewOrder("EURUSD", TradeCommand.SELL, 0.1))
    here.call("request.reject", request_id=here.event("trade_request")["id"])
    assert rejected.answer.code != 0

    passed = trader.open(NewOrder("EURUSD", TradeCommand.SELL, 0.1))
    held = here.event("trade_request")["id"]
    there.subscribe("trade_request")
    here.call("request.reset", request_id=held)
    there.call("request.reject", request_id=there.event("trade_request")["id"])
    assert passed.answer.code != 0


def test_a_dealer_who_leaves_hands_over_what_he_held(front_url: str, there: Client, upstream: Bench) -> None:
    login = onboard(there, "demodealing")
    for leave in ("disconnect", "unsubscribe", "close"):
        with logged_in(front_url) as dealer:
            dealer.subscribe("trade_request")
            upstream.server.trader(login).open(NewOrder("EURUSD", TradeCommand.SELL, 0.1))
            held = dealer.event("trade_request")["id"]
            there.subscribe("trade_request")
            if leave == "disconnect":
                dealer.call("disconnect")
            elif leave == "unsubscribe":
                dealer.unsubscribe("trade_request")
            else:
                dealer.close()
            assert there.event("trade_request")["id"] == held
            there.call("request.reject", request_id=held)
            there.unsubscribe("trade_request")


def test_external_commands(here: Client) -> None:
    assert here.call("external.command", command="abc") == "cba"
    every_byte = base64.b64encode(bytes(range(256))).decode()
    answer = here.call("external.command", command=every_byte, encoding="base64")
    assert base64.b64decode(answer) == bytes(reversed(range(256)))
    error = here.fails("external.command", command="x" * 750_001)
    assert (error.code, error.details[0]["path"]) == ("invalid_data", "command")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("config.group.get", {"group": "nosuch"}),
        ("config.group.set", {"group": "demoforex", "securities": {"Nosuch": {"trade": True}}}),
        ("config.group.add", {"group": "demoforex"}),
        ("config.group.del", {"group": "manager"}),
        ("user.add", {"group": "nosuch", "name": "Ann", "password": "Secret1"}),
        ("user.add", {"group": "demoforex", "name": "Ann", "password": "x"}),
        ("users.del", {"logins": [987654]}),
        ("symbol.show", {"symbol": "NOSUCH"}),
        ("trade.get", {"order": 1}),
        ("trades.history", {"login": 987654}),
        ("order.open", {"login": 1, "symbol": "NOSUCH", "command": "buy", "volume": 1.0, "price": 1.0}),
        ("order.close", {"order": 1, "volume": 1.0, "price": 1.0}),
        ("order.balance", {"login": 1, "command": "balance", "amount": -1e6}),
        ("request.reject", {"request_id": 999}),
        ("subscribe", {"event": "nosuch"}),
    ],
)
def test_errors_keep_code_message_and_details(here: Client, there: Client, name: str, data: dict[str, Any]) -> None:
    error, expected = here.fails(name, data), there.fails(name, data)
    assert (error.code, error.message, error.details) == (expected.code, expected.message, expected.details)


def test_the_servers_time(here: Client, upstream: Bench, front_url: str) -> None:
    assert here.call("forward.server_time") == upstream.clock.now
    upstream.clock.advance(100)
    with in_front_of(front_url) as two_gateways_away, logged_in(two_gateways_away) as client:
        assert client.call("forward.server_time") == upstream.clock.now
        assert client.call("trades.history", login=1) == []


def test_a_gateway_that_does_not_tell_the_time(upstream: Bench) -> None:
    with (
        in_front_of(upstream.url, plugin=False) as silent,
        in_front_of(silent) as front,
        logged_in(front) as client,
    ):
        assert client.fails("forward.server_time").code == "server_time_unknown"
        assert client.call("trades.history", login=1) == [], "the other gateway says what now is"


def headers(login: int, password: str) -> dict[str, str]:
    return {"MT-SERVER": MANAGER.server, "MT-LOGIN": str(login), "MT-PASSWORD": password}


def test_old_dialects_and_handshakes_with_credentials(front_url: str) -> None:
    with Client(front_url, dialect="1.00", headers=headers(MANAGER.login, MANAGER.password)) as client:
        assert client.call("users.get", logins=[1])[0]["login"] == 1


def test_handshakes_are_refused_as_there(front_url: str, upstream: Bench) -> None:
    refused = []
    for url in (front_url, upstream.url):
        with pytest.raises(InvalidStatus) as refusal, Client(url, headers=headers(1, "wrong")):
            pass
        refused.append((refusal.value.response.status_code, bytes(refusal.value.response.body or b"")))
    assert refused[0] == refused[1]
    assert refused[0][0] == 401


@pytest.mark.mt_remote_backends("forward")
def test_the_stand_holds_the_server_behind_both(mt_client: Client, mt4_server: Any, manual_clock: Any) -> None:
    mt_client.subscribe("tick")
    mt_client.call("symbol.show", symbol="EURUSD")
    manual_clock.advance(60)
    mt4_server.tick("EURUSD", 1.25, 1.2501)
    assert mt_client.event("tick") == {"symbol": "EURUSD", "time": manual_clock.now, "bid": 1.25, "ask": 1.2501}
