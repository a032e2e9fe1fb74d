"""What is known of a call that was to change something: how it joins, and how it reaches the client."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt_remote.errors import CallTimeout, ConnectionLost, NotFound, RequestError, ReturnCode, ServerError
from mt_remote.outcomes import Known, begin, changing, joined, said_by
from mt_remote.plugin import Connection, Kind, Namespace, hookimpl
from tests.core.conftest import Start, peer
from tests.core.memory import MemoryServer
from tests.core.test_calls import HEADERS

known = st.sampled_from(list(Known))


@given(st.lists(known), st.lists(known))
def test_joining_never_gets_more_certain(some: list[Known], more: list[Known]) -> None:
    assert joined(*some, *more) == joined(*more, *some)
    if some and more:
        assert joined(*some, *more) == joined(joined(*some), joined(*more))
        assert joined(*some, *more) in (joined(*some), Known.UNKNOWN)
    assert joined(*some, *some) == joined(*some)


def test_of_no_thing_nothing_was_done() -> None:
    assert joined() is Known.NOT_DONE


@given(st.lists(known, min_size=1))
def test_what_was_said_where_it_was_asked_counts(said: list[Known]) -> None:
    changes = begin()
    for each in said:
        with changing() as change:
            if each is Known.DONE:
                change.happened()
            elif each is Known.NOT_DONE:
                change.refused()
    assert changes.after(ConnectionLost(outcome="not_done")) == joined(*said)


def test_what_is_left_by_an_exception_is_unknown() -> None:
    changes = begin()
    with pytest.raises(ZeroDivisionError), changing():
        raise ZeroDivisionError
    assert changes.known is Known.UNKNOWN


def raised_over(first: RequestError, second: RequestError) -> RequestError:
    try:
        try:
            raise first
        except RequestError:
            raise second from None
    except RequestError as error:
        return error


LOST = ConnectionLost("lost", outcome="unknown")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotFound("no"), Known.NOT_DONE),
        (ServerError(ReturnCode.TRADE_NO_MONEY), Known.NOT_DONE),
        (ServerError(ReturnCode.NO_CONNECT), Known.UNKNOWN),
        (ServerError(ReturnCode.NETWORK_PROBLEM), Known.UNKNOWN),
        (ConnectionLost(), Known.UNKNOWN),
        (ConnectionLost(outcome="not_done"), Known.NOT_DONE),
        (CallTimeout("late"), Known.UNKNOWN),
        (CallTimeout("late", outcome="not_done"), Known.NOT_DONE),
        (raised_over(LOST, ConnectionLost(outcome="not_done")), Known.UNKNOWN),
        (raised_over(LOST, NotFound("no")), Known.UNKNOWN),
        (raised_over(NotFound("no"), NotFound("no")), Known.NOT_DONE),
    ],
)
def test_what_an_error_says(error: RequestError, expected: Known) -> None:
    """One that was raised while another was handled can't soften it, whatever ``from None`` hides."""
    assert said_by(error) is expected


desk = Namespace("desk")
CARRIED_OUT: list[str] = []


@desk.function(kind=Kind.TRADE)
async def deposit(mt: Connection, becomes: str, then: str) -> int:
    """A deposit that becomes something, and an error that knows nothing of it."""
    with changing() as change:
        CARRIED_OUT.append(becomes)
        if becomes == "done":
            change.happened()
        elif becomes == "not_done":
            change.refused()
    if then == "gone":
        raise ConnectionLost("The worker is gone", outcome="not_done")
    raise NotFound("Cannot find out why")


class Desk:
    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        return [desk]


@pytest.mark.anyio
@pytest.mark.parametrize("then", ["gone", "explained"])
@pytest.mark.parametrize("becomes", ["done", "not_done", "unknown"])
async def test_the_client_hears_what_is_known_and_no_less(
    start: Start, memory: MemoryServer, becomes: str, then: str
) -> None:
    CARRIED_OUT.clear()
    data = {"becomes": becomes, "then": then}
    request: dict[str, Any] = {"name": "desk.deposit", "data": data}
    async with start(plugins=(Desk(),)) as gateway, peer(gateway, **HEADERS) as client:
        for number, key in enumerate(({}, {"key": "k"}, {"key": "k"})):
            await client.send({"id": number, **request, **key})
            answer = await client.message()
            expected = None if (becomes, then) == ("not_done", "explained") else becomes
            assert (answer["status"], answer.get("outcome")) == ("ERROR", expected)
    again = becomes == "not_done" and then == "gone"
    assert len(CARRIED_OUT) == (3 if again else 2), "under its key it is carried out again only if it did not happen"
