"""External commands: on the simulator they go to plugins, as on a real server (protocol, chapter 3)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mt_remote.plugin import hookimpl
from tests.stories.client import manager
from tests.stories.conftest import Desk, open_desk

pytestmark = pytest.mark.anyio


async def test_the_echo_that_ships(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as one:
        assert await one.call("external.command", command="echo Grüße", encoding="plain") == "Grüße"
        assert await one.call("external.command", command="AQL/", encoding="base64") == "EBES"
        assert (await one.fails("external.command", command="%%%", encoding="base64")).details[0]["path"] == "command"
        assert (await one.fails("external.command", command="x", encoding="hex")).details[0]["path"] == "encoding"
        assert (await one.fails("external.command", command="nobody", encoding="plain")).code == "common_error"


async def test_a_plugin_answers_first() -> None:
    @hookimpl
    def mt_remote_simulator_external(command: bytes) -> bytes | None:
        return b"\xff" + command if command.startswith(b"echo") else None

    plugin = SimpleNamespace(mt_remote_simulator_external=mt_remote_simulator_external, __name__="answers")
    async with open_desk(plugins=(plugin,)) as desk, manager(desk.url, dialect="2") as one:
        assert await one.call("external.command", command="ZWNobw==", encoding="base64") == "/2VjaG8="
        assert "base64" in (await one.fails("external.command", command="echo", encoding="plain")).message
        assert await one.call("external.command", command="AQL/", encoding="base64") == "EBES"
