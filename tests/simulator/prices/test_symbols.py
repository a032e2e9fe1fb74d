"""Points and prices (Semantics 1)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt4sim.market.symbols import ProfitMode, Symbol, TradeMode


def test_1_3_point_and_multiply() -> None:
    symbol = Symbol(name="USDJPY", digits=3)
    assert (symbol.point, symbol.multiply) == (0.001, 1000)


@pytest.mark.parametrize(
    ("digits", "price", "points"),
    [(5, 1.1, 110000), (5, 1.000005, 100001), (5, -1.000005, -100001), (5, 2.02021, 202021), (3, 0.0005, 1),
     (3, 0.00049, 0), (0, 19882.5, 19883), (2, 1.005, 101)],
)  # fmt: skip
def test_1_3_prices_round_half_away(digits: int, price: float, points: int) -> None:
    assert Symbol(name="X", digits=digits).to_points(price) == points


@given(st.integers(0, 8), st.integers(1, 10**9))
def test_1_3_points_survive_the_way_to_a_price_and_back(digits: int, points: int) -> None:
    symbol = Symbol(name="X", digits=digits)
    price = symbol.to_price(points)
    assert symbol.to_points(price) == points
    assert symbol.on_grid(price)
    assert price == float(Decimal(points).scaleb(-digits))


@given(st.integers(1, 8), st.decimals("0.00000001", "10000", places=10))
def test_1_3_rounding_agrees_with_decimal_arithmetic(digits: int, price: Decimal) -> None:
    exact = (price * 10**digits).to_integral_value(ROUND_HALF_UP)
    ties = abs(price * 10**digits % 1 - Decimal("0.5"))
    if ties == 0 or ties > Decimal("0.00001"):
        assert Symbol(name="X", digits=digits).to_points(float(price)) == exact


def test_1_3_a_price_off_the_grid_is_seen() -> None:
    euro = Symbol(name="EURUSD", digits=5)
    assert euro.on_grid(1.10001)
    assert not euro.on_grid(1.100015)
    future = Symbol(name="ES", digits=2, tick_size=0.25, profit_mode=ProfitMode.FUTURES)
    assert future.grid == 25
    assert future.on_grid(2803.25)
    assert not future.on_grid(2803.26)


def test_3_the_profit_currency_follows_the_name_only_for_forex() -> None:
    assert Symbol(name="EURCAD", currency="EUR").quote == "CAD"
    assert Symbol(name="EURUSD.x", currency="EUR").quote == "USD"
    assert Symbol(name="#SAP", currency="EUR", profit_mode=ProfitMode.CFD).quote == "EUR"
    assert Symbol(name="GOLD", currency="USD", profit_currency="USD").quote == "USD"


def test_margin_currency_falls_back_to_the_base() -> None:
    assert Symbol(name="EURUSD", currency="EUR").margin_in == "EUR"
    assert Symbol(name="EURUSD", currency="EUR", margin_currency="USD").margin_in == "USD"


def test_changed_is_a_copy() -> None:
    symbol = Symbol(name="EURUSD", digits=5)
    other = symbol.changed(digits=4, trade=TradeMode.CLOSE)
    assert (symbol.digits, symbol.multiply, symbol.trade) == (5, 100_000, TradeMode.FULL)
    assert (other.digits, other.multiply, other.trade) == (4, 10_000, TradeMode.CLOSE)


def test_impossible_digits_are_refused() -> None:
    with pytest.raises(ValueError, match="EURUSD: digits must be 0 to 15, not 16"):
        Symbol(name="EURUSD", digits=16)
