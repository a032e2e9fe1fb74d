"""Pauses between attempts to reconnect."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mt_remote.session.backoff import JITTER, Backoff


def test_it_doubles_up_to_the_longest_pause() -> None:
    backoff = Backoff(1, 10, lambda: 0)
    assert [backoff.pause() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    backoff.held(9)
    assert backoff.pause() == 10
    backoff.held(10)
    assert backoff.pause() == 1


def test_a_client_may_want_longer_pauses() -> None:
    backoff = Backoff(100, 60, lambda: 0)
    assert [backoff.pause() for _ in range(3)] == [100, 100, 100]


@given(st.floats(0.1, 100), st.floats(0.1, 100), st.lists(st.floats(0, 1), max_size=20))
def test_it_never_hurries(first: float, most: float, chance: list[float]) -> None:
    numbers = iter(chance)
    backoff = Backoff(first, most, lambda: next(numbers))
    for _ in chance:
        assert first <= backoff.pause() <= max(first, most) * (1 + JITTER)
