"""docs/worlds.md: its examples run, and it names every field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mt4sim.market.feeds import specs as feed_specs
from mt4sim.market.feeds.specs import Spec
from mt4sim.world import World
from mt4sim.world import specs as world_specs

PAGE = (Path(__file__).parents[3] / "docs" / "worlds.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", [code for language, code in EXAMPLES if language == "python"])
def test_python_examples_run_and_print_what_they_say(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "docs/worlds.md", "exec"), {})
    said = "".join(line[2:] + "\n" for line in code.splitlines() if line.startswith("# "))
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("text", [text for language, text in EXAMPLES if language == "toml"])
def test_worlds_in_the_page_are_worlds(text: str) -> None:
    world = World.from_toml(text)
    assert world.make_groups()
    assert World.from_toml(world.to_toml()) == world


def test_every_field_is_explained() -> None:
    kinds: list[type[Spec]] = [World]
    named = (*vars(feed_specs).values(), *vars(world_specs).values())
    kinds += [kind for kind in named if isinstance(kind, type) and issubclass(kind, Spec) and kind is not Spec]
    fields = {field for kind in kinds for field in kind.model_fields} - {"record"}
    known = set(re.findall(r"[a-z_0-9]+", PAGE))
    days = {"monday", "tuesday", "wednesday", "thursday", "friday"}
    assert fields - known - days == set()
