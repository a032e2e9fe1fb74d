"""The laws of a store of idempotency keys: both stores against a model, and what only the one on the disk promises."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule

from mt_remote.errors import ConfigurationError, TooManyKeys
from mt_remote.keys.sqlite import FILE
from mt_remote.keys.store import KEPT_SECONDS, Answer, Failure, Kept, Owner
from tests.core.keys import HeldStore, start_blocking_portal

MOST = 4
ONE, OTHER = ("Demo", 1), ("Demo", 2)
ANSWERS = [
    Answer(),
    Answer(b'{"order":1}'),
    Answer(failure=Failure("Not enough money", "trade_no_money")),
    Answer(failure=Failure("The text is ü", "timeout", "unknown", [["amount", "too much"]])),
]


@dataclass
class Row:
    number: int
    fingerprint: bytes
    since: float
    answer: Answer | None = None
    under_way: bool = True


class Stores(RuleBasedStateMachine):
    """A store, and what it ought to know."""

    claims = Bundle("claims")
    lasts = False

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.portal = self.stack.enter_context(start_blocking_portal())
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory())) if self.lasts else None
        self.store = HeldStore(self.portal, self.folder, MOST)
        self.rows: dict[tuple[Owner, str], Row] = {}
        self.numbers: set[int] = set()
        self.now = 1_600_000_000.0

    @rule(
        target=claims,
        owner=st.sampled_from([ONE, OTHER, ("demo", 1)]),
        key=st.sampled_from(["k", "K", "", "\0", "\ud800", "ключ", "k" * 128]),
        fingerprint=st.sampled_from([b"a", b"\0b"]),
    )
    def claim(self, owner: Owner, key: str, fingerprint: bytes) -> Any:
        self.rows = {place: row for place, row in self.rows.items() if self.now - row.since < KEPT_SECONDS}
        found = self.store.claim(owner, key, fingerprint, self.now)
        row = self.rows.get((owner, key))
        if row is not None:
            assert found == Kept(row.fingerprint, row.answer, under_way=row.answer is None and row.under_way)
        elif sum(of == owner for of, _ in self.rows) >= MOST:
            assert isinstance(found, TooManyKeys)
        else:
            assert isinstance(found, int)
            assert found > 0
            assert found not in self.numbers, "a number is never given twice: an old claim could end a new one"
            self.numbers.add(found)
            self.rows[owner, key] = Row(found, fingerprint, self.now)
            return found
        return multiple()

    def row_of(self, number: int) -> Row | None:
        return next((row for row in self.rows.values() if row.number == number), None)

    @rule(number=claims, answer=st.sampled_from(ANSWERS))
    def settle(self, number: int, answer: Answer) -> None:
        self.store.settle(number, answer)
        row = self.row_of(number)
        if row is not None and row.answer is None:
            row.answer = answer

    @rule(number=consumes(claims))
    def release(self, number: int) -> None:
        self.store.release(number)
        self.rows = {place: row for place, row in self.rows.items() if row.number != number or row.answer is not None}

    @rule(seconds=st.sampled_from([1.0, KEPT_SECONDS / 2, KEPT_SECONDS - 1, KEPT_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.lasts)
    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = HeldStore(self.portal, self.folder, MOST)
        for row in self.rows.values():
            row.under_way = False

    @precondition(lambda self: self.lasts)
    @rule(owner=st.sampled_from([ONE, OTHER]), key=st.sampled_from(["k", "K"]))
    def ask_another_process(self, owner: Owner, key: str) -> None:
        row = self.rows.get((owner, key))
        if row is None or self.now - row.since >= KEPT_SECONDS:
            return
        other = HeldStore(self.portal, self.folder, MOST)
        try:
            found = other.claim(owner, key, b"c", self.now)
            assert found == Kept(row.fingerprint, row.answer, under_way=row.answer is None and row.under_way)
        finally:
            other.close()

    @invariant()
    def nothing_is_left_behind(self) -> None:
        assert len(self.rows) <= 3 * MOST

    def teardown(self) -> None:
        self.store.close()
        self.stack.close()


class LastingStores(Stores):
    """The same on the disk, over restarts."""

    lasts = True


TestMemory = Stores.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSqlite = LastingStores.TestCase
TestSqlite.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


# On the disk


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as opened:
        yield opened


def test_nobody_else_reads_it(portal: BlockingPortal, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    store = HeldStore(portal, folder, MOST)
    assert store.claim(ONE, "k", b"a", 0) == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {FILE, f"{FILE}-wal"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    store.close()


def test_a_folder_that_does_not_serve(portal: BlockingPortal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="does not serve"):
        HeldStore(portal, tmp_path / "file", MOST)
    (tmp_path / FILE).write_text("this is not a database, whatever its name says" * 100)
    with pytest.raises(ConfigurationError, match="not a database"):
        HeldStore(portal, tmp_path, MOST)
    newer = tmp_path / "newer"
    newer.mkdir()
    with sqlite3.connect(newer / FILE) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(ConfigurationError, match="another version"):
        HeldStore(portal, newer, MOST)


_CLAIMS = """
import sys
from pathlib import Path
from tests.core.keys import HeldStore, start_blocking_portal
from mt_remote.keys.store import Answer
with start_blocking_portal() as portal:
    store = HeldStore(portal, Path(sys.argv[1]), 100_000)
    number = 0
    while True:
        number += 1
        claim = store.claim(("Demo", 1), str(number), b"a", 0)
        print("claimed", number, flush=True)
        if number % 2:
            store.settle(claim, Answer(str(number).encode()))
            print("settled", number, flush=True)
"""


def test_what_was_told_survives_a_kill(portal: BlockingPortal, tmp_path: Path) -> None:
    """What the process said before ``kill -9`` is there afterwards; what was not settled is known to be cut off."""
    said: list[list[str]] = []
    with subprocess.Popen([sys.executable, "-c", _CLAIMS, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.split())
            if len(said) == 60:
                process.kill()
    store = HeldStore(portal, tmp_path, 100_000)
    for what, number in said:
        found = store.claim(ONE, number, b"a", 1)
        assert isinstance(found, Kept)
        assert not found.under_way
        if what == "settled":
            assert found.answer == Answer(number.encode())
        elif not int(number) % 2:
            assert found.answer is None
    store.close()
    assert not list((tmp_path / "runs").iterdir()), "files of runs that ended go away"
