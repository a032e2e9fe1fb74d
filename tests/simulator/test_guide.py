"""The examples of docs/simulator.md run and print what they say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from mt4sim.gateway.faults import Faults

pytest.importorskip("mt4sim.trading", reason="the examples need the whole server")

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_prints_what_it_says(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "docs/simulator.md", "exec"), {})
    said = "".join(line[2:] + "\n" for line in code.splitlines() if line.startswith("# "))
    assert capsys.readouterr().out == said


def test_files_of_faults_can_be_read() -> None:
    (document,) = map(tomllib.loads, FILES)
    assert [rule.do for rule in Faults.from_document(document).rules] == ["answer", "restart"]
