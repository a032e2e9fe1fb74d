"""The programme of a run: every suite there is, and which of them a profile allows and a target can play."""

from __future__ import annotations

from collections.abc import Callable

# Each of these registers its suites when it is imported: the list is what makes them the programme.
from mt_remote_conformance.plays import (  # noqa: F401
    administration,
    dealing,
    market,
    messages,
    orders,
    pages,
    rights,
    sessions,
    tables,
    time,
    traders,
    triggers,
)
from mt_remote_conformance.plays.suites import SUITES, Suite
from mt_remote_conformance.targets import Profile

CONTROL = "simulator.clock.get"
"""The function by which the simulator's own are told to be there."""

_ORDER = (Profile.READ_ONLY, Profile.DEMO, Profile.FULL)


def all_suites() -> list[Suite]:
    """Every suite there is."""
    return list(SUITES.values())


def chosen(
    profile: Profile, *, exclusive: bool, serves: Callable[[str], bool], only: tuple[str, ...] = ()
) -> tuple[list[Suite], list[tuple[Suite, str]]]:
    """The suites that a profile allows and a target can play, and the others with the reason; of those named ``only``,
    if any are. ``serves`` says whether the target serves a function. Raises ``ValueError`` for a name that no suite
    has."""
    wanted = {each.name: each for each in all_suites() if not only or each.name in only}
    if unknown := set(only) - set(wanted):
        raise ValueError(f"no suite is called {', '.join(sorted(unknown))}")
    reasons = {name: _hindrance(each, profile, exclusive=exclusive, serves=serves) for name, each in wanted.items()}
    playable = [each for name, each in wanted.items() if not reasons[name]]
    return playable, [(wanted[name], reason) for name, reason in reasons.items() if reason]


def _hindrance(suite: Suite, profile: Profile, *, exclusive: bool, serves: Callable[[str], bool]) -> str:
    """Why a suite can't be played, ``""`` when it can: what the profile does not allow, what the target has not."""
    if suite.profile not in _ORDER[: _ORDER.index(profile) + 1]:
        return f"the profile {profile} does not allow it, {suite.profile} does"
    if suite.control and not serves(CONTROL):
        return "it needs the simulator's own functions (simulator.*), which are not served there"
    if suite.exclusive and not exclusive:
        return "it needs a server that nobody else changes (--exclusive)"
    if suite.needs and not serves(suite.needs):
        return f"it needs {suite.needs}, which is not served there"
    return ""
