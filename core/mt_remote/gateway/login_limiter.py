"""Limits on log-ins: how many may be under way, and how many may fail. Time is passed in, and nothing waits here.

A log-in takes a place before it goes to the backend, and gives it back unless the MT4 server refused its credentials:
then the place stays taken for the window. Places are counted for the address, for the login, and for all. While those
under way could use up what is left, further ones queue; so the number of failures is exact however many attempts come
at once, and honest ones that come at once all succeed. Once a limit is used up by failures, attempts are refused
instead.

Whoever fails at somebody's login on purpose must not lock him out: an address at which the login succeeded before
answers only for itself (OWASP's "device cookies" do the same where there are cookies).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from mt_remote.addresses import counted_as
from mt_remote.errors import Busy, Refused, RequestError

_MOST_KNOWN = 10_000
"""Pairs of login and address that are remembered as good."""


class Ended(Enum):
    """How a log-in ended."""

    SUCCEEDED = "the MT4 server let it in"
    FAILED = "the MT4 server refused its credentials, or nobody waited for its word"
    UNDECIDED = "the MT4 server had no word on its credentials"


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """How many may fail within ``window`` seconds, and how many may be under way and wait."""

    failures_of_address: int
    failures_of_login: int
    failures_of_all: int
    window: float
    concurrent: int
    waiting: int


class Attempt:
    """One log-in. ``decide`` is called once: with ``None`` when it may go to the backend, with an error when it may
    not. One that ``is_retry`` restores what was lost: it queues, and no failure keeps it out."""

    __slots__ = ("_decide", "address", "is_retry", "is_started", "login")

    def __init__(
        self,
        address: str,
        login: Hashable,
        decide: Callable[[RequestError | None], object],
        *,
        is_retry: bool = False,
    ) -> None:
        self.address = counted_as(address)
        self.login = login
        self.is_retry = is_retry
        self.is_started = False
        self._decide = decide

    def decide(self, error: RequestError | None) -> None:
        self.is_started = error is None
        self._decide(error)


class _Places:
    """The failures of one address, of one login, or of all, and how many are under way that may become some."""

    __slots__ = ("failures", "under_way")

    def __init__(self) -> None:
        self.failures: deque[float] = deque()
        self.under_way = 0


class _Counted(NamedTuple):
    """As what an attempt is counted, how many of those may fail, and how that is said."""

    key: Hashable
    most: int
    whose: str


class LoginLimiter:
    """Decides who may log in, and when."""

    def __init__(self, limits: LoginLimits) -> None:
        self._limits = limits
        self._places: dict[Hashable, _Places] = {}
        self._recent: deque[tuple[float, Hashable]] = deque()
        self._known: OrderedDict[tuple[Hashable, str], None] = OrderedDict()
        self._queue: OrderedDict[Attempt, None] = OrderedDict()
        self._under_way = 0
        self._share = max(1, limits.waiting // 4)

    @property
    def under_way(self) -> int:
        """Log-ins at the backend."""
        return self._under_way

    @property
    def waiting(self) -> int:
        """Log-ins in the queue."""
        return len(self._queue)

    def ask(self, attempt: Attempt, now: float) -> None:
        """Somebody wants to log in: decides now, or later when others have ended. Raises
        :class:`~mt_remote.errors.Refused` (``too_many_logins``) and :class:`~mt_remote.errors.Busy`."""
        self._forget_old(now)
        self._refuse_failed(attempt, now)
        if self._may_start(attempt):
            self._start(attempt)
        elif len(self._queue) >= self._limits.waiting:
            raise Busy(f"More than {self._limits.waiting} logins are waiting; this one was not started")
        elif sum(other.address == attempt.address for other in self._queue) >= (most := self._share):
            raise Busy(f"More than {most} logins of this address are waiting; this one was not started")
        else:
            self._queue[attempt] = None

    def withdraw(self, attempt: Attempt) -> None:
        """Nobody wants an attempt any more that waits."""
        self._queue.pop(attempt, None)

    def end(self, attempt: Attempt, how: Ended, now: float) -> None:
        """An attempt that was let in is over."""
        self._under_way -= 1
        self._forget_old(now)
        for key, _, _ in self._counted(attempt):
            places = self._places.setdefault(key, _Places())
            if not attempt.is_retry:
                places.under_way -= 1
            if how is Ended.FAILED:
                places.failures.append(now)
                self._recent.append((now, key))
            self._tidy(key)
        if how is Ended.SUCCEEDED:
            self._known[attempt.login, attempt.address] = None
            self._known.move_to_end((attempt.login, attempt.address))
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        self._go_on(now)

    def _counted(self, attempt: Attempt) -> tuple[_Counted, ...]:
        """As what an attempt is counted."""
        limits = self._limits
        return (
            _Counted(("address", attempt.address), limits.failures_of_address, f"from {attempt.address}"),
            _Counted(("login", attempt.login), limits.failures_of_login, "of this login"),
            _Counted("all", limits.failures_of_all, "at this gateway"),
        )

    def _limiting(self, attempt: Attempt) -> Iterator[tuple[_Places, _Counted]]:
        """What could keep an attempt out."""
        if attempt.is_retry:
            return
        counted = self._counted(attempt)
        if (attempt.login, attempt.address) in self._known:
            counted = counted[:1]
        for each in counted:
            places = self._places.get(each.key)
            if places is not None:
                yield places, each

    def _refuse_failed(self, attempt: Attempt, now: float) -> None:
        for places, counted in self._limiting(attempt):
            if len(places.failures) >= counted.most:
                seconds = self._limits.window - (now - places.failures[-counted.most])
                message = f"Too many failed logins {counted.whose}: try again in {max(1, round(seconds))} s"
                raise Refused(message, code="too_many_logins")

    def _may_start(self, attempt: Attempt) -> bool:
        if self._under_way >= self._limits.concurrent:
            return False
        return all(len(places.failures) + places.under_way < each.most for places, each in self._limiting(attempt))

    def _start(self, attempt: Attempt) -> None:
        self._under_way += 1
        for key, _, _ in self._counted(attempt):
            places = self._places.setdefault(key, _Places())
            if not attempt.is_retry:
                places.under_way += 1
        attempt.decide(None)

    def _go_on(self, now: float) -> None:
        """Places came free, or were used up: decides what waits, first that of addresses with the fewest under way, the
        oldest first."""
        for attempt in sorted(self._queue, key=self._under_way_there):
            try:
                self._refuse_failed(attempt, now)
            except Refused as error:
                del self._queue[attempt]
                attempt.decide(error)
                continue
            if self._may_start(attempt):
                del self._queue[attempt]
                self._start(attempt)

    def _under_way_there(self, attempt: Attempt) -> int:
        places = self._places.get(("address", attempt.address))
        return 0 if places is None else places.under_way

    def _forget_old(self, now: float) -> None:
        while self._recent and now - self._recent[0][0] >= self._limits.window:
            _, key = self._recent.popleft()
            self._places[key].failures.popleft()
            self._tidy(key)

    def _tidy(self, key: Hashable) -> None:
        places = self._places[key]
        if not places.failures and not places.under_way:
            del self._places[key]
