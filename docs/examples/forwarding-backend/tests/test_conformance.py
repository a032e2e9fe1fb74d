"""The conformance kit holds the gateway in front against the laws of the protocol and of an MT4 server."""

from __future__ import annotations

import pytest

import forwarding_backend
from conftest import MANAGER
from door import Door
from forwarding_backend.backend import ForwardBackend
from forwarding_backend.settings import ForwardSettings
from mt_remote_conformance import Effort, Profile, examine, serving, text
from mt_remote_tools.testing import Bench

ALL: tuple[str, ...] = ()

QUICK = (
    "desk",
    "groups",
    "users",
    "managers",
    "common-configuration",
    "dealing",
    "order-lives",
    "ticks",
    "reading",
    "pipelined",
    "rights",
    "masks",
    "connecting",
    "wrong-credentials",
    "watching",
    "unsubscribe-in-a-flood",
    "lost-connections",
)
"""Suites that meet the backend; the others rather look at the gateway in front and at the simulator."""


def test_a_gateway_that_forwards_keeps_the_laws(pytestconfig: pytest.Config) -> None:
    suites = ALL if pytestconfig.getoption("--all-suites") else QUICK
    with Bench.of("simulator") as upstream:
        backend = ForwardBackend(ForwardSettings(forward_url=upstream.url))
        plugins = [forwarding_backend, Door(upstream.client(), MANAGER)]
        with serving(backend, plugins, installed=True, target={"patience": 2.0}) as target:
            report = examine(target, Profile.FULL, Effort(cases=1), only=suites)
    assert report.ok, text(report)
    assert not any(played.unplayable for played in report.played)
    assert {law.split("-")[1] for law in report.held} >= {"EVT", "CFG", "USR", "ORD", "DLG", "SES", "MSG"}
