"""All open orders as they are at one moment, read at leisure.

A record costs some 10 µs, so 100,000 of them are more than a second's work: too much at once for a server that others
trade on. A reading makes its records when they are asked for, yet as of the moment when it began: the engine tells it
of every open order that is about to change (copy on write), and it values positions at the quotes of that moment.
Groups' terms are those of the moment of asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from mt4sim.market.spreads import widened
from mt4sim.market.ticks import Quote
from mt4sim.money import to_money
from mt4sim.state.orders import Order
from mt4sim.trading.conversion import Converter
from mt4sim.trading.engine import Engine
from mt4sim.trading.profit import closing_price, profit
from mt4sim.trading.terms import Terms
from mt_remote.records import TradeRecord

_FEW = 500
"""Records that are made at once: some 5 ms."""


class Reading(Sequence[TradeRecord]):
    """Records of ``orders``, which are open. Ends when nobody holds it any more."""

    __slots__ = ("__weakref__", "_converter", "_engine", "_kept", "_last", "_orders", "_quotes")

    def __init__(self, engine: Engine, orders: Sequence[Order]) -> None:
        self._engine = engine
        self._orders = orders
        self._last = orders[-1].ticket if orders else 0
        self._kept: dict[int, TradeRecord] = {}
        self._quotes: dict[str, Quote] = engine.state.quotes.present()
        self._converter = Converter(engine.state, self._quotes.get)
        engine.readings.add(self)

    def keep(self, order: Order) -> None:
        """The order is about to change: its record is made now, if it is not already."""
        if order.ticket <= self._last and order.ticket not in self._kept:
            self._kept[order.ticket] = self._record(order)

    def __len__(self) -> int:
        return len(self._orders)

    @overload
    def __getitem__(self, place: int) -> TradeRecord: ...

    @overload
    def __getitem__(self, place: slice) -> list[TradeRecord]: ...

    def __getitem__(self, place: int | slice) -> TradeRecord | list[TradeRecord]:
        if isinstance(place, slice):
            return [self._kept.get(order.ticket) or self._record(order) for order in self._orders[place]]
        order = self._orders[place]
        return self._kept.get(order.ticket) or self._record(order)

    def _record(self, order: Order) -> TradeRecord:
        terms = self._engine.terms_of(order)
        quote = self._quotes.get(order.symbol)
        return open_record(order, terms, None if quote is None else widened(quote, terms.spread_diff), self._converter)


def records(engine: Engine, orders: Sequence[Order]) -> Sequence[TradeRecord]:
    """Records of open orders as of now: made at once for a few, for many as they are asked for."""
    if len(orders) > _FEW:
        return Reading(engine, orders)
    return [record(engine, order) for order in orders]


def record(engine: Engine, order: Order) -> TradeRecord:
    """An order as clients see it; an open position's close price and profit follow the last quote."""
    if not order.is_open:
        return record_of(order, order.close_price, order.profit)
    terms = engine.terms_of(order)
    return open_record(order, terms, engine.client_quote(terms), engine.converter)


def open_record(order: Order, terms: Terms, prices: tuple[int, int] | None, converter: Converter) -> TradeRecord:
    """An open order as clients see it, valued at bid and ask as its group sees them."""
    price = closing_price(order, prices)
    gained = 0
    if order.cmd.is_market:
        gained = profit(
            converter,
            terms.symbol,
            terms.deposit,
            buy=order.is_buy,
            volume=order.volume,
            opened=order.open_price,
            closed=price,
        )
    return record_of(order, price, gained)


def record_of(order: Order, close_price: int, gained: int) -> TradeRecord:
    """The record; ``close_price`` in points, ``gained`` in cents."""
    scale = 10**order.digits
    return TradeRecord(
        order=order.ticket,
        login=order.login,
        symbol=order.symbol,
        digits=order.digits,
        cmd=order.cmd,
        reason=order.reason,
        volume=order.volume / 100,
        open_time=order.open_time,
        close_time=order.close_time,
        expiration=order.expiration,
        open_price=order.open_price / scale,
        close_price=close_price / scale,
        sl=order.sl / scale,
        tp=order.tp / scale,
        conv_rates=(order.conv_open, order.conv_close),
        commission=to_money(order.commission),
        commission_agent=to_money(order.commission_agent),
        storage=to_money(order.storage),
        profit=to_money(gained),
        taxes=to_money(order.taxes),
        magic=order.magic,
        comment=order.comment,
        margin_rate=order.margin_rate,
        timestamp=order.timestamp,
        api_data=order.api_data,
    )
