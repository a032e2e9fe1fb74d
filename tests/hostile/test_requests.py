"""Messages that are made to be dear, or to mean two things."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from mt_remote.dispatch import registry as registry_module
from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.problems import MOST_PROBLEMS, capped
from mt_remote.dispatch.registry import Registry, RequestFailed
from mt_remote.errors import InvalidData, Problem
from mt_remote.plugin import Namespace
from mt_remote.records import ConGroup, Patch
from tests.core.conftest import Start, peer
from tests.core.test_session import opened, said
from tests.hostile.steps import lines_run

own = Namespace("own")


@own.function()
def plain(number: int, note: str = "") -> int:
    return number


@own.function()
def nothing(note: str = "") -> None:
    """May be called without data."""


@own.function()
def listed(numbers: list[int], /) -> int:
    return len(numbers)


@own.function()
def long(numbers: Annotated[list[int], Field(max_length=100_000)]) -> int:
    return len(numbers)


@own.function()
def nested(rules: list[dict[str, int]]) -> int:
    return len(rules)


@own.function()
def body(patch: Patch[ConGroup], /) -> None:
    """A record's fields."""


REGISTRY = Registry([Function(each, "tests") for each in own.functions], "cp1252")


def failed(message: bytes) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        REGISTRY.parse(message)
    return caught.value


# Repeated keys

REPEATED = [
    (b'{"id":1,"id":2,"name":"own.nothing"}', b"null", "id"),
    (b'{"id":1,"name":"own.nothing","id":2}', b"null", "id"),
    (b'{"id":1,"id":"data","name":"own.nothing"}', b"null", "id"),
    (b'{"id":1,"name":"own.plain","name":"own.nothing"}', b"1", "name"),
    (b'{"id":1,"name":"own.nothing","data":{},"data":{}}', b"1", "data"),
    (b'{"id":1,"name":"own.nothing","data":{"note":"a"},"data":{}}', b"1", "data"),
    (b'{"id":1,"name":"own.nothing","data":{"note":null,"note":null}}', b"1", "note"),
    (b'{"id":1,"name":"own.nothing","data":{"note":"a"},"data":null}', b"1", "data"),
    (b'{"id":1,"name":"own.plain","data":{"number":1,"number":2}}', b"1", "number"),
    (b'{"id":1,"name":"own.plain","data":{"number" :1,"n\\u0075mber"\t:2,"note":":"}}', b"1", "number"),
    (b'{"id":1,"name":"own.nested","data":{"rules":[{"a":1,"a":2}]}}', b"1", "a"),
    (b'{"id":1,"name":"own.body","data":{"group":"g","copies":1,"copies" : 1}}', b"1", "copies"),
    (b'{"id":1,"name":"own.body","data":{"group":"g","securities":{"F":{"trade":true,"trade":true}}}}', b"1", "trade"),
    (b'{"id":1,"name":"own.plain","data":{"number":"x","number":"y"}}', b"1", "number"),
    (b'{"id":1,"id":2,"name":"own.unknown"}', b"null", "id"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "id_", "key"), REPEATED)
def test_repeated_keys_are_refused(message: bytes, id_: bytes, key: str) -> None:
    failure = failed(message)
    assert (failure.id, failure.error.wire_code) == (id_, "invalid_request")
    assert failure.error.message == f"The request has the key '{key}' more than once"


texts = st.sampled_from(["", ":", '"', '":', '\\":', "data", '"data":', "a b", "é"])
spaces = st.sampled_from(["", " ", "\n\t"])


@given(
    name=st.sampled_from(["own.plain", "own.nothing", "own.nested", "own.body"]),
    data=st.lists(
        st.tuples(
            st.sampled_from(["number", "note", "rules", "group", "company", "copies"]),
            st.one_of(st.none(), st.integers(0, 9), texts, st.just([{"a": 1}])),
        ),
        max_size=5,
    ),
    top=st.lists(st.sampled_from(["data", "key"]), max_size=3),
    before=spaces,
    after=spaces,
)
def test_no_request_with_a_repeated_key_is_taken_and_no_other_is_refused_for_it(
    name: str, data: list[tuple[str, object]], top: list[str], before: str, after: str
) -> None:
    def written(pairs: list[tuple[str, str]]) -> str:
        return "{" + ",".join(f"{json.dumps(key)}{before}:{after}{value}" for key, value in pairs) + "}"

    content = written([(key, json.dumps(value)) for key, value in data])
    message = written(
        [("id", "1"), ("name", json.dumps(name)), *((each, content if each == "data" else '"k"') for each in top)]
    )
    repeated = len(set(top)) < len(top) or ("data" in top and len({key for key, _ in data}) < len(data))
    try:
        REGISTRY.parse(message.encode())
        told = ""
    except RequestFailed as failure:
        told = failure.error.message
    assert ("more than once" in told) is repeated, message


def test_usual_requests_are_not_parsed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(message: bytes) -> None:
        raise AssertionError(message)

    monkeypatch.setattr(registry_module, "repeated_keys", never)
    REGISTRY.parse(b'{"id":1,"name":"own.plain","data":{"number":1,"note":"x"}}')
    REGISTRY.parse(b'{"id": 1, "name": "own.plain", "data": {"number": 1}, "key": "k"}')
    REGISTRY.parse(b'{"id":1,"name":"own.body","data":{"group":"g","company":"http://x","copies":1}}')


# How much is told

FIELDS = ",".join(f'"field{number}":1' for number in range(9_000))


def test_details_are_few_and_say_how_many_more_there_are() -> None:
    error = failed(b'{"id":1,"name":"own.plain","data":{%b}}' % FIELDS.encode()).error
    assert len(error.details) == MOST_PROBLEMS + 1
    assert error.details[0] == Problem("number", "is required") or error.details[0].path == "field0"
    assert error.details[-1] == Problem("data", f"has {9_001 - MOST_PROBLEMS:,} more problems")
    assert error.message.endswith(f"; and {9_001 - 10:,} more")
    assert len(error.message) < 1000


def test_what_is_made_of_problems_does_not_grow_with_them() -> None:
    few = b'{"id":1,"name":"own.plain","data":{%b}}' % FIELDS[:15_000].encode().rpartition(b",")[0]
    many = b'{"id":1,"name":"own.plain","data":{%b}}' % FIELDS.encode()
    failed(few)
    failed(many)
    assert lines_run(lambda: failed(many)) <= lines_run(lambda: failed(few)) + 100


def test_long_names_of_fields_are_cut_and_bytes_bounded() -> None:
    fields = ",".join(f'"{number}{"x" * 5_000}":1' for number in range(90))
    error = failed(b'{"id":1,"name":"own.plain","data":{%b}}' % fields.encode()).error
    assert sum(len(each.path) + len(each.problem) for each in error.details) < 20_000
    assert len(error.message) < 4_000
    (one, more) = (
        capped([Problem("a" * 300, "b" * 500), *[Problem("p", "q" * 399)] * 80])[:1]
        + capped([Problem("p", "q" * 399)] * 80)[-1:]
    )
    assert (len(one.path), len(one.problem)) == (201, 401)
    assert more.path == "data"


def test_a_plugins_own_details_are_capped_too() -> None:
    session = opened(dialect="2")
    session.outbox.fail(b"1", InvalidData("bad", details=tuple(Problem(str(each), "is bad") for each in range(5000))))
    ((answer,), _) = said(session)
    assert len(answer["details"]) == MOST_PROBLEMS + 1


# Big messages


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"{%b}" % b",".join(b'"f%d":1' % number for number in range(300_000)), "at most 10,000 fields"),
        (b"{%b}" % b",".join(b'"f%d" : 1' % number for number in range(12_000)), "at most 10,000 fields"),
        (b"[%b]" % b",".join(b"1" for _ in range(1_000_000)), "at most 120,000 values"),
        (b"[%b]" % b",".join(b'""' for _ in range(1_000_000)), "at most 120,000 values"),
    ],
    ids=["fields", "fields with spaces", "numbers", "texts"],
)
def test_a_message_has_so_many_values(data: bytes, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = b'{"id":1,"name":"own.listed","data":%b}' % data
    monkeypatch.setattr(registry_module, "from_json", None)
    monkeypatch.setattr(REGISTRY, "_validate_plain", None)
    failure = failed(message)
    assert failure.error.message == f"A message has {problem}"


def test_long_texts_and_lists_are_none_of_it() -> None:
    note = json.dumps('a,b:c,"d"\\ ' * 50_000)
    assert REGISTRY.parse(b'{"id":1,"name":"own.plain","data":{"number":1,"note":%b}}' % note.encode())
    numbers = list(range(100_000))
    assert REGISTRY.parse(json.dumps({"id": 1, "name": "own.listed", "data": numbers}).encode()).body == numbers


def test_of_a_long_list_the_first_that_is_wrong_is_told() -> None:
    message = json.dumps({"id": 1, "name": "own.long", "data": {"numbers": [1, *["x"] * 50_000]}}).encode()
    assert failed(message).error.details == (Problem("numbers.1", "must be an integer"),)


# Suggestions


def test_a_suggestion_is_made_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = failed(b'{"id":1,"name":"own.plane"}')
    assert failure.error.message.startswith("Unknown function 'own.plane'; did you mean 'own.plain'")
    monkeypatch.setattr(Registry, "near", None)
    assert failed(b'{"id":1,"name":"own.plane"}').brief.message == "Unknown function 'own.plane'"


@pytest.mark.anyio
async def test_nobody_is_made_suggestions_before_the_log_in(start: Start) -> None:
    async with start() as gateway, peer(gateway) as client:
        before: dict[str, Any] = await client.ask("users.gett")
        event = await client.ask("subscribe", event="tikc")
        assert before["message"] == "Unknown function 'users.gett'"
        assert event["message"] == "event: there is no such event"
        await client.connect()
        assert "did you mean 'users.get'" in (await client.ask("users.gett"))["message"]
        assert "did you mean tick" in (await client.ask("subscribe", event="tikc"))["message"]
