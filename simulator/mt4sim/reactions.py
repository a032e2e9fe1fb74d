"""Who hears what of the server's own rooms, and in which order. The one place that says so.

Whoever listens from outside (:meth:`~mt4sim.events.EventLog.listen`, :meth:`~mt4sim.market.quotes.Quotes.subscribe`)
is told after them, so that he finds the server as it is after the change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

from mt4sim.desk.dealing import Desk
from mt4sim.events import Change, EventLog, Happened
from mt4sim.market.quotes import Subscriber
from mt4sim.market.symbols import Symbol
from mt4sim.market.ticks import Quote
from mt4sim.state import State
from mt4sim.state.accounts import Account
from mt4sim.trading import Trading
from mt4sim.trading.engine import OrderWatcher
from mt_remote.records import ConGroup

Reaction = Callable[[Happened], None]


@dataclass(frozen=True, slots=True)
class Reactions:
    """The order in which a server's rooms hear of quotes, events and orders."""

    quotes: tuple[Subscriber, ...]
    events: Mapping[str, tuple[Reaction, ...]]  # by the event's kind
    orders: tuple[OrderWatcher, ...]

    def wire(self, state: State, trading: Trading) -> None:
        """Everybody is told in this order from now on."""
        state.quotes.reactions = self.quotes
        state.events.reactions = self.events
        trading.engine.watchers = self.orders


def reactions(state: State, trading: Trading, desk: Desk) -> Reactions:
    """The order that holds."""
    engine = trading.engine

    def forget_terms(_: Happened) -> None:
        engine.terms.forget()

    def forget_pairs(_: Happened) -> None:
        engine.converter.forget()

    def group_changed(happened: Happened) -> None:
        trading.terms_changed(cast(ConGroup, happened.data))

    def symbol_changed(_: Happened) -> None:
        trading.terms_changed()

    def day_end_changed(_: Happened) -> None:
        trading.rollover.schedule()

    def account_changed(happened: Happened) -> None:
        if happened.change is Change.DELETE:
            desk.account_gone(cast(Account, happened.data).login)

    def rights_changed(_: Happened) -> None:
        desk.rights_changed()

    return Reactions(
        quotes=(
            # A tick is told before the trades that it sets off: who replays what he heard comes to the same server.
            partial(_tell_tick, state.events),
            # Nothing is valued at the price before it any more, or an account would be judged by what it had then.
            engine.quote_changed,
            # Pendings and stops get their own level; only what they leave open is stopped out, which takes the market's
            # price. Assumed: that order (Semantics 6.4).
            trading.triggers.on_quote,
            trading.supervisor.on_quote,
        ),
        events={
            # Margins are worked out from terms, and terms are remembered: those of before have to be forgotten first,
            # or an account would go on with the margin that it had.
            "group": (forget_terms, group_changed),
            "symbol": (forget_terms, forget_pairs, symbol_changed),
            "common": (day_end_changed,),
            "user": (account_changed,),
            "manager": (rights_changed,),
        },
        # Each looks at the order alone, none at another: their order decides nothing.
        orders=(trading.triggers, trading.supervisor, trading.expiry),
    )


def _tell_tick(events: EventLog, symbol: Symbol, quote: Quote) -> None:
    events.emit("tick", Change.UPDATE, (symbol, quote))
