"""What happens on the server, told to the gateway's connections.

An event is turned into a record once and into one :class:`~mt_remote.backend.Event` that all connections share, or two
where some managers don't see the details of accounts. A tick goes only to the connections that show its symbol.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Protocol, cast

from mt4sim.desk.managers import ManagerSession, tick_record, without_details
from mt4sim.events import Change, Happened
from mt4sim.gateway.realism import Realism
from mt4sim.market.symbols import Symbol
from mt4sim.market.ticks import Quote
from mt4sim.server import Server
from mt4sim.state.accounts import Account
from mt4sim.state.orders import Order
from mt_remote.backend import Event, Listener
from mt_remote.errors import NotFound
from mt_remote.records import ConGroup

Hear = Callable[[Event], None]
"""A connection's listener's ``on_event``: at a tick nothing else of a connection is looked at."""


class Watcher(Protocol):
    """A connection, as far as events concern it."""

    session: ManagerSession
    visible: dict[str, None]  # names of the symbols that it shows
    opened: int  # number of the newest event when it was opened

    @property
    def listener(self) -> Listener:
        """Who hears the connection."""


class Hub:
    """The connections of one server, by what they watch."""

    def __init__(self, server: Server, realism: Realism) -> None:
        self._server = server
        self.server_name = server.world.make_common().name  # as configured: to rename a server makes no other of it
        self._realism = realism
        self._added: dict[str, int] = {}
        self._delayed: list[tuple[Watcher, Event]] = []
        self._watching: defaultdict[str, dict[Watcher, None]] = defaultdict(dict)
        self._showing: defaultdict[str, dict[Watcher, Hear]] = defaultdict(dict)
        self._tellers = {
            "tick": self._tell_tick,
            "trade": self._tell_trade,
            "user": self._tell_user,
            "group": self._tell_group,
        }
        self.stop = server.events.listen(self._hear)

    def watch(self, connection: Watcher, kind: str) -> None:
        self._watching[kind][connection] = None
        if kind == "tick":
            for symbol in connection.visible:
                self._showing[symbol][connection] = connection.listener.on_event

    def unwatch(self, connection: Watcher, kind: str) -> None:
        self._watching[kind].pop(connection, None)
        if kind == "tick":
            for symbol in connection.visible:
                self._showing[symbol].pop(connection, None)

    def show(self, connection: Watcher, symbol: str) -> None:
        if connection in self._watching["tick"]:
            self._showing[symbol][connection] = connection.listener.on_event

    def hide(self, connection: Watcher, symbol: str) -> None:
        self._showing[symbol].pop(connection, None)

    def listener_changed(self, connection: Watcher) -> None:
        """Somebody else hears the connection from now on."""
        for showing in self._showing.values():
            if connection in showing:
                showing[connection] = connection.listener.on_event

    def leave(self, connection: Watcher) -> None:
        """The connection is over."""
        for kind in list(self._watching):
            self.unwatch(connection, kind)

    def watchers(self, kind: str) -> list[Watcher]:
        """Who watches a kind, in the order in which they began."""
        return list(self._watching[kind])

    def _tell(self, connection: Watcher, event: Event) -> None:
        if self._realism.lagging_events:
            self._delayed.append((connection, event))
        else:
            connection.listener.on_event(event)

    def refuse_hidden(self, connection: Watcher, group: str) -> None:
        """With the quirk on, a group is not found by connections that are older than it (Semantics 10.5)."""
        if self._realism.hidden_groups and self._added.get(group, 0) > connection.opened:
            raise NotFound(f"Cannot find group '{group}'")

    def deliver_delayed(self) -> None:
        """Tells what was held back since the last step of the clock."""
        delayed, self._delayed = self._delayed, []
        if self._realism.coalesced_ticks:
            newest = {(c, e.merge_key): e for c, e in delayed if e.merge_key}
            delayed = [(c, e) for c, e in delayed if not e.merge_key or newest[c, e.merge_key] is e]
        for connection, event in delayed:
            if connection in self._watching[event.kind]:
                connection.listener.on_event(event)

    def _hear(self, happened: Happened) -> None:
        teller = self._tellers.get(happened.kind)
        if teller is not None:
            teller(happened)

    def _tell_tick(self, happened: Happened) -> None:
        symbol, quote = cast("tuple[Symbol, Quote]", happened.data)
        showing = self._showing.get(symbol.name)
        if showing:
            event = Event("tick", tick_record(symbol, quote.time, quote.bid, quote.ask), symbol.name)
            if self._realism.lagging_events or self._realism.coalesced_ticks:
                self._delayed += [(connection, event) for connection in showing]
                return
            for hear in list(showing.values()):
                hear(event)

    def _tell_trade(self, happened: Happened) -> None:
        watching = self._watching["trade"]
        if not watching:
            return
        order = cast("Order", happened.data)
        event = Event("trade", self._server.record(order))
        account = self._server.accounts.find(order.login)
        for connection in list(watching):
            if account is None or connection.session.sees_group(account.group):
                self._tell(connection, event)

    def _tell_user(self, happened: Happened) -> None:
        watching = self._watching["user"]
        if not watching or happened.change is Change.DELETE:
            return
        account = cast("Account", happened.data)
        shown = account.record()
        full, blanked = Event("user", shown), Event("user", without_details(shown))
        for connection in list(watching):
            if connection.session.sees_group(account.group):
                self._tell(connection, full if connection.session.rights.user_details else blanked)

    def _tell_group(self, happened: Happened) -> None:
        group_name = cast(ConGroup, happened.data).group
        if happened.change is Change.ADD:
            self._added[group_name] = happened.number
        watching = self._watching["group"]
        if not watching or happened.change is Change.DELETE:
            return
        group = cast(ConGroup, happened.data).copy()
        if self._realism.pump_locales:
            group.news_languages = ["en-150" if tag == "en-EN" else tag for tag in group.news_languages]
            group.max_symbols = group.max_symbols or 4096
        event = Event("group", group)
        for connection in list(watching):
            if connection.session.sees_group(group.group):
                self._tell(connection, event)
