"""Two gateways in a test's process: the one in front forwards to one on the simulator.

With it ``@pytest.mark.mt_remote_backends`` runs any plugin's tests on this backend too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from forwarding_backend.backend import ForwardBackend
from forwarding_backend.settings import ForwardSettings
from mt4sim import World
from mt_remote.client import Credentials
from mt_remote_tools.testing import Bench, Stand, StandSpec


@contextmanager
def _open(world: object) -> Iterator[Stand]:
    with Bench.of("simulator", world=world) as upstream:
        backend = ForwardBackend(ForwardSettings(forward_url=upstream.url))
        yield Stand(backend, upstream.server, upstream.clock.advance, lambda: upstream.clock.now)


FORWARD = StandSpec("forward", World.demo, _open, Credentials("Demo", 1, "manager"))
