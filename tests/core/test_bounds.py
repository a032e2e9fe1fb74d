"""Small parts that keep order and bounds, without a loop: lanes, first answers by key."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from mt_remote.dispatch.call_order import CallOrder
from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.functions import Function
from mt_remote.plugin import Declared, Kind


def nothing() -> None:
    """A function of any kind."""


FUNCTIONS = {kind: Function(Declared(f"own.{kind.value}", nothing, kind), "tests") for kind in Kind}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(list(Kind)), max_size=15), st.randoms(use_true_random=False))
def test_lanes_keep_order_for_every_mix_of_calls(kinds: list[Kind], random: Random) -> None:
    lane = CallOrder()
    calls = [ParsedCall(b"%d" % number, FUNCTIONS[kind], {}, None, None) for number, kind in enumerate(kinds)]
    running: list[ParsedCall] = []
    started: list[ParsedCall] = []
    waiting = list(calls)
    while waiting or running:
        if waiting and (not running or random.random() < 0.5):
            call = waiting.pop(0)
            if lane.admit(call):
                running.append(call)
                started.append(call)
            else:
                lane.wait(call, 0.0)
        else:
            ended = running.pop(random.randrange(len(running)))
            new = [call for call, _ in lane.done(ended)]
            running += new
            started += new
        changing = [call for call in running if call.function.kind.changes_state]
        assert len(changing) <= 1, "one change at a time"
        if changing and changing[0].function.kind is Kind.SESSION:
            barrier = calls.index(changing[0])
            assert all(calls.index(call) < barrier for call in running if call is not changing[0])
        assert lane.calls == lane.waiting + len(running)
    assert sorted(started, key=calls.index) == calls, "each starts once"
    changes = [call for call in started if call.function.kind.changes_state]
    assert changes == sorted(changes, key=calls.index), "in the order received"
    for position, call in enumerate(calls):
        if call.function.kind is Kind.SESSION:
            later = calls[position + 1 :]
            assert all(started.index(call) < started.index(other) for other in later), "a barrier"


def test_a_lane_that_is_over_starts_nothing() -> None:
    lane = CallOrder()
    first, second = (ParsedCall(b"1", FUNCTIONS[Kind.CHANGE], {}, None, None) for _ in range(2))
    assert lane.admit(first)
    assert not lane.admit(second)
    lane.wait(second, 1)
    assert lane.clear() == [second]
    assert not lane.done(first)
    assert lane.calls == 0
