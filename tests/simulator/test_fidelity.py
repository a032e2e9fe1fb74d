"""docs/fidelity.md lists every rule once and names what exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "fidelity.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+(?:\.\d+)?) \|(.*)\|(.*)\|(.*)\|$", PAGE, re.MULTILINE)
RULES_OF_A_CHAPTER = {1: 8, 2: 9, 3: 7, 4: 6, 5: 5, 6: 9, 7: 8, 8: 7, 9: 9, 10: 7, 11: 6}


def test_every_rule_is_listed_once() -> None:
    expected = {f"{chapter}.{rule}" for chapter, count in RULES_OF_A_CHAPTER.items() for rule in range(1, count + 1)}
    numbers = [number for number, *_ in ROWS]
    assert set(numbers) == expected | {"2"}
    assert len(numbers) == len(set(numbers))


def test_every_rule_says_how_sure_it_is() -> None:
    for number, what, mark, _ in ROWS:
        assert what.strip(), number
        assert re.match(r" [CLA]\b", mark), number


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w.]+)`", "".join(where for *_, where in ROWS)))))
def test_what_a_rule_names_exists(name: str) -> None:
    """Run scripts/fidelity when this fails: it names what there is now."""
    if name.startswith("mt_remote."):
        importlib.import_module(name)
        return
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(["mt4sim", *parts[:count]]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return
    pytest.fail(f"there is no mt4sim.{name}")
