"""What was different between a recording and its replay.

A difference has a path. That of an answer begins with the function, that of an event with its kind:
``order.open.status``, ``trade.data.commission``, ``trades.get.result.0.profit``. A path to ignore may have ``*`` in it,
and stands for all that is below it.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import SequenceMatcher
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from mt_remote_tools.recording.format import (
    Answer,
    Closed,
    Entry,
    EventHeard,
    Opened,
    Recording,
    Request,
    Silence,
)  # fmt: skip
from mt_remote_tools.recording.player import Played, id_key
from mt_remote_tools.recording.redact import PLACEHOLDER, Redactor
from mt_remote_tools.recording.tape import redacted
from mt_remote_tools.recording.volatile import CHECKSUMS, IDENTITIES, Bindings, is_integer, is_time

E = TypeVar("E")


class Kind(StrEnum):
    """Ways of being different."""

    MISSING = "missing"
    UNEXPECTED = "unexpected"
    TYPE = "type"
    VALUE = "value"
    ORDER = "order"


@dataclass(frozen=True)
class Difference:
    """One difference. ``where`` says which message, for people; ``law`` is the one that is broken, in scripts."""

    kind: Kind
    path: str
    where: str
    recorded: Any = None
    replayed: Any = None
    law: str = ""

    def __str__(self) -> str:
        said = {
            Kind.MISSING: f"is missing; recorded: {_shown(self.recorded)}",
            Kind.UNEXPECTED: f"is new: {_shown(self.replayed)}",
            Kind.TYPE: f"was {json_type(self.recorded)}, is {json_type(self.replayed)}: {_shown(self.replayed)}",
            Kind.VALUE: f"was {_shown(self.recorded)}, is {_shown(self.replayed)}",
            Kind.ORDER: "came in another order",
        }[self.kind]
        return f"{self.path}: {said} ({self.where})" + (f" breaks {self.law}" if self.law else "")


@dataclass
class Result:
    """All differences, and how much was compared."""

    differences: list[Difference] = field(default_factory=list)
    answers: int = 0
    events: int = 0

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "same": not self.differences,
            "compared": {"answers": self.answers, "events": self.events},
            "differences": [asdict(each) for each in self.differences],
        }


_LONGEST = 120
_NAMELESS = "answer"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def json_type(value: Any) -> str:
    """JSON's name for a value's type; whole numbers are told from others."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return (
            "integer"
            if value == value and value not in (float("inf"), -float("inf")) and value == int(value)
            else "number"
        )
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else "object"


def compare(recording: Recording, played: Played, ignore: Sequence[str] = ()) -> Result:
    """Every difference, in the order of the recording; those at an ignored path are left out."""
    comparison = _Comparison(recording.is_script, recording.header.law, played.bindings)
    for number in recording.sessions:
        replayed = [entry for entry in played.entries if entry.session == number]
        comparison.session(number, recording.of(number), replayed)
    found = [each for each in comparison.found if not any(_covers(pattern, each.path) for pattern in ignore)]
    return Result(_without_secrets(found, played.entries), comparison.answers, comparison.events)


def _without_secrets(found: list[Difference], replayed: Iterable[Entry]) -> list[Difference]:
    """Differences are printed and kept: what the replay had for secrets is not in them."""
    redactor = Redactor()
    for entry in replayed:
        redacted(entry, redactor)
    return [replace(each, replayed=redactor.value(each.replayed), where=redactor.text(each.where)) for each in found]


def _covers(pattern: str, path: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(path, pattern + ".*")


class _Comparison:
    def __init__(self, stated_only: bool, law: str, bindings: Bindings) -> None:
        self.found: list[Difference] = []
        self.answers = 0
        self.events = 0
        self._stated_only = stated_only
        self._main_law = law
        self._bindings = bindings
        self._where = ""
        self._law = ""

    def _add(self, kind: Kind, path: str, recorded: Any = None, replayed: Any = None) -> None:
        law = self._law or self._main_law
        self.found.append(Difference(kind, path, self._where, recorded, replayed, law))

    def session(self, number: int, recorded: list[Entry], replayed: list[Entry]) -> None:
        """One session's handshake, answers, events and end."""
        if not self._handshake(number, recorded, replayed):
            return
        self._answers(number, recorded, replayed)
        self._events(number, recorded, replayed)
        self._silences(number, recorded, replayed)
        self._end(number, recorded, replayed)

    def _at(self, session: int, what: str, law: str = "") -> None:
        self._where, self._law = f"session {session}, {what}", law

    # Handshakes and ends

    def _handshake(self, number: int, recorded: list[Entry], replayed: list[Entry]) -> bool:
        ours, theirs = _first(Opened, recorded), _first(Opened, replayed)
        if ours is None:
            return True
        self._at(number, "handshake", ours.law)
        if theirs is None:
            self._add(Kind.MISSING, "handshake", ours.status)
            return False
        if ours.status != theirs.status:
            self._add(Kind.VALUE, "handshake.status", ours.status, theirs.status)
            return False
        if not self._stated_only or ours.body is not None:
            self._value("body", ours.body, theirs.body, "handshake.body")
        return True

    def _end(self, number: int, recorded: list[Entry], replayed: list[Entry]) -> None:
        ours, theirs = _first(Closed, recorded), _first(Closed, replayed)
        self._at(number, "its end", ours.law if ours else "")
        if ours is None:  # the recorder was stopped, or a script does not say
            if theirs is not None and theirs.by == "gateway":
                self._add(Kind.UNEXPECTED, "closed", None, theirs.code)
        elif theirs is None:
            self._add(Kind.MISSING, "closed", ours.code)
        elif ours.by != theirs.by:
            self._add(Kind.VALUE, "closed.by", ours.by, theirs.by)
        elif ours.by == "gateway":
            self._value("code", ours.code, theirs.code, "closed.code")
            if not self._stated_only or ours.reason:
                self._value("reason", ours.reason, theirs.reason, "closed.reason")

    # Answers

    def _answers(self, number: int, recorded: list[Entry], replayed: list[Entry]) -> None:
        names = _names(recorded)
        ours, theirs = _by_id(recorded), _by_id(replayed)
        for key, answers in ours.items():
            came = theirs.get(key, [])
            name = names.get(key, _NAMELESS)
            for index, answer in enumerate(answers):
                self.answers += 1
                self._at(number, f"answer to id {key}", answer.law)
                if index < len(came):
                    self._answer(name, answer.message, came[index].message)
                else:
                    self._add(Kind.MISSING, name, answer.message)
        for key, came in theirs.items():
            extra = came[len(ours.get(key, ())) :]
            for answer in extra if not self._stated_only or key in ours else ():
                self._at(number, f"answer to id {key}")
                self._add(Kind.UNEXPECTED, names.get(key, _NAMELESS), None, answer.message)

    def _answer(self, name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
        if "status" in ours and ours["status"] != theirs.get("status"):
            said = theirs.get("message")
            self._where += f": {said}" if said else ""
            self._add(Kind.VALUE, f"{name}.status", ours["status"], theirs.get("status"))
            return
        # What is wrong with a message that could not be read is said of a text that no recording keeps.
        left_out = ("id", "message", "details") if name == _NAMELESS else ("id",)
        one, other = ({key: each[key] for key in each if key not in left_out} for each in (ours, theirs))
        self._mapping(one, other, name)

    # Events

    def _events(self, number: int, recorded: list[Entry], replayed: list[Entry]) -> None:
        ours = [entry for entry in recorded if isinstance(entry, EventHeard)]
        theirs = [entry for entry in replayed if isinstance(entry, EventHeard)]
        self.events += len(ours)
        pairs, missing, new = self._aligned(ours, theirs)
        for one, other in pairs:
            self._at(number, f"event {one.message.get('event_id', '')}".rstrip(), one.law)
            if other is None:
                self._add(Kind.MISSING, one.kind, one.message.get("data"))
                continue
            if id(one) in missing:
                self._add(Kind.ORDER, one.kind, one.message.get("data"), other.message.get("data"))
            self._mapping(_content(one), _content(other), one.kind)
        for other in new if not self._stated_only else ():
            self._at(number, f"event {other.message.get('event_id', '')}".rstrip())
            self._add(Kind.UNEXPECTED, other.kind, None, other.message.get("data"))
        self._numbering(number, ours, theirs)

    def _aligned(
        self, ours: list[EventHeard], theirs: list[EventHeard]
    ) -> tuple[list[tuple[EventHeard, EventHeard | None]], set[int], list[EventHeard]]:
        """Each recorded event with its counterpart; those (by ``id``) that came at another place; what is new."""
        left = [self._event_key(entry, ahead=True) for entry in ours]
        right = [self._event_key(entry, ahead=False) for entry in theirs]
        partner: dict[int, int] = {}
        for block in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
            partner.update((block.a + offset, block.b + offset) for offset in range(block.size))
        free = [index for index in range(len(theirs)) if index not in set(partner.values())]
        moved: set[int] = set()
        kinds = [entry.kind for entry in ours], [entry.kind for entry in theirs]
        for one, other in ((left, right), kinds):
            for index in [index for index in range(len(ours)) if index not in partner]:
                found = next((each for each in free if one[index] == other[each]), None)
                if found is not None:
                    partner[index] = found
                    free.remove(found)
                    if left[index] == right[found]:
                        moved.add(id(ours[index]))
        pairs = [(entry, theirs[partner[i]] if i in partner else None) for i, entry in enumerate(ours)]
        return pairs, moved, [theirs[index] for index in free]

    def _event_key(self, entry: EventHeard, *, ahead: bool) -> tuple[str, Any]:
        """An event's kind and what it is about."""
        data = entry.message.get("data")
        if not isinstance(data, Mapping):
            return entry.kind, json.dumps(data)
        for name in ("order", "login", "id", "symbol", "group"):
            if name in data:
                value = self._bindings.counterpart(name, data[name]) if ahead else data[name]
                return entry.kind, json.dumps(value)
        return entry.kind, ""

    def _numbering(self, number: int, ours: list[EventHeard], theirs: list[EventHeard]) -> None:
        """``event_id`` counts up by one; where the recording has a gap the replay may have one."""
        allowed = Counter(_steps(ours))
        allowed[1] = len(theirs)
        for entry, step in zip(theirs, _steps(theirs), strict=True):
            if allowed[step] == 0:
                self._at(number, f"event {entry.message.get('event_id')}")
                self._add(Kind.VALUE, f"{entry.kind}.event_id", 1, step)
                return
            allowed[step] -= 1

    def _silences(self, number: int, recorded: list[Entry], replayed: list[Entry]) -> None:
        """No event came where a script wants none."""
        answered = ""
        for index, entry in enumerate(recorded):
            if isinstance(entry, Answer):
                answered = id_key(entry.message)
            elif isinstance(entry, Silence):
                self._at(number, f"silence after the answer to id {answered}", entry.law)
                for event in _between(replayed, answered, _last_silent(recorded, index)):
                    if entry.event in (None, event.kind):
                        self._add(Kind.UNEXPECTED, event.kind, None, event.message.get("data"))

    # Values

    def _mapping(self, ours: Mapping[str, Any], theirs: Mapping[str, Any], path: str) -> None:
        for name, value in ours.items():
            if name in theirs:
                self._value(name, value, theirs[name], f"{path}.{name}")
            else:
                self._add(Kind.MISSING, f"{path}.{name}", value)
        for name in theirs.keys() - ours.keys() if not self._stated_only else ():
            self._add(Kind.UNEXPECTED, f"{path}.{name}", None, theirs[name])

    def _value(self, name: str, ours: Any, theirs: Any, path: str) -> None:
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            self._mapping(ours, theirs, path)
        elif isinstance(ours, list) and isinstance(theirs, list):
            self._list(name, ours, theirs, path)
        elif self._same(name, ours, theirs):
            return
        elif _kinds_differ(ours, theirs):
            self._add(Kind.TYPE, path, ours, theirs)
        else:
            self._add(Kind.VALUE, path, ours, theirs)

    def _list(self, name: str, ours: list[Any], theirs: list[Any], path: str) -> None:
        for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            self._value(name, one, other, f"{path}.{index}")
        for index in range(len(theirs), len(ours)):
            self._add(Kind.MISSING, f"{path}.{index}", ours[index])
        for index in range(len(ours), len(theirs)):
            self._add(Kind.UNEXPECTED, f"{path}.{index}", None, theirs[index])

    def _same(self, name: str, ours: Any, theirs: Any) -> bool:
        if isinstance(ours, str) and isinstance(theirs, str):
            return _fits(ours, theirs) or self._bindings.same_text(ours, theirs)
        if isinstance(ours, bool) or isinstance(theirs, bool):
            return ours is theirs
        if is_integer(ours) and is_integer(theirs):
            if name in IDENTITIES:
                return bool(self._bindings.counterpart(name, ours) == theirs)
            if name in CHECKSUMS:
                return True
            if is_time(name):
                return (ours == 0) == (theirs == 0)
        return bool(ours == theirs)


def _fits(ours: str, theirs: str) -> bool:
    """Whether a text is what was recorded, with anything in the place of secrets."""
    if not PLACEHOLDER.search(ours):
        return ours == theirs
    parts, last = [], 0
    for match in PLACEHOLDER.finditer(ours):
        parts += [re.escape(ours[last : match.start()]), ".*"]
        last = match.end()
    return re.fullmatch("".join(parts) + re.escape(ours[last:]), theirs, re.DOTALL) is not None


def _kinds_differ(ours: Any, theirs: Any) -> bool:
    one, other = json_type(ours), json_type(theirs)
    if {one, other} == {"integer", "number"}:  # a price of 2.0 may become 2.1; an int may not become one
        return is_integer(ours)
    return one != other


def _first(kind: type[E], entries: Iterable[Entry]) -> E | None:
    return next((entry for entry in entries if isinstance(entry, kind)), None)


def _names(entries: Iterable[Entry]) -> dict[str, str]:
    """Functions by the ids of their requests."""
    return {
        id_key(entry.message): entry.name
        for entry in entries
        if isinstance(entry, Request) and entry.message and entry.name
    }


def _by_id(entries: Iterable[Entry]) -> dict[str, list[Answer]]:
    found: defaultdict[str, list[Answer]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, Answer):
            found[id_key(entry.message)].append(entry)
    return found


def _content(entry: EventHeard) -> dict[str, Any]:
    return {name: value for name, value in entry.message.items() if name not in ("event", "event_id")}


def _steps(events: Sequence[EventHeard]) -> list[int]:
    """By how much each event's id is above the one before it; the first one's is above -1."""
    numbers = [entry.message.get("event_id") for entry in events]
    whole = [number if isinstance(number, int) else 0 for number in numbers]
    return [number - before for before, number in zip([-1, *whole], whole, strict=False)]


def _last_silent(entries: Sequence[Entry], index: int) -> int | None:
    """How many requests have been sent when a silence ends: with the request that leads to the next event of its kind
    which the script expects. ``None``: with the session."""
    silence = entries[index]
    kind = silence.event if isinstance(silence, Silence) else None
    for later, entry in enumerate(entries[index:], index):
        if isinstance(entry, EventHeard) and kind in (None, entry.kind):
            return sum(isinstance(each, Request) for each in entries[:later])
    return None


def _between(entries: Sequence[Entry], answered: str, until: int | None) -> Iterator[EventHeard]:
    """Events after the answer to an id and before the request of that number."""
    heard, requests = not answered, 0
    for entry in entries:
        requests += isinstance(entry, Request)
        if requests == until:
            return
        if isinstance(entry, Answer):
            heard = heard or id_key(entry.message) == answered
        elif heard and isinstance(entry, EventHeard):
            yield entry
