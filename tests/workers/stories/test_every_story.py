"""No story is left out here."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def test_every_story_is_told_again() -> None:
    stories = {path.stem for path in (HERE.parents[1] / "stories").glob("test_*.py")}
    missing = {f"{story}_again.py" for story in stories} - {path.name for path in HERE.glob("test_*.py")}
    assert not missing, "each takes two lines, as the others here do"
