"""What the backend finds out before a gateway listens on it."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from mt_remote.backend import Event
from mt_remote.errors import ConfigurationError, InvalidData, RequestError
from mt_remote.records import Draft, UserRecord
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from tests.cli.command import command
from tests.plugins.manager.tiny import TinyLibrary, TinyServer


class Deaf:
    """Hears nothing."""

    def on_event(self, event: Event) -> None:
        pass

    def on_lost(self, error: RequestError) -> None:
        pass


@pytest.mark.parametrize("isolate", [True, False])
def test_a_missing_library_is_named(tmp_path: Path, isolate: bool) -> None:
    missing = tmp_path / "mtmanapi64.dll"
    backend = ManagerBackend(ManagerSettings(library=str(missing), isolate=isolate))
    with pytest.raises(ConfigurationError, match=f"there is no library at {missing}"):
        backend.prepare("cp1252")


def test_a_file_that_is_no_library(tmp_path: Path) -> None:
    file = tmp_path / "mtmanapi64.dll"
    file.write_text("not at all")
    with pytest.raises(ConfigurationError, match="neither a Windows nor a Linux library"):
        ManagerBackend(ManagerSettings(library=str(file))).prepare("cp1252")


def test_a_library_of_another_width_says_which_python_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "mtmanapi.so"
    file.write_bytes(b"\x7fELF\x01" + bytes(100))
    with pytest.raises(ConfigurationError, match="32-bit"):
        ManagerBackend(ManagerSettings(library=str(file))).prepare("cp1252")


def test_a_library_in_python_that_is_not_there() -> None:
    with pytest.raises(ConfigurationError, match="no_such_module:library"):
        ManagerBackend(ManagerSettings(library="no_such_module:library")).prepare("cp1252")


def test_serve_does_not_listen_on_a_library_that_is_missing(tmp_path: Path) -> None:
    plugin = ("--plugin", "mt_remote_plugins.manager.plugin")
    missing = str(tmp_path / "nowhere.dll")
    done = command("serve", *plugin, "--backend", "manager", "--library", missing, "--port", "0")
    assert done.code == 2
    assert missing in done.errors
    assert "listening" not in done.output


@pytest.mark.parametrize(("own", "expected"), [(None, "cp1251"), ("cp1250", "cp1250")])
def test_texts_are_in_the_gateways_code_page_unless_told_otherwise(own: str | None, expected: str) -> None:
    server = TinyServer()
    backend = ManagerBackend(ManagerSettings(isolate=False, code_page=own), library=TinyLibrary(server))
    backend.prepare("cp1251")
    name = {"cp1251": "Иван", "cp1250": "Łódź"}[expected]

    async def add() -> None:
        connection = await backend.open("tiny:443", 1, "manager", Deaf())
        try:
            draft = {"login": 9, "group": "demo", "name": name, "password": "Pass1"}
            await connection.users.add(Draft(UserRecord, draft))
            (user,) = await connection.users.get([9])
            assert user.name == name
            with pytest.raises(InvalidData, match="city"):
                await connection.users.add(Draft(UserRecord, {**draft, "login": 10, "city": "東京"}))
        finally:
            await connection.aclose()

    anyio.run(add)
    (native,) = [raw for raw in server.users.values() if name.encode(expected) in raw]
    assert native
