"""Two gateways: ``upstream`` on the simulator, and one in front of it that forwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import forwarding_backend
from forwarding_backend.backend import ForwardBackend
from forwarding_backend.settings import ForwardSettings
from mt_remote.client import Client, Credentials
from mt_remote.plugin import hookimpl
from mt_remote_conformance import serving
from mt_remote_tools.testing import Bench
from relay import Relay

MANAGER = Credentials("Demo", 1, "manager")


@contextmanager
def in_front_of(url: str, *, silence: float = 20.0, plugin: bool = True, **settings: Any) -> Iterator[str]:
    """URL of a gateway that forwards to another one; ``settings`` are the gateway's own."""
    backend = ForwardBackend(ForwardSettings(forward_url=url, forward_silence=silence))
    plugins = [forwarding_backend] if plugin else []
    with serving(backend, plugins, installed=True, **settings) as target:
        yield target.url


@contextmanager
def logged_in(url: str, who: Credentials = MANAGER, **more: Any) -> Iterator[Client]:
    with Client(url) as client:
        client.log_in(who, **more)
        yield client


class Reverses:
    """A plugin of the server behind the other gateway: it answers each command, the last byte first."""

    @hookimpl
    def mt_remote_simulator_external(self, command: bytes) -> bytes:
        return command[::-1]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Bench]:
    with Bench.of("simulator", plugins=[Reverses()]) as bench:
        yield bench


@pytest.fixture(scope="module")
def front_url(upstream: Bench) -> Iterator[str]:
    with in_front_of(upstream.url) as url:
        yield url


@pytest.fixture
def there(upstream: Bench) -> Iterator[Client]:
    """A manager who is logged in at the other gateway itself."""
    with logged_in(upstream.url) as client:
        yield client


@pytest.fixture
def here(front_url: str) -> Iterator[Client]:
    """The same manager, at the gateway in front."""
    with logged_in(front_url) as client:
        yield client


@pytest.fixture(scope="module")
def wire(upstream: Bench) -> Iterator[Relay]:
    with Relay(upstream.url) as relay:
        yield relay


@pytest.fixture(scope="module")
def relayed_url(wire: Relay) -> Iterator[str]:
    """URL of a gateway whose wire to the other one can be cut."""
    with in_front_of(wire.url) as url:
        yield url


@pytest.fixture
def relay(wire: Relay, upstream: Bench) -> Iterator[Relay]:
    """That wire, whole again for the next test."""
    yield wire
    wire.cut()
    wire.point_at(upstream.url)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-suites", action="store_true", help="play every suite of the conformance kit: a minute more")
