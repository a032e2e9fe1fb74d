"""Managers with less than all rights, and masks."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from mt_remote.conformance.scene import Scene
from mt_remote.conformance.suites import suite
from mt_remote.conformance.table import SECRET, Changes
from mt_remote.conformance.targets import Profile
from mt_remote.conformance.wire import Json

REFUSED = ("not_enough_rights",)


def _calls(scene: Scene, login: int, position: int, pending: int) -> list[tuple[str, str, Json]]:
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
        ("manager", "user.set", {"login": login, "city": "Riga"}), ("manager", "users.del", {"logins": [login]}),
        ("market_watch", "tick.add", {"symbol": "EURUSD", "bid": 1.0, "ask": 1.1}),
        ("money", "order.balance", {"login": login, "command": "balance", "amount": 5.0}),
        ("trades", "order.open", {"login": login, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.0}),
        ("trades", "order.modify", {"order": position, "sl": 0.5}),
        ("trades", "order.close", {"order": position, "volume": 0.1, "price": 1.0}),
        ("trades", "order.close_all", {"login": login, "symbol": "EURUSD"}),
        ("trades", "order.activate", {"order": pending, "price": 1.0}),
        ("trades", "order.cancel", {"order": pending, "command": "buy_limit"}),
        ("see_trades", "trades.get", {}), ("see_trades", "trade.get", {"order": position}),
        ("see_trades", "trades.get.by_login", {"login": login, "group": group}),
        ("reports", "trades.history", {"login": login}), ("broker", "subscribe", {"event": "trade_request"}),
    ]  # fmt: skip


@suite(Profile.FULL, exclusive=True, weight=3)
def rights(scene: Scene) -> None:
    """Without its right a function is refused and nothing changed; with it it works."""
    boss = scene.table.boss
    scene.group()
    scene.group(2)
    login = scene.account(0)
    order: Json = {"symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.0}
    position = scene.book.open(boss, login, order)
    pending = scene.book.open(boss, login, {**order, "command": "buy_limit"})
    right, name, data = scene.draw(st.sampled_from(_calls(scene, login, position.ticket, pending.ticket)), "call")
    common = boss.result("config.common.get")
    without = scene.second_manager(**{right: False})
    client = scene.table.sit(scene.draw(st.sampled_from(["0", "2"]), "dialect"), credentials=without)
    scene.table.fails("L-RGT-1", client, name, data, codes=REFUSED)
    after = boss.result("config.common.get")
    scene.judge.equal("L-RGT-1", {**after, "last_order": 0}, {**common, "last_order": 0}, "the common configuration")
    scene.judge.check(
        "L-RGT-1", boss.call("config.manager.get", {"login": scene.target.credentials.login}).ok, "deleted"
    )
    scene.audit()
    scene.table.leave(client)
    harmless = name not in ("config.common.set", "config.manager.del", "config.manager.set", "tick.add")
    if harmless:
        boss.result("config.manager.set", {"login": without.login, right: True})
        client = scene.table.sit("2", credentials=without)
        answer = client.call(name, data)
        scene.judge.check("L-RGT-2", answer.ok, f"{name} with all rights answered: {answer.message}")


@suite(Profile.FULL, exclusive=True, weight=2)
def masks(scene: Scene) -> None:
    """A manager for one group knows nothing of the others."""
    boss, table, judge = scene.table.boss, scene.table, scene.judge
    inside, outside = scene.group(1), scene.group(2)
    own, foreign = scene.account(0, inside), scene.account(1, outside)
    order: Json = {"symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.0}
    seen, hidden = scene.book.open(boss, own, order), scene.book.open(boss, foreign, order)
    mask = scene.draw(st.sampled_from([[inside], [f"{inside}*"], [inside, "nothing*"]]), "mask")
    limited = scene.second_manager(groups=mask)
    client = table.sit(scene.draw(st.sampled_from(["0", "2"]), "dialect"), ["user", "trade"], credentials=limited)
    logins = [each["login"] for each in table.succeeds("L-RGT-3", client, "users.get.all")]
    judge.check("L-RGT-3", own in logins and foreign not in logins, f"users in sight: {logins}")
    found = [each["login"] for each in table.succeeds("L-RGT-3", client, "users.get", {"logins": [foreign, own]})]
    judge.equal("L-RGT-3", found, [own], "users.get of one inside and one outside")
    tickets = [each["order"] for each in table.succeeds("L-RGT-3", client, "trades.get")]
    judge.check("L-RGT-3", seen.ticket in tickets and hidden.ticket not in tickets, f"orders in sight: {tickets}")
    touches: list[tuple[str, Json]] = [
        ("user.set", {"login": foreign, "city": "Riga"}), ("order.open", {"login": foreign, **order}),
        ("users.del", {"logins": [foreign]}), ("trade.get", {"order": hidden.ticket}),
        ("order.close", {"order": hidden.ticket, "volume": 0.1, "price": 1.0}),
        ("order.balance", {"login": foreign, "command": "balance", "amount": 5.0}),
        ("order.modify", {"order": hidden.ticket, "sl": 0.5}), ("trades.history", {"login": foreign}),
        ("order.close_all", {"login": foreign, "symbol": "EURUSD"}),
        ("trades.get.by_login", {"login": foreign, "group": outside}),
    ]  # fmt: skip
    table.fails("L-RGT-3", client, *scene.draw(st.sampled_from(touches), "touch"))
    client.settle()
    client.take()
    changes: list[tuple[bool, Callable[[], object]]] = [
        (True, lambda: scene.book.balance(boss, own, "balance", 5.0)),
        (False, lambda: scene.book.balance(boss, foreign, "balance", 5.0)),
        (True, lambda: scene.book.open(boss, own, order)), (False, lambda: scene.book.open(boss, foreign, order)),
        (False, lambda: scene.users.set(boss, foreign, {"city": "Oslo"})),
        (True, lambda: scene.users.set(boss, own, {"city": "Oslo"})),
    ]  # fmt: skip
    table.clients.remove(client)
    for visible, change in scene.draw(st.lists(st.sampled_from(changes), min_size=1, max_size=4), "changes"):
        change()
        client.settle()
        told = {each["login"] for each in client.take()}
        judge.check("L-RGT-4", told <= {own}, f"told of {told}, {own} alone is inside the mask")
        judge.check("L-RGT-4", bool(told) == visible, f"told of {told} after a change that is {visible=}")
    scene.table.examine(Changes())
