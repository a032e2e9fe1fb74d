# mypy: disable-error-code="empty-body"
"""Orders and history, read (protocol, chapter 3, Orders)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mt_remote.area import Area, Filter, Kind, Listing, call
from mt_remote.errors import InvalidData
from mt_remote.interfaces import Session
from mt_remote.records import TradeRecord
from mt_remote.records.masks import matcher
from mt_remote.values import GroupName, Login, Masks, Ticket, UnixTime
from mt_remote_plugins.users import Users


async def _of_groups(session: Session, masks: str | list[str]) -> Callable[[TradeRecord], bool]:
    """A trade does not say its account's group: the accounts of the groups are looked up."""
    fits = matcher([masks] if isinstance(masks, str) else masks)
    users = await session.require_connection()[Users].get_all()
    logins = {user.login for user in users if fits(user.group)}
    return lambda trade: trade.login in logins


_OF_GROUPS = Filter("group", Masks, _of_groups, help="only trades of accounts in groups of which this is so")
_WHAT = ("symbol", "cmd", "reason", "magic", "comment")
_BY_TICKET = Listing("order", filters=_WHAT, ordered=True)


class Trades(Area, namespace="trades"):
    """Orders and history"""

    @call("trade.get", rights=("see_trades",), errors=("not_found",), example={"order": 1})
    async def get(self, order: Ticket) -> TradeRecord:
        """An order or balance record, open or closed."""

    @call(
        "trades.get",
        rights=("see_trades",),
        listing=Listing("order", filters=("login", _OF_GROUPS, *_WHAT), ordered=True),
    )
    async def get_all(self) -> Sequence[TradeRecord]:
        """The open orders and pendings of all accounts that this manager sees, by ticket."""

    @call(
        "trades.get.by_login",
        rights=("see_trades",),
        errors=("not_found", "bad_account_info"),
        example={"login": 100, "group": "miniforex"},
        listing=_BY_TICKET,
    )
    async def get_by_login(self, login: Login, group: GroupName) -> list[TradeRecord]:
        """One account's open orders and pendings, by ticket; an unknown login is an error."""

    @call(
        kind=Kind.HISTORY,
        rights=("reports",),
        errors=("bad_account_info",),
        example={"login": 100, "from": 0},
        listing=_BY_TICKET,
    )
    async def history(self, login: Login, from_: UnixTime = 0, to: UnixTime | None = None) -> list[TradeRecord]:
        """Records closed in the range, both ends included, by ticket; balance records too. `to` defaults to now. An
        unknown login is an error."""


def end_of(from_: int, to: int | None, now: int) -> int:
    """The end of a range of times that may end now. Raises :class:`~mt_remote.errors.InvalidData` where it would be
    before the beginning."""
    end = now if to is None else to
    if from_ > end:
        raise InvalidData.of("from", "must not be after 'to'")
    return end
