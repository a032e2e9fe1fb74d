"""Rules of money on their own: a case for each branch, with figures in which no factor is 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mt4sim.market.spreads import widened, with_symbol_spread
from mt4sim.market.symbols import MarginMode, ProfitMode, SwapType, Symbol
from mt4sim.market.ticks import Direction, Quote
from mt4sim.money import share, to_cents, to_money
from mt4sim.state.orders import Order
from mt4sim.trading.commission import agent_commission, commission, notional, taxes
from mt4sim.trading.conversion import Converter
from mt4sim.trading.margin import Exposure, Leg, margin_of
from mt4sim.trading.profit import profit, profit_rate, rate_symbols, raw_profit, worth_of_point
from mt4sim.trading.swaps import interest, nights, swap
from mt4sim.trading.terms import Terms
from mt_remote.records import CommissionMode, CommissionType, ConGroup, ConGroupSecurity, TradeCommand

from .conftest import Broker

MONEY, PIPS, PERCENT = CommissionType.MONEY, CommissionType.PIPS, CommissionType.PERCENT
PER_LOT, PER_DEAL = CommissionMode.PER_LOT, CommissionMode.PER_DEAL


def symbol(**fields: Any) -> Symbol:
    return Symbol(**{"name": "EURCAD", "currency": "EUR", "digits": 4, "contract_size": 30_000.0, **fields})


def terms(of: Symbol, *, group: dict[str, Any] | None = None, **security: Any) -> Terms:
    return Terms(
        group=ConGroup(**{"group": "main", "currency": "USD", "use_swap": True, **(group or {})}), symbol=of,
        security=ConGroupSecurity(**security), divider=4.0, swap_long=-4.0, swap_short=3.0,
    )  # fmt: skip


def order(*, buy: bool = True, volume: int = 250, price: int = 15_000, rate: float = 0.8, **fields: int) -> Order:
    made = Order(7, 11, "EURCAD", 4, TradeCommand.BUY if buy else TradeCommand.SELL, volume, price, 1)
    made.margin_rate = rate
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def rates(broker: Broker) -> Converter:
    """A Canadian dollar is 0.8 US dollars to who sells it and 0.625 to who buys; a euro 1.2 and 1.3, a pound 1.5 and
    1.6."""
    for name, bid, ask in (("USDCAD", 1.25, 1.6), ("EURUSD", 1.2, 1.3), ("GBPUSD", 1.5, 1.6)):
        broker.tick(name, bid, ask)
    return Converter(broker.server.state)


@pytest.mark.parametrize(
    ("rate", "kind", "mode", "buy", "cents"),
    [
        (3.0, MONEY, PER_LOT, True, 750),
        (3.0, MONEY, PER_DEAL, True, 300),
        (3.0, PIPS, PER_LOT, True, 1800),
        (3.0, PIPS, PER_DEAL, True, 720),
        (3.0, PIPS, PER_LOT, False, 1406),
        (0.2, PERCENT, PER_LOT, True, 18_000),
        (0.2, PERCENT, PER_DEAL, True, 18_000),
        (0.0, MONEY, PER_LOT, True, 0),
    ],
)
def test_commission(
    rates: Converter, rate: float, kind: CommissionType, mode: CommissionMode, buy: bool, cents: int
) -> None:
    trade: dict[str, Any] = {"buy": buy, "volume": 250, "price": 15_000}
    paid = terms(symbol(), commission_base=rate, commission_type=kind, commission_lots_mode=mode)
    assert (commission(rates, paid, **trade), agent_commission(rates, paid, **trade)) == (-cents, 0)
    agents = terms(
        symbol(), commission_agent=rate, commission_agent_type=kind, commission_agent_mode=mode
    )  # fmt: skip
    assert (commission(rates, agents, **trade), agent_commission(rates, agents, **trade)) == (0, cents)


def test_notional() -> None:
    assert notional(symbol(), 250, 15_000) == 112_500.0


@pytest.mark.parametrize(
    ("percent", "profit", "charged", "cents"),
    [(20.0, 10_000, -1_000, -1_800), (20.0, 1_000, -1_000, 0), (20.0, -9_000, 0, 0), (0.0, 9_000, 0, 0),
     (100.0, 100, -99, -1), (100.0, 9_900, 100, -10_000)],
)  # fmt: skip
def test_taxes(percent: float, profit: int, charged: int, cents: int) -> None:
    assert taxes(percent, profit, charged) == cents


@pytest.mark.parametrize(
    ("kind", "buy", "others", "cents"),
    [
        (SwapType.POINTS, True, {}, -2_400),
        (SwapType.POINTS, False, {}, 1_406),
        (SwapType.DOLLARS, True, {}, -1_200),
        (SwapType.DOLLARS, False, {}, 975),
        (SwapType.DOLLARS, True, {"margin_currency": "GBP"}, -1_200),
        (SwapType.INTEREST, True, {"swap_openprice": True}, -960),
        (SwapType.INTEREST, True, {"swap_openprice": False}, -1_008),
        (SwapType.MARGIN_CURRENCY, True, {"margin_currency": "GBP"}, -1_500),
        (SwapType.MARGIN_CURRENCY, False, {"margin_currency": "GBP"}, 1_200),
        (SwapType.POINTS, True, {"swap_enable": False}, 0),
    ],
)
def test_swap(rates: Converter, kind: SwapType, buy: bool, others: dict[str, Any], cents: int) -> None:
    position = order(buy=buy, price=14_400)
    assert swap(rates, terms(symbol(swap_type=kind, **others)), position, 15_120) == cents
    assert swap(rates, terms(symbol(swap_type=kind, **others), group={"use_swap": False}), position, 15_120) == 0


def test_swap_of_the_pair_that_converts_itself(rates: Converter) -> None:
    """Its own closing price counts, not the market's."""
    traded = symbol(name="USDCAD", currency="USD")
    assert swap(rates, terms(traded), order(), 20_000) == -1_500


@pytest.mark.parametrize("three", range(7))
def test_nights(three: int) -> None:
    found = [nights(three, day) for day in range(7)]
    assert found == [0 if day in (5, 6) else 3 if day == three else 1 for day in range(7)]


@pytest.mark.parametrize(
    ("free", "percent", "day"), [(1_000_000, 3.6, 1.0), (0, 3.6, 0.0), (-500, 3.6, 0.0), (1, 36.0, 1e-5)]
)
def test_interest(free: int, percent: float, day: float) -> None:
    assert interest(free, percent) == pytest.approx(day, rel=1e-12)


def test_margin_rates_are_summed_to_eight_decimals() -> None:
    leg = Leg()
    leg.add(3, 0.12345678, 2)
    assert leg == Leg(volume=3, rated=37_037_034, priced=74_074_068, at_price=6)


def test_costs_of_an_exposure() -> None:
    exposure = Exposure()
    assert (exposure.count, exposure.margin, exposure.costs) == (0, 0, 0)
    position = order(storage=-7, commission=-200, taxes=-3_000)
    exposure.add(position)
    exposure.add(order(buy=False, storage=40_000))
    assert (exposure.count, exposure.costs) == (2, 40_000 - 3_207)
    assert exposure.gained(15_100, 15_200) == 250 * 100 - 250 * 200
    apart = exposure.copy()
    exposure.add(position, -1)
    assert (exposure.count, exposure.costs, exposure.buys) == (1, 40_000, Leg(0, 0, 0, 0))
    assert (apart.count, apart.costs, apart.buys.volume) == (2, 40_000 - 3_207, 250)
    stated = Exposure()
    stated.add(position, price=16_000)
    assert stated.gained(16_001, 0) == 250


FUTURES = {"margin_mode": MarginMode.FUTURES, "margin_initial": 1_000.0, "margin_maintenance": 600.0}
INDEX = {"margin_mode": MarginMode.CFD_INDEX, "tick_value": 5.0}


@pytest.mark.parametrize(
    ("fields", "opening", "cents"),
    [
        ({}, False, 30_000),
        ({"margin_initial": 1_000.0}, False, 1_000),
        ({"margin_initial": 1.0}, False, 1),
        ({"margin_mode": MarginMode.CFD, "margin_initial": 1_000.0}, False, 2_250_000),
        ({"margin_mode": MarginMode.CFD_LEVERAGE}, False, 45_000),
        (FUTURES, False, 30_000),
        (FUTURES, True, 50_000),
        ({**FUTURES, "margin_maintenance": 0.0}, False, 50_000),
        ({**INDEX, "tick_size": 0.25}, False, 45_000_000),
        ({**INDEX, "tick_size": 0.0}, False, 112_500_000_000),
    ],
)
def test_margin(fields: dict[str, Any], opening: bool, cents: int) -> None:
    exposure = Exposure()
    assert margin_of(exposure, terms(symbol(**fields)), 50, opening=opening) == 0
    exposure.add(order())
    assert margin_of(exposure, terms(symbol(**fields)), 50, opening=opening) == cents


@pytest.mark.parametrize(
    ("mode", "large_leg", "cents"),
    [(MarginMode.FOREX, False, 30_357), (MarginMode.FOREX, True, 30_000), (MarginMode.CFD, False, 2_276_786),
     (MarginMode.CFD, True, 2_250_000)],
)  # fmt: skip
def test_margin_of_a_hedge(mode: MarginMode, large_leg: bool, cents: int) -> None:
    held = terms(symbol(margin_hedged=20_000.0, margin_mode=mode), group={"hedge_large_leg": large_leg})
    exposure = Exposure()
    exposure.add(order())
    exposure.add(order(buy=False, volume=100, rate=0.5))
    assert margin_of(exposure, held, 50) == cents


def test_margin_of_nothing_left() -> None:
    """Positions that count but have no volume: half of a hedge was closed by the other."""
    exposure = Exposure()
    exposure.add(order(volume=0))
    assert margin_of(exposure, terms(symbol()), 50) == 0


@pytest.mark.parametrize(
    ("fields", "worth"),
    [({}, 3.0), ({"profit_mode": ProfitMode.CFD}, 3.0),
     ({"profit_mode": ProfitMode.FUTURES, "tick_value": 5.0, "tick_size": 0.25}, 0.002),
     ({"profit_mode": ProfitMode.FUTURES, "tick_value": 5.0}, 5.0)],
)  # fmt: skip
def test_raw_profit(fields: dict[str, Any], worth: float) -> None:
    traded = symbol(**fields)
    assert worth_of_point(traded) == pytest.approx(worth, rel=1e-12)
    trade = {"volume": 250, "opened": 15_000, "closed": 15_100}
    assert raw_profit(traded, buy=True, **trade) == pytest.approx(250 * worth, rel=1e-12)
    assert raw_profit(traded, buy=False, **trade) == pytest.approx(-250 * worth, rel=1e-12)


@pytest.mark.parametrize(
    ("fields", "deposit", "buy", "closed", "rate"),
    [
        ({}, "CAD", True, 15_000, 1.0),
        ({}, "EUR", True, 12_500, 0.8),
        ({}, "EUR", True, 1, 10_000.0),
        ({}, "EUR", True, 0, 0.8 / 1.2),
        ({}, "USD", True, 15_000, 0.8),
        ({}, "USD", False, 15_000, 0.625),
        ({"profit_mode": ProfitMode.CFD, "profit_currency": "CAD"}, "USD", False, 15_000, 0.8),
        ({"profit_mode": ProfitMode.FUTURES, "profit_currency": "CAD"}, "USD", False, 15_000, 0.8),
        ({"profit_mode": ProfitMode.CFD, "profit_currency": "CAD"}, "EUR", True, 12_500, 0.8 / 1.2),
    ],
)
def test_profit_rate(
    rates: Converter, fields: dict[str, Any], deposit: str, buy: bool, closed: int, rate: float
) -> None:
    traded = symbol(**fields)
    assert profit_rate(rates, traded, deposit, buy=buy, closed=closed) == pytest.approx(rate, rel=1e-12)
    if closed:
        found = profit(rates, traded, deposit, buy=buy, volume=250, opened=closed, closed=closed)
        assert found == 0


def test_profit_in_the_accounts_currency(rates: Converter) -> None:
    trade = {"volume": 250, "opened": 15_000, "closed": 15_001}
    assert profit(rates, symbol(), "USD", buy=True, **trade) == 600
    assert profit(rates, symbol(), "USD", buy=False, **trade) == -469


@pytest.mark.parametrize(
    ("fields", "deposit", "names"),
    [
        ({}, "CAD", []),
        ({}, "EUR", ["EURCAD"]),
        ({}, "USD", ["USDCAD"]),
        ({}, "GBP", ["USDCAD", "GBPUSD"]),
        ({"profit_mode": ProfitMode.CFD, "profit_currency": "CAD"}, "EUR", ["EURCAD", "USDCAD", "EURUSD"]),
        ({}, "CHF", ["USDCAD", "USDCHF"]),
        ({"name": "EURUSD.x"}, "EUR", ["EURUSD.x"]),
    ],
)
def test_symbols_that_a_rate_depends_on(
    rates: Converter, fields: dict[str, Any], deposit: str, names: list[str]
) -> None:
    assert rate_symbols(rates, symbol(**fields), "".join(letter for letter in deposit)) == names


def test_symbols_that_convert(broker: Broker, rates: Converter) -> None:
    """The way over the dollar as long as the pair has no price, then the pair alone."""
    assert rates.symbols_used("EUR", "EUR") == []
    assert rates.symbols_used("JPY", "EUR") == ["EURJPY", "USDJPY", "EURUSD"]
    assert rates.symbols_used("EUR", "JPY") == ["EURJPY", "EURUSD", "USDJPY"]
    broker.tick("EURJPY", 160.0, 161.0)
    assert rates.symbols_used("JPY", "EUR") == rates.symbols_used("EUR", "JPY") == ["EURJPY"]


@pytest.mark.parametrize(
    ("source", "target", "bid", "ask"),
    [
        ("EUR", "EUR", 1.0, 1.0),
        ("EUR", "USD", 1.2, 1.3),
        ("CAD", "USD", 0.8, 0.625),
        ("USD", "EUR", 1 / 1.2, 1 / 1.3),
        ("EUR", "GBP", 1.2 / 1.5, 1.3 / 1.6),
        ("GBP", "CAD", 1.5 * 1.25, 1.6 * 1.6),
        ("USD", "CHF", 0.0, 0.0),
        ("CHF", "EUR", 0.0, 0.0),
        ("USD", "XYZ", 0.0, 0.0),
    ],
)
def test_rates(rates: Converter, source: str, target: str, bid: float, ask: float) -> None:
    assert rates.rate(source, target, ask=False) == pytest.approx(bid, rel=1e-12)
    assert rates.rate(source, target, ask=True) == pytest.approx(ask, rel=1e-12)


def test_rates_of_a_trade(rates: Converter) -> None:
    """Where the pair itself is traded, in either orientation, the trade's own price counts."""
    assert rates.trade_rate("EUR", "EUR", "EURUSD", 4.0, ask=False) == 1.0
    assert rates.trade_rate("EUR", "USD", "EURUSD", 4.0, ask=False) == 4.0
    assert rates.trade_rate("USD", "EUR", "EURUSD", 4.0, ask=False) == 0.25
    assert rates.trade_rate("USD", "EUR", "".join(("EUR", "USD")), 0.5, ask=False) == 2.0
    assert rates.trade_rate("EUR", "USD", "".join(("EUR", "USD")), 0.5, ask=False) == 0.5
    assert rates.trade_rate("USD", "EUR", "EURUSD", 0.0, ask=False) == 0.0
    assert rates.trade_rate("EUR", "USD", "USDCAD", 4.0, ask=True) == 1.3


def test_the_shortest_name_of_a_pair_wins(broker: Broker) -> None:
    """And only pairs count: not six letters of anything else."""
    made = {"EURUSD.pro": ProfitMode.FOREX, "AUDNZDx": ProfitMode.FOREX, "AUDNZDxy": ProfitMode.FOREX,
            "SGDHKD": ProfitMode.CFD, "NZDXY": ProfitMode.FOREX}  # fmt: skip
    for name, mode in made.items():
        broker.server.symbols[name] = symbol(name=name, profit_mode=mode)
    pair = Converter(broker.server.state).pair
    assert (pair("EUR", "USD"), pair("AUD", "NZD"), pair("SGD", "HKD")) == ("EURUSD", "AUDNZDx", None)
    assert pair("NZD", "XY") is None


class Searched(dict[str, Symbol]):
    """Symbols that count how often somebody goes through all of them."""

    times = 0

    def __iter__(self) -> Iterator[str]:
        self.times += 1
        return super().__iter__()


def test_pairs_are_searched_for_again_when_symbols_change_and_only_then(broker: Broker) -> None:
    found = broker.server.state.symbols = Searched(broker.server.symbols)
    login, converter = broker.account(100), broker.trading.engine.converter
    assert converter.pair("AUD", "USD") is None
    found["AUDUSD"] = symbol(name="AUDUSD", currency="AUD")
    seen = found.times
    broker.tick("EURUSD", 1.2, 1.3)
    broker.open(login, TradeCommand.BUY, 0.1, 1.2)
    broker.group(interest_rate=1.0)
    assert {kind for kind, _, _ in broker.events} >= {"group", "trade", "user"}
    searched = found.times
    converter.pair("AUD", "USD")
    assert found.times == searched >= seen
    broker.symbol("AUDUSD", digits=5)
    assert converter.pair("AUD", "USD") == "AUDUSD"


@pytest.mark.parametrize(
    ("spread", "balance", "prices"),
    [(0, -10, (110_000, 110_007)), (-5, -10, (110_000, 110_007)), (1, 3, (110_003, 110_004)),
     (20, -10, (109_990, 110_010))],
)  # fmt: skip
def test_a_symbols_spread(spread: int, balance: int, prices: tuple[int, int]) -> None:
    assert with_symbol_spread(symbol(spread=spread, spread_balance=balance), 110_000, 110_007) == prices


@pytest.mark.parametrize(
    ("difference", "prices"),
    [(0, (1_000, 1_100)), (1, (999, 1_100)), (2, (999, 1_101)), (9, (995, 1_104)), (-1, (1_001, 1_100)),
     (-8, (1_004, 1_096)), (-9, (1_005, 1_096))],
)  # fmt: skip
def test_a_groups_spread(difference: int, prices: tuple[int, int]) -> None:
    assert widened(Quote(1_000, 1_100, 0, 1_000, 1_000, Direction.NONE), difference) == prices


@pytest.mark.parametrize(
    ("amount", "cents"),
    [(0.0, 0), (0.005, 1), (-0.005, -1), (0.0049, 0), (0.004999999, 1), (0.00499999, 0), (1.004, 100), (-7.126, -713),
     (1e9, 100_000_000_000)],
)  # fmt: skip
def test_to_cents(amount: float, cents: int) -> None:
    assert to_cents(amount) == cents


@pytest.mark.parametrize(
    ("total", "part", "whole", "cents"),
    [(100, 1, 3, 33), (100, 2, 3, 67), (-100, 2, 3, -67), (5, 1, 2, 3), (-5, 1, 2, -3), (4, 1, 3, 1), (7, 0, 3, 0),
     (7, 3, 0, 0), (7, 1, 1, 7), (-1, 1, 1, -1), (0, 1, 2, 0), (9, 1, 2, 5)],
)  # fmt: skip
def test_share(total: int, part: int, whole: int, cents: int) -> None:
    assert share(total, part, whole) == cents


def test_to_money() -> None:
    assert (to_money(1_234), to_money(-1)) == (12.34, -0.01)
