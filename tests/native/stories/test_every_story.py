"""No story is left out here."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def test_every_story_is_told_again() -> None:
    stories = {path.stem for path in (HERE.parents[1] / "stories").glob("test_*.py")}
    assert {f"{story}_again" for story in stories} <= {path.stem for path in HERE.glob("test_*.py")}
