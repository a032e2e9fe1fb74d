"""A broker to trade at: one group in dollars, round-the-clock symbols, nothing that costs or limits unless a test says
so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mt4sim import NewOrder, Server, World
from mt4sim.events import Change, Happened
from mt4sim.market.symbols import MarginMode, ProfitMode, Symbol
from mt4sim.state.orders import Order
from mt4sim.state.requests import ClientRequest
from mt_remote.records import (
    ConGroup,
    Draft,
    Patch,
    TradeCommand,
    TradeRecord,
    TransactionType,
    UserRecord,
)  # fmt: skip

BUY, SELL = TradeCommand.BUY, TradeCommand.SELL

WORLD = """
version = 1
start = 2020-05-14T12:00:00

[server]
last_order = 100
end_of_day_hour = 23
end_of_day_minute = 59
lost_commission_login = 999

[securities.Forex]
[securities.CFD]

[groups.main]
enable = true
currency = "USD"
default_leverage = 100
margin_mode = 1
use_swap = true
rights = ["expiration"]

[groups.main.securities."*"]
show = true
trade = true
execution_mode = 1
lot_min = 0.01
lot_max = 100.0
lot_step = 0.01
"""

FOREX = {
    "EURUSD": 5, "GBPUSD": 5, "USDJPY": 3, "EURJPY": 3, "EURGBP": 5, "USDCAD": 5, "EURCAD": 5, "USDCHF": 5,
}  # fmt: skip


def symbols() -> dict[str, Symbol]:
    made = {
        name: Symbol(name=name, currency=name[:3], margin_currency=name[:3], digits=digits)
        for name, digits in FOREX.items()
    }
    made["ACME"] = Symbol(
        name="ACME", security="CFD", currency="USD", digits=2, contract_size=100.0, profit_mode=ProfitMode.CFD,
        margin_mode=MarginMode.CFD, margin_divider=10.0,
    )  # fmt: skip
    return made


class Broker:
    """A server and short ways to do things with it."""

    def __init__(self, **group: Any) -> None:
        self.server = Server(World.from_toml(WORLD))
        self.server.symbols.update(symbols())
        self.server.events.emit("symbol", Change.ADD, None)
        self.events: list[tuple[str, Change, Any]] = []
        self.trading = self.server.trading
        self.server.events.listen(self._hear)
        if group:
            self.group(**group)

    def _hear(self, happened: Happened) -> None:
        if happened.kind == "trade" and isinstance(happened.data, Order):
            self.events.append(("trade", happened.change, self.server.record(happened.data)))
        elif happened.kind != "tick":
            self.events.append((happened.kind, happened.change, happened.data))

    # Terms

    def group(self, name: str = "main", **fields: Any) -> None:
        """Changes the group; ``security`` holds fields of both securities."""
        security = fields.pop("security", None)
        if security:
            fields["securities"] = {"Forex": security, "CFD": security}
        self.server.config.set_group(Patch(ConGroup, {"group": name, **fields}))

    def symbol(self, name: str, **fields: Any) -> None:
        self.server.symbols[name] = self.server.symbols[name].changed(**fields)
        self.server.events.emit("symbol", Change.UPDATE, self.server.symbols[name])

    def account(self, deposit: float = 0.0, **fields: Any) -> int:
        """A new account; gives its login."""
        record = {"group": "main", "name": "Test", "password": "Pass1", "enable": True, "leverage": 100, **fields}
        login = self.server.accounts.add(Draft(UserRecord, record)).login
        if deposit:
            self.trading.transactions.balance(login, TradeCommand.BALANCE, deposit)
        return login

    # Life

    def tick(self, symbol: str, bid: float, ask: float) -> None:
        self.server.tick(symbol, bid, ask)

    def open(
        self, login: int, cmd: TradeCommand, volume: float, price: float, symbol: str = "EURUSD", **others: Any
    ) -> int:
        return self.trading.transactions.open(login, NewOrder(symbol, cmd, volume, price, **others))

    def record(self, ticket: int) -> TradeRecord:
        return self.server.record(self.trading.engine.book.find(ticket))

    def user(self, login: int) -> UserRecord:
        return self.server.accounts.get(login).record()

    def margin(self, login: int) -> float:
        return self.trading.engine.margin_level(login).margin / 100

    def orders(self, login: int) -> list[TradeRecord]:
        return [self.server.record(order) for order in self.trading.engine.book.open_of(login)]

    def history(self, login: int) -> list[TradeRecord]:
        return [self.server.record(order) for order in self.trading.engine.book.history(login, 0, 2**31)]

    def request(self, login: int, kind: TransactionType, cmd: TradeCommand, volume: float, price: float,
                symbol: str = "EURUSD", **others: Any) -> ClientRequest:  # fmt: skip
        """What a terminal would send; ``sl`` and ``tp`` in prices."""
        points = self.server.symbol(symbol).to_points
        for name in ("sl", "tp"):
            others[name] = points(others.get(name, 0.0))
        others["off_grid"] = bool(price) and not self.server.symbol(symbol).on_grid(price)
        return ClientRequest(login=login, type=kind, cmd=cmd, symbol=symbol, volume=round(volume * 100),
                             price=points(price), **others)  # fmt: skip

    def send(self, login: int, kind: TransactionType, cmd: TradeCommand, volume: float, price: float,
             symbol: str = "EURUSD", **others: Any) -> int:  # fmt: skip
        """Checks a client's request and carries it out at its own price."""
        request = self.request(login, kind, cmd, volume, price, symbol, **others)
        self.trading.clients.check(request)
        return self.trading.clients.execute(request, request.price)

    def told(self, kind: str = "trade") -> list[tuple[Change, Any]]:
        """Events of a kind since the last question."""
        found = [(change, data) for each, change, data in self.events if each == kind]
        self.events.clear()
        return found


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture(scope="session")
def new_broker() -> Callable[..., Broker]:
    """For property tests: a broker for each example."""
    return Broker
