"""A small server with accounts and dealers, for tests of what surrounds the trading engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mt4sim import Server
from mt4sim.desk.managers import ManagerSession
from mt4sim.desk.traders import Trader
from mt_remote.records import ConManager, Draft, Patch, TradeCommand, UserRecord


class Broker:
    """A demo server, its first admin, and makers of what tests need."""

    def __init__(self, seed: int = 0) -> None:
        self.server = Server(seed=seed)
        self.admin = self.server.login(1, "manager")

    def account(self, group: str = "demoforex", login: int = 0, deposit: float = 10_000.0) -> int:
        """A new account with money on it."""
        fields = {"login": login, "group": group, "name": "A client", "password": "Trader1", "enable": True,
                  "leverage": 100, "email": "client@example.com"}  # fmt: skip
        made = self.admin.add_user(Draft(UserRecord, fields))
        if deposit:
            self.admin.balance(made, TradeCommand.BALANCE, deposit)
        return made

    def trader(self, group: str = "demodealing") -> Trader:
        """A client at his terminal."""
        return self.server.trader(self.account(group))

    def manager(self, login: int, groups: str = "*", /, **rights: object) -> ManagerSession:
        """Another manager, logged in; rights that are not named he does not have."""
        securities = {name: {"enable": True, "maximum_lots": 10_000.0} for name in self.server.securities}
        fields: dict[str, object] = {"login": login, "groups": groups.split(","), "securities": securities, **rights}
        self.admin.set_manager(Patch(ConManager, fields))
        self.server.manager_passwords[login] = "manager"
        return self.server.login(login, "manager")


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture(scope="session")
def new_broker() -> Callable[..., Broker]:
    """For property tests: a broker for each example."""
    return Broker
