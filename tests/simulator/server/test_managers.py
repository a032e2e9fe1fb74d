"""Managers: log-in codes, rights, masks, what they see (Semantics 9)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.simulator.server.conftest import Broker

from mt4sim import NewOrder
from mt4sim.desk.managers import ManagerSession
from mt_remote.errors import NotFound, ReturnCode, ServerError
from mt_remote.records import (
    ConCommon,
    ConfirmMode,
    ConGroup,
    ConManager,
    Draft,
    Patch,
    TradeCommand,
    UserRecord,
)  # fmt: skip

Call = Callable[[ManagerSession, int], object]

MATRIX: list[tuple[str, str, Call]] = [
    ("admin", "common", lambda m, login: m.common()),
    ("admin", "set_common", lambda m, login: m.set_common(Patch(ConCommon, {}))),
    ("admin", "add_group", lambda m, login: m.add_group(Draft(ConGroup, {"group": "new"}))),
    ("admin", "set_group", lambda m, login: m.set_group(Patch(ConGroup, {"group": "demoforex"}))),
    ("admin", "delete_group", lambda m, login: m.delete_group("miniforex")),
    ("admin", "managers", lambda m, login: m.managers()),
    ("admin", "manager", lambda m, login: m.manager(1)),
    ("admin", "set_manager", lambda m, login: m.set_manager(Patch(ConManager, {"login": 60}))),
    ("admin", "delete_manager", lambda m, login: m.delete_manager(70)),
    ("manager", "add_user", lambda m, login: m.add_user(
        Draft(UserRecord, {"group": "demoforex", "name": "N", "password": "Trader1"}))),
    ("manager", "set_user", lambda m, login: m.set_user(Patch(UserRecord, {"login": login, "name": "B"}))),
    ("manager", "change_users", lambda m, login: m.change_users([login], leverage=50)),
    ("manager", "delete_users", lambda m, login: m.delete_users([login])),
    ("manager", "check_password", lambda m, login: m.check_password(login, "Trader1")),
    ("manager", "set_password", lambda m, login: m.set_password(login, "Secret1")),
    ("money", "balance", lambda m, login: m.balance(login, TradeCommand.BALANCE, 1.0)),
    ("trades", "open", lambda m, login: m.open(login, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.0))),
    ("trades", "close_all", lambda m, login: m.close_all(login, "EURUSD")),
    ("see_trades", "trades", lambda m, login: m.trades()),
    ("see_trades", "trades_of", lambda m, login: m.trades_of(login, "demoforex")),
    ("see_trades", "margin_levels", lambda m, login: m.margin_levels()),
    ("online", "online", lambda m, login: m.online()),
    ("reports", "history", lambda m, login: m.history(login, 0, 2**31 - 1)),
    ("reports", "daily_reports", lambda m, login: m.daily_reports([login], 0, 2**31 - 1)),
    ("market_watch", "add_tick", lambda m, login: m.add_tick("EURUSD", 1.0, 1.1)),
    ("broker", "start_dealing", lambda m, login: m.start_dealing(lambda deal: None)),
    ("broker", "confirm", lambda m, login: m.confirm_request(1, 1.0, 1.1, ConfirmMode.NORMAL)),
]  # fmt: skip
ALL_RIGHTS = sorted({right for right, _, _ in MATRIX})


@pytest.mark.parametrize(("right", "call"), [(r, c) for r, _, c in MATRIX], ids=[name for _, name, _ in MATRIX])
def test_rights_matrix(broker: Broker, right: str, call: Call) -> None:
    login = broker.account()
    broker.manager(70)
    without = broker.manager(50, **{name: name != right for name in ALL_RIGHTS})
    number = broker.server.events.number
    with pytest.raises(ServerError) as refused:
        call(without, login)
    assert refused.value.return_code == ReturnCode.NOT_ENOUGH_RIGHTS
    assert broker.server.events.number == number
    allowed = broker.manager(51, **{right: True})
    if right == "broker":
        allowed.start_dealing(lambda deal: None)
        with pytest.raises(NotFound):
            allowed.confirm_request(1, 1.0, 1.1, ConfirmMode.NORMAL)
    else:
        call(allowed, login)


def test_the_first_admin(broker: Broker) -> None:
    (user,) = broker.admin.users_by([1])
    assert (user.name, user.group, user.enable_otp) == ("First Admin", "manager", True)
    assert user.comment == "automaticaly generated on startup"


def login_code(broker: Broker, login: int, password: str, address: str = "127.0.0.1") -> int:
    with pytest.raises(ServerError) as refused:
        broker.server.login(login, password, address=address)
    return refused.value.return_code


def test_log_in_codes(broker: Broker) -> None:
    trader = broker.account()
    assert login_code(broker, 1, "wrong") == 65
    assert login_code(broker, 999, "manager") == 65
    assert login_code(broker, trader, "Trader1") == 65
    broker.manager(50)
    broker.admin.set_manager(Patch(ConManager, {
        "login": 50, "ip_filter": True, "ip_from": "10.0.0.1", "ip_to": "10.0.0.9"}))  # fmt: skip
    assert login_code(broker, 50, "manager", "10.0.0.10") == 65
    assert broker.server.login(50, "manager", address="10.0.0.9").login == 50
    broker.admin.set_user(Patch(UserRecord, {"login": 1, "enable": False}))
    assert login_code(broker, 1, "manager") == 64


def test_what_is_outside_the_masks_is_invisible(broker: Broker) -> None:
    inside, outside = broker.account("demoforex"), broker.account("demopro")
    tickets = [broker.admin.open(login, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.08)) for login in (inside, outside)]
    session = broker.manager(50, "demo*,!demopro*", **dict.fromkeys(ALL_RIGHTS, True), user_details=True)
    assert [user.login for user in session.users()] == [inside]
    assert session.users_by([outside, inside])[0].login == inside
    assert [trade.order for trade in session.trades()] == tickets[:1]
    assert "demopro" not in [group.group for group in session.groups()]
    assert [level.login for level in session.margin_levels()] == [inside]
    calls: list[Callable[[], object]] = [
        lambda: session.trade(tickets[1]),
        lambda: session.close(tickets[1], 0.1, 1.0),
        lambda: session.balance(outside, TradeCommand.BALANCE, 1.0),
        lambda: session.delete_users([inside, outside]),
        lambda: session.change_users([inside], group="demopro"),
        lambda: session.group("demopro"),
    ]
    for call in calls:
        with pytest.raises(ServerError) as refused:
            call()
        assert refused.value.return_code == ReturnCode.NOT_ENOUGH_RIGHTS
    assert len(broker.admin.users_by([inside, outside])) == 2


def test_details_are_blank_without_the_right(broker: Broker) -> None:
    login = broker.account()
    (user,) = broker.manager(50).users_by([login])
    assert (user.name, user.email) == ("", "")
    assert broker.admin.users_by([login])[0].email == "client@example.com"


def test_info_depth_limits_the_history(broker: Broker) -> None:
    login = broker.account()
    broker.server.advance(3 * 86_400)
    recent = broker.admin.balance(login, TradeCommand.BALANCE, 5.0)
    session = broker.manager(50, reports=True, info_depth=2)
    assert [each.order for each in session.history(login, 0, 2**31 - 1)] == [recent]
    assert len(broker.admin.history(login, 0, 2**31 - 1)) == 2


def test_group_operations_change_all_or_none(broker: Broker) -> None:
    logins = [broker.account(), broker.account()]
    with pytest.raises(NotFound):
        broker.admin.change_users([*logins, 424242], leverage=50)
    assert {user.leverage for user in broker.admin.users_by(logins)} == {100}
    broker.admin.change_users(logins, leverage=50, group="miniforex")
    assert {(user.leverage, user.group) for user in broker.admin.users_by(logins)} == {(50, "miniforex")}


def test_online_lists_who_is_at_a_terminal(broker: Broker) -> None:
    trader = broker.trader()
    assert broker.admin.online() == [trader.login]
    trader.log_out()
    assert broker.admin.online() == []


def test_a_new_group_has_every_security_and_all_are_zero(broker: Broker) -> None:
    broker.admin.add_group(Draft(ConGroup, {"group": "new"}))
    group = broker.admin.group("new")
    assert list(group.securities) == broker.server.securities
    assert not any(each.show or each.trade or each.lot_max for each in group.securities.values())


def test_a_group_with_users_can_not_be_deleted(broker: Broker) -> None:
    broker.account("miniforex")
    with pytest.raises(ServerError) as refused:
        broker.admin.delete_group("miniforex")
    assert refused.value.return_code == ReturnCode.ERROR
    with pytest.raises(NotFound):
        broker.admin.delete_group("none")
