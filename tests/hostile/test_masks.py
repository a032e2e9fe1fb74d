"""Masks come from clients and are matched in linear time, wherever they are matched."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt4sim.desk.masks import allows
from mt_remote.dispatch.paging import Page
from mt_remote.records.masks import matcher
from tests.hostile.steps import lines_run

LINES_A_CHARACTER = 10

STARS = "*a" * 200 + "*b"
MASKS = [f"*{number:03}*x*y" for number in range(1000)]

parts = st.lists(st.text("ab*", max_size=6), max_size=6)


@given(masks=parts, texts=st.lists(st.text("ab", max_size=8), max_size=8))
def test_many_masks_fit_what_a_regular_expression_would(masks: list[str], texts: list[str]) -> None:
    patterns = [".*".join(map(re.escape, mask.split("*"))) for mask in masks]
    fits = matcher(masks)
    for text in texts * 2:
        assert fits(text) is any(re.fullmatch(pattern, text) is not None for pattern in patterns)


@given(wanted=parts, denied=parts, group=st.text("ab", max_size=8))
def test_a_manager_sees_what_his_masks_say(wanted: list[str], denied: list[str], group: str) -> None:
    masks = (*wanted, *(f"!{mask}" for mask in denied))
    assert allows(masks, group) is (matcher(wanted)(group) and not matcher(denied)(group))


def test_masks_longer_than_texts_usually_are() -> None:
    fits = matcher(["*" + "ab" * 40, "a*"])
    assert fits("ab" * 40)
    assert fits("b" + "ab" * 40)
    assert not fits("b" + "ab" * 39)


@pytest.mark.parametrize("masks", [[STARS], MASKS], ids=["200 stars", "1000 masks"])
@pytest.mark.parametrize("length", [10, 1000])
def test_the_time_grows_with_the_text_alone(masks: list[str], length: int) -> None:
    fits, text = matcher(masks), "ax" * (length // 2)
    fits("ax" * 50)  # what it makes of its masks once
    assert lines_run(lambda: fits(text)) <= LINES_A_CHARACTER * length + 50
    assert lines_run(lambda: allows(tuple(masks), text)) <= 3 * LINES_A_CHARACTER * length + 10 * sum(map(len, masks))


def test_what_is_remembered_is_bounded() -> None:
    fits = matcher(["a*", "c"])
    (remembered,) = [cell.cell_contents for cell in fits.__closure__ or () if isinstance(cell.cell_contents, dict)]
    assert all(fits(f"a{number}") for number in range(5000))
    assert fits("c")
    assert len(remembered) < 600


def test_testing_elements_stops_when_it_took_long_enough() -> None:
    looks = 0

    def enough() -> bool:
        nonlocal looks
        looks += 1
        return True

    tested: list[int] = []

    def test(element: int) -> bool:
        tested.append(element)
        return element % 2 == 0

    page = Page(range(100), [test], limit=20, key=lambda element: element)
    sizes: list[int] = []
    found: list[int] = []
    for part in page.slices(lambda: 1000, enough):
        sizes.append(len(tested) - sum(sizes))
        found += part
    assert (found, page.next) == (list(range(0, 40, 2)), 38)
    assert max(sizes) <= 16
    assert looks == len(sizes)


def test_dear_filters_count_as_long_lists() -> None:
    assert len(Page(range(100), [lambda element: True], effort=63)) == 6300
