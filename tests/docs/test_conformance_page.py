"""docs/conformance.md: its test passes, its commands exist, its table names every planted bug."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

from mt_remote_conformance.laws import LAWS
from tests.cli.command import command
from tests.conformance.mutants import MUTANTS
from tests.docs.conversations import ROOT, blocks

PAGE = ROOT / "docs" / "conformance.md"


def test_the_test_that_it_shows() -> None:
    (shown,) = [block.text for block in blocks(PAGE) if block.language == "python"]
    names: dict[str, Any] = {}
    exec(compile(shown, str(PAGE), "exec"), names)
    test: Callable[[], None] = names["test_my_backend_keeps_the_laws"]
    test()


def test_its_commands_exist() -> None:
    shown = [block.text for block in blocks(PAGE) if block.language != "python"]
    lines = [line.partition("#")[0] for text in shown for line in text.splitlines() if line.startswith("mt-remote ")]
    assert len(lines) > 6
    for name, *words in (shlex.split(line)[1:] for line in lines):
        known = set(re.findall(r"--[a-z][a-z-]*", command(name, "--help").output))
        stated = {word for word in words if word.startswith("--")}
        assert stated <= known, name


def test_every_planted_bug_is_in_the_table_with_the_law_that_finds_it() -> None:
    rows = re.findall(
        r"^\| (.+?) \| `.+?` \| (L-[A-Z]+-\d+) \| .+? \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [name for name, _ in rows] == [mutant.name for mutant in MUTANTS]
    assert {law for _, law in rows} <= set(LAWS)
