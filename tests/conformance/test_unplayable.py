"""What a target does not let the kit play is named, with the reason, and asked for by name it is no success."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace

import pytest

import mt_remote_plugins
from mt4sim import World
from mt4sim.gateway.backend import SimulatorBackend
from mt4sim.gateway.settings import SimulatorSettings
from mt_remote_conformance import LAWS, Effort, Played, Profile, Target, examine, serving
from mt_remote_conformance.running import report
from mt_remote_conformance.running.programme import all_suites
from tests.cli.command import command

CONTROL = "it needs the simulator's own functions (simulator.*), which are not served there"
FEW = Effort(cases=1, seconds=60)


@pytest.fixture(scope="module")
def bare() -> Iterator[Target]:
    """A gateway that does not serve the simulator's own functions, as one on a real server does not."""
    backend = SimulatorBackend(SimulatorSettings(clock="manual", feed="off"), world=World.demo())
    with serving(backend, [mt_remote_plugins]) as target:
        yield target


def test_suites_that_a_target_cannot_play_are_named_with_the_reason(bare: Target) -> None:
    shared = replace(bare, exclusive=False)
    found = examine(shared, Profile.READ_ONLY, FEW)
    played = {each.suite.name for each in found.played}
    assert found.ok, report.text(found)
    assert played.isdisjoint(found.skipped)
    assert played | set(found.skipped) == {suite.name for suite in all_suites()}
    assert found.skipped["groups"] == "the profile read-only does not allow it, demo does"
    unexamined = f"not examined: {', '.join(found.unexamined)}"
    lines = report.text(found).splitlines()
    assert unexamined in lines
    assert any(line.startswith("not played: ") and line.endswith("read-only does not allow it, full does")
               for line in lines)  # fmt: skip


@pytest.mark.parametrize(
    ("exclusive", "suite", "reason"),
    [(True, "dealing", CONTROL), (False, "ticks", "it needs a server that nobody else changes (--exclusive)")],
)
def test_a_suite_asked_for_that_cannot_be_played_is_no_success(
    bare: Target, exclusive: bool, suite: str, reason: str
) -> None:
    announced: list[Played] = []
    target = replace(bare, exclusive=exclusive)
    found = examine(target, Profile.FULL, FEW, only=[suite, "reading"], announce=announced.append)
    assert not found.ok
    assert found.skipped == {}
    assert {each.suite.name: each.unplayable for each in announced} == {suite: reason, "reading": ""}
    assert f"{suite} could not be played: {reason}" in report.text(found)
    assert reason in report.html(found).replace("&#x27;", "'")
    tree = ET.fromstring(report.junit(found))
    (error,) = tree.iter("error")
    assert error.get("message") == f"could not be played: {reason}"
    skipped = [each.get("message") or "" for each in tree.iter("skipped")]
    assert len(skipped) == len(found.unexamined) == int(tree.get("skipped", ""))
    assert all(reason in message and f"only {suite}, reading were asked for" in message for message in skipped)
    assert len(tree.findall("testcase")) == int(tree.get("tests", "")) == len(LAWS) + 1


def test_reports_say_why_laws_were_not_examined(bare: Target) -> None:
    found = examine(replace(bare, exclusive=False), Profile.READ_ONLY, FEW)
    lines = report.unplayed(found)
    (message,) = {each.get("message") for each in ET.fromstring(report.junit(found)).iter("skipped")}
    assert message == f"not examined: {'; '.join(lines)}"
    page = report.html(found)
    assert [line for line in lines if line not in page] == []


def test_a_name_that_no_suite_has_is_refused(bare: Target) -> None:
    with pytest.raises(ValueError, match="no suite is called dealign"):
        examine(bare, only=["dealign"])


def test_the_command_says_what_it_cannot_play_and_fails(bare: Target) -> None:
    words = ("--url", bare.url, "--exclusive", "--profile", "full", "--only", "dealing", "--cases", "1")
    done = command("conformance", *words)
    assert done.code == 1, done
    assert f"dealing could not be played: {CONTROL}" in done.output
    assert done.errors.split() == ["dealing", "0", "cases", "0.0", "s", "not", "playable"]
