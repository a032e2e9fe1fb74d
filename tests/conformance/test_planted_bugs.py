"""Planted bugs: every one of the list can be planted, and some are, to see the kit find them (the whole list, with the
laws that find them, is in docs/conformance.md; ``scripts/mutants`` makes it)."""

from __future__ import annotations

import ast

import pytest

from tests.conformance.matrix import BEGIN, END, PAGE, killed
from tests.conformance.mutants import MUTANTS, Mutant

SAMPLE = {
    "an event after unsubscribe": "L-EVT-3",
    "commission charged twice": "L-MON-3",
    "masks are ignored": "L-RGT-3",
    "a password in an answer": "L-REC-3",
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_bug_can_be_planted(mutant: Mutant) -> None:
    ast.parse(mutant.text())


def test_there_are_at_least_forty_in_all_three_rooms() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40
    assert {mutant.file.partition("/")[0] for mutant in MUTANTS} == {"core", "plugins", "simulator"}


def test_the_page_has_every_bug_and_none_survives() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition(BEGIN)[2].partition(END)[0]
    assert [row.split(" | ")[0].removeprefix("| ") for row in table.splitlines()[2:]] == [m.name for m in MUTANTS]
    assert "survives" not in table


@pytest.mark.parametrize("name", SAMPLE)
def test_the_kit_finds_it(name: str) -> None:
    (number,) = [place for place, mutant in enumerate(MUTANTS) if mutant.name == name]
    assert killed(number)["law"] == SAMPLE[name]
