"""Gateways for clients that mean harm: on the memory backend, on asyncio, on uvloop where there is one, and on trio."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from mt_remote import logs
from tests.core.conftest import memory, start

__all__ = ["anyio_backend", "logged", "memory", "start"]

LOOPS: list[Any] = ["asyncio", "trio"]
with contextlib.suppress(ImportError):
    import uvloop  # noqa: F401

    LOOPS.append(pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"))


@pytest.fixture(params=LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    """What the gateway logs. The log is made ready first: the gateway would do so in a thread, over what is set."""
    logs.ensure_configured()
    logs.load()
    with structlog.testing.capture_logs() as lines:
        yield lines  # type: ignore[misc]
