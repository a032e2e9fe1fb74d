"""docs/recording.md: its requests are recorded, its script is played."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.cli.command import Gateway, command
from tests.docs.conversations import ROOT, blocks

PAGE = blocks(ROOT / "docs" / "recording.md")


def test_the_page_from_top_to_bottom(tmp_path: Path) -> None:
    requests, script = [block.text for block in PAGE if block.language == "json"]
    (tmp_path / "requests.jsonl").write_text(requests, encoding="utf-8")
    (tmp_path / "script.jsonl").write_text(script, encoding="utf-8")
    shell = [block.text for block in PAGE if block.language == "sh"]
    record, replay = [shlex.split(line)[1:] for line in shell[1].splitlines()]
    with Gateway("--clock", "manual", "--feed", "off") as gateway:
        environment = {"MT_REMOTE_URL": gateway.url}
        done = command(*record, cwd=tmp_path, environment=environment)
        assert (done.code, done.errors) == (0, "10 entries in monday.jsonl\n")
        done = command(*replay, cwd=tmp_path, environment=environment)
        assert (done.code, done.output) == (0, "4 answers and 0 events compared, no differences\n")
        done = command("replay", "script.jsonl", cwd=tmp_path, environment=environment)
        about = "L-EVT-3 no event after the unsubscribe answer"
        assert (done.code, done.output) == (0, f"{about}: 3 answers and 0 events compared, no differences\n")


def test_no_block_is_left_out() -> None:
    """The first shell command needs a person, and the two lines of text are a sample."""
    assert [block.language for block in PAGE] == ["sh", "json", "sh", "text", "json"]
