"""Exact sums, whatever the floats."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk_reports.figures import NOTHING, exact, plain

CENTS = st.integers(-(10**14), 10**14)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(CENTS))
def test_a_sum_is_exact_in_any_order(cents: list[int]) -> None:
    amounts = [exact(amount / 100) for amount in cents]
    assert sum(amounts, NOTHING) == sum(reversed(amounts), NOTHING) == Fraction(sum(cents), 100)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(0.005, 0.01), (-0.005, -0.01), (1.005, 1.01), (2.675, 2.68), (0.0049, 0.0), (-0.0049, 0.0), (1e13, 1e13)],
)
def test_halves_go_away_from_zero(amount: float, expected: float) -> None:
    assert repr(plain(exact(amount))) == repr(expected)
