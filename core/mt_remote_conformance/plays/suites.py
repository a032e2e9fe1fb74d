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
    needs: str = ""
    """A function without which it can't be played, and that not every gateway offers: it reads, and takes no data."""
    help: str = ""
    examples: tuple[Pins, ...] = ()


SUITES: dict[str, Suite] = {}


def register(
    name: str,
    play: Play,
    profile: Profile,
    *,
    help: str,  # noqa: A002  what `--suites` says of it
    control: bool = False,
    exclusive: bool = False,
    weight: float = 1.0,
    needs: str = "",
    examples: Sequence[Pins] = (),
) -> None:
    """Registers a suite: the least profile that it needs, whether it needs the simulator's own functions, a server
    that nobody else changes, a function that not every gateway offers."""
    SUITES[name] = Suite(
        name, play, profile, control, exclusive, weight, needs=needs, help=help, examples=tuple(examples)
    )


def suite(
    profile: Profile,
    *,
    control: bool = False,
    exclusive: bool = False,
    weight: float = 1.0,
    examples: Sequence[Pins] = (),
) -> Callable[[Play], Play]:
    """Registers a suite under its function's name, with its docstring's first line."""

    def mark(play: Play) -> Play:
        words = (play.__doc__ or "").strip().splitlines()[0]
        register(
            play.__name__.replace("_", "-"),
            play,
            profile,
            help=words,
            control=control,
            exclusive=exclusive,
            weight=weight,
            examples=examples,
        )
        return play

    return mark


DESK = Suite(
    "desk", None, Profile.DEMO, control=False, exclusive=False, weight=2, machine=True,
    help="Everything that managers do, in any order, by several sessions.",
)  # fmt: skip
SUITES[DESK.name] = DESK
