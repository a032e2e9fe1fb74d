"""What ends by itself: pending orders at their expiration, credit at its own (Semantics 6.6, 7.4)."""

from __future__ import annotations

from mt4sim.clock import Timer
from mt4sim.state.orders import Order
from mt4sim.trading.engine import Engine, OrderWatcher
from mt_remote.records import TradeCommand


class Expiry(OrderWatcher):
    """Holds one timer for each pending that expires."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timers: dict[int, tuple[int, Timer]] = {}  # when, and the timer, by ticket

    def order_changed(self, order: Order) -> None:
        wanted = order.expiration if order.is_open and order.cmd.is_pending else 0
        known = self._timers.get(order.ticket)
        if known is not None:
            if known[0] == wanted:
                return
            known[1].cancel()
            del self._timers[order.ticket]
        if wanted:
            timer = self._engine.state.timeline.at(wanted, self._expire, order.ticket)
            self._timers[order.ticket] = (wanted, timer)

    def _expire(self, ticket: int) -> None:
        """Assumed: the comment."""
        self._timers.pop(ticket, None)
        order = self._engine.book.open.get(ticket)
        if order is not None:
            self._engine.drop(order, "expiration")

    def watch_credit(self, record: Order) -> None:
        """Credit that was given until a time: it is taken back then."""
        self._engine.state.timeline.at(record.expiration, self._take_back, record.ticket)

    def _take_back(self, ticket: int) -> None:
        """Assumed: a negative credit record offsets it, of what is left of it."""
        record = self._engine.book.closed.get(ticket)
        account = self._engine.state.accounts.find(record.login) if record is not None else None
        if record is None or account is None:
            return
        left = min(record.profit, account.credit)
        if left > 0:
            self._engine.book_money(account, -left, TradeCommand.CREDIT, "Credit expiration")
            self._engine.supervise()
