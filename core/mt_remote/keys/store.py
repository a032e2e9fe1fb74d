"""Where idempotency keys live: the interface of a store, and the store in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mt_remote.errors import Problem, RequestError, TooManyKeys

KEPT_SECONDS = 24 * 3600.0

Owner = tuple[str, int]
"""Whose keys they are: the canonical name of an MT4 server, and a login."""


class KeptError(RequestError):
    """What the first call under a key was answered, as it was kept."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, details=[Problem(*each) for each in failure.details])
        self._wire_code = failure.code
        self.outcome = failure.outcome

    @property
    def wire_code(self) -> str:
        return self._wire_code


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a client reads it."""

    message: str
    code: str
    outcome: str = ""
    details: Sequence[Sequence[str]] = ()

    def __post_init__(self) -> None:
        details = tuple((path, problem) for path, problem in self.details)  # JSON has lists alone
        object.__setattr__(self, "details", details)

    @classmethod
    def of(cls, error: RequestError) -> Failure:
        """What there is to keep of an error."""
        details = [(each.path, each.problem) for each in error.details]
        return cls(error.message, error.wire_code, error.outcome, details)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call: its result's JSON (``None`` where the function returns nothing), or how it failed."""

    result: bytes | None = None
    failure: Failure | None = None

    def get(self) -> bytes | None:
        """The result. Raises :class:`KeptError` where the call failed."""
        if self.failure is not None:
            raise KeptError(self.failure)
        return self.result


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store has under a key. Without an ``answer`` the first call is ``under_way``, in this process or another
    one, or it was cut off when its process ended."""

    fingerprint: bytes
    answer: Answer | None = None
    under_way: bool = False


Claimed = Callable[["int | Kept | Exception"], object]
"""Hears what became of a claim: the number under which it is to be settled, what was there already, or why the store
could not say. :class:`~mt_remote.errors.TooManyKeys` is such an exception."""
Done = Callable[["Exception | None"], object]
"""Hears that something was stored, or why it could not be."""


class KeyStore(ABC):
    """Keeps keys for 24 hours, at most ``most`` of each owner.

    What it is told it carries out in that order. ``then`` is called once it is done (and as durable as the store is),
    on the event loop, perhaps before the method returns.
    """

    most: int

    @abstractmethod
    def claim(self, owner: Owner, key: str, fingerprint: bytes, now: float, then: Claimed) -> None:
        """Takes a key for a request at ``now`` (Unix seconds), unless it is taken. It is durable before ``then`` hears
        of it: the call may be carried out."""

    @abstractmethod
    def settle(self, number: int, answer: Answer, then: Done) -> None:
        """The call of a claim ended so; one that is settled already, or forgotten, stays as it is."""

    @abstractmethod
    def release(self, number: int, then: Done) -> None:
        """The call of a claim is known not to have happened: its key is free, unless it is settled."""

    async def aclose(self) -> None:
        """Carries out what it was told, and frees everything."""

    @abstractmethod
    def describe(self) -> str:
        """Where the keys are, for people."""


@dataclass(slots=True)
class _Row:
    number: int
    fingerprint: bytes
    since: float
    answer: Answer | None = None


class MemoryKeyStore(KeyStore):
    """Keys of this process: a restart forgets them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._rows: OrderedDict[tuple[Owner, str], _Row] = OrderedDict()
        self._places: dict[int, tuple[Owner, str]] = {}
        self._counts: Counter[Owner] = Counter()
        self._last = 0

    def claim(self, owner: Owner, key: str, fingerprint: bytes, now: float, then: Claimed) -> None:
        self._forget_old(now)
        row = self._rows.get((owner, key))
        if row is not None:
            then(Kept(row.fingerprint, row.answer, under_way=row.answer is None))
        elif self._counts[owner] >= self.most:
            then(TooManyKeys(self.most))
        else:
            self._last += 1
            self._rows[owner, key] = _Row(self._last, fingerprint, now)
            self._places[self._last] = owner, key
            self._counts[owner] += 1
            then(self._last)

    def settle(self, number: int, answer: Answer, then: Done) -> None:
        place = self._places.get(number)
        if place is not None and self._rows[place].answer is None:
            self._rows[place].answer = answer
        then(None)

    def release(self, number: int, then: Done) -> None:
        place = self._places.get(number)
        if place is not None and self._rows[place].answer is None:
            self._drop(place)
        then(None)

    def _forget_old(self, now: float) -> None:
        while self._rows:
            place, oldest = next(iter(self._rows.items()))
            if now - oldest.since < KEPT_SECONDS:
                return
            self._drop(place)

    def _drop(self, place: tuple[Owner, str]) -> None:
        del self._places[self._rows.pop(place).number]
        self._counts[place[0]] -= 1
        if not self._counts[place[0]]:
            del self._counts[place[0]]

    def describe(self) -> str:
        return "in memory: a restart forgets them"
