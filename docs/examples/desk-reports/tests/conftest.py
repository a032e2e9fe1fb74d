"""An account of a broker that charges for everything, on the server in the test's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mt4sim import Server
from mt_remote.client import Client

Opener = Callable[..., int]


@pytest.fixture
def new_account(mt_client: Client, mt4_server: Server) -> Opener:
    """Opens an account with a deposit, and gives its login. EURUSD stands at 1.1000 / 1.1001; a lot costs 7 dollars."""
    mt_client.call("config.group.set", group="demoforex", securities={"Forex": {"commission_base": 7.0}})
    mt4_server.tick("EURUSD", 1.1000, 1.1001)

    def new(deposit: float = 1000.0, **fields: object) -> int:
        ann = {"group": "demoforex", "name": "Ann Example", "password": "Secret1", "enable": True, "leverage": 100}
        login = int(mt_client.call("user.add", ann | fields)["login"])
        mt_client.call("order.balance", login=login, command="balance", amount=deposit)
        return login

    return new
