"""Messages: what is answered and how, also to what is no request, or a bad one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from mt_remote_conformance import strategies as some
from mt_remote_conformance.plays import samples
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, suite
from mt_remote_conformance.sessions.client import Client, Json
from mt_remote_conformance.sessions.sessions import SECRET, Changes
from mt_remote_conformance.targets import Profile

BROKEN = ["", "{", "[]", "1", "null", '"x"', "nonsense", '{"id": 1', "{}", '{"name": "x"}', '{"id": null, "name": "x"}',
          '{"id": [], "name": "x"}', '{"id": {}, "name": "x"}', '{"id": 1.5, "name": "x"}', '{"id": true, "name": "x"}',
          '{"id": "a"}', '{"id": "a", "name": 5}', '{"id": "a", "name": null}',
          '{"id": "a", "name": "ticks.get", "data": 5}',
          '{"id": "a", "name": "ticks.get", "data": []}']  # fmt: skip


@suite(Profile.READ_ONLY, examples=[{"calls": [0], "logins": [[-1, 0]]}])
def reading(scene: Scene) -> None:
    """Whatever is read has its shape, in every dialect, and agrees with what else is read."""
    clients = scene.seat(kinds=[])
    boss, judge = scene.sessions.boss, scene.judge
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
    listed = scene.sessions.succeeds("L-USR-4", boss, "users.get", {"logins": [user["login"]]})
    judge.equal("L-USR-4", [each["login"] for each in listed], [user["login"]], "users.get")
    unknown = next(number for number in range(2**31 - 1, 0, -1) if number not in logins)
    some_of = [*logins, unknown]
    places = scene.draw(st.lists(st.integers(0, len(some_of) - 1), max_size=6, unique=True), "logins")
    mixed = [some_of[place] for place in places]
    found = [each["login"] for each in scene.sessions.succeeds("L-USR-4", boss, "users.get", {"logins": mixed})]
    judge.equal("L-USR-4", found, [each for each in mixed if each in logins], "users.get, in the order asked")
    judge.equal("L-USR-5", len(set(logins)), len(logins), "users listed, each once")
    judge.equal("L-ORD-2", len({each["order"] for each in trades}), len(trades), "orders listed, each once")
    judge.check("L-ORD-2", all(each["close_time"] == 0 for each in trades), "a closed order among the open ones")
    if trades and scene.target.exclusive:
        trade = scene.draw(st.sampled_from(trades), "trade")
        _agrees(scene, clients, "trade.get", {"order": trade["order"]}, trade)
    history = scene.sessions.succeeds("L-ORD-3", boss, "trades.history", {"login": user["login"]})
    tickets = [each["order"] for each in history]
    judge.equal("L-ORD-3", tickets, sorted(tickets), "history by ticket")
    scene.sessions.fails("L-CFG-5", scene.actor(), "config.group.get", {"group": "no such"}, codes=("not_found",))
    scene.sessions.fails("L-MKT-4", scene.actor(), "ticks.get", {"symbol": "NOPE"}, codes=("not_found",))
    scene.sessions.fails("L-ORD-10", scene.actor(), "trade.get", {"order": 2**31 - 1}, codes=("not_found",))


def _agrees(scene: Scene, clients: list[Client], name: str, data: Json, record: Json) -> None:
    """Read alone it is as it was listed, in every dialect."""
    for client in clients:
        alone = scene.sessions.succeeds("L-REC-4", client, name, data)
        shared = {field: each for field, each in record.items() if field in alone}
        scene.judge.equal("L-REC-4", alone, shared, f"{name} {data} in dialect {client.dialect}")


@suite(Profile.READ_ONLY, weight=1.5, examples=[{"messages": [len(BROKEN)], "message": BROKEN, "dialect": [dialect]}
                                                for dialect in ("0", "1.00", "2")])  # fmt: skip
def no_requests(scene: Scene) -> None:
    """What is no request is answered with an error, and the session lives on."""
    client = scene.sessions.sit(scene.draw(st.sampled_from(["0", "1.00", "2"]), "dialect"))
    for _ in range(scene.draw(st.integers(1, 4), "messages")):
        broken = scene.draw(st.one_of(st.sampled_from(BROKEN), some.hostile().map(json.dumps)), "message")
        expected = _readable_id(broken)
        client.send_awaiting(broken, expected)
        answer = client.answer(expected)
        scene.judge.check("L-MSG-4", not answer.ok, f"{broken!r:.200} is answered with success")
        scene.sessions.succeeds("L-MSG-4", client, "ticks.get", {"symbol": "EURUSD"})
    name = scene.draw(
        st.sampled_from(["nosuch", "config", "config.group", "connect ", "Connect", "ticks.get.x", "__init__"])
    )
    answer = scene.sessions.fails("L-MSG-5", client, name, {}, codes=("unknown_function",))
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


_IDS: list[Pins] = [
    {"dialect": ["0"], "ids": [[2**53, 0, 7]]}, {"dialect": ["1.00"]},
    {"dialect": ["2"], "ids": [[1, "1", -5, "", "ä\n"]]},
]  # fmt: skip


@suite(Profile.DEMO, examples=_IDS)
def ids(scene: Scene) -> None:
    """Ids of every kind come back as they were sent, pipelined or not."""
    client = scene.sessions.sit(scene.draw(st.sampled_from(["0", "1.00", "2"]), "dialect"))
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "0": st.integers(0, 2**53), "1.00": st.uuids().map(str),
        "2": st.one_of(st.integers(-(2**53), 2**53), st.text(max_size=40)),
    }  # fmt: skip
    sent = scene.draw(st.lists(kinds[client.dialect], min_size=1, max_size=12, unique_by=repr), "ids")
    for id_ in sent:
        client.send("ticks.get", {"symbol": "EURUSD"}, id=id_)
    for id_ in sent:
        scene.judge.check("L-MSG-1", client.answer(id_).ok, "ticks.get failed")


@suite(Profile.DEMO, weight=1.2, examples=[{"amounts": [[5, 3, 9, 1, 7]], "read between": [True, False, True]}])
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
    for watcher in scene.sessions.clients:
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

_OPTIONAL = {"copies", "city", "sl", "mode", "encoding"}
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


def _bad_calls() -> Iterator[tuple[str, Json, str]]:
    """(function, data, the field that is bad): every field of every function, in every way."""
    for function, data in GOOD:
        yield function, {**data, "surplus": 1}, "surplus"
        for field, value in data.items():
            if field not in _OPTIONAL:
                yield function, {name: each for name, each in data.items() if name != field}, field
            for bad in _BAD[type(value)]:
                if bad is None and field in _OPTIONAL:
                    continue
                yield function, {**data, field: bad}, field


BAD = list(_bad_calls())


@suite(Profile.DEMO, weight=2, examples=[{"calls": [len(BAD)], "call": list(range(len(BAD)))}])
def bad_data(scene: Scene) -> None:
    """Every field of every function, missing, of another type, out of range, too long, or one too many."""
    clients = scene.seat(kinds=["group", "user", "trade", "tick"])
    name = scene.group()
    login = scene.account(0)
    for place in range(scene.draw(st.integers(1, 8), "calls")):
        function, data, field = BAD[scene.draw(st.integers(0, len(BAD) - 1), "call")]
        ours = {"group": name, "login": login}
        data = {key: ours.get(key, value) if value in ("kit1", 1) and key != field else value
                for key, value in data.items()}  # fmt: skip
        client = clients[place % 3]
        answer = scene.sessions.fails("L-MSG-6", client, function, data)
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


_HALF_BAD: list[Pins] = [
    {"calls": [12], "group": [True] * 6 + [False] * 6, "bad": [0, 1, 2, 3, 4, 5] * 2,
     "fields": [samples.GROUPS[0]] * 6 + [samples.USERS[0]] * 6},
]  # fmt: skip


@suite(Profile.DEMO, weight=1.2, examples=_HALF_BAD)
def half_bad_data(scene: Scene) -> None:
    """A partial update with bad fields among good ones changes nothing, and the error names each of them."""
    scene.seat(kinds=["group", "user"])
    name = scene.group()
    login = scene.account(0, deposit=0)
    for _ in range(scene.draw(st.integers(1, 3), "calls")):
        client = scene.actor()
        in_group = scene.draw(st.booleans(), "group")
        choices = _BAD_IN_GROUPS if in_group else _BAD_IN_USERS
        place = scene.draw(st.integers(0, len(choices) - 1), "bad")
        bad = dict(choices[place:] + choices[: place - 1] if place else choices[:2])
        if in_group:
            fields = scene.draw(some.groups(scene.groups.securities[:2]), "fields")
            answer = scene.sessions.fails("L-MSG-6", client, "config.group.set", {"group": name, **fields, **bad})
            scene.groups.unchanged(name)
        else:
            fields = scene.draw(some.users(), "fields")
            answer = scene.sessions.fails("L-MSG-6", client, "user.set", {"login": login, **fields, **bad})
            scene.users.unchanged(login)
        for field in bad:
            _names(scene, answer.raw, client, "the set", field)


_NO_TEXT: list[Pins] = [{"dialect": [dialect], "code": [code]} for dialect, code in
                        (("0", 1003), ("2", 1003), ("0", 1007), ("2", 1007), ("2", 1009))]  # fmt: skip


@suite(Profile.READ_ONLY, weight=0.5, examples=_NO_TEXT)
def no_text(scene: Scene) -> None:
    """What is not a text message closes the session with its code."""
    client = scene.sessions.sit(scene.draw(st.sampled_from(["0", "2"]), "dialect"))
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
    scene.sessions.leave(client)
    scene.sessions.succeeds("L-MSG-9", scene.sessions.boss, "config.groups.get.all")


@suite(Profile.READ_ONLY, weight=0.5, examples=[{"dialect": [dialect]} for dialect in ("0", "1.00", "2")])
def fragments(scene: Scene) -> None:
    """A request comes in pieces, with pings between them."""
    client = scene.sessions.sit(scene.draw(st.sampled_from(["0", "1.00", "2"]), "dialect"))
    payloads = [b"", b"kit", b"x" * 125, *scene.draw(st.lists(st.binary(max_size=125), max_size=3), "pings")]
    unique = list(dict.fromkeys(payloads))
    answered = client.send_in_fragments("ticks.get", {"symbol": "EURUSD"}, unique)
    scene.judge.equal("L-MSG-12", answered, unique, "payloads of pings that were answered")


@suite(Profile.FULL, control=True, exclusive=True, weight=0.1, examples=[{"dialect": ["2"]}])
def slow_calls(scene: Scene) -> None:
    """The MT4 server does not answer."""
    client = scene.sessions.sit(scene.draw(st.sampled_from(["0", "2"]), "dialect"))
    if not scene.once("a call that hangs", times=1):
        return
    boss, judge = scene.sessions.boss, scene.judge
    scene.group()
    login = scene.account(0)
    data: Json = {"login": login, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.1}
    boss.result("simulator.faults.set", {"rules": [{"on": "order.open", "do": "hang", "times": 1}]})
    try:
        slow = client.send("order.open", data)
        scene.sessions.succeeds("L-MSG-13", client, "users.get.all")
        answer = client.answer(slow)
    finally:
        boss.result("simulator.faults.clear")
    judge.check("L-MSG-13", not answer.ok, "a call that never ended is answered with success")
    if client.dialect == "2":
        told = (answer.code, answer.raw.get("outcome"))
        judge.check("L-MSG-13", told in (("timeout", "unknown"), ("timeout", "not_done")), f"code and outcome: {told}")
    scene.sessions.succeeds("L-MSG-13", client, "order.open", data)


_KEYED: list[tuple[str, Json, Json]] = [
    ("config.group.set", {"copies": 5}, {"copies": 6}), ("user.set", {"city": "Riga"}, {"city": "Oslo"}),
    ("order.open", {"volume": 0.1}, {"volume": 0.2}),
]  # fmt: skip


@suite(Profile.DEMO, examples=[{"kind": [number]} for number in range(len(_KEYED))])
def repeated_calls(scene: Scene) -> None:
    """A call under a key is carried out once."""
    scene.seat(kinds=["trade"])
    scene.group()
    login = scene.account(0)
    boss, judge = scene.sessions.boss, scene.judge
    key = f"kit-{scene.fresh()}"
    amount = scene.draw(st.integers(1, 1000), "amount") / 100
    data: Json = {"login": login, "command": "balance", "amount": amount}
    first = boss.call("order.balance", data, key=key)
    judge.check("L-MSG-11", first.ok, first.message)
    newcomer = scene.sessions.sit("2")
    for number in range(scene.draw(st.integers(2, 4), "repetitions")):
        again = (boss, newcomer)[number % 2].call("order.balance", data, key=key)
        judge.equal("L-MSG-11", again.result, first.result, "the answer to a repetition")
    other = boss.call("order.balance", {**data, "amount": amount + 1}, key=key)
    judge.check("L-MSG-11", not other.ok, "a different call under a used key succeeded")
    balance = scene.users.read(boss, login)["balance"]
    judge.equal("L-MSG-11", balance, round(1_000_000.0 + amount, 2), "the balance after repetitions")
    record = boss.result("trade.get", {"order": first.result["order"]})
    changes = Changes()
    changes.add("trade", record)
    scene.sessions.examine(changes)
    _keyed(scene, login, scene.draw(st.integers(0, len(_KEYED) - 1), "kind"))


def _keyed(scene: Scene, login: int, kind: int) -> None:
    """Another call under a key of its own, and one that differs from it in one field."""
    name, fields, others = _KEYED[kind]
    whole: dict[str, Json] = {
        "config.group.set": {"group": scene.target.group()}, "user.set": {"login": login},
        "order.open": {"login": login, "symbol": "EURUSD", "command": "buy", "price": 1.08},
    }  # fmt: skip
    boss, judge, key = scene.sessions.boss, scene.judge, f"kit-{scene.fresh()}"
    first = boss.call(name, {**whole[name], **fields}, key=key)
    judge.check("L-MSG-11", first.ok, first.message)
    again = boss.call(name, {**whole[name], **fields}, key=key)
    judge.equal("L-MSG-11", (again.ok, again.result), (True, first.result), f"the answer to a repeated {name}")
    other = boss.call(name, {**whole[name], **others}, key=key)
    judge.check("L-MSG-11", not other.ok, f"a {name} of other fields under a used key succeeded")


@suite(Profile.FULL, control=True, exclusive=True, weight=0.3, examples=[{"what": ["kit"]}])
def external_commands(scene: Scene) -> None:
    """The server's own plugins are sent text and bytes."""
    what = scene.draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30), "what")
    command = f"echo {what}"
    boss, judge = scene.sessions.boss, scene.judge
    plain = scene.sessions.succeeds("L-REC-6", boss, "external.command", {"command": command, "encoding": "plain"})
    judge.equal("L-REC-6", plain, what, "what the simulator's example of a plugin answers")
    data = base64.b64encode(command.encode()).decode()
    coded = scene.sessions.succeeds("L-REC-6", boss, "external.command", {"command": data, "encoding": "base64"})
    judge.equal("L-REC-6", coded, base64.b64encode(what.encode()).decode(), "the same in base64")
    scene.sessions.fails(
        "L-REC-6", boss, "external.command", {"command": "?", "encoding": "base64"}, codes=("invalid_data",)
    )
