"""The check itself: reads what it needs through the session's own connection, and decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from mt_remote.errors import CallTimeout
from mt_remote.plugin import Call, Connection, RequestError
from mt_remote.records import Tick, TradeCommand, TradeRecord
from mt_remote_plugins.areas import Market, Trades, Users
from risk_limits.desk import Desk, Subject
from risk_limits.limits import Terms
from risk_limits.orders import SIDES, Refusal, ban, hundredths, side_volume, too_far, too_large, too_much, unchecked

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds for a whole check. Below the deadline of trades (5 s), so that a client reads what could not be checked."""


class Unreadable(Exception):
    """The check lacks a fact; `refusal` says which, and why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


async def examine(desk: Desk, mt: Connection, call: Call, subject: Subject) -> Refusal | None:
    """Why a call is refused; `None` lets it pass. An order that may open something is held in the ledger then."""
    try:
        with anyio.fail_after(PATIENCE):
            return await EXAMINATIONS[call.name](desk, mt, call, subject)
    except Unreadable as error:
        return error.refusal
    except TimeoutError:
        field = "login" if subject.login else "order"
        return unchecked(field, f"the MT4 server did not say what is needed within {PATIENCE:g} s")


async def opening(desk: Desk, mt: Connection, call: Call, subject: Subject) -> Refusal | None:
    """`order.open`: a position or a pending order, which may become one at any time."""
    login, symbol = call.argument("login", int), call.argument("symbol", str)
    lots, price = call.argument("volume", float), call.argument("price", float)
    side = SIDES[TradeCommand(call.argument("command", str))]
    while True:
        limits = desk.limits
        terms = limits.of(symbol)
        refusal = ban(terms, symbol, "symbol") or too_large(terms, symbol, lots, "volume")
        if refusal is not None:
            return refusal
        with desk.ledger.look(login, symbol) as look:
            refusal = await near(mt, terms, symbol, price)
            trades = await orders_of(mt, terms, login)
            if look.stale or desk.limits is not limits:  # what was read may be short of an order, or of a limit
                continue
            volume = side_volume(trades, symbol, side) + desk.ledger.volume(login, symbol, side) + hundredths(lots)
            refusal = refusal or too_much(terms, symbol, side, volume, "volume")
            if refusal is None:
                desk.ledger.hold(call, login, symbol, side, hundredths(lots))
            return refusal


async def activating(desk: Desk, mt: Connection, call: Call, subject: Subject) -> Refusal | None:
    """`order.activate`: a pending order becomes a position. Its lots are counted already; limits may have fallen."""
    trade = await order_of(mt, call, subject)
    side = SIDES.get(trade.cmd)
    terms = desk.limits.of(trade.symbol)
    refusal = ban(terms, trade.symbol, "order") or too_large(terms, trade.symbol, trade.volume, "order")
    refusal = refusal or await near(mt, terms, trade.symbol, call.argument("price", float))
    if refusal is not None or side is None:
        return refusal
    volume = side_volume(await orders_of(mt, terms, trade.login), trade.symbol, side)
    return too_much(terms, trade.symbol, side, volume, "order")


async def modifying(desk: Desk, mt: Connection, call: Call, subject: Subject) -> Refusal | None:
    """`order.modify`: another price only. Levels, times and comments open nothing, nor does a price that stays."""
    price = call.argument("price", float, None)
    if price is None:
        return None
    trade = await order_of(mt, call, subject)
    if price == trade.open_price:
        return None
    terms = desk.limits.of(trade.symbol)
    return ban(terms, trade.symbol, "price") or await near(mt, terms, trade.symbol, price)


async def confirming(desk: Desk, mt: Connection, call: Call, subject: Subject) -> Refusal | None:
    """`request.confirm` and `request.requote`: plugins can't learn what a trader's request asks for."""
    if not desk.limits.refuse_dealing:
        return None
    message = "the limits refuse dealing (refuse_dealing): what a request asks for can't be checked; reject or reset it"
    return Refusal("refuse_dealing", "request_id", message)


EXAMINATIONS: dict[str, Callable[[Desk, Connection, Call, Subject], Awaitable[Refusal | None]]] = {
    "order.open": opening,
    "order.activate": activating,
    "order.modify": modifying,
    "request.confirm": confirming,
    "request.requote": confirming,
}


async def near(mt: Connection, terms: Terms, symbol: str, price: float) -> Refusal | None:
    """Holds a price against the last tick, where a limit asks for that."""
    if terms.max_points is None:
        return None
    ticks: list[Tick] = await read("symbol", f"the last tick of {symbol}", mt[Market].last_ticks(symbol))
    if not ticks:
        raise Unreadable(unchecked("price", f"there is no tick of {symbol} yet"))
    return too_far(terms, symbol, price, ticks[-1])


async def orders_of(mt: Connection, terms: Terms, login: int) -> list[TradeRecord]:
    """An account's open and pending orders, where a limit asks for them."""
    if terms.max_net_lots is None:
        return []
    users = await read("login", f"the account {login}", mt[Users].get([login]))
    if not users:
        raise Unreadable(unchecked("login", f"there is no account {login}", "bad_account_info"))
    return await read("login", f"the orders of {login}", mt[Trades].get_by_login(login, users[0].group))


async def order_of(mt: Connection, call: Call, subject: Subject) -> TradeRecord:
    """The order that a call is about."""
    trade = await read("order", f"the order {subject.order}", mt[Trades].get(subject.order))
    subject.login, subject.symbol = trade.login, trade.symbol
    return trade


async def read(field: str, what: str, answer: Awaitable[T]) -> T:
    """An answer of the MT4 server. What it refuses keeps its code, so that programs that know `not_found` go on to."""
    try:
        return await answer
    except RequestError as error:
        code = "risk_unchecked" if isinstance(error, CallTimeout) else error.wire_code
        raise Unreadable(unchecked(field, f"{what} can't be read: {error}", code)) from error
