"""`report.exposure`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mt4sim import NewOrder, Server
from mt_remote.client import Client, Credentials
from mt_remote.records import TradeCommand
from mt_remote_tools.testing import Bench


def order(client: Client, login: int, command: str, volume: float, price: float, symbol: str = "EURUSD") -> int:
    opened = client.call("order.open", login=login, symbol=symbol, command=command, volume=volume, price=price)
    return int(opened["order"])


@pytest.mark.mt_remote_backends
def test_lots_of_all_accounts_are_taken_together(mt_client: Client, new_account: Callable[..., int]) -> None:
    ann, bob = new_account(), new_account()
    order(mt_client, bob, "buy", 0.05, 107.123, symbol="USDJPY")
    order(mt_client, ann, "buy", 0.1, 1.1)
    order(mt_client, ann, "buy", 0.2, 1.1003)
    order(mt_client, bob, "sell", 1.5, 1.09995)
    order(mt_client, bob, "buy_limit", 9.0, 1.05)  # nobody holds it yet
    assert mt_client.call("report.exposure") == [
        {
            "symbol": "EURUSD",
            "net": -1.2,
            "long": 0.3,
            "short": 1.5,
            "long_price": 1.1002,
            "short_price": 1.09995,
            "positions": 3,
            "accounts": 2,
        },
        {
            "symbol": "USDJPY",
            "net": 0.05,
            "long": 0.05,
            "short": 0.0,
            "long_price": 107.123,
            "short_price": 0.0,
            "positions": 1,
            "accounts": 1,
        },
    ]


@pytest.mark.mt_remote_backends
def test_one_symbol(mt_client: Client, new_account: Callable[..., int]) -> None:
    login = new_account()
    order(mt_client, login, "buy", 0.1, 1.1)
    order(mt_client, login, "sell", 0.1, 107.0, symbol="USDJPY")
    assert [line["symbol"] for line in mt_client.call("report.exposure", symbol="USDJPY")] == ["USDJPY"]
    assert mt_client.call("report.exposure", symbol="GBPUSD") == []
    error = mt_client.fails("report.exposure", symbol="EURUSDD")
    assert (error.code, error.message) == ("not_found", "Cannot find symbol 'EURUSDD'")


def test_a_closed_position_is_no_exposure(mt_client: Client, new_account: Callable[..., int]) -> None:
    ticket = order(mt_client, new_account(), "sell", 0.3, 1.1)
    mt_client.call("order.close", order=ticket, volume=0.1, price=1.1)
    assert mt_client.call("report.exposure")[0]["net"] == -0.2
    rest = mt_client.call("trades.get")[0]["order"]
    mt_client.call("order.close", order=rest, volume=0.2, price=1.1)
    assert mt_client.call("report.exposure") == []


def test_pages(mt_client: Client, new_account: Callable[..., int]) -> None:
    login = new_account()
    for symbol, price in (("USDJPY", 107.0), ("EURUSD", 1.1), ("GBPUSD", 1.2)):
        order(mt_client, login, "buy", 0.01, price, symbol)
    page = mt_client.request("report.exposure", {"limit": 2})
    assert ([line["symbol"] for line in page["result"]], page["next"]) == (["EURUSD", "GBPUSD"], "GBPUSD")
    rest = mt_client.request("report.exposure", {"limit": 2, "after": page["next"]})
    assert ([line["symbol"] for line in rest["result"]], "next" in rest) == (["USDJPY"], False)


@pytest.mark.mt_remote_backends
def test_a_manager_sees_what_he_may(mt_client: Client, mt_gateway: Bench, new_account: Callable[..., int]) -> None:
    """The exposure of his own groups, or, without the right to see trades, none."""
    order(mt_client, new_account(), "buy", 0.1, 1.1)
    order(mt_client, new_account(group="miniforex"), "buy", 5.0, 1.1)
    assert [line["net"] for line in mt_client.call("report.exposure")] == [5.1]
    mt_client.call("user.add", login=55, group="manager", name="Desk", password="Manager55", enable=True)
    rights = {"login": 55, "name": "Desk", "manager": True, "groups": ["demo*"]}
    credentials = Credentials(mt_gateway.credentials.server, 55, "Manager55")
    mt_client.call("config.manager.set", rights | {"see_trades": True})
    assert [line["net"] for line in mt_gateway.client(credentials).call("report.exposure")] == [0.1]
    mt_client.call("config.manager.set", rights | {"see_trades": False})
    assert mt_gateway.client(credentials).fails("report.exposure").code == "not_enough_rights"


def test_a_book_of_many_positions(mt_client: Client, mt4_server: Server, new_account: Callable[..., int]) -> None:
    """More than are entered in one go, and a sum that floats would get wrong."""
    login, dealer = new_account(), mt4_server.login(1, "manager")
    for _ in range(250):
        dealer.open(login, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.1))
    line = mt_client.call("report.exposure")[0]
    assert (line["net"], line["long_price"], line["positions"], line["accounts"]) == (25.0, 1.1, 250, 1)
