"""A hook without a page or without a test fails here."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from mt4sim.gateway import hookspecs as simulator_hooks
from mt_remote import hookspecs
from mt_remote_tools import hookspecs as tools_hooks
from mt_remote_tools.testing import Stand, StandSpec

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))


def names(module: ModuleType) -> list[str]:
    return [name for name, _ in inspect.getmembers(module, inspect.isfunction) if name.startswith("mt_remote_")]


def test_the_guide_says_what_a_stand_is_made_of() -> None:
    section = GUIDE.partition("\n### A stand\n")[2].partition("\n## ")[0]
    for kind in (StandSpec, Stand):
        for field in dataclasses.fields(kind):
            assert re.search(rf"^- `{field.name}\b|and `{field.name}\(", section, re.MULTILINE), field.name
    (example,) = re.findall(r"\]\((examples/\S+/stand\.py)\)", section)
    assert "StandSpec(" in (ROOT / "docs" / example).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", names(hookspecs) + names(tools_hooks) + names(simulator_hooks))
def test_a_hook_has_a_page_and_a_test(name: str) -> None:
    assert f"\n### {name}\n" in GUIDE, "docs/plugins.md, All hooks"
    assert re.search(rf"def {name}\(|{name}=", TESTS), "no test implements it"


def test_the_guide_has_no_hook_that_does_not_exist() -> None:
    assert set(re.findall(r"^### (mt_remote_\w+)$", GUIDE, re.MULTILINE)) == {
        *names(hookspecs),
        *names(tools_hooks),
        *names(simulator_hooks),
    }
