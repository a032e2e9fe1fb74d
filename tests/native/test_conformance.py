"""The conformance kit on the backend, over the simulated library made in Python and loaded as a shared object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import mt_remote_plugins
from mt4sim.native.library import SimulatedLibrary
from mt_remote_conformance import Effort, Target, examine, serving, text
from mt_remote_plugins.manager import plugin
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from tests.native import current
from tests.native.desks import MANNERS

SUITES = (
    "desk", "groups", "users", "managers", "order-lives", "close-all", "balances", "ticks", "triggers", "stop-outs",
    "masks", "watching", "bad-data", "reading", "pages", "passwords", "details", "agents", "taxes", "pendings",
    "repeated-calls", "fragments",
)  # fmt: skip
"""What shows most of the backend in the least time; ``mt-remote conformance --backend manager`` plays all."""
LOADED = ("desk", "groups", "users", "managers", "order-lives", "ticks", "triggers", "masks", "watching", "bad-data")
"""What shows that the shared object does as the one made in Python does; the stories run over it too."""


@contextmanager
def _serving(manner: str, shared_object: Path) -> Iterator[Target]:
    told = {"merges_ticks": True, "patience": 2.0}  # ticks are told as the newest of each symbol (Semantics 10.4)
    with current.serving() as shared:
        if manner == MANNERS[0]:
            backend = ManagerBackend(ManagerSettings(isolate=False), library=SimulatedLibrary(shared))
        else:
            backend = ManagerBackend(ManagerSettings(isolate=False, library=str(shared_object)))
        with serving(backend, [mt_remote_plugins, plugin], target=told) as target:
            yield target


@pytest.mark.parametrize("manner", MANNERS)
def test_the_backend_keeps_the_laws(manner: str, shared_object: Path) -> None:
    with _serving(manner, shared_object) as target:
        made = manner == MANNERS[0]
        found = examine(target, effort=Effort(cases=1, seconds=60), only=SUITES if made else LOADED)
    assert found.ok, text(found)
    assert len(found.held) > (60 if made else 40), found.unexamined
