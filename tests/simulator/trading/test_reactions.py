"""Who hears what, in which order (mt4sim.reactions): what each place in the order decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mt4sim.events import Happened
from mt4sim.reactions import Reactions, reactions
from mt_remote.records import TradeCommand

from .conftest import Broker

BUY = TradeCommand.BUY


def order_of(broker: Broker) -> Reactions:
    server = broker.server
    return reactions(server.state, server.trading, server.desk)


def reversed_order(broker: Broker) -> Reactions:
    order = order_of(broker)
    events = {kind: each[::-1] for kind, each in order.events.items()}
    return Reactions(order.quotes[::-1], events, order.orders[::-1])


def rewire(broker: Broker, order: Reactions) -> None:
    order.wire(broker.server.state, broker.server.trading)


def margin_after_new_terms_of_the_group(broker: Broker) -> int:
    login = broker.account(10_000)
    broker.open(login, BUY, 1.0, 1.08)
    broker.group(symbols={"EURUSD": {"margin_pct": 50.0}})
    return broker.trading.engine.margin_level(login).margin


def margin_after_new_terms_of_the_symbol(broker: Broker) -> int:
    login = broker.account(10_000)
    broker.open(login, BUY, 1.0, 1.08)
    broker.symbol("EURUSD", margin_divider=2.0)
    return broker.trading.engine.margin_level(login).margin


def what_is_told_of_a_stop(broker: Broker) -> list[str]:
    broker.tick("EURUSD", 1.1, 1.1)
    broker.open(broker.account(10_000), BUY, 0.1, 1.1, sl=1.09)
    told: list[str] = []

    def hear(happened: Happened) -> None:
        if happened.kind in ("tick", "trade"):
            told.append(happened.kind)

    broker.server.events.listen(hear)
    broker.tick("EURUSD", 1.08, 1.08)
    return told


def closed_with(broker: Broker, ticket: int) -> str:
    """The comment of a position that was closed."""
    record = broker.record(ticket)
    return record.comment if record.close_time else "still open"


def how_a_poor_account_closes(broker: Broker) -> str:
    """Its results, in pounds, were read at the price before."""
    broker.group(margin_stopout=50)
    broker.tick("GBPUSD", 1.25, 1.25)
    broker.tick("EURUSD", 1.125, 1.125)
    broker.tick("EURGBP", 0.9, 0.9)
    login = broker.account(1_500)
    ticket = broker.open(login, BUY, 1.0, 0.9, "EURGBP")
    broker.trading.engine.margin_level(login)
    broker.tick("EURGBP", 0.89, 0.89)
    return closed_with(broker, ticket)


def what_closes_at_a_level_that_meets_both(broker: Broker) -> str:
    broker.group(margin_stopout=50)
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account(2_000)
    ticket = broker.open(login, BUY, 1.0, 1.1, sl=1.085)
    broker.tick("EURUSD", 1.085, 1.085)
    return closed_with(broker, ticket)


def test_terms_are_forgotten_before_margins_are_worked_out(broker: Broker) -> None:
    assert margin_after_new_terms_of_the_group(broker) == 54_000


def test_a_symbols_terms_are_forgotten_before_margins_are_worked_out(broker: Broker) -> None:
    assert margin_after_new_terms_of_the_symbol(broker) == 54_000


def test_a_tick_is_told_before_the_trades_that_it_sets_off(broker: Broker) -> None:
    assert what_is_told_of_a_stop(broker) == ["tick", "trade"]


def test_results_are_forgotten_before_a_stop_out_is_judged(broker: Broker) -> None:
    assert how_a_poor_account_closes(broker).startswith("so: ")


def test_stops_have_their_level_before_a_stop_out_takes_the_market(broker: Broker) -> None:
    assert what_closes_at_a_level_that_meets_both(broker) == "[sl]"


def swapped(broker: Broker, place: int) -> None:
    """The room at a place of the order of quotes and the next one change places."""
    order = order_of(broker)
    quotes = list(order.quotes)
    quotes[place], quotes[place + 1] = quotes[place + 1], quotes[place]
    rewire(broker, replace(order, quotes=tuple(quotes)))


def test_reversed_an_account_keeps_the_margin_of_the_terms_before(new_broker: Callable[[], Broker]) -> None:
    for scene in (margin_after_new_terms_of_the_group, margin_after_new_terms_of_the_symbol):
        broker = new_broker()
        rewire(broker, reversed_order(broker))
        assert scene(broker) == 108_000


def test_reversed_trades_are_told_before_their_tick(broker: Broker) -> None:
    rewire(broker, reversed_order(broker))
    assert what_is_told_of_a_stop(broker) == ["trade", "tick"]


def test_the_other_way_round_a_stop_out_takes_the_market_before_stops_have_their_level(broker: Broker) -> None:
    swapped(broker, 2)
    assert what_closes_at_a_level_that_meets_both(broker).startswith("so: ")


def test_reversed_a_stop_out_is_judged_by_results_of_the_price_before(broker: Broker) -> None:
    rewire(broker, reversed_order(broker))
    assert how_a_poor_account_closes(broker) == "still open"
