"""The server: one object that holds its rooms and lets time pass."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mt4sim.accounts import Accounts
from mt4sim.clock import Timeline
from mt4sim.config import Configuration
from mt4sim.dealing import Desk
from mt4sim.events import Change, EventLog
from mt4sim.feeds import make_feed
from mt4sim.feeds.base import Feed, Market
from mt4sim.managers import ManagerSession, log_in
from mt4sim.quotes import Quote, Quotes
from mt4sim.symbols import Symbol
from mt4sim.trader import Trader
from mt4sim.trading import Trading
from mt4sim.world import World
from mt_remote.errors import NotFound

if TYPE_CHECKING:
    from mt4sim.world_specs import FeedSpec

External = Callable[[bytes], bytes | None]


class Server:
    """An MT4 server in memory, made from a world. Synchronous; deterministic for a world, a seed and what is done to
    it. Nothing happens but by its methods and by :meth:`advance`.

    Rooms: ``config``, ``quotes``, ``accounts``, ``trading``; tables: ``symbols``, ``groups``, ``managers``;
    ``timeline`` for time and ``events`` for what happened.
    """

    def __init__(
        self, world: World | None = None, *, seed: int = 0, start: int | None = None, populate: bool = True
    ) -> None:
        world = world or World.demo()
        self.world = world
        self.seed = seed
        self.random = random.Random(seed)
        self.timeline = Timeline(world.start if start is None else start)
        self.events = EventLog()
        self.common = world.make_common()
        self.securities = world.security_names
        self.symbols: dict[str, Symbol] = world.make_symbols()
        self.groups = world.make_groups()
        seeds = world.make_managers()
        self.managers = {login: each.record for login, each in seeds.items()}
        self.manager_passwords = {login: each.password for login, each in seeds.items()}
        self.externals: list[External] = []
        self.quotes = Quotes(self.symbols, self.timeline, calendar=world.make_calendar(),
                             ticks_kept=world.history.ticks, bars_kept=world.history.bars)  # fmt: skip
        self.quotes.subscribe(self._tell_tick)  # first: a tick is told before what it triggers
        self.config = Configuration(self)
        self.accounts = Accounts(self)
        self.online: dict[int, int] = {}
        self.terminals: dict[int, Trader] = {}
        self.trading = Trading(self)
        self.desk = Desk(self)
        self.feed_spec = world.feed
        self.feed: Feed = self._make_feed(world.feed)
        if populate:
            self._populate(world)

    def _populate(self, world: World) -> None:
        """Starting prices, accounts with their first deposits, and the feed."""
        if not self.common.overmonth_last_month:
            self.common.overmonth_last_month = datetime.fromtimestamp(self.now, UTC).month
        world.open_market(self.quotes)
        for user in world.make_users().values():
            self.accounts.seed(user)
        self.feed.start()

    def _tell_tick(self, symbol: Symbol, quote: Quote) -> None:
        self.events.emit("tick", Change.UPDATE, (symbol, quote))

    # Time and prices

    @property
    def now(self) -> int:
        """Unix seconds in the server's zone."""
        return self.timeline.now

    def advance(self, seconds: int) -> None:
        """Lets time pass: timers, day ends and the feed's ticks come in order."""
        self.timeline.advance(seconds)

    def advance_to(self, when: int) -> None:
        """Lets time pass until ``when``. Raises ``ValueError`` when that has passed."""
        self.timeline.advance_to(when)

    def symbol(self, name: str) -> Symbol:
        """A symbol's configuration. Raises :class:`~mt_remote.errors.NotFound`."""
        symbol = self.symbols.get(name)
        if symbol is None:
            raise NotFound(f"Cannot find symbol '{name}'")
        return symbol

    def tick(self, symbol: str, bid: float, ask: float) -> Quote | None:
        """A price thrown in: becomes the last price at once, whatever the market (Semantics 1.6)."""
        found = self.symbol(symbol)
        return self.quotes.tick(symbol, found.to_points(bid), found.to_points(ask))

    def _make_feed(self, spec: FeedSpec) -> Feed:
        market = Market(self.symbols, self.quotes, self.timeline)
        return make_feed(spec, market, terms=self.world.feed_terms(), seed=self.seed)

    def set_feed(self, spec: FeedSpec) -> None:
        """Prices come from another feed from now on. Raises :class:`~mt_remote.errors.ConfigurationError` when it
        can't be had; the old one goes on then."""
        feed = self._make_feed(spec)
        feed.start()
        self.feed.stop()
        self.feed, self.feed_spec = feed, spec

    def restore_feed(self, spec: FeedSpec, state: dict[str, Any]) -> None:
        """The feed goes on where a snapshot was made."""
        self.feed, self.feed_spec = self._make_feed(spec), spec
        self.feed.restore(state)

    # Who talks to it

    def login(self, login: int, password: str, *, address: str = "127.0.0.1") -> ManagerSession:
        """Logs a manager in. Raises :class:`~mt_remote.errors.ServerError` with the documented codes
        (Semantics 9.4)."""
        return log_in(self, login, password, address)

    def trader(self, login: int, password: str | None = None, *, address: str = "127.0.0.1") -> Trader:
        """A trader at his terminal. Raises 64 and 65 as a real log-in does; without a password none is checked."""
        if password is not None:
            self.accounts.check_password(login, password)
        return Trader(self, login, address=address)

    # Snapshots

    def save(self, path: str | Path) -> None:
        """Writes the whole state to one readable file; :meth:`load` gives it back exactly."""
        from mt4sim.snapshot import save

        save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Server:
        """A server as it was when it was saved."""
        from mt4sim.snapshot import load

        return load(Path(path))
