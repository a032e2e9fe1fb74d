"""Which origins may connect."""

from __future__ import annotations

import pytest

from mt_remote.gateway.origins import Origins


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        ("http://127.0.0.1:8228", "127.0.0.1:8228", True),
        ("https://127.0.0.1", "127.0.0.1", True),
        ("https://127.0.0.1:443", "127.0.0.1", True),
        ("http://[::1]:8228", "[::1]:8228", True),
        ("http://localhost:8228", "LOCALHOST:8228", True),
        ("https://gate.example:8228", "gate.example:8228", True),
        ("https://desk.example", "anything", True),
        ("https://DESK.example:443", "anything", True),
        ("http://desk.example", "anything", False),
        ("https://desk.example:444", "anything", False),
        ("https://desk.example.evil.example", "anything", False),
        ("http://127.0.0.1:8229", "127.0.0.1:8228", False),
        ("http://127.0.0.1", "127.0.0.1:8228", False),
        ("http://localhost:8228", "127.0.0.1:8228", False),
        ("https://evil.example", "127.0.0.1:8228", False),
        ("http://evil.example:8228", "evil.example:8228", False),  # DNS rebinding
        ("null", "127.0.0.1:8228", False),
        ("", "127.0.0.1:8228", False),
        ("file://", "127.0.0.1:8228", False),
        ("http://127.0.0.1:8228/", "127.0.0.1:8228", False),
        ("http://127.0.0.1:8228@evil.example", "127.0.0.1:8228", False),
        ("http://user@127.0.0.1:8228", "user@127.0.0.1:8228", False),
        ("http://127.0.0.1:8228 http://evil.example", "127.0.0.1:8228", False),
        ("http://127.0.0.1:x", "127.0.0.1:x", False),
        ("http://[::1", "[::1", False),
    ],
)
def test_who_may(origin: str, host: str, may: bool) -> None:
    assert Origins(["https://desk.example"], "gate.example").allow(origin, host) is may
