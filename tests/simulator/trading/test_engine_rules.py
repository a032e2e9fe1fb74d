"""What the engine keeps of an account (sums, margin, floating result) is what its orders say, whatever happened; and
the engine's own figures, a case for each branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mt4sim import OrderChange
from mt4sim.market.symbols import MarginMode, ProfitMode, Symbol
from mt4sim.state.figures import LevelType
from mt4sim.state.orders import Order
from mt4sim.trading.closing import with_suffix
from mt4sim.trading.engine import level_type
from mt4sim.trading.margin import Exposure, margin_of
from mt4sim.trading.terms import leverage_of, margin_divider
from mt_remote.records import (
    ConGroup,
    Draft,
    GroupMarginMode,
    MarginType,
    Patch,
    TradeCommand,
    TradeReason,
    UserRecord,
)  # fmt: skip

from .conftest import Broker

BUY, SELL, BUY_LIMIT = TradeCommand.BUY, TradeCommand.SELL, TradeCommand.BUY_LIMIT


class Held:
    """An account with positions in its own currency, in another and in none that there is a price for, each with costs;
    and a pending beside them. A broker that charges, with an agent who is paid."""

    def __init__(self, **group: Any) -> None:
        self.broker = broker = Broker(security={"commission_base": 7.0, "commission_agent": 2.0}, **group)
        broker.symbol("EURUSD", margin_hedged=30_000.0)
        broker.symbol("EURGBP", margin_hedged=70_000.0)
        for name, bid, ask in (("EURUSD", 1.1, 1.1002), ("GBPUSD", 1.25, 1.26), ("EURGBP", 0.88, 0.8803)):
            broker.tick(name, bid, ask)
        self.agent = broker.account()
        self.login = broker.account(50_000, agent_account=self.agent)
        self.yen = self.open(BUY, 0.2, 150.0, "USDJPY")
        self.buy, self.sell = self.open(BUY, 1.0, 1.09), self.open(SELL, 0.4, 1.12)
        self.even = self.open(SELL, 1.0, 1.13)
        self.cross, self.against = self.open(BUY, 0.73, 0.8712, "EURGBP"), self.open(SELL, 0.31, 0.8877, "EURGBP")
        self.pending = self.open(BUY_LIMIT, 0.5, 0.87, "EURGBP")
        self.engine = broker.trading.engine
        for ticket, cents in ((self.buy, -301), (self.sell, 17), (self.cross, -55), (self.against, 8), (self.yen, -2)):
            self.engine.charge_swap(broker.trading.engine.book.find(ticket), cents)

    def open(self, cmd: TradeCommand, volume: float, price: float, symbol: str = "EURUSD") -> int:
        return self.broker.open(self.login, cmd, volume, price, symbol)

    def close(self, ticket: int, volume: float, price: float) -> None:
        self.broker.trading.transactions.close(ticket, volume, price)

    def modify_account(self, **fields: Any) -> None:
        self.broker.server.accounts.set(Patch(UserRecord, {"login": self.login, **fields}))

    def positions(self) -> list[Order]:
        return [order for order in self.broker.trading.engine.book.open_of(self.login) if order.cmd.is_market]

    def worked_out(self) -> dict[str, Exposure]:
        """The exposures, from the orders alone."""
        found: dict[str, Exposure] = {}
        for order in self.positions():
            found.setdefault(order.symbol, Exposure()).add(order)
        account = self.broker.server.accounts.get(self.login)
        for name, exposure in found.items():
            terms = self.engine.terms.of(account, name)
            exposure.margin = margin_of(exposure, terms, leverage_of(account, terms.group))
        return found


def contents(exposures: dict[str, Exposure]) -> dict[str, tuple[object, ...]]:
    return {name: (e.buys, e.sells, e.count, e.costs, e.margin) for name, e in exposures.items()}


HAPPENINGS: dict[str, Callable[[Held], object]] = {
    "nothing": lambda h: None,
    "a position": lambda h: h.open(SELL, 0.7, 0.8811, "EURGBP"),
    "a pending": lambda h: h.open(BUY_LIMIT, 0.7, 0.8, "EURGBP"),
    "a close": lambda h: h.close(h.cross, 0.73, 0.88),
    "a close of all there is in a symbol": lambda h: h.close(h.yen, 0.2, 151.0),
    "a close in part": lambda h: h.close(h.cross, 0.4, 0.88),
    "a close by": lambda h: h.broker.trading.transactions.close_by(h.buy, h.even),
    "a close by the larger": lambda h: h.broker.trading.transactions.close_by(h.against, h.cross),
    "a close by the smaller": lambda h: h.broker.trading.transactions.close_by(h.cross, h.against),
    "closing all": lambda h: h.broker.trading.transactions.close_all(h.login, "EURUSD"),
    "a deletion": lambda h: h.broker.trading.transactions.delete(h.cross),
    "an activation": lambda h: h.broker.trading.transactions.activate(h.pending, 0.879),
    "another open price": lambda h: h.broker.trading.transactions.modify(h.against, OrderChange(price=0.89)),
    "a swap": lambda h: h.engine.charge_swap(h.broker.trading.engine.book.find(h.cross), -123),
    "leverage": lambda h: h.modify_account(leverage=30),
    "a spread": lambda h: h.broker.group(security={"spread_diff": 40}),
    "a price": lambda h: h.broker.tick("EURGBP", 0.89, 0.8902),
    "a price that converts": lambda h: h.broker.tick("GBPUSD", 1.3, 1.31),
    "a night": lambda h: h.broker.server.advance(86_400),
}


@pytest.mark.parametrize("reopen", [False, True])
@pytest.mark.parametrize("what", HAPPENINGS)
def test_what_is_kept_is_what_the_orders_say(what: str, reopen: bool) -> None:
    held = Held(close_reopen=reopen)
    trading, engine = held.broker.trading, held.engine
    before = trading.engine.margin_level(held.login)  # known until something happens
    HAPPENINGS[what](held)
    figures = trading.engine.margin_level(held.login)
    assert contents(engine.exposures[held.login]) == contents(held.worked_out())
    assert figures.floating == sum(engine.floating(order) for order in held.positions())
    assert figures.volume == sum(order.volume for order in held.positions())
    assert figures.margin == sum(exposure.margin for exposure in held.worked_out().values())
    assert figures.equity == figures.balance + figures.floating
    assert (before == figures) is (what in ("nothing", "a pending", "a night"))


@pytest.mark.parametrize("reopen", [False, True])
def test_nothing_is_kept_of_what_is_gone(reopen: bool) -> None:
    held = Held(close_reopen=reopen)
    trading = held.broker.trading
    trading.transactions.close_by(held.buy, held.even)
    trading.transactions.close_by(held.cross, held.against)
    for order in held.positions():
        trading.transactions.close(order.ticket, order.volume / 100, 1.0)
    assert trading.engine.exposures == {}
    figures = trading.engine.margin_level(held.login)
    assert (figures.floating, figures.margin, figures.volume, figures.level) == (0, 0, 0, 0.0)
    assert (figures.equity, figures.free, figures.level_type) == (figures.balance, figures.balance, LevelType.OK)
    booked = sum(order.result for order in trading.engine.book.history(held.login, 0, 2**31))
    assert figures.balance == booked
    paid = sum(order.commission_agent for order in trading.engine.book.history(held.login, 0, 2**31))
    assert trading.engine.margin_level(held.agent).balance == paid


def test_floating_results_are_bounded_without_a_look_at_positions(broker: Broker) -> None:
    """By less than a cent a position, and one cent for each that was rounded out of sight."""
    broker.tick("EURGBP", 0.88, 0.8803)
    broker.tick("GBPUSD", 1.2537, 1.2611)
    login, engine = broker.account(1000), broker.trading.engine
    assert engine.floating_about(login) == (0, 0)
    broker.open(login, BUY, 1.0, 1.05)  # EURUSD has no price yet: only its costs count
    assert engine.floating_about(login) == (0, 0)
    broker.tick("EURUSD", 1.1, 1.1002)
    assert engine.floating_about(login) == (5_000_00, 5_000_00)
    for count in range(1, 40):
        broker.open(login, SELL if count % 3 else BUY, count / 100, 0.881 + count / 5_000, "EURGBP")
        least, most = engine.floating_about(login)
        assert least <= engine.floating_of(login) <= most
        assert most - least <= 2 * (count + 1) + 1
    broker.tick("EURGBP", 0.8901, 0.8904)
    least, most = engine.floating_about(login)
    assert least <= engine.floating_of(login) <= most
    assert least < 5_000_00


@pytest.mark.parametrize("volume", [1, 2])
@pytest.mark.parametrize("cmd", [BUY, SELL])
def test_the_bounds_allow_for_every_rounding(broker: Broker, cmd: TradeCommand, volume: int) -> None:
    """One point of 0.01 lots of EURGBP is 0.4 or 0.6 cents: all are rounded to the same side."""
    for rate in (0.4, 0.6):
        broker.tick("GBPUSD", rate, rate)
        for bid in (0.88, 0.88002):
            broker.tick("EURGBP", bid, bid)
            login, engine = broker.account(1000), broker.trading.engine
            for _ in range(25):
                broker.open(login, cmd, volume / 100, 0.88001, "EURGBP")
            least, most = engine.floating_about(login)
            assert least <= engine.floating_of(login) <= most


def test_costs_and_taxes_belong_to_a_floating_result(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1002)
    order = broker.trading.engine.book.find(broker.open(broker.account(), BUY, 1.0, 1.0998))
    order.storage, order.commission, order.taxes = -300, -7_00, -11
    assert broker.trading.engine.floating(order) == 2_000 - 300 - 700 - 11


def test_floating_results_in_another_currency(broker: Broker) -> None:
    """A dollar is 0.8 euros where positions close at 1.25, whatever else it is."""
    broker.server.config.add_group(Draft(ConGroup, {"group": "euro", "currency": "EUR"}))
    broker.tick("EURUSD", 1.25, 1.25)
    login = broker.account(1000, group="euro")
    broker.open(login, BUY, 1.0, 1.24)
    broker.open(login, SELL, 0.5, 1.24)
    assert broker.trading.engine.margin_level(login).floating == 800_00 - 400_00


def test_pendings_do_not_float(broker: Broker) -> None:
    broker.tick("EURGBP", 0.88, 0.8803)
    broker.tick("GBPUSD", 1.25, 1.25)
    login = broker.account(1000)
    broker.open(login, BUY, 0.1, 0.87, "EURGBP")
    broker.open(login, BUY_LIMIT, 5.0, 0.5, "EURGBP")
    broker.open(login, TradeCommand.SELL_LIMIT, 5.0, 0.9, "EURGBP")
    assert broker.trading.engine.margin_level(login).floating == 125_00


@pytest.mark.parametrize(
    ("mode", "gain", "loss"),
    [(GroupMarginMode.DONT_USE, 900, 900), (GroupMarginMode.USE_ALL, 1_150, 750),
     (GroupMarginMode.USE_PROFIT, 1_150, 900), (GroupMarginMode.USE_LOSS, 900, 750)],
)  # fmt: skip
def test_free_margin(broker: Broker, mode: GroupMarginMode, gain: int, loss: int) -> None:
    broker.group(margin_mode=mode)
    account = broker.server.accounts.get(broker.account(10.0))
    account.credit = 100
    free = broker.trading.engine.free_margin
    assert (free(account, 250, 200), free(account, -150, 200), free(account, 0, 200)) == (gain, loss, 900)


@pytest.mark.parametrize(
    ("measured", "call", "stop_out", "kind"),
    [
        (5_001, 100, 50, LevelType.MARGIN_CALL),
        (5_000, 100, 50, LevelType.STOP_OUT),
        (10_000, 100, 50, LevelType.MARGIN_CALL),
        (10_001, 100, 50, LevelType.OK),
        (-1, 0, 50, LevelType.STOP_OUT),
        (-1, 100, 0, LevelType.MARGIN_CALL),
        (-1, 0, 0, LevelType.OK),
        (100, 1, 0, LevelType.MARGIN_CALL),
        (100, 0, 1, LevelType.STOP_OUT),
    ],
)
def test_level_type(measured: int, call: int, stop_out: int, kind: LevelType) -> None:
    assert level_type(measured, 100, call, stop_out) is kind


@pytest.mark.parametrize(
    ("kind", "equity", "free", "margin", "level"),
    [
        (MarginType.PERCENT, 500, 0, 1_000, LevelType.STOP_OUT),
        (MarginType.PERCENT, 501, 0, 1_000, LevelType.MARGIN_CALL),
        (MarginType.PERCENT, 801, -9, 1_000, LevelType.OK),
        (MarginType.PERCENT, -9, -9, 0, LevelType.OK),
        (MarginType.CURRENCY, 0, 5_000, 1, LevelType.STOP_OUT),
        (MarginType.CURRENCY, 0, 8_000, 1, LevelType.MARGIN_CALL),
        (MarginType.CURRENCY, 0, 8_001, 1, LevelType.OK),
    ],
)
def test_level_of(broker: Broker, kind: MarginType, equity: int, free: int, margin: int, level: LevelType) -> None:
    group = ConGroup(group="main", margin_type=kind, margin_call=80, margin_stopout=50)
    assert broker.trading.engine.level_of(group, equity, free, margin) is level


def test_levels_are_numbered_as_natively() -> None:
    assert [(kind.name, int(kind)) for kind in LevelType] == [("OK", 0), ("MARGIN_CALL", 1), ("STOP_OUT", 2)]


def test_the_level_has_two_decimals(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account(1234.56)
    broker.open(login, BUY, 0.3, 1.1)
    figures = broker.trading.engine.margin_level(login)
    assert (figures.margin, figures.level, figures.leverage, figures.group) == (330_00, 374.11, 100, "main")


@pytest.mark.parametrize(
    ("cmd", "ask"),
    [(BUY, True), (BUY_LIMIT, True), (TradeCommand.BUY_STOP, True), (SELL, False), (TradeCommand.SELL_LIMIT, False),
     (TradeCommand.SELL_STOP, False)],
)  # fmt: skip
def test_rates_of_an_open_price(broker: Broker, cmd: TradeCommand, ask: bool) -> None:
    """Who buys pays the ask of what converts; margin may arise in another currency than the base."""
    for name, bid, quoted in (("EURUSD", 1.1, 1.2), ("GBPUSD", 1.4, 1.5)):
        broker.tick(name, bid, quoted)
    plain = broker.record(broker.open(broker.account(), cmd, 1.0, 0.86, "EURGBP"))
    rate = 1.2 if ask else 1.1
    assert (plain.margin_rate, plain.conv_rates) == (rate, (rate, 0.0))
    broker.symbol("EURGBP", margin_currency="GBP")
    other = broker.record(broker.open(broker.account(), cmd, 1.0, 0.86, "EURGBP"))
    assert (other.margin_rate, other.conv_rates) == (1.5 if ask else 1.4, (rate, 0.0))
    broker.symbol("EURGBP", margin_currency="CHF")
    broker.tick("USDCHF", 0.5, 0.8)
    third = broker.record(broker.open(broker.account(), cmd, 1.0, 0.86, "EURGBP"))
    assert (third.margin_rate, third.conv_rates) == (1.25 if ask else 2.0, (rate, 0.0))


@pytest.mark.parametrize(("cmd", "rate"), [(BUY, 1.2), (SELL, 1.1)])
def test_the_rate_of_a_close(broker: Broker, cmd: TradeCommand, rate: float) -> None:
    broker.tick("EURUSD", 1.1, 1.2)
    broker.tick("GBPUSD", 1.4, 1.5)
    ticket = broker.open(broker.account(), cmd, 1.0, 0.86, "EURGBP")
    broker.trading.transactions.close(ticket, 1.0, 0.86)
    assert broker.record(ticket).conv_rates == (rate, rate)


@pytest.mark.parametrize("mode", MarginMode)
def test_what_one_more_position_would_bind(broker: Broker, mode: MarginMode) -> None:
    """What is bound, and what it takes to open one; the CFD modes count a candidate at its closing price."""
    broker.symbol("ACME", margin_mode=mode, margin_initial=2_500.0, margin_maintenance=2_000.0, margin_divider=1.0,
                  contract_size=100.0, tick_value=3.0, tick_size=1.0)  # fmt: skip
    broker.tick("ACME", 80.0, 90.0)
    login = broker.account(1e6, leverage=50)
    broker.open(login, BUY, 1.0, 40.0, "ACME")
    broker.open(login, BUY, 1.0, 1.0)
    engine, account = broker.trading.engine, broker.server.accounts.get(login)
    bound = engine.margin_of(login)
    trial = Order(0, login, "ACME", 2, BUY, 200, 6_000, broker.server.now)
    engine.price_rates(trial, engine.terms_of(trial))
    more = {
        MarginMode.FOREX: 2_500 * 2 / 50, MarginMode.CFD: 100 * 80 * 2, MarginMode.FUTURES: 2_500 * 2,
        MarginMode.CFD_INDEX: 100 * 80 * 2 * 3, MarginMode.CFD_LEVERAGE: 100 * 80 * 2 / 50,
    }  # fmt: skip
    assert engine.margin_with(account, trial) - bound == round(more[mode] * 100)
    assert engine.margin_of(login) == bound


def test_a_rest_has_everything_of_its_position(broker: Broker) -> None:
    login = broker.account()
    one = broker.open(login, BUY, 1.0, 1.1, sl=1.0, tp=1.3, magic=7, reason=TradeReason.EXPERT)
    broker.trading.engine.book.find(one).api_data = "mine"
    broker.server.advance(9)
    broker.trading.transactions.close(one, 0.25, 1.15)
    two = one + 1
    broker.group(close_reopen=True)
    broker.trading.transactions.close(two, 0.25, 1.2)
    for ticket, price, volume, opened in ((two, 1.1, 0.75, -9), (two + 1, 1.2, 0.5, 0)):
        order, record = broker.trading.engine.book.find(ticket), broker.record(ticket)
        assert (record.sl, record.tp, record.magic, record.reason) == (1.0, 1.3, 7, TradeReason.EXPERT)
        assert (record.open_price, record.volume, record.digits, order.api_data) == (price, volume, 5, "mine")
        assert (record.open_time, record.timestamp) == (broker.server.now + opened, broker.server.now)
        assert (record.margin_rate, record.conv_rates[0]) == (price, price)
    assert broker.record(two).comment == f"to #{two + 1}"
    assert broker.record(two + 1).comment == f"from #{two}"


def test_money_that_the_server_books(broker: Broker) -> None:
    """An agent's part: a record of its own, with nothing that is not stated."""
    broker.group(security={"commission_agent": 2.0})
    agent = broker.account()
    login = broker.account(agent_account=agent)
    ticket = broker.open(login, BUY, 1.0, 1.1)
    broker.trading.transactions.close(ticket, 1.0, 1.1)
    (record,) = broker.history(agent)
    assert (record.profit, record.comment) == (2.0, f"agent '{login}' - #{ticket}")
    assert (record.expiration, record.open_price, record.volume, record.digits) == (0, 0.0, 0.01, 0)
    broker.group(security={"commission_agent": 0.0})
    broker.trading.transactions.close(broker.open(login, BUY, 1.0, 1.1), 1.0, 1.1)
    assert len(broker.history(agent)) == 1


def test_a_deleted_order_has_no_price_and_no_costs(broker: Broker) -> None:
    broker.group(security={"commission_base": 7.0})
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    broker.trading.engine.charge_swap(broker.trading.engine.book.find(ticket), -5)
    broker.server.advance(5)
    broker.trading.transactions.delete(ticket)
    record = broker.record(ticket)
    assert (record.close_price, record.profit, record.storage, record.commission, record.taxes) == (0, 0, 0, 0, 0)
    assert (record.close_time, record.timestamp) == (broker.server.now, broker.server.now)


def test_closing_all_leaves_other_symbols_and_pendings(broker: Broker) -> None:
    """And takes the lowest ticket first, whichever side it is on."""
    login = broker.account()
    others = [broker.open(login, cmd, 1.0, 0.9, name) for name in ("EURGBP", "USDCHF") for cmd in (BUY, SELL)]
    pending = broker.open(login, BUY_LIMIT, 1.0, 1.0)
    sell = broker.open(login, SELL, 1.0, 1.1)
    buy, later = broker.open(login, BUY, 1.0, 1.1), broker.open(login, SELL, 1.0, 1.1)
    broker.trading.transactions.close_all(login, "".join(["EUR", "USD"]))
    assert [record.order for record in broker.orders(login)] == [*others, pending, later]
    assert (broker.record(sell).volume, broker.record(buy).volume) == (1.0, 0.0)


@pytest.mark.parametrize(("length", "kept"), [(3, 3), (27, 27), (28, 27), (31, 27)])
def test_a_suffix_takes_the_place_of_what_does_not_fit(length: int, kept: int) -> None:
    assert with_suffix("x" * length, "[sl]") == "x" * kept + "[sl]"


@pytest.mark.parametrize(
    ("own", "percent", "divider"),
    [(4.0, 0.0, 4.0), (4.0, 50.0, 2.0), (4.0, 200.0, 0.5), (0.5, 0.0, 0.5), (0.0, 0.0, 1.0), (-0.5, 0.0, 1.0),
     (-1.0, 0.0, 1.0), (4.0, -50.0, 1.0), (4.0, 1.0, 100.0)],
)  # fmt: skip
def test_margin_divider(own: float, percent: float, divider: float) -> None:
    assert margin_divider(Symbol(name="X", margin_divider=own), percent) == divider


def test_terms_of_a_group(broker: Broker) -> None:
    """Its own where it states them, else the symbol's; and they follow both."""
    broker.symbol("EURUSD", swap_long=-3.0, swap_short=2.0, margin_divider=5.0)
    account = broker.server.accounts.get(broker.account())
    find = broker.trading.engine.terms.of

    def found() -> tuple[float, float, float]:
        terms = find(account, "EURUSD")
        return terms.swap_long, terms.swap_short, terms.divider

    assert found() == (-3.0, 2.0, 5.0)
    broker.group(symbols={"EURUSD": {"swap_short": -1.0}})
    assert found() == (-3.0, -1.0, 5.0)
    broker.group(symbols={"EURUSD": {"swap_long": 0.0, "margin_pct": 25.0}})
    assert found() == (0.0, -1.0, 4.0)
    broker.symbol("EURUSD", swap_long=9.0)
    assert found() == (0.0, -1.0, 4.0)
    own = float("1.7976931348623157e308")
    broker.group(symbols={"EURUSD": {"swap_long": own, "swap_short": own, "margin_pct": 0.0}})
    assert found() == (9.0, 2.0, 5.0)
    assert find(account, "GBPUSD").divider == 1.0
    broker.group(security={"lot_min": 2.0, "lot_max": 300.0, "lot_step": 1.5, "spread_diff": 3})
    terms = find(account, "EURUSD")
    assert (terms.lot_limits, terms.spread_diff) == ((200, 30_000, 150), 3)


def test_the_dollar_where_a_group_states_no_currency(broker: Broker) -> None:
    broker.server.config.add_group(Draft(ConGroup, {"group": "bare"}))
    account = broker.server.accounts.get(broker.account(group="bare", leverage=0))
    terms = broker.trading.engine.terms.of(account, "EURUSD")
    assert (terms.group.currency, terms.deposit) == ("", "USD")
    assert terms.security.spread_diff == 0


@pytest.mark.parametrize(("own", "groups", "leverage"), [(30, 50, 30), (0, 50, 50), (0, 0, 1)])
def test_leverage(broker: Broker, own: int, groups: int, leverage: int) -> None:
    account = broker.server.accounts.get(broker.account(leverage=own))
    assert leverage_of(account, ConGroup(group="main", default_leverage=groups)) == leverage


def test_futures_gain_by_the_tick_whole_or_not(broker: Broker) -> None:
    """A point that is worth no whole number of cents a lot is rounded by the position."""
    for size, floating in ((0.25, 2 * 80), (0.3, 2 * 67)):
        broker.symbol("ACME", profit_mode=ProfitMode.FUTURES, tick_size=size, tick_value=0.1)
        broker.tick("ACME", 100.0, 100.0)
        login = broker.account(1000)
        for _ in range(2):
            broker.open(login, BUY, 1.0, 98.0, "ACME")
        assert broker.trading.engine.margin_level(login).floating == floating
