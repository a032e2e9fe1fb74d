"""Logging never stands in the way, and never shows locals."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest
import structlog

from mt_remote.logs import configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError("no space left")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_traceback_has_no_locals(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    seen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", seen)
    configure(as_json=as_json)
    password = "Secret1"
    try:
        raise ZeroDivisionError(len(password) and "oh")
    except ZeroDivisionError:
        structlog.get_logger().exception("it broke")
    assert "ZeroDivisionError" in seen.getvalue()
    assert "Secret1" not in seen.getvalue()


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    closed = io.StringIO()
    closed.close()
    for broken in (closed, Full()):
        monkeypatch.setattr(sys, "stderr", broken)
        structlog.get_logger().warning("lost")
    monkeypatch.setattr(sys, "stderr", seen := io.StringIO())
    structlog.get_logger().warning("back again")
    assert "back again" in seen.getvalue()
