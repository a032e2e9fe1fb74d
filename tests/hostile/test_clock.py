"""A year of the simulated server's time passes in slices, and can be stopped."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from mt4sim import World
from mt4sim.clock import Timeline
from mt4sim.gateway.backend import SimulatorBackend
from mt4sim.gateway.settings import SimulatorSettings

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86_400


def stand(steps_a_slice: int = 10) -> SimulatorBackend:
    """A server on which something happens every hour, and a clock that moves with each look at it."""
    backend = SimulatorBackend(SimulatorSettings(clock="manual", feed="off"), world=World.demo())
    timeline = backend.server.state.timeline

    def again() -> None:
        timeline.at(timeline.now + HOUR, again)

    again()
    looks = iter(range(10**9))
    backend.now = lambda: next(looks) * 0.005 / steps_a_slice
    return backend


async def test_others_have_their_turns() -> None:
    backend, turns = stand(), 0

    async def count() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    start = backend.server.now
    async with anyio.create_task_group() as group:
        group.start_soon(count)
        await backend.advance_in_slices(100 * DAY, lambda: True)
        group.cancel_scope.cancel()
    assert backend.server.now == start + 100 * DAY
    assert turns >= 100 * 24 // 11 - 2


async def test_it_ends_when_nobody_wants_it_any_more() -> None:
    backend = stand()
    start = backend.server.now
    await backend.advance_in_slices(366 * DAY, lambda: backend.server.now < start + 10 * DAY)
    assert start + 10 * DAY <= backend.server.now < start + 12 * DAY
    await backend.advance_in_slices(HOUR, lambda: True)


async def test_a_deadline_stops_it() -> None:
    backend = stand()
    start = backend.server.now
    with anyio.CancelScope() as scope:

        def wanted() -> bool:
            if backend.server.now > start + 5 * DAY:
                scope.cancel()
            return True

        await backend.advance_in_slices(366 * DAY, wanted)
    assert scope.cancelled_caught
    assert start + 5 * DAY <= backend.server.now < start + 7 * DAY


async def test_another_server_takes_no_time_of_the_old_one() -> None:
    backend = stand()
    new = backend.make_server()
    start = new.now

    def wanted() -> bool:
        backend.replace(new)
        return True

    await backend.advance_in_slices(366 * DAY, wanted)
    assert backend.server is new
    assert new.now == start


async def test_two_follow_each_other() -> None:
    backend = stand()
    start = backend.server.now
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(backend.advance_in_slices, 10 * DAY, lambda: True)
    assert backend.server.now == start + 20 * DAY


async def test_steps_that_are_left_leave_the_time() -> None:
    timeline = Timeline(0)
    for when in (10, 20):
        timeline.at(when, lambda: None)
    steps = timeline.steps_to(30)
    assert [next(steps), timeline.now] == [10, 10]
    timeline.advance_to(25)
    assert (list(steps), timeline.now) == ([], 30)
