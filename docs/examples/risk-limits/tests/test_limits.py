"""Each limit: what it refuses, what it lets through, and what it says."""

from __future__ import annotations

from typing import Any

import pytest
from risk_limits.limits import Terms
from risk_limits.orders import SIDES, Side, side_volume, too_much
from scene import ASK, Json, Limit, order

from mt4sim import Server
from mt_remote.client import Client
from mt_remote.records import TradeCommand, TradeRecord

WIDE = {"max_lots": 100, "max_net_lots": 1000, "max_points": 100000}


def opened(client: Client, login: int, **fields: Any) -> int:
    return int(client.call("order.open", order(login, **fields))["order"])


def refused(client: Client, name: str, limit: str, /, **fields: Any) -> str:
    """The field that a call is refused for."""
    error = client.fails(name, fields)
    assert error.code == "risk_limit"
    (detail,) = error.details
    assert limit in detail["problem"]
    assert str(error) == f"risk_limit: {detail['path']}: {detail['problem']}"
    return str(detail["path"])


@pytest.mark.mt_remote_backends
def test_the_largest_order(mt_client: Client, account: int, limit: Limit) -> None:
    limit(max_lots=2.5)
    opened(mt_client, account, volume=2.5)
    assert refused(mt_client, "order.open", "max_lots", **order(account, volume=2.51)) == "volume"
    pending = order(account, volume=2.51, command="sell_limit", price=1.2)
    assert refused(mt_client, "order.open", "max_lots", **pending) == "volume"


@pytest.mark.mt_remote_backends
def test_net_lots(mt_client: Client, account: int, limit: Limit) -> None:
    limit(max_net_lots=1.0)
    opened(mt_client, account, volume=0.7)
    assert refused(mt_client, "order.open", "max_net_lots", **order(account, volume=0.31)) == "volume"
    opened(mt_client, account, volume=0.3)
    sell = opened(mt_client, account, command="sell", volume=1.0)
    assert refused(mt_client, "order.open", "max_net_lots", **order(account, command="sell")) == "volume"
    # Net 0 now; yet with another buy, closing the sell (never refused) would leave more than one lot.
    assert refused(mt_client, "order.open", "max_net_lots", **order(account, volume=0.01)) == "volume"
    mt_client.call("order.close", order=sell, volume=1.0, price=ASK)
    opened(mt_client, account, symbol="GBPUSD", volume=1.0, price=1.25)
    bob = {"group": "demoforex", "name": "Bob Example", "password": "Secret1", "enable": True, "leverage": 100}
    opened(mt_client, int(mt_client.call("user.add", bob)["login"]), volume=1.0)


def test_pending_orders_count_before_they_are_positions(
    mt_client: Client, mt4_server: Server, account: int, limit: Limit
) -> None:
    limit(max_net_lots=1.0)
    first = opened(mt_client, account, command="buy_limit", volume=0.6, price=1.09)
    assert refused(mt_client, "order.open", "max_net_lots", **order(account, volume=0.5)) == "volume"
    mt_client.call("order.activate", order=first, price=1.09)
    opened(mt_client, account, volume=0.4)
    opened(mt_client, account, command="sell_limit", volume=0.6, price=1.11)
    mt4_server.tick("EURUSD", 1.12, 1.1201)
    assert refused(mt_client, "order.open", "max_net_lots", **order(account, command="sell", volume=0.5)) == "volume"


@pytest.mark.mt_remote_backends
def test_a_price_too_far(mt_client: Client, account: int, limit: Limit) -> None:
    limit(max_points=100)
    for command in ("buy", "sell", "buy_limit", "sell_stop"):
        for inside, outside in ((1.1011, 1.10111), (1.0990, 1.09899)):
            opened(mt_client, account, command=command, price=inside)
            far = order(account, command=command, price=outside)
            assert refused(mt_client, "order.open", "max_points", **far) == "price"


@pytest.mark.mt_remote_backends
def test_a_ban(mt_client: Client, account: int, limit: Limit) -> None:
    held = opened(mt_client, account)
    waiting = opened(mt_client, account, command="buy_limit", price=1.09)
    limit(symbols={"EURUSD": {"banned": True}})
    assert refused(mt_client, "order.open", "banned", **order(account)) == "symbol"
    assert refused(mt_client, "order.open", "banned", **order(account, command="sell_stop", price=1.0)) == "symbol"
    assert refused(mt_client, "order.activate", "banned", order=waiting, price=1.09) == "order"
    assert refused(mt_client, "order.modify", "banned", order=waiting, price=1.0999) == "price"
    opened(mt_client, account, symbol="GBPUSD", price=1.25)
    mt_client.call("order.modify", order=held, sl=1.05)
    mt_client.call("order.close", order=held, volume=0.1, price=ASK)
    mt_client.call("order.cancel", order=waiting, command="buy_limit")


def test_activating_under_limits_that_fell(mt_client: Client, account: int, limit: Limit) -> None:
    waiting = opened(mt_client, account, command="buy_limit", volume=2.0, price=1.09)
    fallen: list[tuple[Json, str, str]] = [
        ({"max_lots": 1.0}, "max_lots", "order"),
        ({"max_lots": None, "max_net_lots": 1.0}, "max_net_lots", "order"),
        ({"max_net_lots": None, "max_points": 10}, "max_points", "price"),
    ]
    for fields, name, field in fallen:
        limit(**fields)
        assert refused(mt_client, "order.activate", name, order=waiting, price=1.09) == field
    limit(max_points=1000)
    mt_client.call("order.activate", order=waiting, price=1.09)


def test_another_price_of_a_pending_order(mt_client: Client, account: int, limit: Limit) -> None:
    waiting = opened(mt_client, account, command="buy_limit", price=1.05)
    limit(max_points=100)
    assert refused(mt_client, "order.modify", "max_points", order=waiting, price=1.04) == "price"
    mt_client.call("order.modify", order=waiting, price=1.05, tp=1.2, comment="sent back as it was")
    mt_client.call("order.modify", order=waiting, price=1.0995)


@pytest.mark.mt_remote_backends
def test_what_reduces_risk_is_never_refused(mt_client: Client, account: int, limit: Limit) -> None:
    """Everything is over every limit here, and all of it can still be closed."""
    first, second = opened(mt_client, account, volume=3.0), opened(mt_client, account, volume=1.0)
    third, fourth = (opened(mt_client, account, command="sell", volume=lots) for lots in (2.0, 1.0))
    waiting = opened(mt_client, account, command="buy_stop", volume=5.0, price=1.3)
    limit(max_lots=0.01, max_net_lots=0.01, max_points=0, banned=True)
    mt_client.call("order.modify", order=first, sl=1.0, tp=1.5)
    mt_client.call("order.close", order=first, volume=1.0, price=3.0)
    mt_client.call("order.close_by", order=second, order_by=fourth)
    mt_client.call("order.close", order=third, volume=2.0, price=0.5)
    mt_client.call("order.close_all", login=account, symbol="EURUSD")
    mt_client.call("order.cancel", order=waiting, command="buy_stop")
    mt_client.call("order.balance", login=account, command="balance", amount=-1.0)
    assert mt_client.call("risk.refusals.get")["total"] == 0


def test_limits_that_are_wide_or_absent_change_no_answer(mt_client: Client, account: int, limit: Limit) -> None:
    opened(mt_client, account, volume=500.0, price=2.5)
    assert mt_client.call("risk.refusals.get")["total"] == 0
    limit(**WIDE)
    waiting = opened(mt_client, account, command="buy_limit", price=1.09)
    mt_client.call("order.cancel", order=waiting, command="buy_limit")
    assert mt_client.fails("order.activate", order=waiting, price=1.09).code != "risk_limit"
    assert mt_client.fails("order.activate", order=987654, price=1.09).code == "not_found"
    assert mt_client.fails("order.modify", order=987654, price=1.09).code == "not_found"
    assert mt_client.fails("order.open", order(account, symbol="NOSUCH")).code == "not_found"
    assert mt_client.fails("order.open", order(987654)).code == "bad_account_info"


@pytest.mark.parametrize("command", SIDES)
def test_every_command_counts_on_its_side(command: TradeCommand) -> None:
    terms, own = Terms(max_net_lots=1.0), Side.LONG if command.value.startswith("buy") else Side.SHORT
    trade = TradeRecord(symbol="EURUSD", cmd=command, volume=0.6)
    for side in Side:
        volume = side_volume([trade], "EURUSD", side) + 50
        assert (too_much(terms, "EURUSD", side, volume, "volume") is not None) == (side is own)
    assert side_volume([trade], "GBPUSD", own) == 0
