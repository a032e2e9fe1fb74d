"""docs/mutation.md: the scores are those of the modules that the configuration names, and reach the goal."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE, CONFIG = ROOT / "docs" / "mutation.md", ROOT / "tests" / "simulator" / "trading" / "mutation.toml"
GOAL, GOAL_OF_A_MODULE = 85.0, 80.0

ROW = re.compile(r"^\| `?([\w./]+)`? \| (\d+) \| (\d+) \| \**([\d.]+)%\** \|$", re.MULTILINE)


def test_the_scores_are_of_all_modules_and_reach_the_goal() -> None:
    rows = {
        name: (int(made), int(noticed), float(score))
        for name, made, noticed, score in ROW.findall(PAGE.read_text(encoding="utf-8"))
    }
    made, noticed, score = rows.pop("all")
    assert sorted(rows) == sorted(tomllib.loads(CONFIG.read_text(encoding="utf-8"))["cosmic-ray"]["module-path"])
    assert made == sum(row[0] for row in rows.values())
    assert noticed == sum(row[1] for row in rows.values())
    assert score == round(100 * noticed / made, 1) >= GOAL
    assert [name for name, row in rows.items() if row[2] < GOAL_OF_A_MODULE] == []
