"""What concerns many orders or accounts at once costs in proportion to their number. Counted in function calls, which
are the same on every machine, on the scenes of ``benchmarks.simulator.crowds``."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from benchmarks.simulator.crowds import SCENES, Crowd, Scene


def calls(scene: Scene, size: int) -> int:
    """How many Python and C functions a scene calls."""
    act, count = scene(Crowd(size)), 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_four_times_as_many_cost_four_times_as_much(scene: Scene) -> None:
    few, many = calls(scene, 60), calls(scene, 240)
    assert few > 60
    assert many < 5 * few
