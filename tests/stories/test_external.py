"""External commands reach the simulated server's own plugins, which are plugins of the gateway (a hook)."""

from __future__ import annotations

from types import ModuleType

import pytest

from mt_remote.plugin import hookimpl
from tests.stories.client import manager
from tests.stories.conftest import open_desk

pytestmark = pytest.mark.anyio


def shouting() -> ModuleType:
    @hookimpl
    def mt_remote_simulator_external(command: bytes) -> bytes | None:
        return command.upper() if command.startswith(b"shout ") else None

    module = ModuleType("shouting")
    vars(module)["mt_remote_simulator_external"] = mt_remote_simulator_external
    return module


async def test_the_plugin_that_takes_a_command_answers_it() -> None:
    async with open_desk(plugins=(shouting(),)) as desk, manager(desk.url, dialect="2") as client:
        assert await client.call("external.command", command="shout it", encoding="plain") == "SHOUT IT"
        assert await client.call("external.command", command="echo it", encoding="plain") == "it"
        assert await client.call("external.command", command="AQL/", encoding="base64") == "EBES"
        assert (await client.fails("external.command", command="nobody", encoding="plain")).message
