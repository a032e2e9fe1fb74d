"""The events of the deployed protocol (chapter 4) and how each is made good after a reconnection."""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

from mt_remote.plugin import Connection, EventKind, NotFound, Resync
from mt_remote.records import ConGroup, Record, Tick, TradeRecord, TradeRequest, UserRecord
from mt_remote_plugins.areas import Groups, Trades, Users


async def _closed_trade(mt: Connection, ticket: int) -> TradeRecord | None:
    try:
        return await mt[Trades].get(ticket)
    except NotFound:  # erased with its user
        return None


def _fingerprint(record: Record) -> Hashable:
    """All that a record holds, secrets too, which its ``repr`` leaves out."""
    return repr(record.to_dict())


def _trade_fingerprint(trade: TradeRecord) -> Hashable:
    """All but what drifts with prices while a trade is open."""
    fields = {name: getattr(trade, name) for name in trade.wires}
    if not trade.close_time:
        del fields["profit"], fields["close_price"]
    return tuple(fields.values())


KINDS = [
    EventKind("connection", bool, help="The MT4 connection came up (true) or went down (false).", example=False),
    EventKind(
        "group",
        ConGroup,
        help="A group was added or changed.",
        from_backend=True,
        resync=Resync(
            read=lambda mt: mt[Groups].get_all(), key=lambda group: cast(str, group.group), fingerprint=_fingerprint
        ),
    ),
    EventKind(
        "user",
        UserRecord,
        help="An account was added or changed.",
        from_backend=True,
        resync=Resync(
            read=lambda mt: mt[Users].get_all(), key=lambda user: cast(int, user.login), fingerprint=_fingerprint
        ),
    ),
    EventKind(
        "trade",
        TradeRecord,
        help="An order was opened, changed or closed (`close_time` is not 0), by anyone.",
        from_backend=True,
        resync=Resync(
            read=lambda mt: mt[Trades].get_all(),
            key=lambda trade: cast(int, trade.order),
            fingerprint=_trade_fingerprint,
            vanished=_closed_trade,
        ),
    ),
    EventKind("tick", Tick, help="A price of a symbol that this session shows.", from_backend=True),
    EventKind(
        "trade_request",
        TradeRequest,
        help="A client's request, offered to this dealer. Subscribing makes the session a dealer.",
        from_backend=True,
    ),
]
