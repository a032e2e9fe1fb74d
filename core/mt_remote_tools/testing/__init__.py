"""For whoever tests what is built on MT Remote: a gateway in the test's process, and the MT4 server behind it in the
test's hands.

    with Bench.of("simulator", plugins=["house.plugin"]) as bench, bench.client() as client:
        bench.server.tick("EURUSD", 1.08, 1.0801)
        assert client.call("house.spread", symbol="EURUSD") == 1.0

pytest finds the same as fixtures (:mod:`mt_remote_tools.pytest_plugin`): ``mt_gateway``, ``mt_client``,
``mt4_server``, ``mt4_world``, ``manual_clock``. The core knows no MT4 server, so what stands behind a backend in a test
is brought by plugins: the hook ``mt_remote_stands`` gives :class:`StandSpec` objects.
"""

from mt_remote_tools.testing.bench import Bench, ManualClock, backends_with_stands, stands
from mt_remote_tools.testing.on_loop import OnLoop
from mt_remote_tools.testing.running import running_gateway
from mt_remote_tools.testing.stands import Stand, StandSpec

__all__ = [
    "Bench",
    "ManualClock",
    "OnLoop",
    "Stand",
    "StandSpec",
    "backends_with_stands",
    "running_gateway",
    "stands",
]
