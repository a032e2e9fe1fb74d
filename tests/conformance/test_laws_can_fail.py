"""Every law can fail: a lie about it is found out, and the report names that law. No luck is needed: it is found in
the examples of a suite, which are played first whatever the seed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mt_remote_conformance.laws import LAWS
from mt_remote_conformance.running.runner import Effort, Report, examine
from mt_remote_conformance.targets import Profile, Target
from tests.conformance.impostor import Change, impostor
from tests.conformance.lies import LIES
from tests.conformance.test_almost_right import FRAMES

QUICK = Effort(cases=1, shrinking=0.0, first_failure=True)


def found(report: Report) -> list[str]:
    """What broke, for a failing test's message."""
    return [f"{each.law}: {each.detail}" for each in report.failures] + [each.unplayable for each in report.played]


@pytest.mark.parametrize("law", LIES)
def test_a_lie_is_found_out(target: Target, law: str) -> None:
    lie = LIES[law]
    report = examine(target.lying(lie.make), Profile.FULL, QUICK, only=lie.suites)
    assert report.broken == [law], found(report)
    (showing,) = [played for played in report.played if played.failures]
    assert showing.cases <= len(showing.suite.examples), f"found in case {showing.cases}, by chance"


def header(name: bytes, value: bytes) -> Change:
    """Every handshake has this value in a header, whatever the client sent or left out."""

    def change(data: bytes) -> bytes:
        if not data.startswith(b"GET ") or b"MT-" not in data:
            return data
        without = re.sub(rb"\r\n" + name + rb": [^\r]*", b"", data)
        return without.replace(b"\r\n\r\n", b"\r\n" + name + b": " + value + b"\r\n\r\n")

    return change


def _good(data: bytes) -> bytes:
    return header(b"MT-LOGIN", b"1")(header(b"MT-PASSWORD", b"manager")(data))


def as_text(data: bytes) -> bytes:
    """A binary message becomes a text."""
    return b"\x81" + data[1:] if data[:1] == b"\x82" else data


IMPOSTORS: dict[str, tuple[str, Change]] = {
    "L-HSK-1": ("handshakes", lambda data: _good(data) if b"Wrong1" in data else data),
    "L-HSK-2": ("handshakes", header(b"MT-LOGIN", b"1")),
    "L-HSK-3": ("handshakes", lambda data: re.sub(rb"VERSION: (3|0.99|two)\r", b"VERSION: 1.00\r", data)),
    "L-HSK-4": ("handshakes", lambda data: data.replace(b": manager", b": Manager") if b"VERSION" in data else data),
    "L-MSG-9": ("no-text", as_text),
}  # fmt: skip


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("law", IMPOSTORS)
def test_an_impostor_is_found_out(target: Target, law: str) -> None:
    suite, change = IMPOSTORS[law]
    with impostor(target.url, change) as url:
        report = examine(replace(target, url=url), Profile.FULL, QUICK, only=[suite])
    assert report.broken == [law], found(report)


def test_there_is_a_lie_about_every_law() -> None:
    assert set(LIES) | set(IMPOSTORS) | {law for _, _, law in FRAMES.values()} == set(LAWS)
