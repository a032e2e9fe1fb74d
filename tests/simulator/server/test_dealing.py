"""The dealing desk: what clients hear, who holds what (Semantics 8), as stories and as laws over random days."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.simulator.server.conftest import Broker

from mt4sim import NewOrder
from mt4sim.desk.managers import ManagerSession
from mt4sim.desk.traders import Trader
from mt4sim.state.requests import DealRequest
from mt_remote.errors import NotFound, RequestError, ReturnCode, ServerError
from mt_remote.records import ConfirmMode, ConManager, Patch, RequestStatus, TradeCommand


def codes(deal: DealRequest) -> list[int]:
    return [int(answer.code) for answer in deal.answers]


def dealing(session: ManagerSession) -> list[DealRequest]:
    """The session deals; the list grows with what it is offered."""
    offered: list[DealRequest] = []
    session.start_dealing(offered.append)
    return offered


def test_a_confirmed_request_fills_at_the_dealers_ask(broker: Broker) -> None:
    offered = dealing(broker.admin)
    deal = broker.trader().open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    assert offered == [deal]
    assert (deal.status, deal.manager) == (RequestStatus.LOCKED, 1)
    broker.admin.confirm_request(deal.id, 2.11, 2.12, ConfirmMode.NORMAL)
    assert codes(deal) == [142, 143, 0]
    assert deal.answer is not None
    assert broker.admin.trade(deal.answer.order).open_price == 2.12


def test_a_requote_is_answered_by_a_new_request_at_its_prices(broker: Broker) -> None:
    offered = dealing(broker.admin)
    trader = broker.trader()
    deal = trader.open(NewOrder("EURUSD", TradeCommand.SELL, 0.1))
    broker.admin.requote_request(deal.id, 1.07, 1.08)
    assert codes(deal) == [142, 143, 138]
    again = trader.accept(deal)
    assert offered == [deal, again]
    assert again.symbol.to_price(again.request.price) == 1.07


def test_confirming_with_prices_adds_them_to_the_feed(broker: Broker) -> None:
    dealing(broker.admin)
    deal = broker.trader().open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    broker.admin.confirm_request(deal.id, 1.2, 1.3, ConfirmMode.ADD_PRICES)
    (tick,) = broker.admin.last_ticks("EURUSD")
    assert (tick.bid, tick.ask) == (1.2, 1.3)


def test_reject_withdrawal_and_timeout_end_a_request(broker: Broker) -> None:
    dealing(broker.admin)
    trader = broker.trader()
    rejected, withdrawn, late = (trader.open(NewOrder("EURUSD", TradeCommand.BUY, 0.1)) for _ in range(3))
    broker.admin.reject_request(rejected.id)
    trader.withdraw(withdrawn)
    broker.server.advance(60)
    assert [codes(deal)[-1] for deal in (rejected, withdrawn, late)] == [133, 144, 128]
    assert not broker.server.desk.requests
    assert broker.admin.trades() == []


def test_without_a_dealer_a_request_waits_for_the_groups_timeout(broker: Broker) -> None:
    deal = broker.trader().open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    broker.server.advance(59)
    assert codes(deal) == [142]
    broker.server.advance(1)
    assert codes(deal) == [142, 128]


def test_an_order_that_a_dealer_works_on_is_locked(broker: Broker) -> None:
    trader = broker.trader()
    ticket = broker.admin.open(trader.login, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.08))
    trader.close(ticket)
    assert codes(trader.close(ticket)) == [139]


def test_a_reset_goes_to_the_next_dealer_and_back_to_a_sole_one(broker: Broker) -> None:
    first = dealing(broker.admin)
    deal = broker.trader().open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    broker.admin.reset_request(deal.id)
    assert first == [deal, deal]
    other = broker.manager(50, broker=True)
    second = dealing(other)
    broker.admin.reset_request(deal.id)
    assert second == [deal]
    assert deal.manager == 50
    with pytest.raises(NotFound):
        broker.admin.confirm_request(deal.id, 1.0, 1.1, ConfirmMode.NORMAL)


def test_a_dealer_who_leaves_gives_back_what_he_held(broker: Broker) -> None:
    other = broker.manager(50, broker=True)
    dealing(other)
    deal = broker.trader().open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    mine = dealing(broker.admin)
    other.stop_dealing()
    assert mine == [deal]


@pytest.mark.parametrize("fields", [{"broker": False}, None], ids=["right taken", "deleted"])
def test_a_manager_who_may_not_deal_any_more_holds_nothing(broker: Broker, fields: dict[str, object] | None) -> None:
    other = broker.manager(50, broker=True)
    dealing(other)
    deal = broker.trader().open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    mine = dealing(broker.admin)
    if fields is None:
        broker.admin.delete_manager(50)
    else:
        broker.admin.set_manager(Patch(ConManager, {"login": 50, **fields}))
    assert mine == [deal]
    with pytest.raises(ServerError) as refused:
        other.confirm_request(deal.id, 1.0, 1.1, ConfirmMode.NORMAL)
    assert refused.value.return_code == ReturnCode.NOT_ENOUGH_RIGHTS


def test_an_accounts_requests_end_with_it(broker: Broker) -> None:
    trader = broker.trader()
    deal = trader.open(NewOrder("EURUSD", TradeCommand.BUY, 0.1))
    broker.admin.delete_users([trader.login])
    assert codes(deal) == [142, 65]
    assert dealing(broker.admin) == []


def test_masks_and_lots_decide_whom_a_request_reaches(broker: Broker) -> None:
    blind = dealing(broker.manager(50, "demoforex*", broker=True))
    small = broker.manager(51, broker=True)
    broker.admin.set_manager(Patch(ConManager, {"login": 51, "securities": {"Forex": {"maximum_lots": 0.5}}}))
    offered = dealing(small)
    trader = broker.trader()
    trader.open(NewOrder("EURUSD", TradeCommand.BUY, 0.6))
    fits = trader.open(NewOrder("EURUSD", TradeCommand.BUY, 0.5))
    assert (blind, offered) == ([], [fits])


class DealingDay(RuleBasedStateMachine):
    """Dealers come and go, clients ask and withdraw, time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.broker = Broker()
        self.traders: list[Trader] = [self.broker.trader() for _ in range(2)]
        self.dealers = [self.broker.admin, *(self.broker.manager(login, broker=True) for login in (50, 51))]
        self.deals: list[DealRequest] = []

    indices = st.integers(0, 5)

    @rule(index=indices, cmd=st.sampled_from([TradeCommand.BUY, TradeCommand.SELL]))
    def ask(self, index: int, cmd: TradeCommand) -> None:
        self.deals.append(self.traders[index % 2].open(NewOrder("EURUSD", cmd, 0.1)))

    @rule(index=indices)
    def come(self, index: int) -> None:
        self.dealers[index % 3].start_dealing(lambda deal: None)

    @rule(index=indices)
    def go(self, index: int) -> None:
        self.dealers[index % 3].stop_dealing()

    @precondition(lambda self: self.deals)
    @rule(index=indices, who=indices, how=st.sampled_from(["confirm", "requote", "reject", "reset"]))
    def answer(self, index: int, who: int, how: str) -> None:
        deal, session = self.deals[-1 - index % len(self.deals)], self.dealers[who % 3]
        held = session.dealer is not None and deal.id in session.dealer.held
        acts: dict[str, Callable[[], None]] = {
            "confirm": lambda: session.confirm_request(deal.id, 1.08, 1.0801, ConfirmMode.NORMAL),
            "requote": lambda: session.requote_request(deal.id, 1.08, 1.0801),
            "reject": lambda: session.reject_request(deal.id),
            "reset": lambda: session.reset_request(deal.id),
        }
        try:
            acts[how]()
        except RequestError:
            assert not held
        else:
            assert held

    @precondition(lambda self: self.deals)
    @rule(index=indices)
    def withdraw(self, index: int) -> None:
        deal = self.deals[-1 - index % len(self.deals)]
        if not deal.ended:
            self.traders[0].withdraw(deal)

    @rule(seconds=st.sampled_from([1, 30, 60]))
    def wait(self, seconds: int) -> None:
        self.broker.server.advance(seconds)

    @invariant()
    def no_request_is_held_by_two(self) -> None:
        sessions = [session.dealer for session in self.dealers if session.dealer is not None]
        held = [number for dealer in sessions for number in dealer.held]
        assert len(held) == len(set(held))
        for dealer in sessions:
            for deal in dealer.held.values():
                assert deal.dealer is dealer
                assert (deal.status, deal.manager) == (RequestStatus.LOCKED, dealer.login)

    @invariant()
    def none_waits_while_somebody_deals(self) -> None:
        if any(session.dealer for session in self.dealers):
            assert all(deal.dealer for deal in self.broker.server.desk.requests.values())

    @invariant()
    def clients_hear_in_order_and_the_end_once(self) -> None:
        for deal in self.deals:
            heard = codes(deal)
            assert heard[0] == 142
            assert set(heard[1:-1]) <= {143}
            assert deal.ended == (heard[-1] in (0, 128, 133, 134, 138, 144))
            assert deal.ended == (deal.id not in self.broker.server.desk.requests)


TestDealingDay = DealingDay.TestCase
TestDealingDay.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
