"""A gateway with this plugin keeps the protocol's laws, and the plugin what MT Remote asks of plugins."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mt_remote.client import Client
from mt_remote_conformance import Effort, Profile, Target, examine, text
from mt_remote_conformance.strategies import hostile
from mt_remote_tools.checking import check
from mt_remote_tools.testing import Bench

FUNCTIONS = ("report.exposure", "report.accounts", "report.daily")
README = Path(__file__).parents[1] / "README.md"


def test_the_laws_of_the_protocol_hold(mt_gateway: Bench) -> None:
    suites = ("reading", "no-requests")
    report = examine(Target(mt_gateway.url, exclusive=True), Profile.FULL, Effort(cases=1), only=suites)
    assert report.ok, text(report)
    assert [played.suite.name for played in report.played if played.cases] == list(suites)


def test_check_plugin_finds_nothing() -> None:
    assert check(["desk_reports.functions"]) == []


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(hostile(), min_size=5, max_size=10))
def test_no_data_is_too_strange(mt_gateway: Bench, bodies: list[Any]) -> None:
    client = mt_gateway.client()
    for function, data in itertools.product(FUNCTIONS, bodies):
        answer = client.request(function, data)
        assert answer["status"] == "OK" or answer["code"] == "invalid_data", answer
    client.close()  # it would ping with numbers from `random`, which hypothesis forbids while it draws


def test_older_dialects_take_what_is_not_a_page(mt_gateway: Bench) -> None:
    older = mt_gateway.client(dialect="0")
    assert older.call("report.exposure") == []
    message = older.fails("report.exposure", limit=1).message
    assert message == "Invalid data for report.exposure: limit: is not a field of this"


def test_the_conversation_in_the_readme(mt_client: Client) -> None:
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith(("→ ", "← "))]
    conversation = [json.loads(line[2:]) for line in lines]
    assert len(conversation) > 10
    for asked, answered in zip(conversation[::2], conversation[1::2], strict=True):
        mt_client.send(asked)
        assert mt_client.receive() == answered
