"""Where limits come from, who may read and change them, and how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mt_remote.client import Client
from mt_remote.errors import ConfigurationError
from mt_remote_tools.testing import Bench
from risk_limits.limits import Limits, Terms, configured
from scene import Json, Limit, manager, order

NONE = {"max_lots": None, "max_net_lots": None, "max_points": None, "digits": None, "banned": None}

FILE = """
max_lots = 5.0
refuse_dealing = true

[symbols.EURUSD]
max_points = 50
digits = 5
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "limits.toml"
    path.write_text(FILE)
    monkeypatch.setenv("RISK_LIMITS_FILE", str(path))
    return path


def test_without_settings_nothing_is_limited() -> None:
    assert configured() == Limits()


def test_a_file(file: Path) -> None:
    own = Terms(max_points=50, digits=5)
    assert configured() == Limits(max_lots=5.0, refuse_dealing=True, symbols={"EURUSD": own})


def test_the_environment_comes_before_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_LIMITS_MAX_LOTS", "2")
    monkeypatch.setenv("RISK_LIMITS_SYMBOLS", '{"GBPUSD": {"banned": true}}')
    limits = configured()
    assert (limits.max_lots, limits.of("GBPUSD").banned, limits.of("EURUSD").max_points) == (2.0, True, 50)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max_lots = 'many'", "max_lots: "),
        ("max_lots = 0.001", "max_lots: "),
        ("max_lot = 1.0", "max_lot: "),
        ("[symbols.EURUSD]\nbaned = true", "symbols.EURUSD.baned: "),
        ("max_lots =", "limits.toml: "),
    ],
)
def test_a_file_that_is_wrong(file: Path, text: str, told: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        configured()
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing(file: Path) -> None:
    file.unlink()
    with pytest.raises(ConfigurationError, match="there is no file"):
        configured()


def test_a_variable_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_LIMITS_MAX_POINTS", "-1")
    with pytest.raises(ConfigurationError, match="max_points"):
        configured()


def test_a_gateway_does_not_start_without_its_limits() -> None:
    arguments = ["-m", "mt_remote_tools.cli", "--plugin", "risk_limits.plugin", "serve", "--port", "0"]
    paths = os.pathsep.join([str(Path(__file__).parents[1] / "src"), *sys.path])
    environment = {**os.environ, "RISK_LIMITS_MAX_LOTS": "many", "PYTHONPATH": paths}
    ended = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "risk-limits: max_lots: " in ended.stderr
    assert ended.stderr.count("\n") == 1


class TestFromSettings:
    @pytest.fixture(autouse=True)
    def settings(self, no_settings: None, file: Path) -> None:
        """Before the gateway starts."""

    def test_they_hold_from_the_start(self, settings: None, mt_client: Client, account: int) -> None:
        assert mt_client.call("risk.limits.get")["max_lots"] == 5.0
        assert mt_client.fails("order.open", order(account, volume=5.01)).code == "risk_limit"


def test_a_symbols_own_terms_come_first(mt_client: Client, limit: Limit, account: int) -> None:
    limit(max_lots=1.0, symbols={"EURUSD": {"max_lots": 2.0}})
    mt_client.call("order.open", order(account, volume=2.0))
    assert mt_client.fails("order.open", order(account, symbol="GBPUSD", volume=2.0, price=1.25)).code == "risk_limit"


def test_fields_that_are_absent_stay(mt_client: Client) -> None:
    eurusd = NONE | {"max_points": 5, "digits": 5}
    steps: list[tuple[Json, Json]] = [
        ({"max_lots": 1.0}, {"max_lots": 1.0}),
        (
            {"symbols": {"EURUSD": {"max_points": 5}}},
            {"max_lots": 1.0, "symbols": {"EURUSD": NONE | {"max_points": 5}}},
        ),
        ({"symbols": {"EURUSD": {"digits": 5}}}, {"max_lots": 1.0, "symbols": {"EURUSD": eurusd}}),
        ({"max_lots": None, "refuse_dealing": True}, {"symbols": {"EURUSD": eurusd}, "refuse_dealing": True}),
        ({"symbols": {"EURUSD": None}}, {"refuse_dealing": True}),
        ({"refuse_dealing": False}, {}),
    ]
    for patch, differs in steps:
        expected = NONE | {"symbols": {}, "refuse_dealing": False} | differs
        assert mt_client.call("risk.limits.set", patch) == expected
        assert mt_client.call("risk.limits.get") == expected


def test_limits_that_are_wrong(mt_client: Client) -> None:
    before = mt_client.call("risk.limits.get")
    wrong: list[tuple[Json, str]] = [
        ({"max_lots": 0.001}, "max_lots"),
        ({"max_lots": -1}, "max_lots"),
        ({"max_points": 1.5}, "max_points"),
        ({"lots": 1}, "lots"),
        ({"symbols": {"EURUSD": {"banned": 7}}}, "symbols.EURUSD.banned"),
        ({"symbols": {"NOSUCH": {"banned": True}}}, "symbols.NOSUCH"),
    ]
    for patch, path in wrong:
        error = mt_client.fails("risk.limits.set", {"max_net_lots": 3.0, **patch})
        assert (error.code, [detail["path"] for detail in error.details]) == ("invalid_data", [path])
    assert mt_client.call("risk.limits.get") == before


@pytest.mark.mt_remote_backends
def test_who_may_change_them(mt_client: Client, mt_gateway: Bench) -> None:
    dealer = manager(mt_client, mt_gateway, trades=True, see_trades=True)
    assert dealer.fails("risk.limits.set", max_lots=100.0).code == "not_enough_rights"
    assert dealer.call("risk.limits.get")["max_lots"] is None
    stranger = mt_gateway.client(log_in=False)
    assert stranger.fails("risk.limits.set", max_lots=100.0).code == "not_connected"
