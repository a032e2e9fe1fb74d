"""With limits that nothing reaches, a gateway is as conformant as without."""

from __future__ import annotations

from mt_remote.client import Client
from mt_remote_conformance import Effort, Profile, Target, examine, text
from mt_remote_tools.testing import Bench
from scene import Limit

SUITES = ["partial-closes", "pendings", "wrong-orders", "close-all", "repeated-calls"]


def test_a_gateway_with_the_plugin_keeps_the_laws(mt_gateway: Bench, mt_client: Client, limit: Limit) -> None:
    target = Target(mt_gateway.url, exclusive=True)
    digits = {name: {"digits": instrument.digits} for name, instrument in target.instruments.items()}
    limit(max_lots=1_000_000, max_net_lots=10_000_000, max_points=1_000_000, symbols=digits)
    report = examine(target, Profile.DEMO, Effort(cases=1), only=SUITES)
    assert report.ok, text(report)
    assert {"L-ORD-1", "L-ORD-5", "L-ORD-7", "L-ORD-9", "L-ORD-10", "L-MSG-11"} <= set(report.held)
    refused = mt_client.call("risk.refusals.get")["limits"]
    assert refused == dict.fromkeys(refused, 0) | {"unchecked": refused["unchecked"]}
