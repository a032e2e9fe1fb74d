"""Laws of events and snapshots over random scripts."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from tests.simulator.server.scripts import Player, Step, scripts

from mt4sim import Server
from mt4sim.events import Change, Happened
from mt4sim.state.accounts import Account
from mt4sim.state.orders import Order
from mt_remote.records import ConGroup

few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Mirror:
    """What a listener that knows only events believes. It keeps copies made when it heard."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.groups: dict[str, dict[str, object]] = {}
        self.users: dict[int, dict[str, object]] = {}
        self.open: dict[int, dict[str, object]] = {}
        self.closed: dict[int, dict[str, object]] = {}
        self.numbers: list[int] = []

    def hear(self, happened: Happened) -> None:
        self.numbers.append(happened.number)
        match happened.data:
            case ConGroup() as group:
                if happened.change is Change.DELETE:
                    del self.groups[group.group]
                else:
                    self.groups[group.group] = group.to_dict()
            case Account() as account:
                self._user(happened.change, account)
            case Order() as order if happened.kind == "trade":
                self._trade(happened.change, order)

    def _user(self, change: Change, account: Account) -> None:
        if change is not Change.DELETE:
            self.users[account.login] = account.record().to_dict()
            return
        del self.users[account.login]
        for table in (self.open, self.closed):
            for ticket in [ticket for ticket, row in table.items() if row["login"] == account.login]:
                del table[ticket]

    def _trade(self, change: Change, order: Order) -> None:
        self.open.pop(order.ticket, None)
        table = self.open if order.is_open else self.closed
        assert change is not Change.DELETE or not order.is_open
        table[order.ticket] = order.state_dict()


def script_of(server: Server, script: list[Step]) -> list[str]:
    """Plays it; gives every event as text."""
    heard: list[str] = []

    def note(happened: Happened) -> None:
        data = happened.data
        if isinstance(data, Order):
            shown: object = data.state_dict()
        elif isinstance(data, Account):
            shown = data.record().to_dict()
        else:
            shown = data
        heard.append(f"{happened.number} {server.now} {happened.kind} {happened.change} {shown!r}")

    stop = server.events.listen(note)
    Player(server).play(script)
    stop()
    return heard


@few
@given(scripts)
def test_events_replayed_onto_an_empty_mirror_rebuild_the_state(script: list[Step]) -> None:
    server = Server()
    mirror = Mirror(server)
    mirror.groups = {group.group: group.to_dict() for group in server.config.groups()}
    mirror.users = {a.login: a.record().to_dict() for a in server.accounts.all()}
    server.events.listen(mirror.hear)
    player = Player(server)
    player.prepare()
    player.play(script)

    book = server.trading.engine.book
    assert mirror.groups == {group.group: group.to_dict() for group in server.config.groups()}
    assert mirror.open == {ticket: order.state_dict() for ticket, order in book.open.items()}
    assert mirror.closed == {ticket: order.state_dict() for ticket, order in book.closed.items()}
    money = ("balance", "credit", "group", "leverage", "enable", "timestamp")
    assert {login: {n: row[n] for n in money} for login, row in mirror.users.items()} == {
        a.login: {n: getattr(a.record(), n) for n in money} for a in server.accounts.all()
    }
    assert mirror.numbers == list(range(mirror.numbers[0], mirror.numbers[0] + len(mirror.numbers)))


@few
@given(scripts)
def test_the_same_seed_and_script_give_the_same_events(script: list[Step]) -> None:
    first, second = Server(seed=3), Server(seed=3)
    for server in (first, second):
        Player(server).prepare()
    assert script_of(first, script) == script_of(second, script)


@few
@given(scripts, scripts)
def test_a_loaded_server_is_the_saved_one_and_goes_on_as_it_would(
    tmp_path_factory: pytest.TempPathFactory, before: list[Step], after: list[Step]
) -> None:
    server = Server(seed=5)
    player = Player(server)
    player.prepare()
    player.play(before)
    text = json.dumps(server.snapshot())
    path = tmp_path_factory.getbasetemp() / "replay.json"
    server.save(path)
    loaded = Server.load(path)
    assert json.dumps(loaded.snapshot()) == text
    assert script_of(loaded, after) == script_of(server, after)
    assert json.dumps(loaded.snapshot()) == json.dumps(server.snapshot())
