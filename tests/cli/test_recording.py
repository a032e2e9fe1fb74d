"""``mt-remote record`` and ``mt-remote replay`` as people run them."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import PATIENCE, Gateway, command, start

REQUESTS = """{"name": "connect", "data": {"server": "Demo", "login": 1, "password": "manager", "reconnect_delay": 0}}
{"name": "config.group.get", "data": {"group": "demoforex"}}
{"name": "tick.add", "data": {"symbol": "EURUSD", "bid": 1.1, "ask": 1.1001}}
{"name": "ticks.get", "data": {"symbol": "EURUSD"}}
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with Gateway("--clock", "manual", "--feed", "off") as running:
        yield running


@pytest.fixture
def recording(gateway: Gateway, tmp_path: Path) -> Path:
    """The requests' recording."""
    (tmp_path / "requests.jsonl").write_text(REQUESTS, encoding="utf-8")
    done = command("record", "day.jsonl", "--url", gateway.url, "--script", "requests.jsonl", cwd=tmp_path)
    assert (done.code, done.output, done.errors) == (0, "", "10 entries in day.jsonl\n")
    return tmp_path / "day.jsonl"


def test_requests_from_a_file_are_recorded_and_replayed(gateway: Gateway, recording: Path) -> None:
    text = recording.read_text(encoding="utf-8")
    assert '"password": "‹secret 1›"' in text
    done = command("replay", str(recording), "--url", gateway.url)
    assert (done.code, done.errors) == (0, "")
    assert done.output == "4 answers and 0 events compared, no differences\n"


def test_a_difference_is_exit_code_1(gateway: Gateway, recording: Path) -> None:
    recording.write_text(recording.read_text(encoding="utf-8").replace('"bid": 1.1}', '"bid": 1.2}'), encoding="utf-8")
    text = recording.read_text(encoding="utf-8").replace('"currency": "USD"', '"currency": "EUR"')
    recording.write_text(text, encoding="utf-8")
    done = command("replay", str(recording), "--url", gateway.url)
    assert done.code == 1
    first = done.output.splitlines()[0]
    assert first == 'config.group.get.result.currency: was "EUR", is "USD" (session 1, answer to id 1)'
    as_json = command("replay", str(recording), "--url", gateway.url, "--json")
    assert as_json.code == 1
    found = json.loads(as_json.output)
    assert found["same"] is False
    assert found["differences"][0]["path"] == "config.group.get.result.currency"
    ignored = command("replay", str(recording), "--url", gateway.url, "--ignore", "*.currency")
    assert ignored.code == 0


def test_a_proxy_between_client_and_gateway(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "proxy.jsonl"
    process = start("record", str(file), "--url", gateway.url, "--sessions", "1")
    try:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("recording on ").strip()
        done = command("call", "--url", url, "--dialect", "1.00", "ticks.get", '{"symbol": "EURUSD"}')
        assert (done.code, done.errors) == (0, "")
        output, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert (process.returncode, output) == (0, "")
    assert errors == f"4 entries in {file}\n"
    assert "manager" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_proxy(gateway: Gateway, tmp_path: Path, number: int) -> None:
    process = start("record", str(tmp_path / "none.jsonl"), "--url", gateway.url)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("recording on ws://127.0.0.1:")
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 0
    assert errors.startswith("0 entries in ")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("replay", "none.jsonl"), "'none.jsonl': No such file or directory"),
        (("replay", "bad.jsonl"), "'bad.jsonl', line 1, is not JSON"),
        (("replay", "day.jsonl", "--secret", "x"), "--secret: must be NUMBER=TEXT"),
        (("record", "new.jsonl", "--listen", "8228"), "--listen '8228': must be HOST:PORT"),
        (("record", "new.jsonl", "--script", "none.jsonl"), "--script 'none.jsonl': No such file"),
        (("record", "new.jsonl", "--script", "bad.jsonl"), "--script 'bad.jsonl' is not lines of JSON"),
        (("record", "no/where.jsonl"), "'no/where.jsonl' can't be written"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(tmp_path: Path, words: tuple[str, ...], problem: str) -> None:
    (tmp_path / "bad.jsonl").write_text("nonsense", encoding="utf-8")
    (tmp_path / "day.jsonl").write_text('{"kind": "recording"}\n', encoding="utf-8")
    done = command(*words, cwd=tmp_path)
    assert (done.code, done.output) == (2, "")
    assert problem in done.errors
    assert len(done.errors.splitlines()) == 1


def test_no_gateway_is_exit_code_1(recording: Path) -> None:
    done = command("replay", str(recording), "--url", "ws://127.0.0.1:9")
    assert (done.code, done.output) == (1, "")
    assert "no gateway at ws://127.0.0.1:9" in done.errors
