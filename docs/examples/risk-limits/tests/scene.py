"""Names and helpers that several tests use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mt_remote.client import Client, Credentials
from mt_remote_tools.testing import Bench

BID, ASK = 1.10000, 1.10010

Json = dict[str, Any]
Limit = Callable[..., Json]


def order(login: int, **fields: Any) -> Json:
    """What `order.open` takes: a tenth of a lot of EURUSD bought at the market, but for what is said."""
    return {"login": login, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": ASK, **fields}


def manager(client: Client, bench: Bench, **rights: object) -> Client:
    """A further manager, logged in."""
    user = {"login": 7001, "group": "manager", "name": "A manager", "password": "Secret1", "enable": True}
    client.call("user.add", user)
    client.call("config.manager.set", {"login": 7001, "name": "A manager", "groups": ["*"], **rights})
    return bench.client(Credentials(bench.credentials.server, 7001, "Secret1"))
