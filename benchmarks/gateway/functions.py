"""A plugin for requests and answers as large as the caller likes, without a backend's part in them."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import Field

from benchmarks import sample
from mt_remote.plugin import Namespace, hookimpl
from mt_remote.records import TradeCommand, TradeReason, TradeRecord

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


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [bench]
