"""Differences by hand: each kind, named by its path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt_remote_tools.recording.compare import Kind, compare, json_type
from mt_remote_tools.recording.format import (
    FORMAT,
    Answer,
    Call,
    Closed,
    Entry,
    EventHeard,
    FormatError,
    Header,
    Opened,
    Recording,
    Request,
    Silence,
    expanded,
    read,
    write,
)  # fmt: skip
from mt_remote_tools.recording.player import Played
from mt_remote_tools.recording.volatile import Bindings

HEADER = Header(kind="recording")


def conversation(result: Any, *events: tuple[str, Any], code: int = 1000, first_id: int = 0) -> list[Entry]:
    heard = [
        EventHeard(message={"event": kind, "event_id": first_id + number, "data": data})
        for number, (kind, data) in enumerate(events)
    ]
    answer = {"id": 1, "status": "OK", "result": result}
    return [
        Opened(),
        Request(message={"id": 1, "name": "some.call"}),
        Answer(message=answer),
        *heard,
        Closed(code=code),
    ]


def found(
    one: list[Entry], other: list[Entry], *ignore: str, bindings: Bindings | None = None
) -> list[tuple[str, str]]:
    result = compare(Recording(HEADER, one), Played(other, bindings or Bindings()), ignore)
    return [(str(each.kind), each.path) for each in result.differences]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1}, {}, ("missing", "some.call.result.a")),
        ({}, {"a": None}, ("unexpected", "some.call.result.a")),
        ({"a": 1}, {"a": "1"}, ("type", "some.call.result.a")),
        ({"a": 1}, {"a": True}, ("type", "some.call.result.a")),
        ({"a": 1}, {"a": 1.5}, ("type", "some.call.result.a")),
        ({"a": 1.5}, {"a": 2}, ("value", "some.call.result.a")),
        ({"a": None}, {"a": 0}, ("type", "some.call.result.a")),
        ({"a": [1, 2]}, {"a": [1]}, ("missing", "some.call.result.a.1")),
        ({"a": [1]}, {"a": [1, 2]}, ("unexpected", "some.call.result.a.1")),
        ({"a": {"b": [{"c": "x"}]}}, {"a": {"b": [{"c": "y"}]}}, ("value", "some.call.result.a.b.0.c")),
        ({"time": 5}, {"time": 0}, ("value", "some.call.result.time")),
        ({"order": 5}, {"order": 6}, ("value", "some.call.result.order")),
        ({"a": "‹secret 1›!"}, {"a": "x?"}, ("value", "some.call.result.a")),
    ],
)
def test_a_value_that_is_different(one: Any, other: Any, expected: tuple[str, str]) -> None:
    assert found(conversation(one), conversation(other)) == [expected]
    assert found(conversation(one), conversation(other), expected[1]) == []
    assert found(conversation(one), conversation(other), "some.*") == []
    assert found(conversation(one), conversation(other), "some.call") == []
    assert found(conversation(one), conversation(other), "other.call") == [expected]


def test_values_that_are_the_same() -> None:
    bindings = Bindings()
    bindings.learn({"order": 12, "request_id": 3}, {"order": 57, "request_id": 3})
    one = {"time": 5, "order": 12, "comment": "from #12", "a": 2.0, "secret": "is ‹secret 1›"}
    other = {"time": 99, "order": 57, "comment": "from #57", "a": 2, "secret": "is anything"}
    assert found(conversation(one), conversation(other), bindings=bindings) == []
    bindings.learn({"order": 13}, {"order": 57})
    assert found(conversation({"order": 13}), conversation({"order": 57}), bindings=bindings) == [
        ("value", "some.call.result.order")
    ], "one to one: no two tickets become one"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("ab", "a", [("missing", "tick")]),
        ("a", "ab", [("unexpected", "tick")]),
        ("ab", "ba", [("order", "tick")]),
        ("abc", "abc", []),
        ("abcd", "acd", [("missing", "tick")]),
    ],
)
def test_events_in_order(one: str, other: str, expected: list[tuple[str, str]]) -> None:
    ours, theirs = (conversation(1, *[("tick", {"symbol": name}) for name in side]) for side in (one, other))
    assert found(ours, theirs) == expected


def test_a_field_of_an_event_and_its_numbering() -> None:
    one = conversation(1, ("user", {"login": 5, "city": "Riga"}), ("user", {"login": 5, "city": "Oslo"}))
    other = conversation(1, ("user", {"login": 5, "city": "Riga"}), ("user", {"login": 5, "city": "Bonn"}))
    assert found(one, other) == [("value", "user.data.city")]
    late = conversation(1, ("user", {"login": 5, "city": "Riga"}), ("user", {"login": 5, "city": "Oslo"}), first_id=2)
    assert found(one, late) == [("value", "user.event_id")]
    assert found(late, one) == [], "what a recording started in the middle of counts from 0 elsewhere"


def test_ends_answers_and_handshakes() -> None:
    whole = conversation(1)
    by_gateway = [*whole[:-1], Closed(code=1011, by="gateway")]
    assert found(whole, by_gateway) == [("value", "closed.by")]
    assert found(by_gateway, [*whole[:-1], Closed(code=1008, by="gateway")]) == [("value", "closed.code")]
    assert found(whole, [*whole[:2], Closed()]) == [("missing", "some.call")]
    twice = [*whole[:3], *whole[2:]]
    assert found(whole, twice) == [("unexpected", "some.call")]
    assert found(whole, [Opened(status=503)]) == [("value", "handshake.status")]
    failed = [*whole[:2], Answer(message={"id": 1, "status": "ERROR", "message": "no"}), Closed()]
    assert found(whole, failed) == [("value", "some.call.status")]


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=10
)


@settings(deadline=None)  # building what is drawn takes longer than what is tested
@given(VALUES)
def test_every_json_value_has_a_type_and_is_itself(value: Any) -> None:
    assert json_type(value) in ("null", "boolean", "integer", "number", "text", "list", "object")
    if "nan" not in repr(value):
        bindings = Bindings()
        bindings.learn(value, value)
        assert found(conversation(value), conversation(value), bindings=bindings) == []


def test_a_leak_is_named_without_what_leaked() -> None:
    secret = "Open-Sesame"
    asked: list[Entry] = [Opened(headers={"mt-password": secret}), Request(message={"id": 1, "name": "some.call"})]
    ours = [*asked, Answer(message={"id": 1, "status": "OK", "result": {"comment": ""}})]
    theirs = [*asked, Answer(message={"id": 1, "status": "OK", "result": {"comment": f"is {secret}", "pwd": "other"}})]
    differences = compare(Recording(HEADER, ours), Played(theirs, Bindings())).differences
    assert [each.path for each in differences] == ["some.call.result.comment", "some.call.result.pwd"]
    assert [each.replayed for each in differences] == ["is ‹secret 1›", "‹secret 2›"]
    failed = [*asked, Answer(message={"id": 1, "status": "ERROR", "message": f"no {secret}"})]
    assert secret not in str(compare(Recording(HEADER, ours), Played(failed, Bindings())).differences)


# Scripts


def test_a_script_states_only_what_matters() -> None:
    script = expanded(
        [Call(name="some.call", expect={"status": "OK", "result": {"a": 1}}, law="L-1"), Silence(law="L-2")]
    )
    (request, answer, silence) = script
    assert isinstance(request, Request)
    assert request.message is not None
    id_ = request.message["id"]

    def outcome(result: Any, *events: str) -> list[tuple[str, str]]:
        came: list[Entry] = [request, Answer(message={"id": id_, "status": "OK", "result": result})]
        came += [EventHeard(message={"event": kind, "event_id": n, "data": {}}) for n, kind in enumerate(events)]
        recording = Recording(Header(kind="script", law="L-0"), [request, answer, silence])
        return [(each.law, each.path) for each in compare(recording, Played(came, Bindings())).differences]

    assert outcome({"a": 1, "b": 2}) == []
    assert outcome({"a": 2}) == [("L-1", "some.call.result.a")]
    assert outcome({"a": 1}, "tick") == [("L-2", "tick")]


# Files


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    entries = conversation({"text": "Ω \u2028 ‹secret 1›", "number": 0.1}, ("tick", {}), code=1011)
    write(path, Header(kind="script", title="t", law="L-1"), [*entries, Silence(event="tick")])
    again = read(path)
    assert again.entries == [*entries, Silence(event="tick")]
    assert again.is_script
    assert again.sessions == [1]
    assert len(path.read_text(encoding="utf-8").split("\n")) == len(entries) + 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("nonsense", "line 1, is not JSON"),
        (json.dumps({"kind": "recording", "format": FORMAT + 1}), f"has format {FORMAT + 1}"),
        (json.dumps({"kind": "film"}), "line 1: kind:"),
        ('{"kind": "recording"}\n\n{"entry": "session", "colour": 1}', "line 3: session.colour: is not a field"),
        ('{"kind": "recording"}\n{"entry": "dance"}', "line 2: "),
        ('{"kind": "recording"}\n{"entry": "answer"}', "line 2: answer.message: is required"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as error:
        read(path)
    assert words in str(error.value)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        read(tmp_path / "none.jsonl")


def test_kinds_have_stable_names() -> None:
    assert [str(kind) for kind in Kind] == ["missing", "unexpected", "type", "value", "order"]
