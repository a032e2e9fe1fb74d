"""Calls that are safe to repeat: the same key gives the first answer again instead of a second order. Time is passed
in.

Kept per server and login, so a client may repeat from a new session. What is known not to have happened is not kept:
repeating it tries again.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass, field

import anyio
from pydantic_core import to_jsonable_python

from mt_remote.errors import RequestError
from mt_remote.protocol.calls import Call
from mt_remote.records import Patch

KEPT_SECONDS = 24 * 3600.0
_MOST = 1_000_000

Owner = tuple[str, int]


@dataclass(slots=True)
class FirstAnswer:
    """What the first call under a key asked for and what became of it."""

    fingerprint: bytes
    since: float
    done: anyio.Event = field(default_factory=anyio.Event)
    result: object = None
    error: RequestError | None = None


class Repeats:
    """First answers by owner and key, for 24 hours."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[Owner, str], FirstAnswer] = OrderedDict()

    def find(self, owner: Owner, call: Call, now: float) -> tuple[FirstAnswer, bool]:
        """The first answer under the call's key, and whether this call is the first. Raises
        :class:`~mt_remote.errors.RequestError` when the key was used for a different request."""
        while self._answers:
            oldest = next(iter(self._answers.values()))
            if now - oldest.since < KEPT_SECONDS and len(self._answers) < _MOST:
                break
            self._answers.popitem(last=False)
        fingerprint = _fingerprint(call)
        place = (owner, call.key or "")
        first = self._answers.get(place)
        if first is None:
            first = self._answers[place] = FirstAnswer(fingerprint, now)
            return first, True
        if first.fingerprint != fingerprint:
            raise KeyReused(f"The key {call.key!r} was used for a different request")
        return first, False

    def drop(self, owner: Owner, call: Call) -> None:
        """The call is known not to have happened: its key is free again."""
        first = self._answers.pop((owner, call.key or ""), None)
        if first is not None:
            first.done.set()


class KeyReused(RequestError):
    """A different request under a key that is taken."""

    code = "key_reused"


def _fingerprint(call: Call) -> bytes:
    body = call.body.changes if isinstance(call.body, Patch) else call.body
    asked = to_jsonable_python([call.name, call.arguments, body])
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()  # the order of keys is free
