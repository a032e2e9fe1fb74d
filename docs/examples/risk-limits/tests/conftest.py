"""What the tests share: an account, and a price that stands still."""

from __future__ import annotations

from typing import Any

import pytest
from scene import ASK, BID, Json, Limit

from mt4sim import Server
from mt_remote.client import Client


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of whoever runs the tests are not the tests'."""
    for name in ("FILE", "MAX_LOTS", "MAX_NET_LOTS", "MAX_POINTS", "DIGITS", "BANNED", "SYMBOLS", "REFUSE_DEALING"):
        monkeypatch.delenv(f"RISK_LIMITS_{name}", raising=False)


@pytest.fixture
def account(mt_client: Client, mt4_server: Server) -> int:
    """An account; EURUSD stands at 1.10000/1.10010."""
    mt4_server.tick("EURUSD", BID, ASK)
    ann = {"group": "demoforex", "name": "Ann Example", "password": "Secret1", "enable": True, "leverage": 100}
    login = int(mt_client.call("user.add", ann)["login"])
    mt_client.call("order.balance", login=login, command="balance", amount=100000.0)
    return login


@pytest.fixture
def limit(mt_client: Client) -> Limit:
    """Sets limits; those of EURUSD have its digits with them."""

    def set_limits(**fields: Any) -> Json:
        changed: Json = mt_client.call("risk.limits.set", {"digits": 5, **fields})
        return changed

    return set_limits
