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

from mt_remote.dispatch.calls import ParsedCall
from mt_remote.errors import RequestError
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


class IdempotencyKeys:
    """First answers by owner and key, for 24 hours."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[Owner, str], FirstAnswer] = OrderedDict()

    async def claim(self, owner: Owner, call: ParsedCall, now: float) -> tuple[FirstAnswer, bool]:
        """The first answer under the call's key, and whether this call is the first: it has to :meth:`settle` then.
        Raises :class:`~mt_remote.errors.RequestError` when the key was used for a different request."""
        return self.find(owner, call.key or "", fingerprint(call), now)

    def settle(self, owner: Owner, call: ParsedCall, first: FirstAnswer, *, happened: bool) -> None:
        """The first call under a key ended, as ``first`` says. One that is known not to have ``happened`` frees its
        key."""
        self.finish(owner, call.key or "", first.result, first.error, happened=happened)
        first.done.set()  # it may have been too old to be found

    def find(self, owner: Owner, key: str, asked: bytes, now: float) -> tuple[FirstAnswer, bool]:
        """The same for a request whose fingerprint is ``asked``."""
        while self._answers:
            oldest = next(iter(self._answers.values()))
            if now - oldest.since < KEPT_SECONDS and len(self._answers) < _MOST:
                break
            self._answers.popitem(last=False)
        first = self._answers.get((owner, key))
        if first is None:
            first = self._answers[owner, key] = FirstAnswer(asked, now)
            return first, True
        if first.fingerprint != asked:
            raise KeyReused(f"The key {key!r} was used for a different request")
        return first, False

    def finish(self, owner: Owner, key: str, result: object, error: RequestError | None, *, happened: bool) -> None:
        """What became of the first call under a key."""
        first = self._answers.get((owner, key)) if happened else self._answers.pop((owner, key), None)
        if first is not None:
            first.result, first.error = result, error
            first.done.set()


class KeyReused(RequestError):
    """A different request under a key that is taken."""

    code = "key_reused"


def fingerprint(call: ParsedCall) -> bytes:
    """What a call asks for, in short."""
    body = call.body.changes if isinstance(call.body, Patch) else call.body
    asked = to_jsonable_python([call.name, call.arguments, body])
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()  # the order of keys is free
