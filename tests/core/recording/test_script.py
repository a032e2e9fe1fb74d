"""Scripts: what should happen, played against a gateway that does it and against one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mt_remote_tools.recording import Header, read, write
from mt_remote_tools.recording.format import Call, Closed, Entry, EventHeard, Opened, Silence
from mt_remote_tools.recording.redact import Secrets
from tests.core.recording.story import replayed
from tests.stories.conftest import open_desk

pytestmark = pytest.mark.anyio

LOG_IN = {"server": "Demo", "login": 1, "password": "‹secret 1›", "reconnect_delay": 0, "version": "2"}
OK = {"status": "OK"}
BIDS = {"symbol": "EURUSD", "bid": 1.1, "ask": 1.1001}


def script(path: Path, *, last_kind: str = "tick") -> Path:
    """Ticks come after ``subscribe``, and none after ``unsubscribe``."""
    entries: list[Entry | Call] = [
        Opened(),
        Call(name="connect", data=LOG_IN, expect=OK),
        Call(name="symbol.show", data={"symbol": "EURUSD"}, expect=OK),
        Call(name="subscribe", data={"event": "tick"}, expect=OK),
        Call(name="tick.add", data=BIDS, expect=OK, law="L-1"),
        EventHeard(message={"event": "tick", "data": {"symbol": "EURUSD", "bid": 1.1}}, law="L-2"),
        Call(name="unsubscribe", data={"event": last_kind}, expect=OK, law="L-3"),
        Silence(event="tick", law="L-EVT-3"),
        Call(name="tick.add", data={**BIDS, "bid": 1.09}, expect=OK),
        Call(name="symbol.show", data={"symbol": "NONE"}, expect={"status": "ERROR", "code": "not_found"}, law="L-4"),
        Closed(),
    ]
    write(path, Header(kind="script", title="an event after unsubscribe", law="L-EVT-3"), entries)
    return path


async def test_a_script_that_holds(tmp_path: Path) -> None:
    async with open_desk() as desk:
        result = await replayed(read(script(tmp_path / "s.jsonl")), desk.url)
    assert result.differences == []
    assert (result.answers, result.events) == (7, 1)


async def test_a_law_that_is_broken_is_named(tmp_path: Path) -> None:
    """The script unsubscribes something else, so that ticks go on, as they would with the bug."""
    async with open_desk() as desk:
        result = await replayed(read(script(tmp_path / "s.jsonl", last_kind="user")), desk.url)
    assert [(each.law, each.path) for each in result.differences] == [
        ("L-3", "unsubscribe.status"),
        ("L-EVT-3", "tick"),
    ]
    assert str(result.differences[1]).endswith("breaks L-EVT-3")


def test_secrets_of_a_script_are_those_of_the_log_in() -> None:
    restored = Secrets(log_in="manager").restored({"data": LOG_IN}, logs_in=True)
    assert restored["data"]["password"] == "manager"
