"""Idempotency keys in a file: SQLite, written by a thread of its own.

The event loop never waits for the disk: what it asks for goes into a queue, and all that is in the queue when the
thread comes back goes into one transaction, so that concurrent claims share a sync of the disk. A transaction with a
claim is synced before the call goes out; one that only settles is not: what the system was told survives the process,
and where the machine itself goes down meanwhile, the key says that its outcome is unknown.

Several gateways may share a folder. Each run of a gateway locks a file of its own for as long as it lives: so the
others, and whoever starts after a crash, know whose calls may still be under way.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import anyio

from mt_remote.errors import ConfigurationError, TooManyKeys
from mt_remote.keys.runs import Run
from mt_remote.keys.store import KEPT_SECONDS, Answer, Claimed, Done, Failure, Kept, KeyStore, Owner
from mt_remote.logs import Log

log = Log()

FILE = "keys.sqlite3"
_VERSION = 1
_PATIENCE = 10.0
"""Seconds for another gateway's transaction to end."""

_SCHEMA = (
    """
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY, server BLOB NOT NULL, login INTEGER NOT NULL, keys INTEGER NOT NULL DEFAULT 0,
        UNIQUE (server, login)
    )
    """,
    """
    CREATE TABLE keys (
        number INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL REFERENCES owners, key BLOB NOT NULL,
        fingerprint BLOB NOT NULL, since REAL NOT NULL, run TEXT NOT NULL, answered INTEGER NOT NULL DEFAULT 0,
        result BLOB, failure TEXT, UNIQUE (owner, key)
    )
    """,
    "CREATE INDEX keys_by_age ON keys (since)",
    "CREATE TRIGGER key_came AFTER INSERT ON keys BEGIN UPDATE owners SET keys = keys + 1 WHERE id = new.owner; END",
    "CREATE TRIGGER key_went AFTER DELETE ON keys BEGIN UPDATE owners SET keys = keys - 1 WHERE id = old.owner; END",
    f"PRAGMA user_version = {_VERSION}",
)
"""Keys are counted as they come and go: to count them at each claim would take the longer the more there are."""


class _Asked(NamedTuple):
    """``work`` is for the thread, ``then`` hears of it on the loop. ``sync``: only what is on the disk counts."""

    work: Callable[[], Any]
    then: Callable[[Any], object]
    sync: bool = False


class SqliteKeyStore(KeyStore):
    """Keys in ``folder``, which it makes. ``on_loop`` has something run on the event loop; it is called on the store's
    thread. Raises :class:`~mt_remote.errors.ConfigurationError` for a folder that does not serve."""

    def __init__(self, folder: Path, most: int, on_loop: Callable[[Callable[[], object]], object]) -> None:
        self.folder = folder
        self.most = most
        self._on_loop = on_loop
        self._queue: SimpleQueue[_Asked | None] = SimpleQueue()
        self._synchronous = ""
        self._closed: anyio.Event | None = None
        try:
            _make(folder)
            self._database = _opened(folder / FILE)
            self._run = Run(folder / "runs", uuid.uuid4().hex)
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(f"the state folder {str(folder)!r} does not serve: {reason}") from error
        self._thread = threading.Thread(target=self._serve, name="idempotency keys", daemon=True)
        self._thread.start()

    def claim(self, owner: Owner, key: str, fingerprint: bytes, now: float, then: Claimed) -> None:
        self._queue.put(_Asked(partial(self._claim, owner, _bytes(key), fingerprint, now), then, sync=True))

    def settle(self, number: int, answer: Answer, then: Done) -> None:
        self._queue.put(_Asked(partial(self._settle, number, answer), then))

    def release(self, number: int, then: Done) -> None:
        self._queue.put(_Asked(partial(self._release, number), then))

    async def aclose(self) -> None:
        if self._closed is None:
            self._closed = anyio.Event()
            self._queue.put(None)
        await self._closed.wait()

    def describe(self) -> str:
        return f"in {self.folder / FILE}"

    # On the thread

    def _serve(self) -> None:
        open_ = True
        while open_:
            waiting = [self._queue.get()]
            while not self._queue.empty():  # nobody else takes from it
                waiting.append(self._queue.get())
            open_ = None not in waiting
            batch = [asked for asked in waiting if asked is not None]
            if batch:
                self._carry_out(batch)
        self._database.close()
        self._run.end()
        self._tell(self._ended)

    def _ended(self) -> None:
        if self._closed is not None:
            self._closed.set()

    def _carry_out(self, batch: list[_Asked]) -> None:
        """One transaction for all that waited."""
        try:
            self._begin("FULL" if any(asked.sync for asked in batch) else "NORMAL")
            results = [asked.work() for asked in batch]
            self._database.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  whatever it is: whoever asked has to hear that nothing is stored
            log.error("idempotency keys can't be stored", folder=str(self.folder), reason=str(error))
            results = [error] * len(batch)
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        self._tell(partial(_tell_all, batch, results))

    def _tell(self, callback: Callable[[], object]) -> None:
        try:
            self._on_loop(callback)
        except RuntimeError:  # the loop is over: nobody waits any more
            return

    def _begin(self, synchronous: str) -> None:
        if synchronous != self._synchronous:
            self._database.execute(f"PRAGMA synchronous = {synchronous}")
            self._synchronous = synchronous
        self._database.execute("BEGIN IMMEDIATE")

    def _claim(self, owner: Owner, key: bytes, fingerprint: bytes, now: float) -> int | Kept | Exception:
        execute = self._database.execute
        execute("DELETE FROM keys WHERE since <= ?", (now - KEPT_SECONDS,))
        named = (_bytes(owner[0]), owner[1])
        execute("INSERT INTO owners (server, login) VALUES (?, ?) ON CONFLICT DO NOTHING", named)
        id_, count = execute("SELECT id, keys FROM owners WHERE server = ? AND login = ?", named).fetchone()
        columns = "fingerprint, run, answered, result, failure"
        row = execute(f"SELECT {columns} FROM keys WHERE owner = ? AND key = ?", (id_, key)).fetchone()
        if row is not None:
            return self._kept(*row)
        if count >= self.most:
            return TooManyKeys(self.most)
        values = (id_, key, fingerprint, now, self._run.name)
        cursor = execute("INSERT INTO keys (owner, key, fingerprint, since, run) VALUES (?, ?, ?, ?, ?)", values)
        return int(cursor.lastrowid or 0)

    def _kept(self, fingerprint: bytes, run: str, answered: int, result: bytes | None, failure: str | None) -> Kept:
        if not answered:
            return Kept(fingerprint, under_way=self._run.lives(run))
        return Kept(fingerprint, Answer(result, None if failure is None else Failure(**json.loads(failure))))

    def _settle(self, number: int, answer: Answer) -> None:
        failure = None if answer.failure is None else json.dumps(asdict(answer.failure))
        self._database.execute(
            "UPDATE keys SET answered = 1, result = ?, failure = ? WHERE number = ? AND NOT answered",
            (answer.result, failure, number),
        )

    def _release(self, number: int) -> None:
        self._database.execute("DELETE FROM keys WHERE number = ? AND NOT answered", (number,))


def _tell_all(batch: list[_Asked], results: list[Any]) -> None:
    for asked, result in zip(batch, results, strict=True):
        asked.then(result)


def _bytes(text: str) -> bytes:
    """JSON can name what is no character; SQLite's texts can't."""
    return text.encode("utf-8", "surrogatepass")


def _make(folder: Path) -> None:
    """The folder and the file, for nobody else to read. A folder that was there already keeps its mode."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    path = folder / FILE
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite's further files take the mode of this one
    path.chmod(0o600)


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA fullfsync = ON")  # macOS: a sync that reaches the disk
        database.execute("BEGIN IMMEDIATE")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _SCHEMA:
                database.execute(statement)
        database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    if version not in (0, _VERSION):
        database.close()
        raise sqlite3.DatabaseError(f"{path.name} was written by another version of MT Remote")
    return database
