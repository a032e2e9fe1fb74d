"""The kit passes where it should, on what it is told to."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from mt_remote_conformance.laws import AREAS, LAWS
from mt_remote_conformance.protocol import schema
from mt_remote_conformance.running import report
from mt_remote_conformance.running.runner import Effort, examine
from mt_remote_conformance.targets import Profile, Target
from tests.conformance.conftest import simulator
from tests.conformance.mutants import ROOT

UNPLAYED: dict[str, str] = {}
"""Functions of the protocol that no law plays, and why."""


def test_the_simulator_keeps_every_law() -> None:
    with simulator() as target:
        found = examine(target, Profile.FULL, Effort(cases=2, seconds=60))
    assert found.ok, report.text(found)
    assert len(found.held) > len(LAWS) * 0.95, found.unexamined
    unplayed = set(schema.functions()) - set(found.called) - set(UNPLAYED)
    assert unplayed == set(), "functions that no law plays"
    assert set(UNPLAYED) <= set(schema.functions()) - set(found.called), "they are played by now"


@pytest.mark.parametrize(("profile", "at_least"), [(Profile.READ_ONLY, 15), (Profile.DEMO, 55)])
def test_profiles_play_what_they_may(target: Target, profile: Profile, at_least: int) -> None:
    found = examine(target, profile, Effort(cases=2, seconds=30))
    assert found.ok, report.text(found)
    assert len(found.held) >= at_least


def test_reading_alone_changes_nothing() -> None:
    with simulator() as target:
        names = {played.suite.name for played in examine(target, Profile.READ_ONLY, Effort(cases=2)).played}
        assert names == {"reading", "no-requests", "no-text", "fragments"}


def test_laws_have_areas_statements_and_sources() -> None:
    for law in LAWS.values():
        assert law.area in AREAS
        assert law.statement
        assert re.fullmatch(r"P[1-8]|[FET]|RFC \d+( [\d., ]+)?|S\d+(\.\d+)?", law.source), law


def test_sources_are_there() -> None:
    chapters = set(
        re.findall(r"^## (\d)\. ", (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    rules = set(
        re.findall(r"^\| ([\d.]+) \|", (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    rules |= {rule.partition(".")[0] for rule in rules}
    for law in LAWS.values():
        if law.source[0] == "P":
            assert law.source[1:] in chapters, law
        elif law.source[0] == "S":
            assert law.source[1:] in rules, law


def test_reports_name_every_law(target: Target) -> None:
    found = examine(target, Profile.READ_ONLY, Effort(cases=2), only=["reading"])
    cases = ET.fromstring(report.junit(found)).findall("testcase")
    assert [case.get("name", "").split(":")[0] for case in cases] == list(LAWS)
    page = report.html(found)
    assert all(name in page for name in LAWS)
    assert "none broken" in report.text(found)
