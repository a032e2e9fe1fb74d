"""Making good what pumping missed while it was down, so that nothing is silently stale.

While a kind is watched, a fingerprint of every record is kept. After a restart the tables are read again by requests,
and each record that differs, is new, or is gone (a trade that was closed) becomes an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mt4abi import table
from mt_remote.records import ConGroup, Record, TradeRecord, UserRecord
from mt_remote_plugins.manager.engine.handle import Reply
from mt_remote_plugins.manager.library_calls import integers

Ask = Callable[[tuple[object, ...], Callable[[object], None]], None]
"""Asks the direct handle: a function's name and values, and who gets the reply."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A kind of record that pumping reports: how it is read, what identifies it, what drifts by itself."""

    kind: type[Record]
    request: str
    key: str
    drifting: tuple[str, ...] = ()

    def split(self, rows: bytes) -> list[bytes]:
        """The structs of an array."""
        size = table().layouts[self.kind.native].size
        return [rows[at : at + size] for at in range(0, len(rows), size)]

    def identity(self, row: bytes) -> bytes:
        """What identifies a record: its native key, text up to the zero."""
        member = table().layouts[self.kind.native].members[self.key]
        raw = row[member.offset : member.offset + member.size]
        return raw.partition(b"\0")[0] if member.type == "char" else raw

    def fingerprint(self, row: bytes) -> int:
        """A number that changes when the record does, prices' drift left out."""
        members = table().layouts[self.kind.native].members
        kept, at = [], 0
        for name in self.drifting:
            member = members[name]
            kept.append(row[at : member.offset])
            at = member.offset + member.size
        return hash(b"".join([*kept, row[at:]]))


WATCHED: Mapping[str, Watched] = {
    "group": Watched(ConGroup, "GroupsRequest", "group"),
    "user": Watched(UserRecord, "UsersRequest", "login"),
    "trade": Watched(
        TradeRecord, "TradesRequest", "order", ("conv_rates", "close_price", "profit", "timestamp", "next")
    ),
}
"""By event kind. ``drifting`` is in the order of the struct's members."""


class Baseline:
    """What one connection's watcher of one kind knows."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._known: dict[bytes, int] = {}

    def learn(self, rows: bytes) -> None:
        """The state when watching began."""
        for row in self.watched.split(rows):
            self._known.setdefault(self.watched.identity(row), self.watched.fingerprint(row))

    def heard(self, row: bytes, *, gone: bool) -> None:
        """A live notification."""
        if gone:
            self._known.pop(self.watched.identity(row), None)
        else:
            self._known[self.watched.identity(row)] = self.watched.fingerprint(row)

    def missed(self, rows: bytes) -> tuple[list[bytes], list[bytes]]:
        """Rows that are new or differ, and identities that are gone; learns the new state."""
        found = {self.watched.identity(row): row for row in self.watched.split(rows)}
        prints = {key: self.watched.fingerprint(row) for key, row in found.items()}
        differing = [found[key] for key, value in prints.items() if self._known.get(key) != value]
        gone = [key for key in self._known if key not in found]
        self._known = prints
        return differing, gone


class Recovery:
    """One round of re-reading after pumping came back. Live notifications wait until it ends."""

    def __init__(
        self, baselines: Mapping[str, Baseline], ask: Ask, tell: Callable[[str, bytes], None], end: Callable[[], None]
    ) -> None:
        self._left = list(baselines.items())
        self._ask = ask
        self._tell = tell
        self._end = end

    def step(self) -> None:
        """Reads the next table, or ends."""
        if not self._left:
            self._end()
            return
        kind, baseline = self._left.pop(0)
        self._ask((baseline.watched.request, 0), lambda reply: self._compare(kind, baseline, reply))

    def _compare(self, kind: str, baseline: Baseline, reply: object) -> None:
        if not isinstance(reply, Reply) or reply.code:
            self.step()
            return
        differing, gone = baseline.missed(reply.rows)
        for row in differing:
            self._tell(kind, row)
        if kind == "trade" and gone:
            tickets = [int.from_bytes(key, "little", signed=True) for key in gone]
            self._ask(
                ("TradeRecordsRequest", integers(tickets), len(tickets)), lambda reply: self._closed(baseline, reply)
            )
        else:
            self.step()

    def _closed(self, baseline: Baseline, reply: object) -> None:
        if isinstance(reply, Reply):
            for row in baseline.watched.split(reply.rows):
                self._tell("trade", row)
        self.step()
