"""The limits on log-ins, with the time in the test's hands."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mt_remote.errors import Busy, Refused, RequestError
from mt_remote.gateway.login_limiter import Attempt, Ended, LoginLimiter, LoginLimits


def limits(
    address: int = 3, login: int = 100, all_: int = 100, window: float = 60, concurrent: int = 8, waiting: int = 40
) -> LoginLimits:
    return LoginLimits(address, login, all_, window, concurrent, waiting)


class Asked:
    """An attempt, and what was decided of it."""

    def __init__(
        self, limiter: LoginLimiter, address: str, login: int = 1, now: float = 0.0, *, is_retry: bool = False
    ) -> None:
        self.limiter = limiter
        self.attempt = Attempt(address, login, self._decided, is_retry=is_retry)
        self.error: RequestError | None = None
        self.is_decided = self.is_over = False
        try:
            limiter.ask(self.attempt, now)
        except RequestError as error:
            self._decided(error)

    def _decided(self, error: RequestError | None) -> None:
        assert not self.is_decided
        self.error, self.is_decided = error, True

    @property
    def started(self) -> bool:
        return self.is_decided and self.error is None

    @property
    def waits(self) -> bool:
        return not self.is_decided

    def end(self, how: Ended, now: float = 0.0) -> None:
        assert self.started
        assert not self.is_over
        self.is_over = True
        self.limiter.end(self.attempt, how, now)


def test_failures_count_for_a_while() -> None:
    limiter = LoginLimiter(limits(address=2))
    Asked(limiter, "a", now=0).end(Ended.FAILED, 0)
    Asked(limiter, "a", now=10).end(Ended.FAILED, 10)
    refused = Asked(limiter, "a", now=11)
    assert isinstance(refused.error, Refused)
    assert refused.error.message == "Too many failed logins from a: try again in 49 s"
    assert refused.error.wire_code == "too_many_logins"
    assert Asked(limiter, "b", now=11).started
    Asked(limiter, "a", now=60).end(Ended.FAILED, 61)
    assert "in 8 s" in str(Asked(limiter, "a", now=62).error)
    assert Asked(limiter, "a", now=200).started


def test_attempts_at_once_are_as_many_as_may_fail() -> None:
    limiter = LoginLimiter(limits(address=3))
    asked = [Asked(limiter, "a") for _ in range(6)]
    assert [each.started for each in asked] == [True] * 3 + [False] * 3
    asked[0].end(Ended.FAILED)
    assert not asked[3].is_decided, "two more may fail"
    asked[1].end(Ended.FAILED)
    asked[2].end(Ended.FAILED)
    assert all(isinstance(each.error, Refused) for each in asked[3:])
    assert limiter.waiting == limiter.under_way == 0


def test_honest_ones_at_once_all_succeed() -> None:
    limiter = LoginLimiter(limits(address=3, concurrent=2))
    asked = [Asked(limiter, "a") for _ in range(10)]
    for _ in range(10):
        running = next(each for each in asked if each.started and not each.is_over)
        assert limiter.under_way <= 2
        running.end(Ended.SUCCEEDED)
    assert all(each.started for each in asked)


def test_a_server_that_cannot_say_gives_the_place_back() -> None:
    limiter = LoginLimiter(limits(address=1))
    for _ in range(5):
        Asked(limiter, "a").end(Ended.UNDECIDED)
    assert Asked(limiter, "a").started


def test_a_success_does_not_wash_failures_away() -> None:
    limiter = LoginLimiter(limits(address=2))
    Asked(limiter, "a", 1).end(Ended.FAILED)
    Asked(limiter, "a", 2).end(Ended.SUCCEEDED)
    Asked(limiter, "a", 1).end(Ended.FAILED)
    assert Asked(limiter, "a", 1).error is not None


def test_one_login_from_many_addresses() -> None:
    limiter = LoginLimiter(limits(login=3))
    for number in range(3):
        Asked(limiter, f"10.0.0.{number}", 1).end(Ended.FAILED)
    assert "of this login" in str(Asked(limiter, "10.0.0.9", 1).error)
    assert Asked(limiter, "10.0.0.9", 2).started


def test_whoever_was_in_before_is_not_locked_out_by_others() -> None:
    limiter = LoginLimiter(limits(login=3, all_=4, address=2))
    Asked(limiter, "home", 1).end(Ended.SUCCEEDED)
    for number in range(4):
        Asked(limiter, f"10.0.0.{number}", 1 + number // 3).end(Ended.FAILED)
    assert "at this gateway" in str(Asked(limiter, "10.0.0.9", 9).error)
    for _ in range(2):
        Asked(limiter, "home", 1).end(Ended.FAILED)
    assert "from home" in str(Asked(limiter, "home", 1).error), "it answers for itself"


def test_a_network_of_ipv6_is_one_address() -> None:
    limiter = LoginLimiter(limits(address=2))
    Asked(limiter, "2001:db8::1").end(Ended.FAILED)
    Asked(limiter, "2001:db8::2").end(Ended.FAILED)
    assert Asked(limiter, "2001:db8::3").error is not None
    assert Asked(limiter, "2001:db8:0:1::3").started


def test_the_queue_is_bounded_and_shared() -> None:
    limiter = LoginLimiter(limits(address=50, concurrent=1, waiting=8))
    first = Asked(limiter, "a")
    assert [Asked(limiter, "a").waits for _ in range(3)] == [True, True, False], "a quarter for one address"
    others = [Asked(limiter, f"10.0.0.{number}") for number in range(6)]
    assert all(each.waits for each in others)
    assert isinstance(Asked(limiter, "late").error, Busy)
    first.end(Ended.SUCCEEDED)
    assert limiter.waiting == 7


def test_addresses_with_fewer_under_way_come_first() -> None:
    limiter = LoginLimiter(limits(address=50, concurrent=2))
    flood = [Asked(limiter, "a") for _ in range(6)]
    other = Asked(limiter, "b")
    flood[0].end(Ended.UNDECIDED)
    assert other.started
    assert flood[2].waits


def test_who_withdraws_leaves_nothing() -> None:
    limiter = LoginLimiter(limits(concurrent=1))
    first, second, third = (Asked(limiter, "a") for _ in range(3))
    limiter.withdraw(second.attempt)
    first.end(Ended.SUCCEEDED)
    assert second.waits
    assert third.started


def test_a_reconnection_queues_and_is_kept_out_by_nobody() -> None:
    limiter = LoginLimiter(limits(address=1, concurrent=1))
    Asked(limiter, "a").end(Ended.FAILED)
    under_way = Asked(limiter, "b")
    retry = Asked(limiter, "a", is_retry=True)
    assert retry.waits
    under_way.end(Ended.SUCCEEDED)
    retry.end(Ended.FAILED)
    assert limiter.under_way == 0


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ask", "ask", "end", "withdraw", "pass"]),
            st.integers(0, 3),
            st.integers(1, 3),
            st.sampled_from(list(Ended)),
            st.booleans(),
        ),
        max_size=80,
    )
)
def test_limits_hold_whatever_happens(steps: list[tuple[str, int, int, Ended, bool]]) -> None:
    bounds = limits(address=3, login=5, all_=9, window=10, concurrent=4, waiting=12)
    limiter = LoginLimiter(bounds)
    asked: list[Asked] = []
    failures: list[tuple[float, Asked]] = []
    now = 0.0
    for what, which, login, how, is_retry in steps:
        running = [each for each in asked if each.started and not each.is_over]
        waiting = [each for each in asked if each.waits]
        if what == "ask":
            asked.append(Asked(limiter, f"10.0.0.{which}", login, now, is_retry=is_retry))
        elif what == "end" and running:
            ended = running[which % len(running)]
            if how is Ended.FAILED:
                failures.append((now, ended))
            ended.end(how, now)
        elif what == "withdraw" and waiting:
            withdrawn = waiting[which % len(waiting)]
            limiter.withdraw(withdrawn.attempt)
            asked.remove(withdrawn)
        elif what == "pass":
            now += which * 2
        running = [each for each in asked if each.started and not each.is_over]
        assert limiter.under_way == len(running) <= bounds.concurrent
        assert limiter.waiting == sum(each.waits for each in asked) <= bounds.waiting
        for address in range(4):
            recent = [
                each
                for when, each in failures
                if now - when < bounds.window
                and each.attempt.address == f"10.0.0.{address}"
                and not each.attempt.is_retry
            ]
            assert len(recent) <= bounds.failures_of_address
        assert not waiting or running, "somebody will come to decide them"
    while running := [each for each in asked if each.started and not each.is_over]:
        running[0].end(Ended.UNDECIDED, now)
    assert limiter.waiting == 0
    now += bounds.window
    Asked(limiter, "last", 9, now).end(Ended.UNDECIDED, now)
    assert not limiter._places, "nothing is remembered of failures that are over"


def test_the_limiter_forgets() -> None:
    limiter = LoginLimiter(limits(all_=10**6))
    for number in range(20_000):
        now = float(number)
        Asked(limiter, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", number, now).end(Ended.SUCCEEDED, now)
    assert len(limiter._known) == 10_000
    assert not limiter._places
