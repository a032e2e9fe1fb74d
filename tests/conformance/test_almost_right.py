"""Gateways that answer almost right: the kit names a law for each, in what it plays first, whatever the seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from mt_remote_conformance.running.runner import Effort, Report, examine
from mt_remote_conformance.sessions.client import Json, Tamper
from mt_remote_conformance.targets import Profile, Target
from tests.conformance.impostor import Change, FrameChange, frames, impostor, unchanged
from tests.conformance.lies import answers, any_answer, any_error, events, everywhere, result

pytestmark = pytest.mark.usefixtures("impatient")
FIRST = Effort(cases=1, shrinking=0.0, first_failure=True)
"""Little more than the suites' examples."""


def everything(edit: Callable[[Any], Any]) -> Callable[[], Tamper]:
    """Every value in every result and event."""

    def deep(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: deep(each) for name, each in value.items()}
        return [deep(each) for each in value] if isinstance(value, list) else edit(value)

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        return ({name: deep(each) if name in ("result", "data") else each for name, each in message.items()},)

    return lambda: tamper


def records(edit: Callable[[Json], Json]) -> Callable[[], Tamper]:
    """Every record that a list of users or orders has, or that is read alone."""
    names = ("users.get", "users.get.all", "trade.get", "trades.get", "trades.get.by_login", "trades.history")

    def each(found: Any) -> Any:
        return [edit(record) for record in found] if isinstance(found, list) else edit(found)

    return everywhere(*[result(name, each) for name in names])


def now_and_then(change: Callable[[Json], Iterable[Json]]) -> Callable[[], Tamper]:
    """One event in fifty, by chance with a seed, numbering kept whole."""
    chance = random.Random(5)
    kinds = ("tick", "trade", "user", "group")
    return everywhere(
        *[events(kind, lambda message: change(message) if chance.random() < 0.02 else (message,)) for kind in kinds]
    )


def wrapped() -> Tamper:
    """Event numbers begin again after a few."""
    return lambda message, _: ({**message, "event_id": message["event_id"] % 4} if "event" in message else message,)


def exchanged() -> Tamper:
    """Two answers that come one after the other have each other's ids."""
    held: list[Json] = []

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if request is None or request["name"] != "order.balance":
            return (message,)
        if not held:
            held.append(message)
            return ()
        first = held.pop()
        return ({**first, "id": message["id"]}, {**message, "id": first["id"]})

    return tamper


def before_the_answer() -> Callable[[], Tamper]:
    """Subscribing to users is followed by an event about one, in front of the answer."""
    known: dict[str, Json] = {}

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        name = request["name"] if request is not None else ""
        if name == "users.get" and message.get("result"):
            known["user"] = message["result"][0]
        if name == "subscribe" and request is not None and request["data"]["event"] == "user" and known:
            return ({"event": "user", "event_id": 0, "data": known["user"]}, message)
        return (message,)

    return lambda: tamper


def in_milliseconds(record: Json) -> Json:
    times = ("reg_date", "open_time", "close_time", "timestamp")
    return {name: value * 1000 if name in times else value for name, value in record.items()}


def with_other_code(code: str, name: str) -> Callable[[], Tamper]:
    """Errors of a function have another code."""
    return answers(name, lambda message, _: ({**message, "code": code} if "code" in message else message,))


ALMOST: dict[str, tuple[Callable[[], Tamper], tuple[str, ...], set[str]]] = {
    "integers as text": (everything(lambda v: str(v) if type(v) is int else v), ("reading",), {"L-REC-1"}),
    "flags as numbers": (everything(lambda v: int(v) if type(v) is bool else v), ("reading",), {"L-REC-1"}),
    "a null beside the fields": (records(lambda r: {**r, "extra": None}), ("reading",), {"L-REC-1"}),
    "a field less": (records(lambda r: {k: v for k, v in r.items() if k != "comment"}), ("reading",), {"L-REC-1"}),
    "noise in numbers": (
        everything(lambda v: v * (1 + 1e-7) if type(v) is float else v), ("groups",), {"L-REC-1", "L-CFG-1", "L-CFG-2"},
    ),
    "texts cut short": (everything(lambda v: v[:30] if type(v) is str else v), ("groups",), {"L-CFG-2"}),
    "accents lost": (
        everything(lambda v: v.encode("ascii", "ignore").decode() if type(v) is str else v), ("users",), {"L-USR-3"},
    ),
    "lots in hundredths": (
        records(lambda r: {**r, "volume": r["volume"] * 100} if "volume" in r else r), ("order-lives",),
        {"L-ORD-1", "L-MON-4"},
    ),
    "times in milliseconds": (records(in_milliseconds), ("moments",), {"L-REC-5", "L-EVT-7"}),
    "one event in fifty missed": (
        now_and_then(lambda message: ()), ("users", "groups", "order-lives", "ticks", "triggers"),
        {"L-EVT-4", "L-MKT-3"},
    ),
    "one event in fifty twice": (
        now_and_then(lambda message: (message, message)),
        ("users", "groups", "order-lives", "ticks", "triggers"), {"L-EVT-5", "L-MKT-3"},
    ),
    "event numbers begin again": (lambda: wrapped(), ("groups", "users"), {"L-EVT-1"}),
    "answers under each other's ids": (lambda: exchanged(), ("pipelined",), {"L-MSG-8", "L-MSG-1"}),
    "an event before the subscription's answer": (before_the_answer(), ("watching",), {"L-EVT-2"}),
    "another code for an unknown group": (
        with_other_code("common_error", "config.group.get"), ("groups",), {"L-CFG-5"},
    ),
    "no details": (
        any_answer(lambda m, _: {k: v for k, v in m.items() if k != "details"}), ("bad-data",), {"L-MSG-6"},
    ),
    "messages say nothing": (any_error(message="error"), ("bad-data",), {"L-MSG-6"}),
    "whole lists for pages": (
        answers("users.get.all", lambda message, _: ({k: v for k, v in message.items() if k != "next"},)),
        ("pages",), {"L-PAG-1"},
    ),
    "how long it took beside the result": (any_answer(lambda m, _: {**m, "took": 0.1}), ("reading",), {"L-MSG-2"}),
    "history by the time of closing": (
        result("trades.history", lambda found: sorted(found, key=lambda r: (r["close_time"], -r["order"]))),
        ("order-lives",), {"L-ORD-3"},
    ),
}  # fmt: skip


def found(report: Report) -> list[str]:
    """What broke, for a failing test's message."""
    return [f"{each.law}: {each.detail}" for each in report.failures] + [each.unplayable for each in report.played]


@pytest.mark.parametrize("name", ALMOST)
def test_what_is_almost_right_is_found_out(target: Target, name: str) -> None:
    tamper, suites, laws = ALMOST[name]
    report = examine(target.lying(tamper), Profile.FULL, FIRST, only=suites)
    assert set(report.broken) <= laws, found(report)
    assert report.broken, "nothing was found"


def test_a_run_goes_on_behind_what_it_found(target: Target) -> None:
    """With a law muted there may be nothing left to play on with: that is said, and is no crash."""
    tamper, suites, laws = ALMOST["a field less"]
    report = examine(target.lying(tamper), Profile.FULL, Effort(cases=1, shrinking=0.0), only=[*suites, "order-lives"])
    assert laws <= set(report.broken)
    assert not report.ok


def garbled(opcode: int, payload: bytes) -> tuple[int, bytes]:
    return (opcode, payload[:-1]) if opcode == 0x1 and b'"OK"' in payload else (opcode, payload)


def no_pongs(opcode: int, payload: bytes) -> tuple[int, bytes] | None:
    return None if opcode == 0xA else (opcode, payload)


def empty_pongs(opcode: int, payload: bytes) -> tuple[int, bytes] | None:
    return (opcode, b"") if opcode == 0xA else (opcode, payload)


def always_1000(opcode: int, payload: bytes) -> tuple[int, bytes] | None:
    return (opcode, (1000).to_bytes(2, "big") + payload[2:]) if opcode == 0x8 else (opcode, payload)


def without_reason(opcode: int, payload: bytes) -> tuple[int, bytes] | None:
    return (opcode, payload[:2]) if opcode == 0x8 else (opcode, payload)


def ids_of_null(opcode: int, payload: bytes) -> tuple[int, bytes] | None:
    """Where no id can be read the answer has none at all."""
    message = json.loads(payload) if opcode == 0x1 else {"id": 0}
    if "id" in message and message["id"] is None:
        return opcode, json.dumps({name: each for name, each in message.items() if name != "id"}).encode()
    return opcode, payload


FRAMES: dict[str, tuple[FrameChange, str, str]] = {
    "what comes is no JSON": (garbled, "reading", "L-MSG-1"),
    "pings are not answered": (no_pongs, "fragments", "L-MSG-12"),
    "pongs have no payload": (empty_pongs, "fragments", "L-MSG-12"),
    "every close is a normal one": (always_1000, "no-text", "L-MSG-9"),
    "closes have no reason": (without_reason, "no-text", "L-MSG-9"),
    "no id where none can be read": (ids_of_null, "no-requests", "L-MSG-3"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_that_are_almost_right_are_found_out(target: Target, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mt_remote_conformance.sessions.client.PONGS", 1.0)
    change, suite, law = FRAMES[name]
    with impostor(target.url, unchanged, frames(change)) as url:
        report = examine(replace(target, url=url), Profile.FULL, FIRST, only=[suite])
    assert report.broken == [law], found(report)


def http(old: bytes, new: bytes) -> Change:
    """Another answer to handshakes."""
    return lambda data: data.replace(old, new, 1) if data.startswith(b"HTTP/1.1 4") else data


REFUSALS: dict[str, tuple[Change, str]] = {
    "403 for wrong credentials": (http(b"HTTP/1.1 401", b"HTTP/1.1 403"), "L-HSK-1"),
    "a refusal's body is no JSON": (http(b'{"status"', b"<'status'"), "L-HSK-2"),
    "no word of the versions that are spoken": (http(b"\r\nVERSION: ", b"\r\nX-VERSIO: "), "L-HSK-3"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_that_are_almost_right_are_found_out(target: Target, name: str) -> None:
    change, law = REFUSALS[name]
    with impostor(target.url, unchanged, lambda: change) as url:
        report = examine(replace(target, url=url), Profile.FULL, FIRST, only=["handshakes"])
    assert report.broken == [law], found(report)
