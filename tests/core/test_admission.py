"""Connections are counted from their acceptance on, by address and together."""

from __future__ import annotations

from typing import Any

import pytest

from mt_remote.clock import Clock
from mt_remote.gateway.admission import Admission, Entry
from mt_remote.gateway.refusals import RefusalLog
from mt_remote.logs import Log
from mt_remote.settings import Settings


class Hands(Clock):
    """A clock in the test's hands."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Lines(Log):
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def warning(self, event: str, **values: object) -> None:
        self.lines.append((event, values))


class Door:
    def __init__(self, **settings: Any) -> None:
        self.clock, self.log = Hands(), Lines()
        self.aborted: list[str] = []
        refusals = RefusalLog(2, self.clock.now, self.log)
        self.admission = Admission(Settings(**settings), self.clock, refusals)

    def enter(self, peer: str) -> Entry | None:
        return self.admission.enter(peer, lambda: self.aborted.append(peer))

    def must(self, peer: str) -> Entry:
        entry = self.enter(peer)
        assert entry is not None
        return entry


def test_an_address_has_so_many_then_is_told_so_then_is_closed() -> None:
    door = Door(max_sessions_per_address=2)
    entries = [door.must(f"192.0.2.1:{port}") for port in range(10)]
    assert [door.admission.is_crowded(each) for each in entries[:2]] == [True, True]
    assert door.enter("192.0.2.1:99") is None
    assert door.log.lines[-1][1] == {"peer": "192.0.2.1:99", "connections": 10}
    assert not door.admission.is_crowded(door.must("192.0.2.2:1"))
    for each in entries[2:]:
        door.admission.leave(each)
    assert not door.admission.is_crowded(entries[0])


def test_all_addresses_together_are_bounded() -> None:
    door = Door(max_sessions=2)
    for number in range(10):
        door.must(f"192.0.2.{number}:1")
    assert door.enter("192.0.2.99:1") is None


def test_a_network_of_ipv6_is_one_address() -> None:
    door = Door(max_sessions_per_address=1)
    first = door.must("2001:db8::1:80")
    second = door.must("2001:db8::2:80")
    assert door.admission.is_crowded(second)
    door.admission.leave(first)
    assert not door.admission.is_crowded(second)


def test_a_proxy_is_not_counted_but_whoever_it_speaks_for() -> None:
    door = Door(max_sessions_per_address=1, trusted_proxies=["10.0.0.0/8"])
    entries = [door.must(f"10.0.0.1:{port}") for port in range(50)]
    assert not any(map(door.admission.is_crowded, entries))
    for number, each in enumerate(entries[:9]):
        assert door.admission.speaks_for(each, f"192.0.2.1:{number}", is_final=True)
    assert door.admission.is_crowded(entries[0])
    assert not door.admission.speaks_for(entries[10], "192.0.2.1:99", is_final=True)
    assert door.admission.speaks_for(entries[11], "192.0.2.2:99", is_final=True)
    assert not door.admission.is_crowded(entries[11])
    for each in entries:
        door.admission.leave(each)
    assert not door.admission._by_address
    assert door.admission._entries == 0


def test_who_does_not_arrive_in_time_is_ended() -> None:
    door = Door(handshake_timeout=10)
    door.must("192.0.2.1:1")
    arrived = door.must("192.0.2.1:2")
    door.admission.arrived(arrived)
    door.clock.time = 9.0
    door.must("192.0.2.1:3")
    door.clock.time = 11.0
    door.admission.end_overdue()
    assert door.aborted == ["192.0.2.1:1"]
    door.admission.end_arriving()
    assert door.aborted == ["192.0.2.1:1", "192.0.2.1:1", "192.0.2.1:3"]


def test_the_log_cannot_be_flooded() -> None:
    clock, lines = Hands(), Lines()
    refusals = RefusalLog(2, clock.now, lines)
    for number in range(10):
        refusals.refused("wrong", number=number)
    refusals.refused("other")
    clock.time += 1
    refusals.refused("wrong", number=99)
    assert lines.lines == [
        ("wrong", {"number": 0}),
        ("wrong", {"number": 1}),
        ("other", {}),
        ("wrong", {"number": 99, "not_logged": 8}),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"trusted_proxies": ["10.0.0.1/8"]},
        {"trusted_proxies": ["proxy.example"]},
        {"proxy_protocol": True},
        {"origins": ["*"]},
        {"origins": ["https://*.example"]},
        {"origins": ["desk.example"]},
        {"origins": ["https://desk.example/"]},
        {"servers": ["Demo*"]},
        {"servers": [""]},
    ],
)
def test_settings_that_can_not_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)
