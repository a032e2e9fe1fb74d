"""The stories' desk, with the Manager library's backend between gateway and simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.native.desks import MANNERS, open_library_desk
from tests.stories.conftest import Desk


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=MANNERS)
async def desk(request: pytest.FixtureRequest, anyio_backend: str, shared_object: Path) -> AsyncIterator[Desk]:
    async with open_library_desk(request.param, shared_object) as opened:
        yield opened
