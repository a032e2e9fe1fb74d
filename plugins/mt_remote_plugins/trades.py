"""Orders and history, read (protocol, chapter 3, Orders)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mt_remote.plugin import Connection, Filter, InvalidData, Kind, Listing, Namespace, Session
from mt_remote.records import TradeRecord
from mt_remote.records.masks import matcher
from mt_remote.values import GroupName, Login, Masks, Ticket, UnixTime

trade = Namespace("trade", help="One order")
trades = Namespace("trades", help="Orders and history")


async def _of_groups(session: Session, masks: str | list[str]) -> Callable[[TradeRecord], bool]:
    """A trade does not say its account's group: the accounts of the groups are looked up."""
    fits = matcher([masks] if isinstance(masks, str) else masks)
    users = await session.require_connection().users.get_all()
    logins = {user.login for user in users if fits(user.group)}
    return lambda trade: trade.login in logins


_OF_GROUPS = Filter("group", Masks, _of_groups, help="only trades of accounts in groups of which this is so")
_WHAT = ("symbol", "cmd", "reason", "magic", "comment")


@trade.function("get", example={"order": 1}, errors=("not_found",))
async def trade_get(mt: Connection, order: Ticket) -> TradeRecord:
    """An order or balance record, open or closed."""
    return await mt.trades.get(order)


@trades.function("get", listing=Listing("order", filters=("login", _OF_GROUPS, *_WHAT), ordered=True))
async def trades_get(mt: Connection) -> Sequence[TradeRecord]:
    """The open orders and pendings of all accounts that this manager sees, by ticket."""
    return await mt.trades.get_all()


@trades.function(
    "get.by_login", example={"login": 100, "group": "miniforex"}, errors=("not_found", "bad_account_info"),
    listing=Listing("order", filters=_WHAT, ordered=True),
)  # fmt: skip
async def get_by_login(mt: Connection, login: Login, group: GroupName) -> list[TradeRecord]:
    """One account's open orders and pendings, by ticket; an unknown login is an error."""
    return await mt.trades.get_by_login(login, group)


@trades.function(
    kind=Kind.HISTORY, example={"login": 100, "from": 0}, errors=("bad_account_info",),
    listing=Listing("order", filters=_WHAT, ordered=True),
)  # fmt: skip
async def history(mt: Connection, login: Login, from_: UnixTime = 0, to: UnixTime | None = None) -> list[TradeRecord]:
    """Records closed in the range, both ends included, by ticket; balance records too. `to` defaults to now. An unknown
    login is an error."""
    end = await mt.server_time() if to is None else to
    if from_ > end:
        raise InvalidData.of("from", "must not be after 'to'")
    return await mt.trades.history(login, from_, end)
