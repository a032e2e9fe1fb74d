"""Semantics, 6.9: margin call and stop-out."""

from __future__ import annotations

import pytest

from mt4sim.events import Change
from mt4sim.state.figures import LevelType, MarginLevel
from mt4sim.state.orders import Activation
from mt_remote.records import ConGroup, Draft, ExecutionMode, MarginType, Patch, TradeCommand, UserRecord

from .conftest import Broker

BUY, SELL = TradeCommand.BUY, TradeCommand.SELL


def test_fires_at_the_level_and_not_before(broker: Broker) -> None:
    broker.group(margin_call=100, margin_stopout=20)
    login = broker.account(2000, leverage=500)
    ticket = broker.open(login, BUY, 1.0, 1.0)
    assert broker.margin(login) == 200.0
    broker.tick("EURUSD", 0.98041, 0.98061)  # a loss of 1959
    assert broker.record(ticket).close_time == 0
    broker.tick("EURUSD", 0.98040, 0.98060)
    record = broker.record(ticket)
    assert (record.close_price, record.profit, record.comment) == (0.9804, -1960.0, "so: 20.0%/40.00/200.00")
    assert broker.user(login).balance == 40.0


def test_the_comment_replaces_and_states_level_equity_and_margin(broker: Broker) -> None:
    broker.group(margin_stopout=50)
    login = broker.account(1169.20, leverage=100)
    ticket = broker.open(login, BUY, 0.32, 1.1075, comment="mine")
    assert broker.margin(login) == 354.40
    broker.tick("EURUSD", 1.07625, 1.07645)
    assert broker.record(ticket).comment == "so: 47.7%/169.20/354.40"


def test_the_largest_loss_goes_first_and_the_account_is_looked_at_again(broker: Broker) -> None:
    broker.group(margin_stopout=50)
    broker.tick("GBPUSD", 1.3, 1.3)
    login = broker.account(3800)
    small = broker.open(login, BUY, 0.5, 1.1)
    large = broker.open(login, BUY, 1.0, 1.1)
    gaining = broker.open(login, SELL, 0.1, 1.31, "GBPUSD")
    pending = broker.open(login, TradeCommand.BUY_LIMIT, 1.0, 0.5)
    broker.tick("EURUSD", 1.079, 1.0791)  # -1050, -2100, +100
    assert broker.record(large).close_time
    assert [broker.record(each).close_time for each in (small, gaining, pending)] == [0, 0, 0]


def test_margin_calls_are_told_when_they_begin_and_end(broker: Broker) -> None:
    broker.group(margin_call=100, margin_stopout=20)
    login = broker.account(2000)
    broker.open(login, BUY, 1.0, 1.1)
    broker.tick("EURUSD", 1.1, 1.1)
    broker.told()
    broker.tick("EURUSD", 1.0911, 1.0911)
    assert broker.told("margin_call") == []
    broker.tick("EURUSD", 1.0910, 1.0910)
    ((change, (who, level)),) = broker.told("margin_call")
    assert (change, who, level.level, level.level_type) == (Change.ADD, login, 100.0, LevelType.MARGIN_CALL)
    broker.tick("EURUSD", 1.0905, 1.0905)
    assert broker.told("margin_call") == []
    broker.tick("EURUSD", 1.0911, 1.0911)
    assert [change for change, _ in broker.told("margin_call")] == [Change.DELETE]


def test_money_ends_a_margin_call(broker: Broker) -> None:
    broker.group(margin_call=100)
    login = broker.account(1100)
    broker.open(login, BUY, 1.0, 1.1)
    broker.tick("EURUSD", 1.1, 1.1)
    assert [change for change, _ in broker.told("margin_call")] == [Change.ADD]
    broker.trading.transactions.balance(login, TradeCommand.BALANCE, 100)
    broker.tick("EURUSD", 1.10001, 1.10001)
    assert [change for change, _ in broker.told("margin_call")] == [Change.DELETE]


def test_thresholds_in_currency_look_at_free_margin(broker: Broker) -> None:
    broker.group(margin_type=MarginType.CURRENCY, margin_stopout=100)
    login = broker.account(2000)
    ticket = broker.open(login, BUY, 1.0, 1.1)
    broker.tick("EURUSD", 1.09201, 1.09201)  # free: 900 - 799
    assert broker.record(ticket).close_time == 0
    broker.tick("EURUSD", 1.092, 1.092)
    assert broker.record(ticket).close_time


@pytest.mark.parametrize("skip", [False, True])
def test_a_hedged_account_without_margin(broker: Broker, skip: bool) -> None:
    login = broker.account(100)
    buy, sell = broker.open(login, BUY, 1.0, 1.1), broker.open(login, SELL, 1.0, 1.1)
    broker.group(margin_stopout=50, stopout_skip_hedged=skip)  # only now: one side alone needs 1100
    assert broker.margin(login) == 0.0
    broker.tick("EURUSD", 1.1, 1.1009)
    assert len(broker.orders(login)) == 2
    broker.tick("EURUSD", 1.1, 1.1011)
    assert bool(broker.record(sell).close_time) is not skip
    assert not (skip and broker.record(buy).close_time)


def test_thresholds_of_0_are_off(broker: Broker) -> None:
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 2.0)
    broker.tick("EURUSD", 1.0, 1.0001)
    assert broker.record(ticket).close_time == 0
    figures: MarginLevel = broker.trading.engine.margin_level(login)
    assert (figures.level_type, figures.equity) == (LevelType.OK, -100_000_00)


def test_other_symbols_that_convert_count_too(broker: Broker) -> None:
    """A position in EURGBP of a dollar account loses more when GBPUSD rises, though EURGBP stands still."""
    broker.group(margin_stopout=50)
    broker.tick("GBPUSD", 1.0, 1.0)
    broker.tick("EURUSD", 1.0, 1.0)
    broker.tick("EURGBP", 1.0, 1.0)
    login = broker.account(2500)
    ticket = broker.open(login, BUY, 1.0, 1.01, "EURGBP")  # margin 1000, loss 1000 pounds
    broker.tick("GBPUSD", 1.5, 1.5)
    broker.tick("GBPUSD", 1.9999, 1.9999)
    assert broker.record(ticket).close_time == 0
    broker.tick("GBPUSD", 2.0, 2.0)
    assert broker.record(ticket).close_time


def test_narrowing_spreads_count_too(broker: Broker) -> None:
    """The bid of a cross rises below an ask that stands: a buyer's loss in it grows."""
    broker.group(margin_stopout=50)
    broker.tick("GBPUSD", 1.0, 3.0)
    broker.tick("EURUSD", 1.0, 1.0)
    broker.tick("EURGBP", 1.0, 1.0)
    login = broker.account(2500)
    ticket = broker.open(login, BUY, 1.0, 1.01, "EURGBP")
    broker.tick("GBPUSD", 1.9999, 3.0)
    assert broker.record(ticket).close_time == 0
    broker.tick("GBPUSD", 2.0, 3.0)
    assert broker.record(ticket).close_time


def test_dealers_are_asked_to_stop_out_their_groups(broker: Broker) -> None:
    broker.group(margin_stopout=50, security={"execution_mode": ExecutionMode.MANUAL})
    login = broker.account(1100)
    ticket = broker.open(login, BUY, 1.0, 1.1)
    broker.tick("EURUSD", 1.09, 1.09)
    order = broker.trading.engine.book.find(ticket)
    assert (order.activation, order.close_time) == (Activation.STOPOUT, 0)
    broker.tick("EURUSD", 1.12, 1.12)
    assert order.activation is Activation.STOPOUT_ROLLBACK
    broker.trading.transactions.close(ticket, 1.0, 1.12)
    assert broker.trading.triggers.marked() == []


def test_many_steps_miss_nothing(broker: Broker) -> None:
    """Bands only spare looks: the stop-out comes at the very tick at which it is due."""
    broker.group(margin_stopout=50)
    broker.symbol("USDJPY", margin_hedged=50_000.0)
    login = broker.account(3000)
    broker.open(login, BUY, 1.0, 150.0, "USDJPY")
    broker.open(login, SELL, 0.5, 150.0, "USDJPY")
    price = 150_000
    while len(broker.trading.engine.book.open_of(login)) == 2:
        price -= 7
        broker.tick("USDJPY", price / 1000, (price + 11) / 1000)
        level = broker.trading.engine.margin_level(login)
        assert not level.margin or level.equity > level.margin * 0.5
    assert broker.trading.supervisor.looks < 100


def test_the_first_price_of_a_symbol_counts_too(broker: Broker) -> None:
    """A position opened before its symbol has a price is looked at when the price comes."""
    broker.group(margin_stopout=50)
    broker.tick("GBPUSD", 1.3, 1.3)
    login = broker.account(2000)
    ticket = broker.open(login, BUY, 1.0, 1.1)
    broker.tick("GBPUSD", 1.31, 1.31)
    broker.tick("EURUSD", 1.05, 1.05)  # a loss of 5000: -272 %
    assert broker.record(ticket).comment == "so: -272.7%/-3000.00/1100.00"


def test_the_first_price_that_converts_counts_too(broker: Broker) -> None:
    """EURGBP in dollars: without a price of GBPUSD the loss counts nothing, with it 2500 dollars."""
    broker.group(margin_stopout=50)
    broker.tick("EURUSD", 1.0, 1.0)
    broker.tick("EURGBP", 1.0, 1.0)
    login = broker.account(2500)
    ticket = broker.open(login, BUY, 1.0, 1.02, "EURGBP")
    broker.tick("EURGBP", 1.0001, 1.0001)
    assert broker.record(ticket).close_time == 0
    broker.tick("GBPUSD", 1.25, 1.25)
    assert broker.record(ticket).close_time


def test_the_way_over_the_dollar_counts_while_the_pair_has_no_price(broker: Broker) -> None:
    """USDCAD in euros: EURCAD exists but has no price, so USDCAD and EURUSD convert."""
    broker.server.config.add_group(Draft(ConGroup, {"group": "euro", "currency": "EUR"}))
    broker.group("euro", margin_stopout=50, security={"execution_mode": 1})
    broker.tick("EURUSD", 2.0, 2.0)
    broker.tick("USDCAD", 1.0, 1.0)
    login = broker.account(1500, group="euro")
    ticket = broker.open(login, BUY, 1.0, 1.01, "USDCAD")  # a loss of 1000 CAD: 500 euros
    assert broker.margin(login) == 500.0
    broker.tick("EURUSD", 0.801, 0.801)
    assert broker.record(ticket).close_time == 0
    broker.tick("EURUSD", 0.8, 0.8)  # 1250 euros
    assert broker.record(ticket).close_time


def test_a_level_that_no_double_has_is_met_exactly(broker: Broker) -> None:
    """550 / 1000 * 100 is 55.00000000000001 in doubles."""
    broker.group(margin_stopout=55)
    login = broker.account(1550)
    ticket = broker.open(login, BUY, 1.0, 1.0)
    broker.tick("EURUSD", 0.99, 0.99)
    assert broker.record(ticket).comment == "so: 55.0%/550.00/1000.00"


def test_what_brings_an_account_to_harm_is_followed_at_once(broker: Broker) -> None:
    """By terms, by leverage, by money and by a trade at a price far from the market; no tick is needed."""
    broker.tick("EURUSD", 1.1, 1.1)
    doomed = [broker.account(1500) for _ in range(4)]
    tickets = [broker.open(login, BUY, 1.0, 1.1) for login in doomed[:3]]
    broker.group(margin_stopout=130)
    assert [len(broker.orders(login)) for login in doomed[:3]] == [1, 1, 1]
    broker.trading.transactions.balance(doomed[0], TradeCommand.BALANCE, -100)
    broker.server.accounts.set(Patch(UserRecord, {"login": doomed[1], "leverage": 50}))
    tickets.append(broker.open(doomed[3], SELL, 0.1, 1.0))
    assert [bool(broker.record(ticket).close_time) for ticket in tickets] == [True, True, False, False]
    broker.group(margin_stopout=150)
    assert broker.record(tickets[2]).close_time
    tickets.append(broker.open(doomed[3], SELL, 0.1, 0.9))  # a loss of 2000
    assert broker.record(tickets[4]).close_time


def test_credit_that_ends_takes_positions_with_it(broker: Broker) -> None:
    broker.group(margin_stopout=50)
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account(500)
    broker.trading.transactions.balance(login, TradeCommand.CREDIT, 1000, expiration=broker.server.now + 60)
    ticket = broker.open(login, BUY, 1.0, 1.1)
    broker.server.advance(59)
    assert broker.record(ticket).close_time == 0
    broker.server.advance(1)
    assert broker.record(ticket).comment == "so: 45.5%/500.00/1100.00"


def test_a_swap_takes_positions_with_it(broker: Broker) -> None:
    broker.group(margin_stopout=50)
    broker.symbol("EURUSD", swap_long=-100.0)
    broker.tick("EURUSD", 1.1, 1.1)
    ticket = broker.open(broker.account(600), BUY, 1.0, 1.1)
    broker.server.advance(12 * 3600 - 61)  # a second before the day ends
    assert broker.record(ticket).close_time == 0
    broker.server.advance(1)
    assert broker.record(ticket).comment == "so: 45.5%/500.00/1100.00"


def test_what_a_dealer_has_to_close_does_not_hold_up_the_rest(broker: Broker) -> None:
    """The server closes what it may; the dealer is asked only when that is not enough."""
    manual = {"Forex": {"execution_mode": ExecutionMode.AUTO}, "CFD": {"execution_mode": ExecutionMode.MANUAL}}
    broker.group(margin_stopout=50, securities=manual)
    broker.tick("EURUSD", 1.1, 1.1)
    broker.tick("ACME", 100.0, 100.0)
    login = broker.account(3000)
    share = broker.open(login, BUY, 1.0, 100.0, "ACME")
    pair = broker.open(login, BUY, 1.0, 1.1)
    broker.told()
    broker.tick("ACME", 76.0, 76.0)  # -2400 of 3000, margin 2100
    assert broker.record(pair).close_time
    assert broker.told("activation") == []
    broker.tick("ACME", 75.0, 75.0)
    assert [order.ticket for order in broker.trading.triggers.marked()] == [share]
    assert broker.record(share).close_time == 0
