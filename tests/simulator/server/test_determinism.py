"""Laws of the whole server (hypothesis): the same seed and script give the same events, events replayed onto an empty
mirror rebuild the state, a snapshot comes back exactly and goes on the same."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from mt4sim import Server, World
from mt4sim.accounts import Account
from mt4sim.events import Change, Happened
from mt4sim.snapshot import state
from mt4sim.trading.orders import Order
from mt_remote.errors import RequestError
from mt_remote.records import Draft, Patch, TradeCommand, TradeRecord, UserRecord

WORLD = World.demo()
LOGINS = [200, 201, 202]
GROUPS = ["miniforex", "demopro", "demoforex-eur"]
SYMBOLS = ["EURUSD", "USDJPY", "EURGBP", "XAUUSD"]

Step = tuple[str, tuple[Any, ...]]

login = st.sampled_from(LOGINS)
symbol = st.sampled_from(SYMBOLS)
nth = st.integers(0, 20)
lots = st.integers(1, 300).map(lambda hundredths: hundredths / 100)
moved = st.integers(-300, 300)
command = st.sampled_from([each for each in TradeCommand if each.is_market or each.is_pending])

STEP: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("open"), st.tuples(login, symbol, command, lots, moved, moved, moved)),
    st.tuples(st.just("close"), st.tuples(nth, lots, moved)),
    st.tuples(st.just("close_by"), st.tuples(nth, nth)),
    st.tuples(st.just("close_all"), st.tuples(login, symbol)),
    st.tuples(st.just("modify"), st.tuples(nth, moved, moved)),
    st.tuples(st.just("delete"), st.tuples(nth)),
    st.tuples(st.just("balance"), st.tuples(login, st.integers(-500_000, 1_000_000))),
    st.tuples(st.just("tick"), st.tuples(symbol, moved)),
    st.tuples(st.just("advance"), st.tuples(st.sampled_from([1, 600, 40_000, 90_000]))),
    st.tuples(st.just("group"), st.tuples(login, st.sampled_from(GROUPS))),
    st.tuples(st.just("leverage"), st.tuples(login, st.sampled_from([1, 50, 500]))),
)
SCRIPT = st.lists(STEP, max_size=30)


class Player:
    """Plays scripts on a server; what the server refuses is part of the play."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def populate(self) -> None:
        for number, group in zip(LOGINS, GROUPS, strict=True):
            record = {"login": number, "group": group, "name": "T", "password": "Pass1", "leverage": 100}
            self.server.accounts.add(Draft(UserRecord, {**record, "enable": True}))
            self.server.trading.balance(number, TradeCommand.BALANCE, 5000.0)

    def play(self, script: list[Step]) -> list[str]:
        """Gives what was refused."""
        refused = []
        for name, arguments in script:
            try:
                cast("Callable[..., object]", getattr(self, f"do_{name}"))(*arguments)
            except RequestError as error:
                refused.append(f"{name}: {error.message}")
        return refused

    def _price(self, name: str, points: int) -> float:
        quote = self.server.quotes.last(name)
        assert quote is not None
        return self.server.symbol(name).to_price(quote.bid + points)

    def _ticket(self, nth: int) -> int:
        tickets = [order.ticket for order in self.server.trading.open_orders()]
        return tickets[nth % len(tickets)] if tickets else 0

    def do_open(self, login: int, name: str, cmd: TradeCommand, volume: float, at: int, sl: int, tp: int) -> None:
        levels = [self._price(name, points) if points else 0.0 for points in (sl, tp)]
        self.server.trading.open(login, name, cmd, volume, self._price(name, at), sl=levels[0], tp=levels[1])

    def do_close(self, nth: int, volume: float, at: int) -> None:
        order = self.server.trading.get(self._ticket(nth))
        self.server.trading.close(order.ticket, min(volume, order.volume / 100), self._price(order.symbol, at))

    def do_close_by(self, one: int, two: int) -> None:
        self.server.trading.close_by(self._ticket(one), self._ticket(two))

    def do_close_all(self, login: int, name: str) -> None:
        self.server.trading.close_all(login, name)

    def do_modify(self, nth: int, sl: int, tp: int) -> None:
        order = self.server.trading.get(self._ticket(nth))
        self.server.trading.modify(
            order.ticket, sl=self._price(order.symbol, sl), tp=self._price(order.symbol, tp), comment="moved"
        )

    def do_delete(self, nth: int) -> None:
        self.server.trading.delete(self._ticket(nth))

    def do_balance(self, login: int, cents: int) -> None:
        self.server.trading.balance(login, TradeCommand.BALANCE, cents / 100)

    def do_tick(self, name: str, points: int) -> None:
        bid = self._price(name, points)
        self.server.tick(name, bid, bid + 2 * self.server.symbol(name).point)

    def do_advance(self, seconds: int) -> None:
        self.server.advance(seconds)

    def do_group(self, login: int, group: str) -> None:
        self.server.accounts.set(Patch(UserRecord, {"login": login, "group": group}))

    def do_leverage(self, login: int, leverage: int) -> None:
        self.server.accounts.set(Patch(UserRecord, {"login": login, "leverage": leverage}))


class Mirror:
    """What a listener can know of users and trades from events alone."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.users: dict[int, UserRecord] = {}
        self.trades: dict[int, TradeRecord] = {}
        self.log: list[str] = []
        server.events.listen(self.hear)

    def hear(self, happened: Happened) -> None:
        if happened.kind == "user":
            account = cast(Account, happened.data)
            self.users[account.login] = self.server.accounts.record(account)
            self.log.append(f"{happened.number} {happened.change} {self.users[account.login]!r}")
        elif happened.kind == "trade":
            order = cast(Order, happened.data)
            self.trades[order.ticket] = self.server.trading.record(order)
            self.log.append(f"{happened.number} {happened.change} {self.trades[order.ticket]!r}")
            assert (happened.change is Change.DELETE) <= (order.close_time > 0)


def settled(record: TradeRecord) -> TradeRecord:
    """Without what follows prices while a trade is open."""
    copy = record.copy()
    if not copy.close_time:
        copy.profit = copy.close_price = 0.0
    return copy


def started(seed: int = 0) -> tuple[Server, Player, Mirror]:
    server = Server(WORLD, seed=seed)
    mirror, player = Mirror(server), Player(server)
    player.populate()
    return server, player, mirror


@settings(max_examples=40, deadline=None)
@given(SCRIPT)
def test_events_replayed_onto_an_empty_mirror_rebuild_the_state(script: list[Step]) -> None:
    server, player, mirror = started()
    player.play(script)
    trading, accounts = server.trading, server.accounts
    known = [*trading.open_orders(), *(o for login in LOGINS for o in trading.history(login, 0, 2**31))]
    assert {o.ticket: settled(trading.record(o)) for o in known} == {
        ticket: settled(record) for ticket, record in mirror.trades.items()
    }
    for login in LOGINS:
        real, seen = accounts.record(accounts.get(login)), mirror.users[login]
        assert (seen.balance, seen.credit, seen.group) == (real.balance, real.credit, real.group)


@settings(max_examples=25, deadline=None)
@given(SCRIPT, st.integers(0, 5))
def test_the_same_seed_and_script_give_the_same_events(script: list[Step], seed: int) -> None:
    first, second = started(seed), started(seed)
    assert first[1].play(script) == second[1].play(script)
    assert first[2].log == second[2].log


@settings(max_examples=25, deadline=None)
@given(SCRIPT, SCRIPT)
def test_a_snapshot_comes_back_exactly_and_goes_on_the_same(script: list[Step], more: list[Step]) -> None:
    server, player, _ = started()
    player.play(script)
    with tempfile.TemporaryDirectory() as folder:
        server.save(Path(folder) / "state.json")
        again = Server.load(Path(folder) / "state.json")
    assert json.dumps(state(again)) == json.dumps(state(server))
    log, log_again = Mirror(server), Mirror(again)
    assert player.play(more) == Player(again).play(more)
    assert log.log == log_again.log
    assert json.dumps(state(again)) == json.dumps(state(server))


@settings(max_examples=40, deadline=None)
@given(SCRIPT)
def test_money_is_conserved(script: list[Step]) -> None:
    """Every account's balance is the sum of its records; margin kept is margin worked out from scratch."""
    server, player, _ = started()
    player.play(script)
    for login in LOGINS:
        account = server.accounts.get(login)
        history = server.trading.history(login, 0, 2**31)
        assert account.balance == sum(order.result for order in history if order.cmd is not TradeCommand.CREDIT)
        kept = server.trading.margin_level(login).margin
        server.trading.account_changed(account)
        assert server.trading.margin_level(login).margin == kept >= 0
    tickets = [order.ticket for order in server.trading.open_orders()]
    assert len(set(tickets)) == len(tickets)
