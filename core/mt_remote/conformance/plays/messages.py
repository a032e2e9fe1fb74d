"""Messages: what is answered and how, also to what is no request, or a bad one."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from mt_remote.conformance import strategies as some
from mt_remote.conformance.scene import Scene
from mt_remote.conformance.suites import suite
from mt_remote.conformance.table import SECRET, Changes
from mt_remote.conformance.targets import Profile
from mt_remote.conformance.wire import Client, Json

BROKEN = ["", "{", "[]", "1", "null", '"x"', "nonsense", '{"id": 1', "{}", '{"name": "x"}', '{"id": null, "name": "x"}',
          '{"id": [], "name": "x"}', '{"id": {}, "name": "x"}', '{"id": 1.5, "name": "x"}', '{"id": true, "name": "x"}',
          '{"id": "a"}', '{"id": "a", "name": 5}', '{"id": "a", "name": null}',
          '{"id": "a", "name": "ticks.get", "data": 5}',
          '{"id": "a", "name": "ticks.get", "data": []}']  # fmt: skip


@suite(Profile.READ_ONLY)
def reading(scene: Scene) -> None:
    """Whatever is read has its shape, in every dialect, and agrees with what else is read."""
    clients = scene.seat(kinds=[])
    boss, judge = scene.table.boss, scene.judge
    groups = boss.result("config.groups.get.all")
    users = boss.result("users.get.all")
    trades = boss.result("trades.get")
    logins = [each["login"] for each in users]
    names = [each["group"] for each in groups]
    for _ in range(scene.draw(st.integers(1, 4), "calls")):
        client = scene.draw(st.sampled_from(clients), "who")
        client.call(*scene.draw(some.reads(logins, names, list(scene.target.instruments)), "call"))
    group = scene.draw(st.sampled_from(groups), "group")
    _agrees(scene, clients, "config.group.get", {"group": group["group"]}, group)
    user = scene.draw(st.sampled_from(users), "user")
    listed = scene.table.succeeds("L-USR-4", boss, "users.get", {"logins": [user["login"]]})
    judge.equal("L-USR-4", [each["login"] for each in listed], [user["login"]], "users.get")
    unknown = next(number for number in range(2**31 - 1, 0, -1) if number not in logins)
    mixed = scene.draw(st.lists(st.sampled_from([*logins, unknown]), max_size=6, unique=True), "logins")
    found = [each["login"] for each in scene.table.succeeds("L-USR-4", boss, "users.get", {"logins": mixed})]
    judge.equal("L-USR-4", found, [each for each in mixed if each in logins], "users.get, in the order asked")
    judge.equal("L-USR-5", len(set(logins)), len(logins), "users listed, each once")
    judge.equal("L-ORD-2", len({each["order"] for each in trades}), len(trades), "orders listed, each once")
    judge.check("L-ORD-2", all(each["close_time"] == 0 for each in trades), "a closed order among the open ones")
    if trades and scene.target.exclusive:
        trade = scene.draw(st.sampled_from(trades), "trade")
        _agrees(scene, clients, "trade.get", {"order": trade["order"]}, trade)
    history = scene.table.succeeds("L-ORD-3", boss, "trades.history", {"login": user["login"]})
    tickets = [each["order"] for each in history]
    judge.equal("L-ORD-3", tickets, sorted(tickets), "history by ticket")
    scene.table.fails("L-CFG-5", scene.actor(), "config.group.get", {"group": "no such"}, codes=("not_found",))
    scene.table.fails("L-MKT-4", scene.actor(), "ticks.get", {"symbol": "NOPE"}, codes=("not_found",))
    scene.table.fails("L-ORD-10", scene.actor(), "trade.get", {"order": 2**31 - 1}, codes=("not_found",))


def _agrees(scene: Scene, clients: list[Client], name: str, data: Json, record: Json) -> None:
    """Read alone it is as it was listed, in every dialect."""
    for client in clients:
        alone = scene.table.succeeds("L-REC-4", client, name, data)
        shared = {field: each for field, each in record.items() if field in alone}
        scene.judge.equal("L-REC-4", alone, shared, f"{name} {data} in dialect {client.dialect}")


@suite(Profile.READ_ONLY, weight=1.5)
def no_requests(scene: Scene) -> None:
    """What is no request is answered with an error, and the session lives on."""
    client = scene.draw(st.sampled_from(scene.seat(kinds=[])), "who")
    for _ in range(scene.draw(st.integers(1, 4), "messages")):
        broken = scene.draw(st.one_of(st.sampled_from(BROKEN), some.hostile().map(json.dumps)), "message")
        expected = _readable_id(broken)
        client.send_awaiting(broken, expected)
        answer = client.answer(expected)
        scene.judge.check("L-MSG-4", not answer.ok, f"{broken!r:.200} is answered with success")
        scene.table.succeeds("L-MSG-4", client, "config.groups.get.all")
    name = scene.draw(
        st.sampled_from(["nosuch", "config", "config.group", "connect ", "Connect", "ticks.get.x", "__init__"])
    )
    answer = scene.table.fails("L-MSG-5", client, name, {}, codes=("unknown_function",))
    scene.judge.check(
        "L-MSG-5", name.strip() in answer.message, f"the message does not name {name!r}: {answer.message}"
    )


def _readable_id(message: str) -> Any:
    """The id that an answer to it has."""
    try:
        whole = json.loads(message)
    except ValueError:
        return None
    id_ = whole.get("id") if isinstance(whole, dict) else None
    return id_ if type(id_) in (int, str) else None


@suite(Profile.DEMO)
def ids(scene: Scene) -> None:
    """Ids of every kind come back as they were sent, pipelined or not."""
    client = scene.draw(st.sampled_from(scene.seat(kinds=[])), "who")
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "0": st.integers(0, 2**53), "1.00": st.uuids().map(str),
        "2": st.one_of(st.integers(-(2**53), 2**53), st.text(max_size=40)),
    }  # fmt: skip
    sent = scene.draw(st.lists(kinds[client.dialect], min_size=1, max_size=12, unique_by=repr), "ids")
    for id_ in sent:
        client.send("ticks.get", {"symbol": "EURUSD"}, id=id_)
    for id_ in sent:
        scene.judge.check("L-MSG-1", client.answer(id_).ok, "ticks.get failed")


@suite(Profile.DEMO, weight=1.2)
def pipelined(scene: Scene) -> None:
    """Many changes at once are carried out in the order sent."""
    client = scene.draw(st.sampled_from(scene.seat(kinds=["trade"])), "who")
    scene.group()
    login = scene.account(0)
    amounts = scene.draw(st.lists(st.integers(1, 100_000), min_size=2, max_size=25), "amounts")
    ids = []
    for cents in amounts:
        ids.append(client.send("order.balance", {"login": login, "command": "balance", "amount": cents / 100}))
        if scene.draw(st.booleans(), "read between"):
            client.send("users.get", {"logins": [login]})
    tickets = []
    for id_ in ids:
        answer = client.answer(id_)
        scene.judge.check("L-MSG-8", answer.ok, lambda answer=answer: answer.message)  # type: ignore[misc]
        tickets.append(answer.result["order"])
    scene.judge.equal("L-MSG-8", tickets, sorted(tickets), "tickets in the order of the requests")
    history = client.result("trades.history", {"login": login})
    got = {each["order"]: each["profit"] for each in history}
    expected = [cents / 100 for cents in amounts]
    scene.judge.equal("L-MSG-8", [got.get(ticket) for ticket in tickets], expected, "amounts by ticket")
    total = round(sum(amounts) / 100 + 1_000_000.0, 2)
    scene.judge.equal("L-MON-4", scene.users.read(client, login)["balance"], total, "the balance after all")
    for watcher in scene.table.clients:
        if "trade" in watcher.subscribed:
            watcher.settle()
            told = [each["order"] for each in watcher.take("trade") if each["order"] in tickets]
            scene.judge.equal("L-EVT-6", told, tickets, "trades told, in the order of the changes")


GOOD: list[tuple[str, Json]] = [
    ("config.group.get", {"group": "kit1"}), ("config.group.set", {"group": "kit1", "copies": 1}),
    ("users.get", {"logins": [1]}), ("user.set", {"login": 1, "city": "Riga"}),
    ("ticks.get", {"symbol": "EURUSD"}), ("tick.add", {"symbol": "EURUSD", "bid": 1.1, "ask": 1.2}),
    ("order.open", {"login": 1, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.1}),
    ("order.modify", {"order": 1, "sl": 1.0}), ("order.close", {"order": 1, "volume": 0.1, "price": 1.0}),
    ("order.close_by", {"order": 1, "order_by": 2}), ("order.close_all", {"login": 1, "symbol": "EURUSD"}),
    ("order.cancel", {"order": 1, "command": "buy_limit"}), ("order.activate", {"order": 1, "price": 1.0}),
    ("order.balance", {"login": 1, "command": "balance", "amount": 1.0}), ("trade.get", {"order": 1}),
    ("trades.get.by_login", {"login": 1, "group": "kit1"}), ("trades.history", {"login": 1}),
    ("subscribe", {"event": "trade"}), ("symbol.show", {"symbol": "EURUSD"}),
    ("request.confirm", {"request_id": 1, "bid": 1.0, "ask": 1.1, "mode": "normal"}),
    ("external.command", {"command": "x", "encoding": "plain"}),
]  # fmt: skip

_OPTIONAL = {"copies", "city", "sl"}
_BAD: dict[type, list[Any]] = {
    int: ["1", 1.5, True, [], {}, None, -1, 2**40],
    float: ["1.0", True, [], {}, None, 1e300],
    str: [5, True, [], {}, None, "x" * 5000],
    list: [5, "x", {}, None, ["x"], [1.5]],
}

_BAD_IN_GROUPS: list[tuple[str, Any]] = [
    ("copies", "x"), ("company", "x" * 500), ("margin_mode", 9), ("nonsense", 1), ("rights", ["fly"]),
    ("securities", {"Forex": {"lot_min": -1}}),
]  # fmt: skip
_BAD_IN_USERS: list[tuple[str, Any]] = [
    ("leverage", "x"), ("city", "x" * 500), ("api_data", "?"), ("nonsense", 1), ("email", 5),
    ("password", f"{SECRET}{'x' * 50}"),
]  # fmt: skip


@suite(Profile.DEMO, weight=3)
def bad_data(scene: Scene) -> None:
    """Every field of every function, missing, of another type, out of range, too long, or one too many."""
    clients = scene.seat(kinds=["group", "user", "trade", "tick"])
    name = scene.group()
    login = scene.account(0)
    for _ in range(scene.draw(st.integers(1, 4), "calls")):
        function, data = scene.draw(st.sampled_from(GOOD), "function")
        data = dict(data)
        if "group" in data:
            data["group"] = name
        if data.get("login") == 1:
            data["login"] = login
        field = scene.draw(st.sampled_from([*sorted(data), "surplus"]), "field")
        if field == "surplus":
            data[field] = 1
        elif field not in _OPTIONAL and scene.draw(st.booleans(), "leave it out"):
            del data[field]
        else:
            data[field] = scene.draw(st.sampled_from(_BAD[type(data[field])]), "value")
        client = scene.draw(st.sampled_from(clients), "who")
        answer = scene.table.fails("L-MSG-6", client, function, data)
        _names(scene, answer.raw, client, function, field)
    scene.groups.unchanged(name)
    scene.users.unchanged(login)
    scene.audit()


def _names(scene: Scene, answer: Json, client: Client, function: str, field: str) -> None:
    """The error says which field."""
    message = answer.get("message", "")
    scene.judge.check("L-MSG-6", field in message, f"{function}: {message!r} does not name {field!r}")
    if client.dialect == "2" and answer.get("status") == "ERROR":
        paths = [str(each.get("path", "")) for each in answer.get("details", ())]
        found = any(path.partition(".")[0].partition("[")[0] == field for path in paths)
        scene.judge.check("L-MSG-6", found, f"{function}: details {paths} do not name {field!r}")
        scene.judge.equal("L-MSG-6", answer.get("code"), "invalid_data", f"{function} with a bad {field}: code")


@suite(Profile.DEMO, weight=1.2)
def half_bad_data(scene: Scene) -> None:
    """A partial update with one bad field among good ones changes nothing."""
    scene.seat(kinds=["group", "user"])
    name = scene.group()
    login = scene.account(0, deposit=0)
    for _ in range(scene.draw(st.integers(1, 3), "calls")):
        client = scene.actor()
        if scene.draw(st.booleans(), "group"):
            fields = scene.draw(some.groups(scene.groups.securities[:2]), "fields")
            bad = scene.draw(st.sampled_from(_BAD_IN_GROUPS), "bad")
            scene.table.fails("L-MSG-6", client, "config.group.set", {"group": name, **fields, bad[0]: bad[1]})
            scene.groups.unchanged(name)
        else:
            fields = scene.draw(some.users(), "fields")
            bad = scene.draw(st.sampled_from(_BAD_IN_USERS), "bad")
            scene.table.fails("L-MSG-6", client, "user.set", {"login": login, **fields, bad[0]: bad[1]})
            scene.users.unchanged(login)


@suite(Profile.READ_ONLY, weight=0.5)
def no_text(scene: Scene) -> None:
    """What is not a text message closes the session with its code."""
    client = scene.table.sit(scene.draw(st.sampled_from(["0", "2"]), "dialect"))
    code = scene.draw(st.sampled_from([1003, 1007, 1009]), "code")
    if code == 1003:
        client.send_raw(scene.draw(st.binary(max_size=20), "message"))
    elif code == 1007:
        client.send_broken_text(scene.draw(st.sampled_from([b"\xff", b'{"id": "\xc3"}', b"\xed\xa0\x80"]), "message"))
    elif scene.once("a message over the limit", times=1):
        client.send_raw("x" * (scene.target.max_message + 1))
    else:
        return
    closed = client.closed()
    scene.judge.check("L-MSG-9", closed is not None, f"not closed with {code}")
    if closed is not None:
        scene.judge.equal("L-MSG-9", closed[0], code, "close code")
        scene.judge.check("L-MSG-9", bool(closed[1]), "no reason a person can read")
    scene.table.leave(client)
    scene.table.succeeds("L-MSG-9", scene.table.boss, "config.groups.get.all")


@suite(Profile.DEMO)
def repeated_calls(scene: Scene) -> None:
    """A call under a key is carried out once."""
    scene.seat(kinds=["trade"])
    scene.group()
    login = scene.account(0)
    boss, judge = scene.table.boss, scene.judge
    key = f"kit-{scene.fresh()}"
    amount = scene.draw(st.integers(1, 1000), "amount") / 100
    data: Json = {"login": login, "command": "balance", "amount": amount}
    first = boss.call("order.balance", data, key=key)
    judge.check("L-MSG-11", first.ok, first.message)
    for _ in range(scene.draw(st.integers(1, 3), "repetitions")):
        again = boss.call("order.balance", data, key=key)
        judge.equal("L-MSG-11", again.result, first.result, "the answer to a repetition")
    other = boss.call("order.balance", {**data, "amount": amount + 1}, key=key)
    judge.check("L-MSG-11", not other.ok, "a different call under a used key succeeded")
    balance = scene.users.read(boss, login)["balance"]
    judge.equal("L-MSG-11", balance, round(1_000_000.0 + amount, 2), "the balance after repetitions")
    record = boss.result("trade.get", {"order": first.result["order"]})
    changes = Changes()
    changes.add("trade", record)
    scene.table.examine(changes)
