"""``mt-remote conformance`` as people run it, and what it leaves: reports, and failures that replay."""

from __future__ import annotations

import re
import socket
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from mt_remote_conformance import LAWS
from tests.cli.command import Gateway, command

FEW = ("--cases", "1", "--seconds", "60")
AWHILE = 600.0
"""Seconds that a run may take on a busy machine."""
SERVE = ("--clock", "manual", "--feed", "off", "--login-failures", "1000000")
DOUBLES = """seed = 1
[[rules]]
on = "event.user"
do = "double"
"""


def test_in_this_process_with_reports_of_every_law(tmp_path: Path) -> None:
    words = ("--only", "reading", "--only", "fragments", *FEW, "--junit", "kit.xml", "--html", "kit.html")
    done = command("conformance", *words, cwd=tmp_path, patience=AWHILE)
    assert (done.code, done.output.count("\n")) == (0, 1), done
    assert re.match(
        r"conformance kit \d+, profile full, ws://.*: \d+ laws held, none broken, \d+ not examined", done.output
    )
    assert [line.split()[0] for line in done.errors.splitlines()] == ["reading", "fragments"]
    suite = ET.parse(tmp_path / "kit.xml").getroot()
    assert suite.tag == "testsuite"
    assert (suite.get("tests"), suite.get("failures")) == (str(len(LAWS)), "0")
    assert [case.get("name", "").partition(":")[0] for case in suite.iter("testcase")] == list(LAWS)
    page = (tmp_path / "kit.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert [name for name in LAWS if f"<td>{name}<td" not in page] == []


def test_a_broken_law_is_named_and_its_case_replays(tmp_path: Path) -> None:
    (tmp_path / "faults.toml").write_text(DOUBLES, encoding="utf-8")
    words = ("--profile", "full", "--exclusive", "--only", "users", *FEW, "--junit", "kit.xml", "--html", "kit.html")
    with Gateway(*SERVE, "--faults", str(tmp_path / "faults.toml")) as broken:
        done = command("conformance", "--url", broken.url, *words, "--scripts", "broken", cwd=tmp_path, patience=AWHILE)
        assert done.code == 1, done
        assert "L-EVT-5 is broken: a change is told exactly once" in done.output
        case = tmp_path / "broken" / "L-EVT-5-users.jsonl"
        assert f"replay: mt-remote replay {case.relative_to(tmp_path)} --url {broken.url}" in done.output
        again = command("replay", str(case), "--url", broken.url)
        assert again.code == 0, again  # the same gateway does the same again
    assert "Kit9pw" not in case.read_text(encoding="utf-8")
    assert '"manager"' not in case.read_text(encoding="utf-8").replace('"group": "manager"', "")
    with Gateway(*SERVE) as right:
        compared = command("replay", str(case), "--url", right.url)
    assert compared.code == 1
    assert "user" in compared.output
    (failed,) = ET.parse(tmp_path / "kit.xml").getroot().iter("failure")
    assert "users" in (failed.text or "")
    assert "<h2 class='broken'>L-EVT-5" in (tmp_path / "kit.html").read_text(encoding="utf-8")


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system has no SO_REUSEPORT")
def test_over_workers() -> None:
    suites = ("groups", "users", "order-lives", "watching", "pages", "lost-connections", "fragments")
    only = [word for suite in suites for word in ("--only", suite)]
    with Gateway(*SERVE, "--workers", "2") as gateway:
        done = command(
            "conformance", "--url", gateway.url, "--profile", "full", "--exclusive", *FEW, *only, patience=AWHILE
        )
    assert done.code == 0, done.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [(("--only", "nosuch"), "--only 'nosuch': no such suite"), (("--profile", "all"), "--profile")],
)
def test_what_can_not_be(words: tuple[str, ...], problem: str) -> None:
    done = command("conformance", *words)
    assert (done.code, done.output) == (2, "")
    assert problem in done.errors


def test_laws_and_suites_are_listed() -> None:
    laws = command("conformance", "--laws")
    assert [line.split()[0] for line in laws.output.splitlines()] == list(LAWS)
    suites = command("conformance", "--suites")
    assert "pages-in-motion" in suites.output
