"""Recordings are made and played with asyncio: ``websockets`` knows no other loop."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
