"""Out of descriptors: connections wait, the log says so once, and it goes on by itself."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

import anyio
import pytest
from anyio._backends._trio import TCPSocketListener

from mt_remote.shell import descriptors as descriptors_module
from mt_remote.shell.descriptors import Descriptors
from tests.core.conftest import Start, peer
from tests.hostile.test_turns import HandClock


class Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def error(self, text: str, **facts: Any) -> None:
        self.lines.append(text)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    log = Lines()
    monkeypatch.setattr(descriptors_module, "log", log)
    return log.lines


def exhausted() -> OSError:
    return OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_pauses_grow_and_one_line_tells(lines: list[str]) -> None:
    clock = HandClock()
    found = Descriptors(clock)
    pauses = [found.pause(exhausted()) for _ in range(8)]
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    found.accepted()
    assert found.pause(exhausted()) == 0.05
    assert len(lines) == 1
    clock.seconds = 61
    found.pause(exhausted())
    assert len(lines) == 2


def test_other_errors_are_not_hidden(lines: list[str]) -> None:
    with pytest.raises(OSError, match="Bad file"):
        Descriptors(HandClock()).pause(OSError(errno.EBADF, os.strerror(errno.EBADF)))
    assert lines == []


@pytest.mark.anyio
async def test_connections_wait_until_there_are_descriptors_again(
    start: Start,
    lines: list[str],
    anyio_backend: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    failures = 4
    where = TCPSocketListener if anyio_backend == "trio" else socket.socket
    real: Any = where.accept

    def accept(sock: Any) -> Any:
        nonlocal failures
        if not failures:
            return real(sock)
        failures -= 1
        if where is socket.socket:
            raise exhausted()
        raise anyio.BrokenResourceError from exhausted()

    monkeypatch.setattr(where, "accept", accept)
    async with start() as gateway:
        with anyio.fail_after(20):
            async with peer(gateway) as client:
                await client.connect()
    assert failures == 0
    assert len(lines) == 1
    assert "Traceback" not in capfd.readouterr().err
