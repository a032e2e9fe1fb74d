"""What is measured: one scenario, one column of the table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.sample import group_patch, request, trades

MEBIBYTE = 2**20


class Measure(StrEnum):
    """What a scenario's number is. Smaller is better for all of them."""

    CPU = "µs CPU per operation"
    MEMORY = "KiB per session"
    P99 = "p99 in ms"


@dataclass(frozen=True, slots=True)
class Scenario:
    """``flags`` go to the load generator. ``target`` is the ratio to bare `websockets` that the gateway has to reach,
    ``picows_target`` that to picows, ``limit`` the most that a number may be."""

    name: str
    title: str
    flags: tuple[str, ...]
    measure: Measure = Measure.CPU
    target: float | None = None
    picows_target: float | None = None
    limit: float | None = None


def _connect() -> tuple[str, ...]:
    login = {"server": "Demo", "login": 1, "password": "manager", "reconnect_delay": 0}
    return ("--setup", request("connect", login))


def _ticks_get() -> tuple[str, ...]:
    price = {"symbol": "EURUSD", "bid": 1.1, "ask": 1.1002}
    return (
        *_connect(), "--setup", request("tick.add", price),
        "--call", request("ticks.get", {"symbol": "EURUSD"}), "--expect", '"symbol":"EURUSD"',
    )  # fmt: skip


def _subscribers(count: int) -> tuple[str, ...]:
    return (
        *_connect(), "--connections", str(count),
        "--subscribe", request("symbol.show", {"symbol": "EURUSD"}),
        "--subscribe", request("subscribe", {"event": "tick"}),
    )  # fmt: skip


def _text(size: int) -> tuple[str, ...]:
    return (*_connect(), "--call", request("bench.measure", {"text": "x" * size}), "--expect", f'"result":{size}')


def _patches() -> tuple[str, ...]:
    return (*_connect(), "--call", request("config.group.set", group_patch()))


def _large_answers() -> tuple[str, ...]:
    count = MEBIBYTE // (len(json.dumps(trades(1)[0], separators=(",", ":"))) + 1) + 10
    call = request("bench.trades", {"count": count})
    return (*_connect(), "--call", call, "--connections", "4", "--min-bytes", str(MEBIBYTE))


def _feed() -> tuple[str, ...]:
    call = request("ticks.get", {"symbol": "EURUSD"})
    return ("--mode", "feed", *_subscribers(100), "--rate", "1000", "--call", call)


def _fanout(burst: int, subscribers: int) -> tuple[str, ...]:
    return ("--mode", "fanout", *_subscribers(subscribers), "--burst", str(burst))


def scenarios(*, quick: bool = False) -> dict[str, Scenario]:
    """All scenarios by name; ``quick`` ones have fewer clients."""
    subscribers, sessions = (200, 300) if quick else (1000, 2000)
    desks = ("--connections", "8", "--depth", "8")
    idle = ("--mode", "idle", "--connections", str(sessions))
    memory = Measure.MEMORY
    listed = [
        Scenario("sequential", "sequential calls", _ticks_get(), target=1.5),
        Scenario("pipelined", "pipelined ×64", (*_ticks_get(), "--depth", "64"), target=3, picows_target=1),
        Scenario(
            "connections", "100 connections × 8", (*_ticks_get(), "--connections", "100", "--depth", "8"), target=2.5,
            picows_target=1,
        ),
        Scenario("fanout", f"fan-out, {subscribers:,} subscribers", _fanout(1, subscribers), target=1.6,
                 picows_target=1),
        Scenario("bursts", "bursts of 16 ticks", _fanout(16, subscribers), target=6, picows_target=1),
        Scenario("requests-4k", "4 KiB requests, one text", (*_text(4096), *desks), target=2),
        Scenario("patches", "3.6 KB patches, 159 fields", (*_patches(), *desks)),
        Scenario("answers-1m", "1 MiB answers", _large_answers(), target=1),
        Scenario("feed", "call in a busy feed, p99", _feed(), Measure.P99, target=1),
        Scenario("idle", "idle session", idle, memory, limit=10),
        Scenario("idle-connected", "idle session, connected", (*idle, *_connect()), memory, limit=10),
    ]  # fmt: skip
    return {scenario.name: scenario for scenario in listed}
