# mypy: disable-error-code="empty-body"
"""Dealing (protocol, chapter 3): a session that subscribes to ``trade_request`` is a dealer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mt_remote.area import Area, Kind, call
from mt_remote.records import ConfirmMode
from mt_remote.values import Price, RequestId

Mode = Annotated[ConfirmMode, Field(description="add_prices also adds the prices to the feed")]

_RIGHTS = ("broker",)
_ERRORS = ("not_found",)


class Dealing(Area, namespace="request"):
    """Answers to the requests that this dealer holds"""

    @call(
        kind=Kind.TRADE,
        rights=_RIGHTS,
        errors=_ERRORS,
        example={"request_id": 2, "bid": 2.11, "ask": 2.12, "mode": "normal"},
    )
    async def confirm(self, request_id: RequestId, bid: Price, ask: Price, mode: Mode = ConfirmMode.NORMAL) -> None:
        """Confirms a request that this session holds, which takes a subscription to `trade_request`: buys take the ask,
        sells the bid."""

    @call(kind=Kind.TRADE, rights=_RIGHTS, errors=_ERRORS, example={"request_id": 2, "bid": 1.0, "ask": 1.1})
    async def requote(self, request_id: RequestId, bid: Price, ask: Price) -> None:
        """Offers other prices for a request that this session holds; on a market-execution symbol it confirms at
        them."""

    @call(kind=Kind.TRADE, rights=_RIGHTS, errors=_ERRORS, example={"request_id": 2})
    async def reject(self, request_id: RequestId) -> None:
        """Refuses a request that this session holds."""

    @call(kind=Kind.TRADE, rights=_RIGHTS, errors=_ERRORS, example={"request_id": 2})
    async def reset(self, request_id: RequestId) -> None:
        """Gives back a request that this session holds; the next dealer in line gets it."""
