"""Sessions: connecting, subscribing, leaving, handshakes, lost connections."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from mt_remote.client import Credentials
from mt_remote.conformance import strategies as some
from mt_remote.conformance.scene import Scene
from mt_remote.conformance.suites import suite
from mt_remote.conformance.targets import Profile
from mt_remote.conformance.wire import Client, Dialect, Json, data_of, dialled, headers_of

STATE_ERRORS = ("not_connected", "no_connection")
KINDS = ("group", "user", "trade", "tick")


@suite(Profile.DEMO, weight=1.5)
def connecting(scene: Scene) -> None:
    """Sessions connect, disconnect and call in any order."""
    client = scene.table.dial(scene.draw(st.sampled_from(["0", "2"]), "dialect"))
    table, judge = scene.table, scene.judge
    version = {"version": "2"} if client.dialect == "2" else {}
    for _ in range(scene.draw(st.integers(1, 7), "steps")):
        step = scene.draw(st.sampled_from(["connect", "disconnect", "read", "subscribe", "connection"]), "step")
        if step == "connect":
            data = {**data_of(scene.target.credentials), "reconnect_delay": 0, **version}
            if client.connected:
                table.fails("L-SES-2", client, "connect", data, codes=("already_connected",))
            else:
                told = "connection" in client.subscribed
                table.succeeds("L-SES-1", client, "connect", data)
                judge.equal("L-EVT-4", client.take("connection"), [True] if told else [], "told of connecting")
        elif step == "disconnect":
            if client.connected:
                table.succeeds("L-SES-4", client, "disconnect")
            else:
                table.fails("L-SES-4", client, "disconnect", codes=STATE_ERRORS)
            client.take("connection")
        elif step == "read":
            _read(scene, client)
        elif step == "subscribe":
            _subscribe(scene, client, scene.draw(st.sampled_from(KINDS), "kind"))
        else:
            _subscribe(scene, client, "connection")
    client.settle()
    judge.equal("L-EVT-2", client.take(), [], "told although nothing happened")


def _read(scene: Scene, client: Client) -> None:
    """A call that needs the server."""
    logins = [scene.target.credentials.login]
    name, data = scene.draw(some.reads(logins, [scene.target.group()], ["EURUSD"]), "call")
    if client.connected:
        scene.table.succeeds("L-SES-4", client, "config.groups.get.all")
    else:
        scene.table.fails("L-SES-3", client, name, data, codes=STATE_ERRORS)


def _subscribe(scene: Scene, client: Client, kind: str) -> None:
    """Subscribes or unsubscribes, rightly or not."""
    table = scene.table
    name = scene.draw(st.sampled_from(["subscribe", "unsubscribe"]), "what")
    data = {"event": kind}
    if not client.connected and kind != "connection":
        if name == "subscribe":
            table.fails("L-SES-3", client, name, data, codes=STATE_ERRORS)
        return
    if name == "subscribe" and kind in client.subscribed:
        table.fails("L-SES-5", client, name, data, codes=("already_subscribed",))
    elif name == "unsubscribe" and kind not in client.subscribed:
        table.fails("L-SES-5", client, name, data, codes=("not_subscribed",))
    else:
        early = name == "subscribe" and not client.connected
        law = "L-SES-6" if early else "L-SES-5"
        table.succeeds(law, client, name, data)


@suite(Profile.DEMO, weight=0.5)
def wrong_credentials(scene: Scene) -> None:
    """Who does not know the password does not get in, and may try again."""
    if not scene.once("wrong credentials", times=2):
        return
    good = scene.target.credentials
    client = scene.table.dial(scene.draw(st.sampled_from(["0", "2"]), "dialect"))
    choices: list[Json] = [{"password": "Wrong1"}, {"login": scene.target.logins[99]}]
    wrong = scene.draw(st.sampled_from(choices), "wrong")
    version = {"version": "2"} if client.dialect == "2" else {}
    table = scene.table
    table.fails("L-SES-1", client, "connect", {**data_of(good), **wrong, "reconnect_delay": 0, **version})
    table.fails("L-SES-3", client, "config.groups.get.all", codes=STATE_ERRORS)
    table.succeeds("L-SES-1", client, "connect", {**data_of(good), "reconnect_delay": 0, **version})
    table.succeeds("L-SES-1", client, "config.groups.get.all")


@suite(Profile.DEMO, weight=2)
def watching(scene: Scene) -> None:
    """Sessions subscribe and unsubscribe while others change things."""
    clients = scene.seat(kinds=[])
    scene.group()
    login = scene.account(0)
    if scene.target.exclusive:
        scene.show(scene.target.instruments["EURUSD"])
    steps = ["subscribe", "subscribe", "unsubscribe", "group", "user", "money", "order"]
    for number in range(scene.draw(st.integers(1, 10), "steps")):
        step = scene.draw(st.sampled_from(steps), "step")
        client = scene.draw(st.sampled_from(clients), "who")
        kind = scene.draw(st.sampled_from(KINDS[:3]), "kind")
        if step == "subscribe" and kind not in client.subscribed:
            scene.table.succeeds("L-SES-5", client, "subscribe", {"event": kind})
            client.settle()
            own = [each for each in client.take(kind) if scene.table.concerns(kind, each)]
            scene.judge.equal("L-EVT-9", own, [], f"told of {kind} at once on subscribing")
        elif step == "unsubscribe" and kind in client.subscribed:
            scene.table.succeeds("L-SES-5", client, "unsubscribe", {"event": kind})
        elif step == "group":
            scene.groups.set(scene.actor(), scene.target.group(), {"copies": number + 1})
        elif step == "user":
            scene.users.set(scene.actor(), login, {"city": f"Riga {number}"})
        elif step == "money":
            scene.book.balance(scene.actor(), login, "balance", 5.0 + number)
        else:
            order = {"symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.08}
            scene.book.open(scene.actor(), login, order)
    for client in clients:
        for kind in sorted(client.subscribed):
            scene.table.succeeds("L-SES-5", client, "unsubscribe", {"event": kind})
    scene.book.balance(scene.table.boss, login, "balance", 1.0)
    scene.groups.set(scene.table.boss, scene.target.group(), {"copies": 99})
    scene.audit()


@suite(Profile.DEMO, weight=1.5)
def unsubscribe_in_a_flood(scene: Scene) -> None:
    """Changes, and an unsubscribe in the middle of them, without waiting for answers."""
    watcher = scene.seat((scene.draw(st.sampled_from(["0", "1.00", "2"]), "dialect"),), kinds=["user", "trade"])[0]
    scene.group()
    login = scene.account(0)
    boss = scene.table.boss
    count = scene.draw(st.integers(1, 12), "changes")
    cut = scene.draw(st.integers(0, count), "unsubscribe after")
    ids, leaving = [], None
    for number in range(count):
        if number == cut:
            leaving = watcher.send("unsubscribe", {"event": "trade"})
        ids.append(boss.send("order.balance", {"login": login, "command": "balance", "amount": number + 1.0}))
    if leaving is None:
        leaving = watcher.send("unsubscribe", {"event": "trade"})
    tickets = []
    for number, id_ in enumerate(ids):
        answer = boss.answer(id_)
        scene.judge.check("L-MSG-8", answer.ok, lambda answer=answer: answer.message)  # type: ignore[misc]
        tickets.append(answer.result["order"])
        scene.book.ticket(tickets[-1]) if number == 0 else None
    scene.judge.equal("L-MSG-8", tickets, sorted(tickets), "tickets of calls in the order sent")
    scene.table.succeeds("L-SES-5", watcher, "unsubscribe", {"event": "user"})
    watcher.answer(leaving)
    watcher.settle()
    own = [each for each in watcher.take("trade") if scene.table.concerns("trade", each)]
    told = [each["order"] for each in own]
    scene.judge.equal("L-EVT-6", told, tickets[: len(told)], "trades told before the unsubscribe answer")
    scene.judge.equal("L-EVT-5", len(told), len(set(told)), "trades told, each once")


@suite(Profile.DEMO, weight=0.5)
def handshakes(scene: Scene) -> None:
    """Credentials in the headers: good, wrong, malformed, of another version."""
    good = headers_of(scene.target.credentials)
    dialect = scene.draw(st.sampled_from(["1.00", None, "2"]), "version")
    version = {} if dialect is None else {"VERSION": dialect}
    try:
        _welcomed(scene, {**good, **version}, "2" if dialect == "2" else "1.00")
    except InvalidStatus as refusal:
        scene.judge.check("L-HSK-4", False, f"good credentials are refused: {refusal}")
    lacking = scene.draw(st.sampled_from(sorted(good)), "header left out")
    nobody = Credentials(scene.target.credentials.server, scene.target.logins[98], "Wrong1")
    cases: list[tuple[str, int, dict[str, str]]] = [
        ("L-HSK-2", 400, {**good, "MT-LOGIN": scene.draw(st.sampled_from(["", "x", "-1", "1.5", "99999999999"]))}),
        (
            "L-HSK-2",
            400,
            {name: each for name, each in good.items() if name != lacking},
        ),
        ("L-HSK-3", 426, {**good, "VERSION": scene.draw(st.sampled_from(["3", "0.99", "two"]))}),
    ]
    if scene.once("wrong handshake", times=2):
        cases.append(("L-HSK-1", 401, headers_of(nobody)))
    for law, status, headers in cases:
        _refused(scene, law, status, headers)


def _welcomed(scene: Scene, headers: dict[str, str], dialect: Dialect) -> None:
    """A session of the dialect, connected."""
    with dialled(scene.target.url, headers, scene.target.tls) as socket:
        tamper = scene.target.tamper() if scene.target.tamper else None
        client = Client(socket, scene.judge, dialect, "h", scene.table.transcript, tamper)
        scene.table.succeeds("L-HSK-4", client, "config.groups.get.all")
        error = scene.table.fails("L-HSK-4", client, "nosuch.function")
        scene.judge.equal("L-HSK-4", bool(error.code), dialect == "2", "whether an error has a code")


def _refused(scene: Scene, law: str, status: int, headers: dict[str, str]) -> None:
    judge = scene.judge
    shown = {name: each for name, each in headers.items() if name != "MT-PASSWORD"}
    try:
        with dialled(scene.target.url, headers, scene.target.tls):
            judge.check(law, False, f"a handshake with {shown} was accepted")
            return
    except InvalidStatus as refusal:
        response = refusal.response
    judge.equal(law, response.status_code, status, f"status for {shown}")
    try:
        body: Any = json.loads(response.body or b"")
    except ValueError:
        body = None
    whole = isinstance(body, dict) and body.get("status") == "ERROR" and body.get("code") and body.get("message")
    judge.check(law, whole, f"body for {shown}: {response.body!r}")
    if status == 426:
        judge.check(law, "1.00" in response.headers.get("VERSION", ""), "VERSION does not name what is spoken")


@suite(Profile.FULL, control=True, exclusive=True, weight=0.7)
def lost_connections(scene: Scene) -> None:
    """The MT4 connection breaks and comes back."""
    scene.group()
    login = scene.account(0)
    boss, table = scene.table.boss, scene.table
    dialect: Dialect = scene.draw(st.sampled_from(["0", "2"]), "dialect")
    client = table.dial(dialect)
    version = {"version": "2"} if dialect == "2" else {}
    # the session to be cut has a login of its own, so that the boss stays
    table.succeeds("L-SES-6", client, "subscribe", {"event": "connection"})
    cut = scene.second_manager()
    table.succeeds("L-SES-1", client, "connect", {**data_of(cut), "reconnect_delay": 20, **version})
    scene.judge.equal("L-SES-7", client.take("connection"), [True], "told of connecting")
    for kind in ("user", "trade", "group"):
        table.succeeds("L-SES-5", client, "subscribe", {"event": kind})
    order = scene.book.open(boss, login, {"symbol": "EURUSD", "command": "buy", "volume": 0.5, "price": 1.08})
    missed = scene.draw(st.sets(st.sampled_from(["close", "user", "group", "open"]), min_size=1), "missed")
    boss.result("simulator.fault.down", {"down": True})
    try:
        boss.result("simulator.fault.disconnect", {"login": cut.login})
        lost = client.wait_for(lambda: {"event": "connection", "data": False} in _told(client), 2.0)
        scene.judge.check("L-SES-7", lost, "not told of the loss")
        table.fails("L-SES-7", client, "config.groups.get.all", codes=("no_connection", "not_connected"))
        client.take()
        tickets = _change(scene, missed, login, order.ticket)
    finally:
        boss.call("simulator.fault.down", {"down": False})
    back = client.wait_for(lambda: {"event": "connection", "data": True} in _told(client), 5.0)
    scene.judge.check("L-SES-7", back, "not told of the reconnection")
    due: set[tuple[str, object]] = {("trade", ticket) for ticket in tickets}
    due |= {("user", login)} if missed & {"user", "close"} else set()
    due |= {("group", scene.target.group())} if "group" in missed else set()

    def caught_up() -> bool:
        return due <= {(e["event"], _key_of(e)) for e in client.events}

    scene.judge.check("L-SES-8", client.wait_for(caught_up, 2.0), lambda: f"of {due} only {_told(client)} are told")
    client.take()
    scene.book.balance(boss, login, "balance", 7.0)
    table.leave(client)


def _change(scene: Scene, missed: set[str], login: int, ticket: int) -> list[int]:
    """Changes while a session is cut off; gives the tickets that it must hear of."""
    boss, tickets = scene.table.boss, []
    watching = [each for each in scene.table.clients if each is not boss]
    scene.table.clients = [boss]
    order = scene.book.orders[ticket]
    if "close" in missed:
        scene.book.close(boss, order, float(order.volume), 1.09)
        tickets.append(ticket)
    if "open" in missed:
        data = {"symbol": "EURUSD", "command": "sell", "volume": 0.2, "price": 1.07}
        tickets.append(scene.book.open(boss, login, data).ticket)
    if "user" in missed:
        scene.users.set(boss, login, {"city": "Tallinn"})
    if "group" in missed:
        scene.groups.set(boss, scene.target.group(), {"copies": 3})
    scene.table.clients += watching
    return tickets


def _told(client: Client) -> list[dict[str, Any]]:
    return [{"event": each["event"], "data": each["data"]} for each in client.events]


def _key_of(event: dict[str, Any]) -> Any:
    keys = {"group": "group", "user": "login", "trade": "order"}
    kind = event["event"]
    return event["data"][keys[kind]] if kind in keys else None
