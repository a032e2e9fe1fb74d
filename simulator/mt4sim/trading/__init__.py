"""The trading engine: accounts' orders, the money that moves with them, and what ticks and days do to them.

Each subject has its room, and :class:`Trading` has the rooms: :mod:`~mt4sim.trading.engine` (what every trade is made
of), :mod:`~mt4sim.trading.transactions` (managers), :mod:`~mt4sim.trading.clients` (clients' requests),
:mod:`~mt4sim.trading.closing`, :mod:`~mt4sim.trading.triggers`, :mod:`~mt4sim.trading.stopout`,
:mod:`~mt4sim.trading.expiry`, :mod:`~mt4sim.trading.rollover`, :mod:`~mt4sim.trading.reading` (orders as clients see
them), and the formulas in ``profit``, ``margin``, ``opening``, ``commission``, ``swaps``, ``conversion``.
"""

from __future__ import annotations

from mt4sim.state import State
from mt4sim.state.accounts import Account
from mt4sim.trading.clients import ClientRequests
from mt4sim.trading.closing import Closing
from mt4sim.trading.engine import Engine
from mt4sim.trading.expiry import Expiry
from mt4sim.trading.rollover import Rollover
from mt4sim.trading.stopout import Supervisor
from mt4sim.trading.transactions import Transactions
from mt4sim.trading.triggers import Triggers
from mt_remote.records import ConGroup, TradeCommand


class Trading:
    """All trading of one server, put together, and what concerns more than one room of it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.engine = Engine(state)
        closing = Closing(self.engine)
        self.expiry = Expiry(self.engine)
        self.transactions = Transactions(self.engine, closing, self.expiry)
        self.clients = ClientRequests(self.engine, closing)
        self.triggers = Triggers(self.engine, closing)
        self.supervisor = Supervisor(self.engine, closing, self.triggers)
        self.rollover = Rollover(self.engine)

    def terms_changed(self, group: ConGroup | None = None) -> None:
        """Terms changed, a group's or everybody's: margins, levels and bands of all whom it concerns are worked out
        anew."""
        for login in self.engine.book.accounts_with_orders():
            account = self._state.accounts.get(login)
            if group is None or account.group == group.group:
                self.account_changed(account)

    def account_changed(self, account: Account) -> None:
        """An account's group or leverage changed: margin, levels and bands follow."""
        self.engine.remargin(account)
        for watcher in self.engine.watchers:
            watcher.account_changed(account)

    def about_to_erase(self, login: int) -> None:
        """An account will go: readings keep its orders while it is still there to value them for."""
        for order in self.engine.book.each_open_of(login):
            self.engine.changing(order)

    def erase(self, login: int) -> None:
        """An account goes with its orders and history."""
        engine = self.engine
        for order in engine.book.open_of(login):
            order.close_time = engine.now  # what watches it lets go
            engine.tell_watchers(order)
        engine.book.erase(login)
        engine.exposures.pop(login, None)
        engine.forget_floating()
        self.supervisor.forget(login)
        self.rollover.forget(login)

    def rebuild(self) -> None:
        """The state was filled from a snapshot: exposures, levels, bands and timers are worked out from it."""
        engine = self.engine
        # Credit before pendings: timers of one second fire in the order in which they were set, and a snapshot that is
        # loaded twice has to go on the same way twice.
        for order in engine.book.closed.values():
            if order.cmd is TradeCommand.CREDIT and order.profit > 0 and order.expiration > engine.now:
                self.expiry.watch_credit(order)
        for order in engine.book.open.values():
            if order.cmd.is_market:
                engine.expose(order, 1)
            engine.tell_watchers(order)
        self.supervisor.rebuild()
        self.rollover.schedule()  # its day may end at another hour than the world's
