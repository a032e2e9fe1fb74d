"""Semantics, chapter 7 (tickets, records, money) and what 9.1 - 9.5 say of accounts."""

from __future__ import annotations

from typing import Any

import pytest

from mt4sim import OrderChange
from mt4sim.events import Change
from mt4sim.state.orders import Order, OrderState
from mt_remote.errors import InvalidData, NotFound, ServerError
from mt_remote.records import ConGroup, Draft, ExecutionMode, Patch, TradeCommand, TradeReason, UserRecord

from .conftest import Broker

BUY, BALANCE, CREDIT = TradeCommand.BUY, TradeCommand.BALANCE, TradeCommand.CREDIT


def test_one_counter_for_every_record(broker: Broker) -> None:
    login = broker.account()
    tickets = [
        broker.open(login, BUY, 1.0, 1.1),
        broker.open(login, TradeCommand.SELL_LIMIT, 1.0, 1.2),
        broker.trading.transactions.balance(login, BALANCE, 100),
        broker.trading.transactions.balance(login, CREDIT, 100, expiration=broker.server.now + 60),
    ]
    broker.trading.transactions.close(tickets[0], 0.5, 1.1)
    assert tickets == [101, 102, 103, 104]
    assert [record.order for record in broker.orders(login)] == [102, 105]
    assert broker.server.config.common().last_order == 105


def test_logins(broker: Broker) -> None:
    explicit, chosen = broker.account(login=100), broker.account()
    assert (explicit, chosen, broker.server.common.last_login) == (100, 1, 1)
    broker.account(login=2)
    assert broker.account() == 3
    with pytest.raises(InvalidData, match="login: the account 100 exists already"):
        broker.account(login=100)


@pytest.mark.parametrize(("cmd", "money"), [(BALANCE, (111.11, 0.0)), (CREDIT, (0.0, 111.11))])
def test_balance_and_credit_records(broker: Broker, cmd: TradeCommand, money: tuple[float, float]) -> None:
    login = broker.account()
    broker.told()
    until = broker.server.now + 3600 if cmd is CREDIT else 0
    ticket = broker.trading.transactions.balance(login, cmd, 111.11, expiration=until, comment="gift")
    record = broker.record(ticket)
    assert (record.cmd, record.symbol, record.digits, record.volume) == (cmd, "", 0, 0.01)
    assert (record.open_price, record.close_price, record.margin_rate, record.conv_rates) == (0.0, 0.0, 0.0, (0.0, 0.0))
    assert (record.open_time, record.close_time) == (broker.server.now, broker.server.now)
    assert (record.profit, record.comment, record.reason) == (111.11, "gift", TradeReason.CLIENT)
    assert (broker.user(login).balance, broker.user(login).credit) == money
    assert broker.trading.engine.book.open_of(login) == []
    assert [(change, each.order) for change, each in broker.told()] == [(Change.ADD, ticket)]


@pytest.mark.parametrize("late", [0, -1, None])
def test_credit_needs_an_expiration_in_the_future(broker: Broker, late: int | None) -> None:
    login = broker.account()
    with pytest.raises(InvalidData, match="expiration"):
        broker.trading.transactions.balance(
            login, CREDIT, 10, expiration=0 if late is None else broker.server.now + late
        )
    assert (broker.history(login), broker.user(login).credit) == ([], 0.0)


def test_credit_expires(broker: Broker) -> None:
    login = broker.account()
    broker.trading.transactions.balance(login, CREDIT, 100, expiration=broker.server.now + 3600)
    broker.trading.transactions.balance(login, CREDIT, 50, expiration=broker.server.now + 7200)
    broker.server.advance(3600)
    assert broker.user(login).credit == 50.0
    assert [(record.cmd, record.profit) for record in broker.history(login)] == [
        (CREDIT, 100.0), (CREDIT, 50.0), (CREDIT, -100.0),
    ]  # fmt: skip
    broker.server.advance(3600)
    assert broker.user(login).credit == 0.0


def test_credit_that_was_taken_back_does_not_expire_again(broker: Broker) -> None:
    login = broker.account()
    broker.trading.transactions.balance(login, CREDIT, 100, expiration=broker.server.now + 3600)
    broker.trading.transactions.balance(login, CREDIT, -70, expiration=broker.server.now + 60)
    broker.server.advance(3600)
    assert broker.user(login).credit == 0.0


def test_the_credit_of_a_deleted_account_does_not_expire_on_its_successor(broker: Broker) -> None:
    login = broker.account(login=77)
    broker.trading.transactions.balance(login, CREDIT, 100, expiration=broker.server.now + 60)
    broker.server.accounts.delete(login)
    broker.account(login=77)
    broker.trading.transactions.balance(login, CREDIT, 30, expiration=broker.server.now + 3600)
    broker.server.advance(60)
    assert broker.user(login).credit == 30.0


@pytest.mark.parametrize(("cmd", "amount"), [(BALANCE, -100.01), (CREDIT, -50.01)])
def test_more_than_is_free_can_not_be_taken(broker: Broker, cmd: TradeCommand, amount: float) -> None:
    login = broker.account(100)
    until = broker.server.now + 3600
    broker.trading.transactions.balance(login, CREDIT, 50, expiration=until)
    with pytest.raises(ServerError, match="amount") as refused:
        broker.trading.transactions.balance(login, cmd, amount, expiration=until)
    assert refused.value.return_code == 134
    broker.trading.transactions.balance(login, cmd, amount + 0.01, expiration=until)


def test_margin_and_losses_are_not_free(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account(1000)
    broker.open(login, BUY, 0.1, 1.101)
    with pytest.raises(ServerError) as refused:  # margin 110.10, loss 10
        broker.trading.transactions.balance(login, BALANCE, -879.91)
    assert refused.value.return_code == 134
    broker.trading.transactions.balance(login, BALANCE, -879.90)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"amount": 0.0}, "amount"), ({"amount": float("nan")}, "amount"), ({"command": BUY}, "command"),
     ({"comment": "x" * 32}, "comment"), ({"login": 4711}, "login: there is no account 4711")],
)  # fmt: skip
def test_what_a_balance_operation_needs(broker: Broker, change: dict[str, Any], named: str) -> None:
    given = {"login": broker.account(), "command": BALANCE, "amount": 10.0, **change}
    with pytest.raises((InvalidData, ServerError), match=named):
        broker.trading.transactions.balance(**given)


def test_states(broker: Broker) -> None:
    login = broker.account()
    a, b, c = (broker.open(login, BUY, 1.0, 1.1) for _ in range(3))
    d = broker.open(login, TradeCommand.SELL, 1.0, 1.1)
    pending = broker.open(login, TradeCommand.BUY_STOP, 1.0, 1.2)
    broker.trading.transactions.close(a, 1.0, 1.1)
    broker.trading.transactions.close(b, 0.5, 1.1)
    broker.trading.transactions.close_by(c, d)
    broker.trading.transactions.delete(pending)
    states = [broker.trading.engine.book.find(each).state for each in (a, b, c, d, pending)]
    assert states == [
        OrderState.CLOSED_NORMAL, OrderState.CLOSED_PART, OrderState.CLOSED_BY, OrderState.CLOSED_BY,
        OrderState.DELETED,
    ]  # fmt: skip
    assert broker.orders(login)[0].order == pending + 1


def test_closing_realises_the_sum(broker: Broker) -> None:
    broker.group(security={"commission_base": 7.0})
    login = broker.account(1000, taxes=10.0)
    ticket = broker.open(login, BUY, 1.0, 1.1)
    broker.trading.engine.charge_swap(broker.trading.engine.book.find(ticket), -2_00)
    broker.trading.transactions.close(ticket, 1.0, 1.101)
    record = broker.record(ticket)
    assert (record.profit, record.storage, record.commission, record.taxes) == (100.0, -2.0, -7.0, -9.3)
    assert broker.user(login).balance == 1081.70


def test_history_selects_by_close_time_and_is_ordered_by_ticket(broker: Broker) -> None:
    login = broker.account()
    start = broker.server.now
    one, two = broker.open(login, BUY, 1.0, 1.1), broker.open(login, BUY, 1.0, 1.1)
    broker.server.advance(10)
    broker.trading.transactions.balance(login, BALANCE, 5)
    broker.trading.transactions.close(two, 1.0, 1.1)
    broker.server.advance(10)
    broker.trading.transactions.close(one, 1.0, 1.1)

    def found(first: int, last: int) -> list[int]:
        return [order.ticket for order in broker.trading.engine.book.history(login, start + first, start + last)]

    assert found(0, 100) == [one, two, two + 1]
    assert found(10, 10) == [two, two + 1]
    assert found(11, 100) == [one]
    assert found(0, 9) == []


def test_events_of_an_orders_life(broker: Broker) -> None:
    login = broker.account()
    broker.told()
    ticket = broker.open(login, TradeCommand.BUY_STOP, 1.0, 1.1)
    broker.trading.transactions.modify(ticket, OrderChange(sl=1.0))
    broker.trading.transactions.activate(ticket, 1.1)
    broker.trading.transactions.close(ticket, 0.4, 1.2)
    told = broker.told()
    assert [(change, record.order) for change, record in told] == [
        (Change.ADD, ticket), (Change.UPDATE, ticket), (Change.UPDATE, ticket), (Change.DELETE, ticket),
        (Change.ADD, ticket + 1),
    ]  # fmt: skip
    finished = told[3][1]
    assert (finished.close_time, finished.profit, finished.comment) == (
        broker.server.now, 4000.0, f"to #{ticket + 1}",
    )  # fmt: skip


# Accounts


def test_a_new_account_begins_with_nothing(broker: Broker) -> None:
    draft = {"group": "main", "name": "New", "password": "Pass1", "user_color": 255}
    login = broker.server.accounts.add(Draft(UserRecord, draft)).login
    user = broker.user(login)
    assert (user.balance, user.credit, user.interestrate, user.prev_day_balance) == (0.0, 0.0, 0.0, 0.0)
    assert (user.reg_date, user.last_date, user.timestamp) == (broker.server.now, broker.server.now, 0)
    assert (user.enable, user.leverage, user.last_ip, user.user_color) == (False, 0, "0.0.0.0", 255)
    assert (user.password, user.password_investor) == ("", "")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"group": "nope"}, "group"), ({"name": ""}, "name"), ({"password": "abc"}, "password"),
     ({"password": "abcdef"}, "password"), ({"password_investor": "12345"}, "password_investor")],
)  # fmt: skip
def test_what_accounts_need(broker: Broker, wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidData, match=f"^{named}: "):
        broker.account(**wrong)
    assert broker.server.common.last_login == 0


@pytest.mark.parametrize("password", ["Pass1", "Trader", "Investor", "qwe123"])
def test_passwords_that_real_servers_took(broker: Broker, password: str) -> None:
    login = broker.account(password=password)
    assert broker.server.accounts.check_password(login, password) is False


def test_passwords(broker: Broker) -> None:
    accounts = broker.server.accounts
    login = broker.account(password_investor="Watch1")
    assert accounts.check_password(login, "Watch1") is True
    accounts.set_password(login, "Other2")
    accounts.set_password(login, "Watch2", investor=True)
    assert [accounts.check_password(login, each) for each in ("Other2", "Watch2")] == [False, True]
    for wrong in ("Pass1", "Watch1", ""):
        with pytest.raises(ServerError) as refused:
            accounts.check_password(login, wrong)
        assert refused.value.return_code == 65
    accounts.set(Patch(UserRecord, {"login": login, "password": "", "name": "Same"}))
    assert accounts.check_password(login, "Other2") is False
    with pytest.raises(InvalidData):
        accounts.set_password(login, "weak")


def test_an_update_leaves_money_alone(broker: Broker) -> None:
    login = broker.account(100)
    broker.told()
    broker.server.accounts.set(Patch(UserRecord, {"login": login, "name": "Other", "balance": 9.0, "leverage": 50}))
    user = broker.user(login)
    assert (user.name, user.balance, user.leverage, user.timestamp) == ("Other", 100.0, 50, broker.server.now)
    assert [change for change, _ in broker.told("user")] == [Change.UPDATE]


def test_leverage_and_group_changes_count_at_once(broker: Broker) -> None:
    broker.server.config.add_group(Draft(ConGroup, {"group": "other", "currency": "USD"}))
    security = {"spread_diff": 4, "execution_mode": ExecutionMode.AUTO}
    broker.server.config.set_group(Patch(ConGroup, {"group": "other", "securities": {"Forex": security}}))
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 1.1, sl=1.0)
    broker.server.accounts.set(Patch(UserRecord, {"login": login, "leverage": 200}))
    assert broker.margin(login) == 550.0
    broker.told()
    broker.server.accounts.set(Patch(UserRecord, {"login": login, "group": "other"}))
    assert [change for change, _ in broker.told("user")] == [Change.CHANGE_GROUP, Change.UPDATE]
    broker.tick("EURUSD", 1.00002, 1.0001)
    assert broker.record(ticket).comment == "[sl]"


def test_deleting_an_account_takes_all_with_it(broker: Broker) -> None:
    login = broker.account(1000, login=77)
    open_one = broker.open(login, BUY, 1.0, 1.1, sl=1.0)
    closed = broker.open(login, BUY, 1.0, 1.1)
    broker.trading.transactions.close(closed, 1.0, 1.1)
    broker.open(login, TradeCommand.BUY_LIMIT, 1.0, 1.0, expiration=broker.server.now + 10)
    broker.server.accounts.delete(login)
    for ticket in (open_one, closed):
        with pytest.raises(NotFound):
            broker.trading.engine.book.find(ticket)
    broker.account(login=77)
    assert (broker.orders(77), broker.history(77), broker.margin(77)) == ([], [], 0.0)
    broker.tick("EURUSD", 0.9, 0.9)
    broker.server.advance(86_400)
    assert broker.history(77) == []


def test_an_order_shows_itself() -> None:
    assert repr(Order(7, 1, "EURUSD", 5, BUY, 150, 110_000, 0)) == "<Order 7 buy 1.5 EURUSD of 1>"
