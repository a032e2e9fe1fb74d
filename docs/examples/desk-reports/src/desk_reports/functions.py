"""The functions that clients call. Each reads what it needs; the arithmetic is in the module of its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated

from pydantic import Field

from desk_reports.accounts import Account, AccountSheet
from desk_reports.daily import Daily, DailySheet, day_of, seconds_of
from desk_reports.exposure import Exposure, ExposureSheet
from desk_reports.sheet import filled
from mt_remote.plugin import Connection, Filter, InvalidData, Kind, Listing, Namespace, NotFound, Session, hookimpl
from mt_remote.values import GroupName, Login, Money, SymbolName
from mt_remote_plugins.areas import Groups, Market, Trades, Users

MOST_DAYS = 366
"""Days that a daily report spans at most: a year."""

Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2038, 1, 18))]
"""A whole day, `2020-05-14`, that Unix seconds of 32 bits can say."""

report = Namespace("report", help="What a desk reads every day; nothing is changed")


@report.function(example={"symbol": "EURUSD"}, errors=("not_found",), listing=Listing("symbol"))
async def exposure(mt: Connection, symbol: SymbolName | None = None) -> list[Exposure]:
    """Open lots of each symbol, or of one, over all accounts that this manager sees; pending orders are no exposure."""
    lines = (await filled(ExposureSheet(symbol), await mt[Trades].get_all())).report()
    if symbol is not None and not lines:
        # An empty list would tell whoever misspelt the symbol that there is no risk in it. Raises NotFound.
        await mt[Market].last_ticks(symbol)
    return lines


def is_active(session: Session, wanted: bool) -> Callable[[Account], bool]:
    return lambda account: bool(account["positions"]) is wanted


def is_below(session: Session, limit: float) -> Callable[[Account], bool]:
    return lambda account: account["equity"] < limit


FILTERS = (
    Filter("active", bool, is_active, help="true: accounts with open positions, false: those without"),
    Filter("equity_below", Money, is_below, help="accounts whose equity is less than this amount"),
)


@report.function(example={"group": "demoforex"}, errors=("not_found",), listing=Listing("login", FILTERS))
async def accounts(mt: Connection, group: GroupName) -> list[Account]:
    """Balance, credit, floating result and equity of each account of a group, by login."""
    currency = (await mt[Groups].get(group)).currency
    users = sorted((user for user in await mt[Users].get_all() if user.group == group), key=lambda user: user.login)
    return (await filled(AccountSheet(currency, users), await mt[Trades].get_all())).report()


@report.function(
    kind=Kind.HISTORY,
    example={"login": 1, "from": "2020-05-01", "to": "2020-05-31"},
    errors=("not_found",),
    listing=Listing("date"),
)
async def daily(
    mt: Connection,
    login: Login,
    from_: Annotated[Day, Field(description="first day in the server's zone, such as 2020-05-14")],
    to: Annotated[Day | None, Field(description="last day, at most a year on; the server's today when absent")] = None,
) -> list[Daily]:
    """Closed profit, swaps, commission, taxes, deposits and withdrawals of each day on which anything was booked."""
    last = to or day_of(await mt.server_time())
    if last < from_:
        raise InvalidData.of("from", f"must not be after {last.isoformat()}, the last day")
    if (last - from_).days >= MOST_DAYS:
        raise InvalidData.of("from", f"must be less than {MOST_DAYS} days before {last.isoformat()}, the last day")
    if not await mt[Users].get([login]):
        raise NotFound(f"Cannot find login {login}")
    return (await filled(DailySheet(), await mt[Trades].history(login, *seconds_of(from_, last)))).report()


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [report]
