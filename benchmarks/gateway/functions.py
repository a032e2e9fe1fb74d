"""A plugin for requests and answers as large as the caller likes, without a backend's part in them, and for a simulated
server with as many open positions."""

from __future__ import annotations

import gc
from functools import cache
from typing import Annotated, cast

from pydantic import Field

from benchmarks import sample
from mt4sim import NewOrder
from mt4sim.gateway.backend import SimulatorBackend
from mt_remote.plugin import Namespace, Session, hookimpl
from mt_remote.records import Draft, TradeCommand, TradeReason, TradeRecord, UserRecord

bench = Namespace("bench", help="For the benchmarks")


@cache
def _records(count: int) -> list[TradeRecord]:
    return [
        TradeRecord(**{**trade, "cmd": TradeCommand(trade["cmd"]), "reason": TradeReason(trade["reason"])})
        for trade in sample.trades(count)
    ]


@bench.function(example={"count": 1})
def trades(count: Annotated[int, Field(ge=0, le=100_000)]) -> list[TradeRecord]:
    """So many open trades."""
    return _records(count)


@bench.function(example={"text": "x"})
def measure(text: Annotated[str, Field(max_length=2**20)]) -> int:
    """How long a text is."""
    return len(text)


@bench.function(example={"trades": 1000, "accounts": 10})
def fill(session: Session, trades: Annotated[int, Field(ge=0)], accounts: Annotated[int, Field(ge=1)]) -> int:
    """Opens trades in the simulated server, before anybody measures."""
    server = cast(SimulatorBackend, session.gateway.backend).server
    draft = {"group": "demoforex", "name": "Bench", "password": "Pass1", "enable": True, "leverage": 100}
    logins = [server.accounts.add(Draft(UserRecord, draft)).login for _ in range(accounts)]
    server.tick("EURUSD", 1.1, 1.1001)
    for number in range(trades):
        command = TradeCommand.BUY if number % 2 else TradeCommand.SELL
        server.trading.transactions.open(
            logins[number % accounts], NewOrder("EURUSD", command, 0.01, 1.1, comment="benchmark")
        )
    gc.collect()
    gc.freeze()
    return len(server.trading.engine.book.all_open())


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [bench]
