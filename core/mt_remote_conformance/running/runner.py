"""Playing the suites against a target, within a time, and what came of it."""

from __future__ import annotations

import copy
import functools
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, cast

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, FlakyStrategyDefinition, HypothesisWarning, InvalidArgument
from hypothesis.stateful import get_state_machine_test

from mt_remote_conformance.laws import LAWS
from mt_remote_conformance.plays.desk import DeskMachine
from mt_remote_conformance.plays.scene import Scene, staged
from mt_remote_conformance.plays.suites import Pins, Suite
from mt_remote_conformance.running.programme import CONTROL, chosen
from mt_remote_conformance.sessions.client import Json, Transcript, Unplayable
from mt_remote_conformance.sessions.judge import Broken, Judge
from mt_remote_conformance.sessions.sessions import Sessions
from mt_remote_conformance.targets import Profile, Target

CASES = 10
"""Cases of a suite of weight 1 in the default run."""

SHRINKING = 8.0
"""Seconds for making a failure small."""

REPEATS = 3
"""How often a suite is played for what a broken law hid."""

_SHAPELESS = (LookupError, TypeError, ValueError, AttributeError, AssertionError, InvalidArgument)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is played: ``cases`` of a suite of weight 1, at most ``seconds`` in all, ``seed`` for what is random,
    ``shrinking`` seconds for making a failure small, ``first_failure`` ends the run there."""

    cases: int = CASES
    seconds: float = 600.0
    seed: int = 0
    shrinking: float = SHRINKING
    first_failure: bool = False


@dataclass(slots=True)
class Failure:
    """A law that does not hold, with the shortest case that shows it."""

    law: str
    detail: str
    suite: str
    transcript: list[Json]
    seed: int

    @property
    def length(self) -> int:
        """Messages that a client sends to see it."""
        return sum(entry["kind"] == "send" for entry in self.transcript)


@dataclass(slots=True)
class Played:
    """What came of one suite."""

    suite: Suite
    cases: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    unplayable: str = ""
    """Why a suite could not be played to its end, where that is no law's concern."""


@dataclass(slots=True)
class Report:
    """What came of a run."""

    target: str
    profile: Profile
    seed: int
    played: list[Played] = field(default_factory=list)
    examined: dict[str, int] = field(default_factory=dict)
    called: dict[str, int] = field(default_factory=dict)
    """How often each function was called and answered a success."""
    seconds: float = 0.0
    only: tuple[str, ...] = ()
    """The suites that were asked for by name; none: all."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Suites that were not played, by name, and why. One that was asked for by name is not among them: it is played
    in vain, and the report is not ``ok``."""

    @property
    def failures(self) -> list[Failure]:
        return [failure for each in self.played for failure in each.failures]

    @property
    def broken(self) -> list[str]:
        """Names of the laws that do not hold."""
        return sorted({failure.law for failure in self.failures})

    @property
    def held(self) -> list[str]:
        """Names of the laws that were examined and held."""
        return [name for name in LAWS if self.examined.get(name) and name not in self.broken]

    @property
    def unexamined(self) -> list[str]:
        """Names of the laws that no case came by. Why is in :attr:`skipped`, or what was played was not enough."""
        return [name for name in LAWS if not self.examined.get(name) and name not in self.broken]

    @property
    def ok(self) -> bool:
        return not self.failures and not any(each.unplayable for each in self.played)


def serves(target: Target, function: str) -> bool:
    """Whether a target serves a function that reads and takes no data. A gateway that can't even be asked serves none:
    what is wrong with it is for the suites to say."""
    try:
        with Sessions(target.honest, Judge.silent()) as sessions:
            return sessions.boss.call(function).ok
    except Broken:
        return False


def examine(
    target: Target, profile: Profile = Profile.FULL, effort: Effort | None = None, *, only: Iterable[str] = (),
    announce: Callable[[Played], None] | None = None,
) -> Report:  # fmt: skip
    """Holds a target against the laws: the suites that the profile and the target allow, or those named ``only``, of
    which one that can't be played makes the report not ``ok``. ``announce`` hears of each suite that was played. Raises
    ``ValueError`` for a name that no suite has."""
    began = time.monotonic()
    effort = effort or Effort()
    report = Report(target.url, profile, effort.seed, only=tuple(only))
    suites = _playable(target, report, announce)
    for number, suite in enumerate(suites):
        left = effort.seconds - (time.monotonic() - began)
        share = left * suite.weight / sum(each.weight for each in suites[number:])
        played = play(suite, target, effort, seconds=max(share, 1.0) * 2, report=report)
        report.played.append(played)
        if announce is not None:
            announce(played)
        if effort.first_failure and played.failures:
            report.skipped |= dict.fromkeys((each.name for each in suites[number + 1 :]), "the run ended before it")
            break
    report.seconds = time.monotonic() - began
    return report


def _playable(target: Target, report: Report, announce: Callable[[Played], None] | None) -> list[Suite]:
    """The suites to play. Which are not, and why, goes into the report."""
    asked = functools.cache(functools.partial(serves, target))
    suites, hindered = chosen(report.profile, exclusive=target.exclusive, serves=asked, only=report.only)
    for suite, reason in hindered:
        if not report.only:
            report.skipped[suite.name] = reason
            continue
        report.played.append(played := Played(suite, unplayable=reason))
        if announce is not None:
            announce(played)
    return suites


def play(suite: Suite, target: Target, effort: Effort, *, seconds: float, report: Report) -> Played:
    """One suite. A law that breaks is muted and the suite played again, for what it hid."""
    played = Played(suite)
    muted: set[str] = set()
    began = time.monotonic()
    while len(played.failures) < (1 if effort.first_failure else REPEATS):
        judge = Judge()
        judge.muted = set(muted)
        failure = _run(suite, target, judge, effort, began + seconds, played)
        for law, count in judge.cases.items():
            report.examined[law] = report.examined.get(law, 0) + count
        for name, count in judge.called.items():
            report.called[name] = report.called.get(name, 0) + count
        if failure is None:
            break
        played.failures.append(failure)
        muted.add(failure.law)
    played.seconds = time.monotonic() - began
    return played


def _run(suite: Suite, target: Target, judge: Judge, effort: Effort, deadline: float, played: Played) -> Failure | None:
    """The suite's examples, then what the search draws, until a law breaks."""
    search = _Search(suite, target, judge, effort, deadline, played)
    for pins in (*suite.examples, None):
        search.pins = pins
        _search(search, 1 if pins is not None else max(round(effort.cases * suite.weight), 2))
        if search.smallest is not None:
            return search.smallest
    played.unplayable = played.unplayable or search.unplayable
    return None


def _search(search: _Search, cases: int) -> None:
    options = settings(
        max_examples=cases, deadline=None, database=None, derandomize=False,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False, print_blob=False,
        phases=(Phase.generate, Phase.shrink), stateful_step_count=30, verbosity=Verbosity.quiet,
    )  # fmt: skip
    test = search.machine_test(options) if search.suite.machine else search.suite_test(options)
    test = seed(search.effort.seed)(test)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        try:
            test()
        except (Broken, Flaky, FlakyStrategyDefinition):
            pass  # the search has kept the smallest case
        except Unplayable as problem:
            search.played.unplayable = str(problem)


class _Search:
    """Plays cases and keeps the shortest that breaks a law. Shrinking ends after its time: from then on every case
    passes, which hypothesis takes for an unreliable test."""

    def __init__(
        self, suite: Suite, target: Target, judge: Judge, effort: Effort, deadline: float, played: Played
    ) -> None:
        self.suite = suite
        self.target = target
        self.judge = judge
        self.deadline = deadline
        self.effort = effort
        self.played = played
        self.transcript = Transcript()
        self.smallest: Failure | None = None
        self.unplayable = ""
        self.pins: Pins | None = None
        """What an example has drawn; ``None`` while searching."""
        self.control = suite.control or serves(target, CONTROL)
        self._give_up = float("inf")

    def suite_test(self, options: settings) -> Callable[[], None]:
        """A test of cases that a function plays."""
        body: Callable[[Any], None] = self.case
        return options(given(st.data())(body))

    def machine_test(self, options: settings) -> Callable[[], None]:
        """A test of cases that the state machine plays."""
        return cast(Callable[[], None], get_state_machine_test(cast(Any, self._machine), settings=options))

    def _machine(self) -> DeskMachine:
        return DeskMachine(self._stage, self._guard)

    def _stage(self, draw: Callable[..., Any]) -> AbstractContextManager[Scene] | None:
        if self._over():
            return None
        self.played.cases += 1
        return staged(self.target, self.judge, self.transcript, draw, control=self.control, pins=self.pins)

    def _over(self) -> bool:
        """Whether there is no time left; examples are played whatever the time."""
        now = time.monotonic()
        return now > self._give_up or (self.pins is None and now > self.deadline)

    def case(self, data: Any) -> None:
        """One case that a function plays."""
        scene = self._stage(data.draw)
        if scene is not None:
            self._guard(lambda: self._enter(scene))

    def _enter(self, staged: AbstractContextManager[Scene]) -> None:
        assert self.suite.play is not None
        with staged as scene:
            self.suite.play(scene)

    def _guard(self, step: Callable[[], None]) -> None:
        """Plays, and keeps what breaks."""
        try:
            step()
        except Broken as broken:
            self._keep(broken)
            raise
        except Unplayable as problem:
            self.unplayable = str(problem)
            raise
        except _SHAPELESS as problem:  # what it answers has not the shape that a case needs to go on
            self.unplayable = f"{type(problem).__name__}: {problem}"
            raise Unplayable(self.unplayable) from problem

    def _keep(self, broken: Broken) -> None:
        if self.smallest is None:
            self._give_up = time.monotonic() + self.effort.shrinking
        entries = self.transcript.entries
        failure = Failure(broken.law.name, broken.detail, self.suite.name, copy.deepcopy(entries), self.effort.seed)
        if self.smallest is None or failure.length <= self.smallest.length:
            self.smallest = failure
