"""A gateway on the simulator, clock in the kit's hands, for all tests of the kit in turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import mt4sim.gateway
import mt_remote_plugins
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import find_backend, plugin_manager
from mt_remote_conformance.targets import Target, serving

PLUGINS = (mt_remote_plugins, mt4sim.gateway)


@contextmanager
def simulator(**settings: Any) -> Iterator[Target]:
    """A gateway on a fresh simulator, as a target."""
    spec = find_backend(Hooks(plugin_manager(plugins=PLUGINS, entry_points=False)), "simulator")
    backend = spec.factory(spec.settings(clock="manual", feed="off"))
    with serving(backend, PLUGINS, **settings) as target:
        yield target


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where answers are missing on purpose, the kit need not wait as long for them as for a real server's."""
    monkeypatch.setattr("mt_remote_conformance.sessions.client.PATIENCE", 5.0)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with simulator() as opened:
        yield opened
