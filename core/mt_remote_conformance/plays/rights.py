"""Managers with less than all rights, and masks."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import suite
from mt_remote_conformance.sessions.client import Client, Dialect, Json
from mt_remote_conformance.sessions.sessions import SECRET, Changes
from mt_remote_conformance.targets import Profile

REFUSED = ("not_enough_rights",)


def _calls(
    scene: Scene, login: int, position: int, pending: int, placed: int, hedge: int, large: int
) -> list[tuple[str, str, Json]]:
    """(right, function, data)."""
    group = scene.target.group()
    return [
        ("admin", "config.common.get", {}), ("admin", "config.common.set", {"timeout": 5}),
        ("admin", "config.group.add", {"group": scene.target.group(3)}),
        ("admin", "config.group.set", {"group": group, "copies": 9}),
        ("admin", "config.group.del", {"group": scene.target.group(2)}),
        ("admin", "config.manager.get", {"login": 1}), ("admin", "config.manager.set", {"login": login, "email": True}),
        ("admin", "config.manager.del", {"login": scene.target.credentials.login}),
        ("manager", "user.add",
         {"login": scene.target.logins[5], "group": group, "name": "A", "password": f"{SECRET}3"}),
        ("manager", "user.set", {"login": login, "city": "Riga"}),
        ("market_watch", "tick.add", {"symbol": "EURUSD", "bid": 1.0, "ask": 1.1}),
        ("money", "order.balance", {"login": login, "command": "balance", "amount": 5.0}),
        ("trades", "order.open", {"login": login, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.0}),
        ("trades", "order.modify", {"order": position, "sl": 0.5}),
        ("trades", "order.close", {"order": large, "volume": 0.1, "price": 1.0}),
        ("trades", "order.close_by", {"order": position, "order_by": hedge}),
        ("trades", "order.close_all", {"login": login, "symbol": "EURUSD"}),
        ("trades", "order.activate", {"order": pending, "price": 1.0}),
        ("trades", "order.cancel", {"order": placed, "command": "buy_limit"}),
        ("see_trades", "trades.get", {}), ("see_trades", "trade.get", {"order": position}),
        ("see_trades", "trades.get.by_login", {"login": login, "group": group}),
        ("reports", "trades.history", {"login": login}), ("broker", "subscribe", {"event": "trade_request"}),
        ("manager", "users.del", {"logins": [login]}),
    ]  # fmt: skip


_DANGEROUS = ("config.common.set", "config.manager.del", "config.manager.set", "tick.add")
"""What is not carried out with the right, since it would change what other cases rely on."""


@suite(
    Profile.FULL, exclusive=True, weight=1.5, examples=[{"dialect": [dialect], "all": [True]} for dialect in ("0", "2")]
)
def rights(scene: Scene) -> None:
    """Without its right a function is refused and nothing changed; with it it works."""
    boss = scene.sessions.boss
    scene.group()
    scene.group(2)
    login = scene.account(0)
    order: Json = {"symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.0}
    opened = [scene.book.open(boss, login, {**order, **more}) for more in _TOUCHED]
    calls = _calls(scene, login, *[each.ticket for each in opened])
    dialect: Dialect = scene.draw(st.sampled_from(["0", "2"]), "dialect")
    everything = scene.draw(st.just(False), "all")
    chosen = calls if everything else [scene.draw(st.sampled_from(calls), "call")]
    for right in sorted({each for each, _, _ in chosen}):
        _refused(scene, dialect, right, [(name, data) for each, name, data in chosen if each == right])
    scene.audit()
    works = [each for each in chosen if each[1] not in _DANGEROUS]
    client = scene.sessions.sit(dialect, credentials=scene.second_manager())
    for _, name, data in works:
        answer = client.call(name, data)
        scene.judge.check("L-RGT-2", answer.ok, f"{name} with all rights answered: {answer.message}")
    scene.sessions.leave(client)


_TOUCHED: list[Json] = [{}, {"command": "buy_limit"}, {"command": "buy_limit"}, {"command": "sell"}, {"volume": 0.5}]
"""Orders that functions are tried on: one to change, pendings to activate and to cancel, two to close."""


def _refused(scene: Scene, dialect: Dialect, right: str, calls: list[tuple[str, Json]]) -> None:
    """A manager without a right calls what needs it."""
    boss = scene.sessions.boss
    common = boss.result("config.common.get")
    client = scene.sessions.sit(dialect, credentials=scene.second_manager(**{right: False}))
    for name, data in calls:
        scene.sessions.fails("L-RGT-1", client, name, data, codes=REFUSED)
    after = boss.result("config.common.get")
    scene.judge.equal("L-RGT-1", {**after, "last_order": 0}, {**common, "last_order": 0}, "the common configuration")
    known = boss.call("config.manager.get", {"login": scene.target.credentials.login}).ok
    scene.judge.check("L-RGT-1", known, "a manager was deleted")
    scene.sessions.leave(client)
    scene.dismiss_manager()


@suite(Profile.FULL, exclusive=True, weight=1.5, examples=[
    {"mask": [mask], "dialect": [dialect], "all": [True], "changes": [[0, 1, 2, 3, 4, 5, 6, 7]]}
    for mask, dialect in ((0, "0"), (1, "2"), (2, "2"))
])  # fmt: skip
def masks(scene: Scene) -> None:
    """A manager for one group knows nothing of the others."""
    boss, sessions, judge = scene.sessions.boss, scene.sessions, scene.judge
    inside, outside = scene.group(1), scene.group(2)
    own, foreign = scene.account(0, inside), scene.account(1, outside)
    order: Json = {"symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.0}
    seen, hidden = scene.book.open(boss, own, order), scene.book.open(boss, foreign, order)
    pending = scene.book.open(boss, foreign, {**order, "command": "buy_limit"})
    mask = [[inside], [f"{inside}*"], [inside, "nothing*"]][scene.draw(st.integers(0, 2), "mask")]
    limited = scene.second_manager(groups=mask)
    client = sessions.sit(
        scene.draw(st.sampled_from(["0", "2"]), "dialect"), ["user", "trade", "group"], credentials=limited
    )
    groups = [each["group"] for each in sessions.succeeds("L-RGT-3", client, "config.groups.get.all")]
    judge.equal("L-RGT-3", groups, [inside], "groups in sight")
    logins = [each["login"] for each in sessions.succeeds("L-RGT-3", client, "users.get.all")]
    judge.equal("L-RGT-3", logins, [own], "users in sight")
    found = [each["login"] for each in sessions.succeeds("L-RGT-3", client, "users.get", {"logins": [foreign, own]})]
    judge.equal("L-RGT-3", found, [own], "users.get of one inside and one outside")
    tickets = [each["order"] for each in sessions.succeeds("L-RGT-3", client, "trades.get")]
    judge.equal("L-RGT-3", tickets, [seen.ticket], "orders in sight")
    touches = _touches(scene, foreign, hidden.ticket, pending.ticket, seen.ticket)
    everything = scene.draw(st.just(False), "all")
    for name, data in touches if everything else [scene.draw(st.sampled_from(touches), "touch")]:
        sessions.fails("L-RGT-3", client, name, data)
    client.settle()
    client.take()
    _heard(scene, client, own, foreign, order)


def _touches(scene: Scene, foreign: int, hidden: int, pending: int, seen: int) -> list[tuple[str, Json]]:
    """What a manager must not do to an account outside his masks."""
    outside = scene.target.group(2)
    return [
        ("user.set", {"login": foreign, "city": "Riga"}), ("config.group.get", {"group": outside}),
        ("users.del", {"logins": [foreign]}), ("trade.get", {"order": hidden}),
        ("user.add", {"login": scene.target.logins[5], "group": outside, "name": "A", "password": f"{SECRET}3"}),
        ("user.set", {"login": scene.target.logins[0], "group": outside}),
        ("order.open", {"login": foreign, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.0}),
        ("order.close", {"order": hidden, "volume": 0.1, "price": 1.0}),
        ("order.close_by", {"order": hidden, "order_by": seen}),
        ("order.close_by", {"order": seen, "order_by": hidden}),
        ("order.activate", {"order": pending, "price": 1.0}),
        ("order.cancel", {"order": pending, "command": "buy_limit"}),
        ("order.balance", {"login": foreign, "command": "balance", "amount": 5.0}),
        ("order.modify", {"order": hidden, "sl": 0.5}), ("trades.history", {"login": foreign}),
        ("order.close_all", {"login": foreign, "symbol": "EURUSD"}),
        ("trades.get.by_login", {"login": foreign, "group": outside}),
    ]  # fmt: skip


def _heard(scene: Scene, client: Client, own: int, foreign: int, order: Json) -> None:
    """What a limited manager is told while others change things inside and outside his masks."""
    boss, judge = scene.sessions.boss, scene.judge
    inside, outside = scene.target.group(1), scene.target.group(2)
    changes: list[tuple[bool, Callable[[], object]]] = [
        (True, lambda: scene.book.balance(boss, own, "balance", 5.0)),
        (False, lambda: scene.book.balance(boss, foreign, "balance", 5.0)),
        (True, lambda: scene.book.open(boss, own, order)), (False, lambda: scene.book.open(boss, foreign, order)),
        (False, lambda: scene.users.set(boss, foreign, {"city": "Oslo"})),
        (True, lambda: scene.users.set(boss, own, {"city": "Oslo"})),
        (False, lambda: scene.groups.set(boss, outside, {"copies": 5})),
        (True, lambda: scene.groups.set(boss, inside, {"copies": 5})),
    ]  # fmt: skip
    scene.sessions.clients.remove(client)
    for number in scene.draw(st.lists(st.integers(0, len(changes) - 1), min_size=1, max_size=4), "changes"):
        visible, change = changes[number]
        change()
        client.settle()
        if visible:
            client.wait_for(lambda: bool(client.events), scene.target.patience)
        told = {each.get("login", each.get("group")) for each in client.take()}
        judge.check("L-RGT-4", told <= {own, inside}, f"told of {told}, {own} and {inside} alone are inside the mask")
        judge.check("L-RGT-4", bool(told) == visible, f"told of {told} after a change that is {visible=}")
    scene.sessions.examine(Changes())


_DETAILS: Json = {"name": "Somebody", "address": "1 Way", "phone": "123", "email": "a@example.com", "id": "P 1"}


@suite(Profile.FULL, exclusive=True, weight=0.5, examples=[{"details": [details]} for details in (False, True)])
def details(scene: Scene) -> None:
    """A manager with or without the right to see who an account belongs to."""
    boss, sessions, judge = scene.sessions.boss, scene.sessions, scene.judge
    scene.group()
    login = scene.account(0, **_DETAILS)
    may = scene.draw(st.booleans(), "details")
    due = _DETAILS if may else dict.fromkeys(_DETAILS, "")
    client = sessions.sit("2", ["user"], credentials=scene.second_manager(user_details=may))
    (alone,) = sessions.succeeds("L-RGT-5", client, "users.get", {"logins": [login]})
    (listed,) = [each for each in sessions.succeeds("L-RGT-5", client, "users.get.all") if each["login"] == login]
    sessions.clients.remove(client)
    scene.users.set(boss, login, {"city": "Riga"})
    client.settle()
    client.wait_for(lambda: bool(client.events), scene.target.patience)
    told = client.take("user")
    judge.equal("L-RGT-5", len(told), 1, "events of the account")
    for what, record in (("read", alone), ("listed", listed), ("told", told[0])):
        got = {name: record[name] for name in _DETAILS}
        judge.equal("L-RGT-5", got, due, f"details {what} with user_details {may}")
