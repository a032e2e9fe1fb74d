"""Dealing (protocol, chapter 3): a session that subscribes to ``trade_request`` is a dealer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mt_remote.plugin import Connection, Kind, Namespace
from mt_remote.records import ConfirmMode
from mt_remote.values import Price, RequestId

request = Namespace("request", help="Answers to the requests that this dealer holds")

Mode = Annotated[ConfirmMode, Field(description="add_prices also adds the prices to the feed")]


@request.function(
    kind=Kind.TRADE, example={"request_id": 2, "bid": 2.11, "ask": 2.12, "mode": "normal"}, errors=("not_found",)
)
async def confirm(
    mt: Connection, request_id: RequestId, bid: Price, ask: Price, mode: Mode = ConfirmMode.NORMAL
) -> None:
    """Confirms a request that this session holds, which takes a subscription to `trade_request`: buys take the ask,
    sells the bid."""
    await mt.dealing.confirm(request_id, bid, ask, mode)


@request.function(kind=Kind.TRADE, example={"request_id": 2, "bid": 1.0, "ask": 1.1}, errors=("not_found",))
async def requote(mt: Connection, request_id: RequestId, bid: Price, ask: Price) -> None:
    """Offers other prices for a request that this session holds; on a market-execution symbol it confirms at them."""
    await mt.dealing.requote(request_id, bid, ask)


@request.function(kind=Kind.TRADE, example={"request_id": 2}, errors=("not_found",))
async def reject(mt: Connection, request_id: RequestId) -> None:
    """Refuses a request that this session holds."""
    await mt.dealing.reject(request_id)


@request.function(kind=Kind.TRADE, example={"request_id": 2}, errors=("not_found",))
async def reset(mt: Connection, request_id: RequestId) -> None:
    """Gives back a request that this session holds; the next dealer in line gets it."""
    await mt.dealing.reset(request_id)
