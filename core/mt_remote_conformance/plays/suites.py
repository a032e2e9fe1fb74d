"""What is played: suites of cases, each around some laws, each of which draws what it does from hypothesis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.targets import Profile

Play = Callable[[Scene], None]

Pins = Mapping[str, Sequence[Any]]
"""What a case draws, by label: the values in turn. What is drawn beyond them is as plain as it can be."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A kind of case. ``weight`` is its share of the cases of a run; ``examples`` are played first in every run, so
    that what they show is found whatever the seed and however little time there is."""

    name: str
    play: Play | None
    profile: Profile
    control: bool
    exclusive: bool
    weight: float
    machine: bool = False
    """Played by the state machine."""
    help: str = ""
    examples: tuple[Pins, ...] = ()


SUITES: dict[str, Suite] = {}


def suite(
    profile: Profile, *, control: bool = False, exclusive: bool = False, weight: float = 1.0,
    examples: Sequence[Pins] = (),
) -> Callable[[Play], Play]:  # fmt: skip
    """Registers a suite: the least profile that it needs, whether it needs the simulator's own functions, and a server
    that nobody else changes."""

    def register(play: Play) -> Play:
        name = play.__name__.replace("_", "-")
        words = (play.__doc__ or "").strip().splitlines()[0]
        SUITES[name] = Suite(name, play, profile, control, exclusive, weight, help=words, examples=tuple(examples))
        return play

    return register


DESK = Suite(
    "desk", None, Profile.DEMO, control=False, exclusive=False, weight=2, machine=True,
    help="Everything that managers do, in any order, by several sessions.",
)  # fmt: skip
SUITES[DESK.name] = DESK
