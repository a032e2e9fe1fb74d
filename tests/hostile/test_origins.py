"""Web pages of others, steering the simulator, and paths that clients name."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from mt4sim import Server
from tests.stories.client import Client, client, manager
from tests.stories.conftest import Desk, Open, anyio_backend, desk, opening

pytestmark = pytest.mark.anyio
__all__ = ["anyio_backend", "desk", "opening"]

STEERING: list[tuple[str, dict[str, Any]]] = [
    ("simulator.clock.get", {}),
    ("simulator.clock.advance", {"seconds": 1}),
    ("simulator.tick", {"symbol": "EURUSD", "bid": 1.0, "ask": 1.1}),
    ("simulator.feed", {"kind": "off"}),
    ("simulator.faults.set", {"rules": []}),
    ("simulator.fault.down", {"down": True}),
    ("simulator.snapshot.save", {"file": "stolen.json"}),
    ("simulator.reset", {}),
]


@asynccontextmanager
async def page(url: str, origin: str | None, **headers: str) -> AsyncIterator[Client]:
    """A web page's session."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named_origin = None if origin is None else Origin(origin)
    async with connect(url, additional_headers={"VERSION": "2", **named}, proxy=None, origin=named_origin) as socket:
        yield Client(socket)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "https://desk.example:444"])
async def test_pages_of_others_stay_outside(opening: Open, origin: str) -> None:
    async with opening(origins=["https://desk.example"]) as desk:
        with pytest.raises(InvalidStatus) as refused:
            async with page(desk.url, origin):
                pass
        assert refused.value.response.status_code == 403
        assert b"origin_not_allowed" in (refused.value.response.body or b"")


async def test_a_name_that_points_here_is_no_origin(desk: Desk) -> None:
    """DNS rebinding: page and gateway have the same host and port, since the page's owner says where its name leads."""
    port = desk.gateway.port
    with pytest.raises(InvalidStatus):
        async with connect(
            f"ws://evil.example:{port}",
            host="127.0.0.1",
            port=port,
            origin=Origin(f"http://evil.example:{port}"),
            proxy=None,
        ):
            pass


async def test_own_pages_and_named_ones_come_in(opening: Open) -> None:
    async with opening(origins=["https://desk.example"]) as desk:
        for origin in ("https://desk.example", desk.url.replace("ws://", "http://"), None):
            async with page(desk.url, origin) as one:
                await one.login()


async def every_steering_fails(one: Client) -> None:
    for name, data in STEERING:
        failed = await one.fails(name, **data)
        assert failed.code == "not_enough_rights", name


@pytest.mark.parametrize("header", [{"X_Forwarded_For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}, {"Via": "1.1 x"}])
async def test_who_comes_by_a_proxy_is_not_of_this_machine(desk: Desk, header: dict[str, str]) -> None:
    async with page(desk.url, None, **header) as one:
        await every_steering_fails(one)


async def test_a_page_steers_only_as_an_admin(opening: Open, tmp_path: Path) -> None:
    async with opening(simulator={"folder": tmp_path}) as desk:
        own = desk.url.replace("ws://", "http://")
        desk.server.managers[1].admin = False
        async with page(desk.url, own) as one:
            await every_steering_fails(one)
            await one.login()
            await every_steering_fails(one)
            desk.server.managers[1].admin = True
            await one.call("simulator.clock.get")
            await one.call("simulator.snapshot.save", file="mine.json")
        assert os.listdir(tmp_path) == ["mine.json"]


async def test_a_program_of_this_machine_steers_without_a_log_in(desk: Desk) -> None:
    async with client(desk.url, headers={"VERSION": "2"}) as one:
        await one.call("simulator.clock.advance", seconds=1)


PATHS = [
    "/etc/passwd", "../outside.json", "in/../../outside.json", "link/outside.json", "outside-link", "C:\\x", "C:x",
    "\\\\host\\share\\x", "\\x", ".", "in/..", "a\0b", "fifo", "device", "in", "round", "x" * 1000, "NUL",
]  # fmt: skip


NAMING: list[tuple[str, dict[str, str]]] = [("snapshot.save", {}), ("snapshot.load", {}), ("feed", {"kind": "replay"})]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything in it that a path could abuse."""
    inside = tmp_path / "folder"
    inside.mkdir()
    (inside / "in").mkdir()
    (tmp_path / "outside.json").write_text("untouched")
    (inside / "link").symlink_to(tmp_path)
    (inside / "outside-link").symlink_to(tmp_path / "outside.json")
    (inside / "device").symlink_to("/dev/zero")
    (inside / "round").symlink_to(inside / "round")
    os.mkfifo(inside / "fifo")
    return inside


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


async def test_paths_stay_in_the_folder(opening: Open, folder: Path) -> None:
    async with opening(simulator={"folder": folder}) as desk, manager(desk.url, dialect="2") as one:
        before = everything(folder)
        for path in [*PATHS, str(folder / "absolute.json")]:
            for name, more in NAMING:
                failed = await one.fails(f"simulator.{name}", file=path, **more)
                assert failed.code == "invalid_data", (name, path)
                assert failed.details[0]["path"] == "file"
                assert str(folder) not in failed.message.replace(path, "")
        assert everything(folder) == before
        assert (folder.parent / "outside.json").read_text() == "untouched"
        await one.call("simulator.snapshot.save", file="in/good.json")
        assert (folder / "in" / "good.json").stat().st_mode & 0o777 == 0o600
        await one.call("simulator.snapshot.save", file="in/good.json")
        async with client(desk.url, headers={"VERSION": "2"}) as other:
            await other.login()
            await other.call("simulator.snapshot.load", file="in/good.json")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "monday.json"
    path.write_text("last week's")
    real = os.fdopen

    class Full:
        def __init__(self, number: int, *arguments: Any, **more: Any) -> None:
            self.file = real(number, *arguments, **more)

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, text: str) -> int:
            self.file.write(text[:1000])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mt4sim.world.snapshots.os.fdopen", Full)
    with pytest.raises(OSError, match="No space"):
        Server().save(path)
    assert os.listdir(tmp_path) == ["monday.json"]
    assert path.read_text() == "last week's"
