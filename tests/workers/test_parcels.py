"""Errors and long lists on their way between processes."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt_remote.errors import (
    Busy,
    CallTimeout,
    Conflict,
    ConnectionLost,
    InProgress,
    InvalidData,
    KeyReused,
    NotFound,
    NotOffered,
    Problem,
    Refused,
    RequestError,
    ReturnCode,
    ServerError,
    SessionStateError,
    TooManyKeys,
)  # fmt: skip
from mt_remote.keys.store import Failure, KeptError
from mt_remote.workers.parcels import PART, Parts, pack, unpack

ERRORS = [
    InvalidData.of("limit", "must be 1"), NotFound("nowhere"), NotOffered("order.open"),
    Conflict("another row is there"),
    SessionStateError("not_connected", "call 'connect'"),
    Refused("no", code="closed"), Busy("later"), CallTimeout("late", outcome="not_done"),
    ConnectionLost(), ConnectionLost("broke", outcome="unknown"),
    ServerError(ReturnCode.TRADE_NO_MONEY, path="volume"), ServerError(4711, "odd"),
    KeyReused("taken"), InProgress(), TooManyKeys(7), KeptError(Failure("Later", "busy", "not_done")),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_arrives_as_it_was(error: RequestError) -> None:
    arrived = unpack(pickle.loads(pickle.dumps(pack(error))))
    assert type(arrived) is type(error)
    assert (str(arrived), arrived.message, arrived.wire_code) == (str(error), error.message, error.wire_code)
    assert vars(arrived) == vars(error)


def test_every_error_is_tried() -> None:
    def kinds(kind: type[RequestError]) -> set[type[RequestError]]:
        return {kind}.union(*map(kinds, kind.__subclasses__()))

    plain = {"RequestError", "InvalidRequest", "UnknownFunction", "InternalError"}  # take a message, as NotFound does
    ours = {each.__name__ for each in kinds(RequestError) if each.__module__.startswith("mt_remote.")}
    assert ours - plain == {type(each).__name__ for each in ERRORS}


def test_a_problem_keeps_its_place() -> None:
    (problem,) = unpack(pack(ERRORS[0])).details
    assert problem == Problem("limit", "must be 1")


ENDS = st.none() | st.integers(-700, 700)


@given(length=st.integers(0, 3 * PART), start=ENDS, stop=ENDS, step=st.sampled_from([None, 1, 2, -1]))
def test_parts_are_the_list(length: int, start: int | None, stop: int | None, step: int | None) -> None:
    whole = [str(number) for number in range(length)]
    parts = Parts([pickle.dumps(whole[at : at + PART]) for at in range(0, length, PART)], length)
    assert len(parts) == length
    assert parts[start:stop:step] == whole[start:stop:step]
    assert list(parts) == whole
    if length:
        assert (parts[-1], parts[0]) == (whole[-1], whole[0])
    with pytest.raises(IndexError):
        parts[length]
