"""Several sessions at one target, and who was told what.

After each step the sessions' events are held against the changes that the step made: every subscriber heard of each,
once, with the record as it is, and of nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from mt_remote.client import Credentials
from mt_remote_conformance.sessions.client import (
    Answer,
    Client,
    Dialect,
    Json,
    Transcript,
    Unplayable,
    data_of,
    dialled,
    headers_of,
)
from mt_remote_conformance.sessions.judge import Broken, Judge
from mt_remote_conformance.targets import Target

SECRET = "Kit9pw"
"""Every password that the kit makes begins so: it must never be seen again."""

KEYS = {"group": "group", "user": "login", "trade": "order", "trade_request": "id"}
"""What identifies a record, by the kind of event that tells of it."""


@dataclass(slots=True)
class Change:
    """A record that a step changed."""

    record: Json | None
    """As it is now; ``None`` where it can't be read."""
    most: int | None = 1
    """How many events may tell of it; ``None``: any number, also none."""
    hoped: bool = False
    """Whether one is likely all the same."""


@dataclass(slots=True)
class Changes:
    """What a step did that sessions may hear of."""

    records: dict[tuple[str, object], Change] = field(default_factory=dict)
    ticks: list[Json] = field(default_factory=list)

    def add(
        self, kind: str, record: Json | None, key: object = None, *, most: int | None = 1, hoped: bool = False
    ) -> None:
        """Notes a changed record; a second note about it raises how often it may be told."""
        known = (kind, record[KEYS[kind]] if record is not None else key)
        before = self.records.get(known)
        if before is not None and before.most is not None and most is not None:
            most += before.most
        self.records[known] = Change(record, most, hoped)


def same(one: object, other: object) -> bool:
    """Equal JSON; numbers up to their last bits."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return one == other


def differences(got: Mapping[str, Any], expected: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    """(path, what differs) for every expected field that is not so."""
    for name, value in expected.items():
        path = f"{at}{name}"
        if name not in got:
            yield path, f"{path} is missing"
        elif isinstance(value, dict) and isinstance(got[name], dict):
            yield from differences(got[name], value, f"{path}.")
        elif not same(got[name], value):
            yield path, f"{path} is {got[name]!r}, expected {value!r}"


class Sessions:
    """Sessions that play together. ``boss`` reads back; it subscribes to nothing."""

    def __init__(self, target: Target, judge: Judge, transcript: Transcript | None = None) -> None:
        self.target = target
        self.judge = judge
        self.transcript = transcript or Transcript()
        self.clients: list[Client] = []
        self.secrets: set[str] = {SECRET}
        self._tells_all = True
        self._open = ExitStack()
        self.boss = self.sit("2")

    # Sessions

    def sit(self, dialect: Dialect, kinds: Iterable[str] = (), *, credentials: Credentials | None = None) -> Client:
        """A new connected session, subscribed to ``kinds``."""
        client = self.dial(dialect, credentials)
        if dialect != "1.00":
            who = credentials or self.target.credentials
            more = {"version": "2"} if dialect == "2" else {}
            self.expect(client, "connect", {**data_of(who), "reconnect_delay": 0, **more})
        for kind in kinds:
            self.expect(client, "subscribe", {"event": kind})
        return client

    def dial(self, dialect: Dialect, credentials: Credentials | None = None) -> Client:
        """A new session, connected in dialect 1.00 alone."""
        who = credentials or self.target.credentials
        headers = {**headers_of(who), "VERSION": "1.00"} if dialect == "1.00" else {}
        if dialect == "2":
            headers = {"VERSION": "2"}
        name = f"{chr(ord('a') + len(self.clients))}"
        self.transcript.add(name, "open", dialect=dialect)
        socket = self._open.enter_context(dialled(self.target.url, headers, self.target.tls))
        tamper = self.target.tamper() if self.target.tamper else None
        client = Client(
            socket, self.judge, dialect, name, self.transcript, tamper, self.secrets
        )  # fmt: skip
        self.clients.append(client)
        return client

    def leave(self, client: Client) -> None:
        """Closes a session."""
        self.clients.remove(client)
        client.close()

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Sessions:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is Broken:
            self.drain()
        self.close()

    def drain(self) -> None:
        """Something broke: what the sessions were still told goes into the transcript."""
        for client in self.clients:
            client.drain()

    # Calls

    def expect(self, client: Client, name: str, data: Mapping[str, Any] | None = None, law: str = "L-SES-4") -> Any:
        """A call that must succeed; gives its result."""
        answer = client.call(name, data)
        if name in ("subscribe", "unsubscribe"):
            law = "L-SES-5"
        elif name == "connect":
            law = "L-SES-1"
        self.judge.check(law, answer.ok, lambda: f"{name} {json.dumps(data)} answered: {answer.message}")
        return answer.result

    def succeeds(self, law: str, client: Client, name: str, data: Mapping[str, Any] | None = None) -> Any:
        """A call that must succeed by a law; gives its result."""
        answer = client.call(name, data)
        self.judge.check(law, answer.ok, lambda: f"{name} {json.dumps(data)} answered: {answer.message}")
        if not answer.ok:
            raise Unplayable(f"{name}: {answer.message}")
        return answer.result

    def fails(
        self, law: str, client: Client, name: str, data: Mapping[str, Any] | None = None, *, codes: Iterable[str] = ()
    ) -> Answer:
        """A call that must fail by a law, in dialect 2 with one of the codes."""
        answer = client.call(name, data)
        self.judge.check(law, not answer.ok, lambda: f"{name} {json.dumps(data)} succeeded: {answer.result!r:.200}")
        allowed = tuple(codes)
        if client.dialect == "2" and allowed and not answer.ok:
            self.judge.check(law, answer.code in allowed, lambda: f"{name}: code {answer.code!r}, expected {allowed}")
        return answer

    # Events

    def concerns(self, kind: str, data: Any) -> bool:
        """Whether an event is of the kit's own making: on a server that others use, theirs are passed over."""
        if self.target.exclusive or kind == "connection":
            return True
        if kind == "group":
            return self.target.owns_group(data["group"])
        return kind != "tick" and data["login"] in self.target.logins

    def examine(self, changes: Changes, sees: Callable[[Client, str, object], bool] = lambda *_: True) -> None:
        """Holds what every session was told since the last time against the changes."""
        for client in self.clients:
            due = {
                (kind, key)
                for (kind, key), change in changes.records.items()
                if kind in client.subscribed and change.most is not None and sees(client, kind, key)
            }
            ticks = [tick for tick in changes.ticks if "tick" in client.subscribed and tick["symbol"] in client.shown]
            if client.connected:
                client.settle()
            self._wait(client, due | self._hoped(client, changes, sees), ticks)
            heard = [event for event in client.events if self.concerns(event["event"], event["data"])]
            client.events.clear()
            self._records(client, due, changes, [each for each in heard if each["event"] in KEYS])
            self._ticks(client, ticks, [each["data"] for each in heard if each["event"] == "tick"])

    def _hoped(
        self, client: Client, changes: Changes, sees: Callable[[Client, str, object], bool]
    ) -> set[tuple[str, object]]:
        """What may be told of though it need not be, unless it is known by now that it is not: should it come late, it
        must not be taken for news of the next step."""
        return {
            (kind, key)
            for (kind, key), change in changes.records.items()
            if self._tells_all and change.hoped and kind in client.subscribed and sees(client, kind, key)
        }  # fmt: skip

    def _wait(self, client: Client, due: set[tuple[str, object]], ticks: list[Json]) -> None:
        def complete() -> bool:
            told = {(e["event"], e["data"][KEYS[e["event"]]]) for e in client.events if e["event"] in KEYS}
            return due <= told and (not ticks or self._last_tick(client) == _stripped(ticks[-1]))

        if not complete() and not client.wait_for(complete, self.target.patience):
            self._tells_all = False

    @staticmethod
    def _last_tick(client: Client) -> Json | None:
        for event in reversed(client.events):
            if event["event"] == "tick":
                return _stripped(event["data"])
        return None

    def _records(self, client: Client, due: set[tuple[str, object]], changes: Changes, heard: list[Json]) -> None:
        judge = self.judge
        who = f"session {client.name} of dialect {client.dialect}"
        last: dict[tuple[str, object], Any] = {}
        counted: dict[tuple[str, object], int] = {}
        for event in heard:
            known = (event["event"], event["data"][KEYS[event["event"]]])
            judge.check("L-EVT-5", known in changes.records, f"{who} is told of {known}, which nothing changed")
            last[known] = event["data"]
            counted[known] = counted.get(known, 0) + 1
        for known in due:
            judge.check("L-EVT-4", known in last, f"{who} is not told of {known}")
        for known, data in last.items():
            change = changes.records.get(known)
            if change is None:
                continue
            most = change.most
            judge.check(
                "L-EVT-5", most is None or counted[known] <= most, f"{who} is told {counted[known]} times of {known}"
            )
            if change.record is not None:
                found = "; ".join(problem for _, problem in differences(data, change.record))
                judge.check("L-EVT-7", not found, f"{who}, event of {known}: {found}")

    def _ticks(self, client: Client, due: list[Json], heard: list[Json]) -> None:
        judge = self.judge
        if not self.target.exclusive:
            return
        expected = [_stripped(tick) for tick in due]
        got = [_stripped(tick) for tick in heard]
        who = f"session {client.name} of dialect {client.dialect}"
        if self.target.merges_ticks:
            left = iter(expected)
            judge.check("L-EVT-6", all(tick in left for tick in got), f"{who}: ticks {got} are not out of {expected}")
            judge.check("L-MKT-3", not expected or expected[-1] in got, f"{who}: the last of {expected} is missing")
            return
        if sorted(map(str, got)) == sorted(map(str, expected)) and got != expected:
            raise_broken(judge, "L-EVT-6", f"{who}: ticks {got}, expected {expected}")
        judge.equal("L-MKT-3", got, expected, f"{who}: ticks told")


def raise_broken(judge: Judge, law: str, detail: str) -> None:
    """A case that is broken already."""
    judge.check(law, False, detail)


def _stripped(tick: Json) -> Json:
    return {"symbol": tick["symbol"], "bid": tick["bid"], "ask": tick["ask"]}


__all__ = ["Broken", "Change", "Changes", "Sessions", "differences", "same"]
