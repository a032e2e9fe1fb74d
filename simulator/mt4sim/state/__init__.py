"""What a server consists of. Rules take it as their argument; it has none itself.

What can be worked out from it (terms, margins, levels that wait for a price, timers) is kept by the room that works it
out, so that a snapshot is this and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from mt4sim.clock import Timeline
from mt4sim.events import EventLog
from mt4sim.market.feeds.base import Feed
from mt4sim.market.feeds.specs import FeedSpec
from mt4sim.market.quotes import Quotes
from mt4sim.market.symbols import Symbol
from mt4sim.state.accounts import AccountBook
from mt4sim.state.figures import DailyReport, LevelType
from mt4sim.state.orders import OrderBook
from mt4sim.state.requests import Dealer, DealRequest
from mt_remote.records import ConCommon, ConGroup, ConManager

External = Callable[[bytes], bytes | None]
"""A plugin of the server's: answers an external command, or leaves it to the next (``None``)."""


@dataclass(slots=True, kw_only=True, eq=False)
class State:
    """A server's state, all of it."""

    # What the server stands on
    seed: int
    random: Random
    timeline: Timeline
    events: EventLog

    # Its configuration
    common: ConCommon
    securities: list[str]
    symbols: dict[str, Symbol]
    groups: dict[str, ConGroup]
    managers: dict[int, ConManager]
    manager_passwords: dict[int, str]
    externals: list[External] = field(default_factory=list)

    # The market
    quotes: Quotes
    feed_spec: FeedSpec
    feed: Feed

    # Accounts and what they hold
    accounts: AccountBook = field(default_factory=AccountBook)
    orders: OrderBook = field(default_factory=OrderBook)
    margin_calls: dict[int, LevelType] = field(default_factory=dict)  # of accounts that are not OK, by login
    reports: dict[int, list[DailyReport]] = field(default_factory=dict)  # by login, each account's by time

    # Who is there, and what waits for a dealer
    online: dict[int, int] = field(default_factory=dict)  # terminals that are logged in, by login
    requests: dict[int, DealRequest] = field(default_factory=dict)  # by id
    last_request: int = 0  # id of the newest request
    dealers: list[Dealer] = field(default_factory=list)
