"""The server: its state, its rooms, put together; and time that passes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mt4sim.clock import Timeline
from mt4sim.desk.accounts import Accounts
from mt4sim.desk.configuration import Configuration
from mt4sim.desk.dealing import Desk
from mt4sim.desk.managers import ManagerSession, Rooms, log_in
from mt4sim.desk.traders import Trader
from mt4sim.events import EventLog
from mt4sim.market.feeds import make_feed
from mt4sim.market.feeds.base import Feed, Market
from mt4sim.market.feeds.specs import FeedSpec
from mt4sim.market.quotes import Quotes
from mt4sim.market.symbols import Symbol, symbol_named
from mt4sim.market.ticks import Quote
from mt4sim.reactions import reactions
from mt4sim.state import External, State
from mt4sim.state.orders import Order
from mt4sim.trading import Trading
from mt4sim.trading.reading import record
from mt4sim.world import World, snapshots
from mt_remote.records import ConCommon, ConGroup, ConManager, TradeCommand, TradeRecord


class Server:
    """An MT4 server in memory, made from a world. Synchronous; deterministic for a world, a seed and what is done to
    it. Nothing happens but by its methods and by :meth:`advance`.

    ``state`` is what it consists of, ``config``, ``accounts``, ``trading`` and ``desk`` are the rooms that work on it.
    The state's tables and ``quotes``, ``timeline`` and ``events`` can be had from here too.
    """

    def __init__(
        self, world: World | None = None, *, seed: int = 0, start: int | None = None, populate: bool = True
    ) -> None:
        world = world or World.demo()
        self.world = world
        self.state = _state_of(world, seed, world.start if start is None else start)
        self.trading = Trading(self.state)
        self.accounts = Accounts(self.state, self.trading)
        self.config = Configuration(self.state, self.trading)
        self.desk = Desk(self.state, self.trading.clients)
        self.terminals: dict[int, Trader] = {}
        self._rooms = Rooms(self.state, self.config, self.accounts, self.trading, self.desk)
        reactions(self.state, self.trading, self.desk).wire(self.state, self.trading)
        if populate:
            self._populate()

    def _populate(self) -> None:
        """Starting prices, accounts with their first deposits, and the feed."""
        state, transactions = self.state, self.trading.transactions
        if not state.common.overmonth_last_month:
            state.common.overmonth_last_month = datetime.fromtimestamp(self.now, UTC).month
        self.world.open_market(state.quotes)
        for seed in self.world.make_users().values():
            login = self.accounts.seed(seed.draft).login
            if seed.deposit:
                transactions.balance(login, TradeCommand.BALANCE, seed.deposit, comment="Deposit")
            if seed.credit:
                ends = seed.credit_expiration
                transactions.balance(login, TradeCommand.CREDIT, seed.credit, expiration=ends, comment="Credit")
        state.feed.start()

    # The state, by name

    @property
    def now(self) -> int:
        """Unix seconds in the server's zone."""
        return self.state.timeline.now

    @property
    def seed(self) -> int:
        """What all that is random follows from."""
        return self.state.seed

    @property
    def timeline(self) -> Timeline:
        """The server's time, and what is due."""
        return self.state.timeline

    @property
    def events(self) -> EventLog:
        """What happened."""
        return self.state.events

    @property
    def quotes(self) -> Quotes:
        """Prices, their history, bars, and the market's calendar."""
        return self.state.quotes

    @property
    def common(self) -> ConCommon:
        """The common settings."""
        return self.state.common

    @property
    def securities(self) -> list[str]:
        """Names of the securities, in the world's order."""
        return self.state.securities

    @property
    def symbols(self) -> dict[str, Symbol]:
        """The symbols by name, in their order."""
        return self.state.symbols

    @property
    def groups(self) -> dict[str, ConGroup]:
        """The groups by name, in their order."""
        return self.state.groups

    @property
    def managers(self) -> dict[int, ConManager]:
        """The manager accounts by login."""
        return self.state.managers

    @property
    def manager_passwords(self) -> dict[int, str]:
        """Passwords of managers who have no account of their login."""
        return self.state.manager_passwords

    @property
    def online(self) -> dict[int, int]:
        """How many terminals of an account are logged in, by login."""
        return self.state.online

    @property
    def externals(self) -> list[External]:
        """The server's plugins: the first that takes an external command answers it."""
        return self.state.externals

    def record(self, order: Order) -> TradeRecord:
        """An order as clients see it; an open position's close price and profit follow the last quote."""
        return record(self.trading.engine, order)

    # Time and prices

    def advance(self, seconds: int) -> None:
        """Lets time pass: timers, day ends and the feed's ticks come in order."""
        self.state.timeline.advance(seconds)

    def advance_to(self, when: int) -> None:
        """Lets time pass until ``when``. Raises ``ValueError`` when that has passed."""
        self.state.timeline.advance_to(when)

    def steps_to(self, when: int) -> Iterator[int]:
        """The same step by step: see :meth:`~mt4sim.clock.Timeline.steps_to`."""
        return self.state.timeline.steps_to(when)

    def symbol(self, name: str) -> Symbol:
        """A symbol's configuration. Raises :class:`~mt_remote.errors.NotFound`."""
        return symbol_named(self.state.symbols, name)

    def tick(self, symbol: str, bid: float, ask: float) -> Quote | None:
        """A price thrown in: becomes the last price at once, whatever the market (Semantics 1.6)."""
        to_points = self.symbol(symbol).to_points
        return self.state.quotes.tick(symbol, to_points(bid), to_points(ask))

    @property
    def feed(self) -> Feed:
        """Where prices come from."""
        return self.state.feed

    @property
    def feed_spec(self) -> FeedSpec:
        """What the feed was made from."""
        return self.state.feed_spec

    def set_feed(self, spec: FeedSpec) -> None:
        """Prices come from another feed from now on. Raises :class:`~mt_remote.errors.ConfigurationError` when it
        can't be had; the old one goes on then."""
        state = self.state
        market = Market(state.symbols, state.quotes, state.timeline)
        feed = make_feed(spec, market, terms=self.world.feed_terms(), seed=state.seed)
        feed.start()
        state.feed.stop()
        state.feed, state.feed_spec = feed, spec

    # Who talks to it

    def login(self, login: int, password: str, *, address: str = "127.0.0.1") -> ManagerSession:
        """Logs a manager in. Raises :class:`~mt_remote.errors.ServerError` with the documented codes
        (Semantics 9.4)."""
        return log_in(self._rooms, login, password, address)

    def trader(self, login: int, password: str | None = None, *, address: str = "127.0.0.1") -> Trader:
        """A trader at his terminal. Raises 64 and 65 as a real log-in does; without a password none is checked."""
        if password is not None:
            self.accounts.check_password(login, password)
        return Trader(self.state, self.trading.clients, self.desk, login, address=address)

    # Snapshots

    def save(self, path: str | Path) -> None:
        """Writes the whole state to one readable file; :meth:`load` gives it back exactly."""
        snapshots.write(Path(path), self.snapshot())

    @classmethod
    def load(cls, path: str | Path) -> Server:
        """A server as it was when it was saved. Raises :class:`~mt4sim.world.snapshots.SnapshotError`."""
        found = snapshots.read(Path(path))
        try:
            return cls.restored(found)
        except (KeyError, TypeError, ValueError) as error:
            problem = f"snapshot {str(path)!r} is damaged: {type(error).__name__}: {error}"
            raise snapshots.SnapshotError(problem) from error

    def snapshot(self) -> snapshots.Document:
        """All that the server is, as plain JSON values."""
        return snapshots.document(self.world, self.state)

    @classmethod
    def restored(cls, found: snapshots.Document) -> Server:
        """The server of which :meth:`snapshot` gave this."""
        world = snapshots.world_of(found)
        server = cls(world, seed=found["seed"], start=found["now"], populate=False)
        state = server.state
        snapshots.fill(state, found)
        server.trading.rebuild()
        market = Market(state.symbols, state.quotes, state.timeline)
        state.feed = make_feed(state.feed_spec, market, terms=world.feed_terms(), seed=state.seed)
        state.feed.restore(found["feed"])
        state.events.number = found["events"]  # last: what was worked out anew is no news
        return server

    def restarted(self) -> Server:
        """The server as it is after a restart: what it had saved, all else gone."""
        return Server.restored(snapshots.plain(self.snapshot()))


def _state_of(world: World, seed: int, start: int) -> State:
    """A world's state before anything happened."""
    timeline, symbols, seeds = Timeline(start), world.make_symbols(), world.make_managers()
    history = world.history
    quotes = Quotes(
        symbols,
        timeline,
        calendar=world.make_calendar(),
        ticks_kept=history.ticks,
        bars_kept=history.bars,
    )
    return State(
        seed=seed,
        random=random.Random(seed),
        timeline=timeline,
        events=EventLog(),
        common=world.make_common(),
        securities=world.security_names,
        symbols=symbols,
        groups=world.make_groups(),
        managers={login: each.record for login, each in seeds.items()},
        manager_passwords={login: each.password for login, each in seeds.items()},
        quotes=quotes,
        feed_spec=world.feed,
        feed=make_feed(world.feed, Market(symbols, quotes, timeline), terms=world.feed_terms(), seed=seed),
    )
