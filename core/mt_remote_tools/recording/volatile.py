"""What may be another value on another server and yet be the same: tickets, logins, request ids, times.

An identity that the server chose is bound to its counterpart: ticket 1012 answered in the recording is ticket 57 of
the replay from then on, wherever it stands: in fields, in comments ("to #1012"), in error texts. The binding is one to
one. Times are compared as times: some, or none (0). Requests say the replay's identities, and times as far from its
present as the recorded ones were.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, TypeGuard

from mt_remote.records import RECORDS, Unit

IDENTITIES = {
    "order": "ticket",
    "order_by": "ticket",
    "last_order": "ticket",
    "login": "login",
    "logins": "login",
    "last_login": "login",
    "manager": "login",
    "request_id": "request",
    "id": "request",
}
"""Fields that hold what the server numbered, and which numbers these are. ``id`` is a dealing request's where it is a
number; the ids of messages are not looked at."""

CHECKSUMS = frozenset({"crc"})
"""Fields that follow from others, tickets and times among them: any number is as good as another."""

TIMES = frozenset(
    {"time", "from", "to", "expiration"}
    | {name for kind in RECORDS for name, wire in kind.wires.items() if wire.unit in (Unit.TIME, Unit.DEALING_TIME)}
)
"""Fields that hold a moment, in Unix seconds."""

_NUMBER = re.compile(r"\d+")


def is_time(name: str) -> bool:
    """Whether a field of that name holds a moment."""
    return name in TIMES or name.endswith("_time")


def is_integer(value: object) -> TypeGuard[int]:
    """A whole number, as JSON has it."""
    return isinstance(value, int) and not isinstance(value, bool)


class Bindings:
    """Which value of the replay stands for which of the recording."""

    def __init__(self) -> None:
        self._ahead: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._back: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._times: dict[int, int] = {}
        self._newest = 0

    # Learning

    def bind(self, kind: str, recorded: int, replayed: int) -> None:
        """Binds two identities, unless one of them is bound. 0 is nobody's."""
        if recorded and replayed and recorded not in self._ahead[kind] and replayed not in self._back[kind]:
            self._ahead[kind][recorded] = replayed
            self._back[kind][replayed] = recorded

    def learn(self, recorded: Any, replayed: Any, name: str = "") -> None:
        """Binds what stands at the same places of an answer or event and its counterpart."""
        if isinstance(recorded, Mapping) and isinstance(replayed, Mapping):
            for key in recorded:
                if key in replayed:
                    self.learn(recorded[key], replayed[key], key)
        elif isinstance(recorded, list) and isinstance(replayed, list):
            for one, other in zip(recorded, replayed, strict=False):
                self.learn(one, other, name)
        elif is_integer(recorded) and is_integer(replayed):
            if name in IDENTITIES:
                self.bind(IDENTITIES[name], recorded, replayed)
            elif is_time(name) and recorded and replayed:
                self._times[recorded] = replayed
                self._newest = max(self._newest, recorded)

    # Using

    def for_request(self, value: Any, name: str = "") -> Any:
        """A request's data as the replay has to say it. An identity that the client states for the first time is the
        same on both sides."""
        if isinstance(value, Mapping):
            return {key: self.for_request(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.for_request(inner, name) for inner in value]
        if isinstance(value, str):
            return re.sub(r"#(\d+)", lambda match: f"#{self._ahead['ticket'].get(int(match[1]), match[1])}", value)
        if not is_integer(value) or value <= 0:
            return value
        if name in IDENTITIES:
            kind = IDENTITIES[name]
            self.bind(kind, value, value)
            return self._ahead[kind].get(value, value)
        return self._moved(value) if is_time(name) else value

    def _moved(self, time: int) -> int:
        if time in self._times:
            return self._times[time]
        return time + self._times.get(self._newest, 0) - self._newest

    def counterpart(self, name: str, recorded: Any) -> Any:
        """What an identity is in the replay; any other value as it is."""
        if name in IDENTITIES and is_integer(recorded):
            return self._ahead[IDENTITIES[name]].get(recorded, recorded)
        return recorded

    def same_text(self, recorded: str, replayed: str) -> bool:
        """Whether two texts differ in nothing but the numbers of things that are bound."""
        if recorded == replayed:
            return True
        ours, theirs = _NUMBER.findall(recorded), _NUMBER.findall(replayed)
        if len(ours) != len(theirs) or _NUMBER.split(recorded) != _NUMBER.split(replayed):
            return False
        return all(
            one == other or any(ahead.get(int(one)) == int(other) for ahead in self._ahead.values())
            for one, other in zip(ours, theirs, strict=True)
        )
