"""What holds whatever is done: money, tickets, margin, triggers, supervision, events and snapshots of any history."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mt4sim import NewOrder, OrderChange, Server
from mt4sim.events import Change, Happened
from mt4sim.market.spreads import widened
from mt4sim.state.figures import LevelType
from mt4sim.state.orders import Order
from mt4sim.trading.engine import POSITION_OF
from mt4sim.trading.margin import Exposure, margin_of
from mt4sim.trading.reading import Reading
from mt4sim.trading.terms import leverage_of
from mt_remote.errors import RequestError
from mt_remote.records import ConGroup, Draft, GroupMarginMode, TradeCommand, TradeRecord

from .conftest import Broker

BUY, SELL = TradeCommand.BUY, TradeCommand.SELL
ORDERS = [cmd for cmd in TradeCommand if cmd.is_market or cmd.is_pending]
PRICES = {"EURUSD": 1.1, "GBPUSD": 1.25, "EURGBP": 0.88, "USDJPY": 150.0, "ACME": 90.0}
names = st.sampled_from(sorted(PRICES))
moves = st.integers(-60, 60)
lots = st.integers(1, 60).map(lambda units: units / 100)
picks = st.integers(0, 1_000_000)


class Mirror:
    """Open orders and history, rebuilt from events alone."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.open: dict[int, Any] = {}
        self.closed: dict[int, Any] = {}
        broker.server.events.listen(self.hear)

    def hear(self, happened: Happened) -> None:
        order = happened.data
        if happened.kind != "trade" or not isinstance(order, Order):
            return
        state = order.state_dict()
        if happened.change is Change.DELETE or not order.is_open:
            self.open.pop(order.ticket, None)
            self.closed[order.ticket] = state
        else:
            self.open[order.ticket] = state


class Life(RuleBasedStateMachine):
    """A broker of two groups and three accounts, on which anything may be done in any order."""

    @initialize(leg=st.booleans(), mode=st.sampled_from(GroupMarginMode), hedged=st.sampled_from([0, 20_000, 100_000]))
    def begin(self, leg: bool, mode: GroupMarginMode, hedged: int) -> None:
        self.broker = Broker(
            margin_call=100, margin_stopout=40, margin_mode=mode, hedge_large_leg=leg, interest_rate=3.0,
            security={"commission_base": 7.0, "commission_agent": 1.0, "spread_diff": 3},
        )  # fmt: skip
        self.mirror = Mirror(self.broker)
        self.broker.symbol("EURUSD", margin_hedged=float(hedged), swap_long=-3.1, swap_short=1.2)
        self.broker.server.config.add_group(
            Draft(ConGroup, {"group": "yen", "currency": "JPY", "default_leverage": 50})
        )
        self.broker.group("yen", margin_stopout=60, use_swap=True, security={"execution_mode": 1})
        self.server, self.trading = self.broker.server, self.broker.trading
        self.readings: list[tuple[Reading, list[TradeRecord]]] = []
        for name in PRICES:
            self.move(name, 0, 5)
        agent = self.broker.account()
        self.logins = [
            agent, self.broker.account(8_000, agent_account=agent),
            self.broker.account(700_000, group="yen", leverage=0),
        ]  # fmt: skip

    def move(self, name: str, by: int, spread: int) -> None:
        symbol, quote = self.server.symbols[name], self.server.quotes.last(name)
        bid = quote.bid + by if quote else symbol.to_points(PRICES[name])
        if bid > 0:
            self.server.quotes.tick(name, bid, bid + spread)

    def price(self, name: str, by: int) -> float:
        quote = self.server.quotes.last(name)
        assert quote is not None
        return self.server.symbols[name].to_price(quote.bid + by)

    def some_open(self, pick: int) -> Order | None:
        orders = self.trading.engine.book.all_open()
        return orders[pick % len(orders)] if orders else None

    # What is done

    @rule(pick=picks, name=names, cmd=st.sampled_from(ORDERS), volume=lots, by=moves, sl=moves, tp=moves,
          stops=st.integers(0, 3), expires=st.sampled_from([0, 3600]))  # fmt: skip
    def open(self, pick: int, name: str, cmd: TradeCommand, volume: float, by: int, sl: int, tp: int, stops: int,
             expires: int) -> None:  # fmt: skip
        order = NewOrder(
            name,
            cmd,
            volume,
            self.price(name, by),
            sl=self.price(name, sl) if stops & 1 else 0.0,
            tp=self.price(name, tp) if stops & 2 else 0.0,
            expiration=self.server.now + expires if expires else 0,
        )
        self.trading.transactions.open(self.logins[pick % 3], order)

    @rule(pick=picks, by=moves, sl=moves, tp=moves)
    def modify(self, pick: int, by: int, sl: int, tp: int) -> None:
        order = self.some_open(pick)
        if order:
            price, sl_price, tp_price = (self.price(order.symbol, each) for each in (by, sl, tp))
            change = OrderChange(price=price, sl=sl_price, tp=tp_price)
            self.trading.transactions.modify(order.ticket, change)

    @rule(pick=picks, part=st.integers(1, 100), by=moves)
    def close(self, pick: int, part: int, by: int) -> None:
        order = self.some_open(pick)
        if order and order.cmd.is_market:
            volume = max(1, order.volume * part // 100) / 100
            self.trading.transactions.close(order.ticket, volume, self.price(order.symbol, by))

    @rule(one=picks, two=picks)
    def close_by(self, one: int, two: int) -> None:
        a, b = self.some_open(one), self.some_open(two)
        if a and b:
            with suppress(RequestError):
                self.trading.transactions.close_by(a.ticket, b.ticket)

    @rule(pick=picks, name=names)
    def close_all(self, pick: int, name: str) -> None:
        login = self.logins[pick % 3]
        self.trading.transactions.close_all(login, name)
        kinds = {o.cmd for o in self.trading.engine.book.open_of(login) if o.symbol == name and o.cmd.is_market}
        assert len(kinds) < 2

    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        order = self.some_open(pick)
        if order:
            self.trading.transactions.delete(order.ticket)

    @rule(pick=picks, by=moves)
    def activate(self, pick: int, by: int) -> None:
        order = self.some_open(pick)
        if order and order.cmd.is_pending:
            self.trading.transactions.activate(order.ticket, self.price(order.symbol, by))

    @rule(pick=picks, cents=st.integers(-300_000, 300_000), credit=st.booleans())
    def money(self, pick: int, cents: int, credit: bool) -> None:
        cmd = TradeCommand.CREDIT if credit else TradeCommand.BALANCE
        with suppress(RequestError):
            self.trading.transactions.balance(
                self.logins[pick % 3], cmd, cents / 100, expiration=self.server.now + 40_000
            )

    @rule(name=names, by=st.integers(-400, 400), spread=st.integers(0, 30))
    def tick(self, name: str, by: int, spread: int) -> None:
        before = [order.state_dict() for order in self.trading.engine.book.all_open()]
        self.move(name, by, spread)
        self.all_triggers_fired(name, before)
        self.all_accounts_are_looked_after()

    @rule(seconds=st.sampled_from([1, 1800, 50_000, 200_000]))
    def wait(self, seconds: int) -> None:
        self.server.advance(seconds)

    @rule()
    def read_at_leisure(self) -> None:
        orders = self.trading.engine.book.all_open()
        records = [self.server.record(order) for order in orders]
        self.readings = [*self.readings[-2:], (Reading(self.trading.engine, orders), records)]

    # What holds

    def all_triggers_fired(self, name: str, before: list[dict[str, Any]]) -> None:
        """Against a plain search through all orders that were open when the tick came."""
        quote = self.server.quotes.last(name)
        assert quote is not None
        for was in before:
            if was["symbol"] != name:
                continue
            order = self.trading.engine.book.find(was["ticket"])
            terms = self.trading.engine.terms_of(order)
            if reached(was, *widened(quote, terms.spread_diff)):
                assert not order.is_open or order.cmd is not was["cmd"], was

    def all_accounts_are_looked_after(self) -> None:
        """No band hid what a look at every account would have found."""
        for login in self.logins:
            level = self.trading.engine.margin_level(login)
            if level.margin:
                assert level.level_type is not LevelType.STOP_OUT
            assert self.trading.supervisor.called.get(login, LevelType.OK) is level.level_type

    @invariant()
    def money_is_the_sum_of_records(self) -> None:
        for login in self.logins:
            account = self.server.accounts.get(login)
            records = self.trading.engine.book.history(login, 0, 2**31)
            assert account.balance == sum(o.result for o in records if o.cmd is not TradeCommand.CREDIT)
            assert account.credit == sum(o.profit for o in records if o.cmd is TradeCommand.CREDIT)

    @invariant()
    def a_reading_stays_as_it_was(self) -> None:
        for reading, records in self.readings:
            assert list(reading) == reading[:] == records

    @invariant()
    def open_orders_come_by_ticket(self) -> None:
        tickets = [order.ticket for order in self.trading.engine.book.all_open()]
        assert tickets == sorted(self.trading.engine.book.open)

    @invariant()
    def tickets_are_unique_and_orders_in_one_place(self) -> None:
        book = self.trading.engine.book
        assert not book.open.keys() & book.closed.keys()
        tickets = sorted([*book.open, *book.closed])
        assert tickets == list(range(101, self.server.common.last_order + 1))

    @invariant()
    def margin_is_what_it_is_from_scratch(self) -> None:
        engine = self.trading.engine
        for login in self.logins:
            account = self.server.accounts.get(login)
            fresh: dict[str, Exposure] = {}
            for order in engine.book.open_of(login):
                if order.cmd.is_market:
                    fresh.setdefault(order.symbol, Exposure()).add(order)
            kept = engine.exposures.get(login, {})
            assert kept.keys() == fresh.keys()
            for name, exposure in fresh.items():
                terms = engine.terms.of(account, name)
                assert kept[name].margin == margin_of(exposure, terms, leverage_of(account, terms.group)) >= 0
                assert (kept[name].costs, kept[name].count) == (exposure.costs, exposure.count)
                assert (kept[name].buys, kept[name].sells) == (exposure.buys, exposure.sells)

    @invariant()
    def floating_is_the_sum_of_the_positions(self) -> None:
        engine = self.trading.engine
        for login in self.logins:
            positions = (order for order in engine.book.open_of(login) if order.cmd.is_market)
            assert engine.floating_of(login) == sum(map(engine.floating, positions))

    @invariant()
    def events_rebuild_the_state(self) -> None:
        book = self.trading.engine.book
        assert self.mirror.open == {ticket: order.state_dict() for ticket, order in book.open.items()}
        assert self.mirror.closed.keys() == book.closed.keys()

    def teardown(self) -> None:
        if not hasattr(self, "broker"):
            return
        saved = json.loads(json.dumps(self.server.snapshot()))
        again = Server.restored(saved)
        assert json.loads(json.dumps(again.snapshot())) == saved
        for server in (self.server, again):
            server.tick("EURUSD", 1.3, 1.3001)
            server.advance(200_000)
        assert again.snapshot()["trading"] == self.server.snapshot()["trading"]
        for order in self.trading.engine.book.all_open():
            if order.cmd.is_market:
                self.trading.transactions.close(order.ticket, order.volume / 100, self.price(order.symbol, 0))
            else:
                self.trading.transactions.delete(order.ticket)
        for login in self.logins:
            level = self.trading.engine.margin_level(login)
            assert (level.margin, level.floating, level.volume) == (0, 0, 0)


def reached(was: dict[str, Any], bid: int, ask: int) -> bool:
    """Whether these prices set an order off, by the table of Semantics 6.4."""
    cmd, price, sl, tp = was["cmd"], was["open_price"], was["sl"], was["tp"]
    if cmd.is_pending:
        market = ask if POSITION_OF[cmd] is BUY else bid
        falling = cmd in (TradeCommand.BUY_LIMIT, TradeCommand.SELL_STOP)
        return bool(market <= price if falling else market >= price)
    if cmd is BUY:
        return bool((sl and bid <= sl) or (tp and bid >= tp))
    return bool((sl and ask >= sl) or (tp and ask <= tp))


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


@given(units=st.integers(1, 10_000), opened=st.integers(90_000, 130_000), moved=st.integers(-5_000, 5_000))
@settings(max_examples=60, deadline=None)
def test_a_mirrored_sell_has_the_mirrored_profit(
    new_broker: Callable[..., Broker], units: int, opened: int, moved: int
) -> None:
    broker = new_broker()
    login = broker.account()
    profits = []
    for cmd in (BUY, SELL):
        ticket = broker.open(login, cmd, units / 100, opened / 100_000)
        broker.trading.transactions.close(ticket, units / 100, (opened + moved) / 100_000)
        profits.append(broker.record(ticket).profit)
    assert profits[0] == -profits[1]
    assert broker.user(login).balance == 0.0


def test_nothing_drifts(broker: Broker) -> None:
    """Thousands of partial closes later the sums agree to the cent."""
    broker.group(security={"commission_base": 3.33})
    login = broker.account(1000)
    ticket = broker.open(login, BUY, 40.0, 1.1)
    total = broker.record(ticket).commission
    price = 110_000
    for step in range(3_999):
        price += 1 if step % 3 else -1
        broker.trading.transactions.close(ticket, 0.01, price / 100_000)
        ticket = broker.server.common.last_order
    broker.trading.transactions.close(ticket, 0.01, price / 100_000)
    records = [record for record in broker.trading.engine.book.history(login, 0, 2**31) if record.cmd.is_market]
    assert len(records) == 4000
    assert sum(record.commission for record in records) == round(total * 100)
    assert broker.server.accounts.get(login).balance == 1000_00 + sum(record.result for record in records)
    assert broker.margin(login) == 0.0


def test_the_same_script_gives_the_same_events(new_broker: Callable[..., Broker]) -> None:
    def run() -> list[str]:
        chance, broker = random.Random(7), new_broker(margin_call=100, margin_stopout=50)
        logins = [broker.account(3000) for _ in range(3)]
        for _ in range(300):
            bid = 110_000 + chance.randrange(-900, 900)
            broker.tick("EURUSD", bid / 1e5, (bid + 10) / 1e5)
            cmd, price = chance.choice(ORDERS), (bid + chance.randrange(-300, 300)) / 1e5
            broker.open(chance.choice(logins), cmd, chance.randrange(1, 50) / 100, price, sl=price - 0.002)
            broker.server.advance(chance.randrange(5000))
        return [repr(event) for event in broker.events]

    assert run() == run()
