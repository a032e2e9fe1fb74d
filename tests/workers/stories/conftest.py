"""The stories' desk, with a socket between the gateway and the process of the backend."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.stories.conftest import Desk, Open
from tests.workers.desks import open_worker_desk


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def desk(anyio_backend: str) -> AsyncIterator[Desk]:
    async with open_worker_desk() as opened:
        yield opened


@pytest.fixture(scope="module")
def opening() -> Open:
    """How a story opens desks of its own."""
    return open_worker_desk
