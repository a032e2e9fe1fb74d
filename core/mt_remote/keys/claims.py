"""Who is the first under a key, and what repetitions answer.

A client that missed an answer repeats its request under the same key, perhaps from a new session, and gets the first
answer instead of a second order. What is known not to have happened frees its key: repeating it tries again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from functools import partial

import anyio
from pydantic_core import to_jsonable_python

from mt_remote.dispatch.calls import ParsedCall
from mt_remote.errors import InProgress, InternalError, KeyReused, RequestError
from mt_remote.keys.store import Answer, Failure, Kept, KeyStore, Owner
from mt_remote.logs import Log
from mt_remote.records import Patch

log = Log()

CUT_OFF = Failure("The first call under this key did not finish; its outcome is unknown", "timeout", "unknown")
"""What repetitions read where nobody will hear any more what became of the first call."""
NOT_BEGUN = Failure("The first call under this key was not carried out", "timeout", "not_done")
"""What those read that waited for a first call which was given up in time."""


class Flag:
    """An event that costs nothing where nobody waits for it."""

    __slots__ = ("_event", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._event: anyio.Event | None = None

    def set(self) -> None:
        """It happened."""
        self.is_set = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        """Until it has happened."""
        if not self.is_set:
            if self._event is None:
                self._event = anyio.Event()
            await self._event.wait()


class Claim:
    """A first call's hold on its key. It carries the identity under which the key was claimed: that of the session may
    be gone when the call ends.

    ``number`` is the store's, 0 until it has one. ``late`` says that the call has been answered with a time-out and is
    still under way. ``changed`` is set when repetitions that wait have something to answer, ``stored`` when the call's
    end is.
    """

    __slots__ = (
        "abandoned",
        "answer",
        "changed",
        "claimed",
        "ended",
        "fingerprint",
        "late",
        "number",
        "place",
        "problem",
        "stored",
    )

    def __init__(self, place: tuple[Owner, str], fingerprint: bytes) -> None:
        self.place = place
        self.fingerprint = fingerprint
        self.number = 0
        self.late = False
        self.abandoned = False
        self.ended = False
        self.answer: Answer | None = None
        self.problem: Exception | Kept | None = None
        self.claimed = Flag()
        self.changed = Flag()
        self.stored = Flag()

    async def is_stored(self) -> None:
        """Waits for the call's end to be stored."""
        await self.stored.wait()


class IdempotencyKeys:
    """Claims keys of a store for the calls of one process. ``now`` tells Unix seconds."""

    def __init__(self, store: KeyStore, now: Callable[[], float] = time.time) -> None:
        self.store = store
        self._now = now
        self._claims: dict[tuple[Owner, str], Claim] = {}

    def describe(self) -> str:
        """Where the keys are, for people."""
        return self.store.describe()

    async def claim(self, owner: Owner, key: str, asked: bytes) -> Claim | Answer:
        """The hold of a first call, which has to be given to :meth:`settle` or :meth:`release`, or what the first one
        was answered; it is waited for unless it is late. ``asked`` is the request's :func:`fingerprint`. Raises
        :class:`~mt_remote.errors.KeyReused`, :class:`~mt_remote.errors.InProgress`,
        :class:`~mt_remote.errors.TooManyKeys`."""
        place = (owner, key)
        while (other := self._claims.get(place)) is not None:
            if other.number:
                return await _answer_of(other, asked)
            await other.claimed.wait()
        claim = self._claims[place] = Claim(place, asked)
        self.store.claim(owner, key, asked, self._now(), partial(self._claimed, claim))
        try:
            await claim.claimed.wait()
        except BaseException:
            self._abandon(claim)
            raise
        if claim.problem is None:
            return claim
        if isinstance(claim.problem, RequestError):
            raise claim.problem
        if isinstance(claim.problem, Kept):
            return _kept_answer(claim.problem, key, asked)
        raise InternalError("The key can't be stored, so the call was not carried out; the gateway's log says why")

    def _claimed(self, claim: Claim, outcome: int | Kept | Exception) -> None:
        """The store has an answer."""
        if isinstance(outcome, int):
            claim.number = outcome
            claim.claimed.set()
            if claim.abandoned:
                self.release(claim, NOT_BEGUN)
        else:
            claim.problem = outcome
            self._drop(claim)

    def _abandon(self, claim: Claim) -> None:
        """Nobody waits for a claim that travels, or has just arrived: the call was not begun."""
        claim.abandoned = True
        if claim.number:
            self.release(claim, NOT_BEGUN)

    def _drop(self, claim: Claim) -> None:
        if self._claims.get(claim.place) is claim:
            del self._claims[claim.place]
        claim.claimed.set()

    def call_is_late(self, claim: Claim) -> None:
        """The call was answered with a time-out and goes on: repetitions need not wait for it."""
        claim.late = True
        claim.changed.set()

    def settle(self, claim: Claim, answer: Answer) -> None:
        """The call ended so, unless it ended before. ``claim.stored`` is set once that is stored: nobody should be
        answered before."""
        if not claim.ended:
            claim.ended = True
            self._settle(claim, answer)

    def _settle(self, claim: Claim, answer: Answer) -> None:
        self.store.settle(claim.number, answer, partial(self._ended, claim, answer))

    def release(self, claim: Claim, failure: Failure) -> None:
        """The call is known not to have happened. Who waits for it reads why; the key is free once ``claim.stored``
        is set."""
        if not claim.ended:
            claim.ended = True
            self._release(claim, failure)

    def _release(self, claim: Claim, failure: Failure) -> None:
        self.store.release(claim.number, partial(self._ended, claim, Answer(failure=failure)))

    def _ended(self, claim: Claim, answer: Answer, problem: Exception | None) -> None:
        claim.answer = answer
        if problem is None:
            self._drop(claim)
        else:  # this process at least remembers, for as long as it lives
            log.error("what became of a call under a key can't be stored", reason=str(problem))
        claim.changed.set()
        claim.stored.set()


async def _answer_of(first: Claim, asked: bytes) -> Answer:
    """What a first call of this process was answered."""
    if first.fingerprint != asked:
        raise KeyReused(f"The key {first.place[1]!r} was used for a different request")
    await first.changed.wait()
    if first.answer is None:
        raise InProgress
    return first.answer


def _kept_answer(kept: Kept, key: str, asked: bytes) -> Answer:
    """What a first call was answered that is none of this process's."""
    if kept.fingerprint != asked:
        raise KeyReused(f"The key {key!r} was used for a different request")
    if kept.answer is not None:
        return kept.answer
    if kept.under_way:
        raise InProgress
    return Answer(failure=CUT_OFF)


def fingerprint(call: ParsedCall) -> bytes:
    """What a call asks for, in short."""
    body = call.body.changes if isinstance(call.body, Patch) else call.body
    asked = to_jsonable_python([call.name, call.arguments, body])
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()  # the order of keys is free
