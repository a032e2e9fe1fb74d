"""Closing positions: whole, in part, against each other (Semantics 6.7, 6.8)."""

from __future__ import annotations

from collections import deque

from mt4sim.state.orders import Order, OrderState
from mt4sim.trading.engine import Engine

COMMENT_LENGTH = 31
"""Characters of a trade's comment; bytes on a server, whose code pages have one a character (Semantics 1.8)."""


class Closing:
    """Closes what was checked already. Volumes in 1/100 lot, prices in points."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self, order: Order, volume: int, price: int, *, comment: str | None = None) -> None:
        """Closes ``volume`` of a position at ``price``. What is left of it gets the next ticket; closed part and rest
        name each other in their comments. ``comment`` replaces that of a whole close."""
        engine = self._engine
        engine.changing(order)
        if volume >= order.volume:
            if comment is not None:
                order.comment = comment
            engine.settle(order, price, OrderState.CLOSED_NORMAL)
            return
        if engine.terms_of(order).group.close_reopen:
            self._close_and_reopen(order, volume, price)
            return
        rest = engine.split(order, volume)
        order.comment = f"to #{rest.ticket}"
        rest.comment = f"from #{order.ticket}"
        engine.settle(order, price, OrderState.CLOSED_PART)
        engine.keep(rest)

    def _close_and_reopen(self, order: Order, volume: int, price: int) -> None:
        """The whole position is closed and what should be left is opened anew (``ConGroup.close_reopen``). Assumed: at
        the closing price, now, with a commission of its own."""
        engine = self._engine
        rest = Order(
            engine.next_ticket(),
            order.login,
            order.symbol,
            order.digits,
            order.cmd,
            order.volume - volume,
            price,
            engine.now,
        )
        rest.sl, rest.tp, rest.magic, rest.reason = order.sl, order.tp, order.magic, order.reason
        rest.api_data = order.api_data
        order.comment = f"to #{rest.ticket}"
        rest.comment = f"from #{order.ticket}"
        engine.settle(order, price, OrderState.CLOSED_NORMAL)
        engine.start(rest, engine.terms_of(rest))

    def close_by(self, one: Order, two: Order) -> Order | None:
        """Closes two opposite positions of one account and symbol against each other; gives what is left of the larger.

        The first closes at the second's open price with both swaps; the second closes at volume 0 and its own price,
        without commission. What is left of the larger gets the next ticket.
        """
        engine = self._engine
        engine.changing(one)
        engine.changing(two)
        volume = min(one.volume, two.volume)
        larger = one if one.volume > volume else two if two.volume > volume else None
        rest = engine.split(larger, volume) if larger is not None else None
        engine.expose(one, -1)
        one.storage += two.storage
        if rest is not None:
            one.storage += rest.storage
            rest.storage = 0
            rest.comment = "partial close" if larger is one else f"from #{one.ticket}"
            one.comment = "partial close"
        engine.expose(one, 1)
        price = two.open_price
        engine.settle(one, price, OrderState.CLOSED_BY)
        self._empty(two, one)
        if rest is not None:
            engine.keep(rest)
        return rest

    def _empty(self, two: Order, one: Order) -> None:
        """The second leg goes with nothing on it: its commission is given back."""
        engine = self._engine
        engine.expose(two, -1)
        two.volume = two.commission = two.storage = 0
        engine.expose(two, 1)
        two.comment = f"close hedge by #{one.ticket}"
        engine.settle(two, two.open_price, OrderState.CLOSED_BY, profit=0)

    def close_all(self, login: int, symbol: str) -> None:
        """Closes by, again and again, the lowest ticket that has an opposite and its lowest opposite."""
        positions = [o for o in self._engine.book.open_of(login) if o.symbol == symbol and o.cmd.is_market]
        buys = deque(order for order in positions if order.is_buy)
        sells = deque(order for order in positions if not order.is_buy)
        while buys and sells:
            first, second = (buys, sells) if buys[0].ticket < sells[0].ticket else (sells, buys)
            one, two = first.popleft(), second.popleft()
            rest = self.close_by(one, two)
            if rest is not None:  # its ticket is the highest of all
                (buys if rest.is_buy else sells).append(rest)


def with_suffix(comment: str, suffix: str) -> str:
    """A comment with ``[sl]`` or ``[tp]`` behind it, cut to the 31 characters that fit (Semantics 7.7)."""
    return comment[: COMMENT_LENGTH - len(suffix)] + suffix
