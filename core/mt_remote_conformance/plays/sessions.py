"""Sessions: connecting, subscribing, leaving, handshakes, lost connections."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from mt_remote.client import Credentials
from mt_remote_conformance import strategies as some
from mt_remote_conformance.model.money import EURUSD
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, suite
from mt_remote_conformance.sessions.client import Client, Dialect, Json, data_of, dialled, headers_of
from mt_remote_conformance.sessions.sessions import SECRET
from mt_remote_conformance.targets import Profile

_CONNECTS = ["connect", "disconnect", "read", "subscribe", "connection", "unknown"]
STATE_ERRORS = ("not_connected", "no_connection")
KINDS = ("group", "user", "trade", "tick")


_CONNECTING: list[Pins] = [
    {
        "dialect": [dialect], "steps": [16],
        "step": ["read", "disconnect", "subscribe", "connection", "connect", "connect", "subscribe", "subscribe",
                 "unknown", "disconnect", "read", "connect", "subscribe", "subscribe", "subscribe",
                 "subscribe"],
        "kind": ["user", "user", "user", "trade", "user", "user", "user"],
        "what": ["subscribe", "subscribe", "subscribe", "subscribe", "unsubscribe", "unsubscribe", "subscribe",
                 "unsubscribe"], "call": [("users.get.all", {}), ("trades.get", {})],
    }
    for dialect in ("0", "2")
]  # fmt: skip


@suite(Profile.DEMO, weight=1.5, examples=_CONNECTING)
def connecting(scene: Scene) -> None:
    """Sessions connect, disconnect and call in any order."""
    client = scene.sessions.dial(scene.draw(st.sampled_from(["0", "2"]), "dialect"))
    sessions, judge = scene.sessions, scene.judge
    version = {"version": "2"} if client.dialect == "2" else {}
    for _ in range(scene.draw(st.integers(1, 7), "steps")):
        step = scene.draw(st.sampled_from(_CONNECTS), "step")
        if step == "connect":
            data = {**data_of(scene.target.credentials), "reconnect_delay": 0, **version}
            if client.connected:
                sessions.fails("L-SES-2", client, "connect", data, codes=("already_connected",))
            else:
                sessions.succeeds("L-SES-1", client, "connect", data)
                _told_of_connection(scene, client, up=True)
        elif step == "disconnect":
            if client.connected:
                sessions.succeeds("L-SES-4", client, "disconnect")
                _told_of_connection(scene, client, up=False)
            else:
                sessions.fails("L-SES-4", client, "disconnect", codes=STATE_ERRORS)
        elif step == "unknown":
            sessions.fails("L-SES-10", client, "subscribe", {"event": "weather"}, codes=("invalid_data",))
        elif step == "read":
            _read(scene, client)
        elif step == "subscribe":
            _subscribe(scene, client, scene.draw(st.sampled_from(KINDS), "kind"))
        else:
            _subscribe(scene, client, "connection")
    client.settle()
    judge.equal("L-EVT-2", client.take(), [], "told although nothing happened")


def _told_of_connection(scene: Scene, client: Client, *, up: bool) -> None:
    client.settle()
    due = [up] if "connection" in client.subscribed else []
    scene.judge.equal("L-SES-9", client.take("connection"), due, "told of connection")


def _read(scene: Scene, client: Client) -> None:
    """A call that needs the server."""
    logins = [scene.target.credentials.login]
    name, data = scene.draw(some.reads(logins, [scene.target.group()], ["EURUSD"]), "call")
    if client.connected:
        scene.sessions.succeeds("L-SES-4", client, "config.groups.get.all")
    else:
        scene.sessions.fails("L-SES-3", client, name, data, codes=STATE_ERRORS)


def _subscribe(scene: Scene, client: Client, kind: str) -> None:
    """Subscribes or unsubscribes, rightly or not."""
    sessions = scene.sessions
    name = scene.draw(st.sampled_from(["subscribe", "unsubscribe"]), "what")
    data = {"event": kind}
    if not client.connected and kind != "connection":
        if name == "subscribe":
            sessions.fails("L-SES-3", client, name, data, codes=STATE_ERRORS)
        return
    if name == "subscribe" and kind in client.subscribed:
        sessions.fails("L-SES-5", client, name, data, codes=("already_subscribed",))
    elif name == "unsubscribe" and kind in client.lapsed:
        client.call(name, data)  # a client that was not told that it lapsed may end it still
    elif name == "unsubscribe" and kind not in client.subscribed:
        sessions.fails("L-SES-5", client, name, data, codes=("not_subscribed",))
    else:
        early = name == "subscribe" and not client.connected
        law = "L-SES-6" if early else "L-SES-5"
        sessions.succeeds(law, client, name, data)


@suite(Profile.DEMO, weight=0.5, examples=[{"dialect": ["0"], "wrong": [0]}, {"dialect": ["2"], "wrong": [1]}])
def wrong_credentials(scene: Scene) -> None:
    """Who does not know the password does not get in, and may try again."""
    if not scene.once("wrong credentials", times=2):
        return
    good = scene.target.credentials
    client = scene.sessions.dial(scene.draw(st.sampled_from(["0", "2"]), "dialect"))
    choices: list[Json] = [{"password": "Wrong1"}, {"login": scene.target.logins[99]}]
    wrong = choices[scene.draw(st.integers(0, 1), "wrong")]
    version = {"version": "2"} if client.dialect == "2" else {}
    sessions = scene.sessions
    sessions.fails("L-SES-1", client, "connect", {**data_of(good), **wrong, "reconnect_delay": 0, **version})
    sessions.fails("L-SES-3", client, "config.groups.get.all", codes=STATE_ERRORS)
    sessions.succeeds("L-SES-1", client, "connect", {**data_of(good), "reconnect_delay": 0, **version})
    sessions.succeeds("L-SES-1", client, "config.groups.get.all")


_WATCHING: list[Pins] = [
    {
        "steps": [18], "who": [0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 2, 2, 0, 0, 0, 0, 0],
        "step": ["user", "user", "user", "user", "subscribe", "subscribe", "subscribe", "user", "money", "order",
                 "unsubscribe", "subscribe", "subscribe", "group", "money", "order", "user", "unsubscribe"],
        "kind": [*"stuv", kind, kind, kind, *"xyz", kind, "user", "trade", *"wxyz", kind],
    }
    for kind in ("user", "trade", "group")
]  # fmt: skip


@suite(Profile.DEMO, weight=2, examples=_WATCHING)
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
        client = clients[scene.draw(st.integers(0, 2), "who")]
        kind = scene.draw(st.sampled_from(KINDS[:3]), "kind")
        if step == "subscribe" and kind not in client.subscribed:
            scene.sessions.succeeds("L-SES-5", client, "subscribe", {"event": kind})
            client.settle()
            own = [each for each in client.take(kind) if scene.sessions.concerns(kind, each)]
            scene.judge.equal("L-EVT-9", own, [], f"told of {kind} at once on subscribing")
        elif step == "unsubscribe" and kind in client.subscribed:
            scene.sessions.succeeds("L-SES-5", client, "unsubscribe", {"event": kind})
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
            scene.sessions.succeeds("L-SES-5", client, "unsubscribe", {"event": kind})
    scene.book.balance(scene.sessions.boss, login, "balance", 1.0)
    scene.groups.set(scene.sessions.boss, scene.target.group(), {"copies": 99})
    scene.audit()


@suite(Profile.DEMO, weight=1.5, examples=[{"changes": [6], "unsubscribe after": [3]}])
def unsubscribe_in_a_flood(scene: Scene) -> None:
    """Changes, and an unsubscribe in the middle of them, without waiting for answers."""
    watcher = scene.seat((scene.draw(st.sampled_from(["0", "1.00", "2"]), "dialect"),), kinds=["user", "trade"])[0]
    scene.group()
    login = scene.account(0)
    boss = scene.sessions.boss
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
    scene.sessions.succeeds("L-SES-5", watcher, "unsubscribe", {"event": "user"})
    watcher.answer(leaving)
    watcher.settle()
    own = [each for each in watcher.take("trade") if scene.sessions.concerns("trade", each)]
    told = [each["order"] for each in own]
    scene.judge.equal("L-EVT-6", told, tickets[: len(told)], "trades told before the unsubscribe answer")
    scene.judge.equal("L-EVT-5", len(told), len(set(told)), "trades told, each once")


@suite(Profile.DEMO, weight=0.5, examples=[{"version": [version]} for version in ("1.00", None, "2")])
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
        client = Client(socket, scene.judge, dialect, "h", scene.sessions.transcript, tamper)
        scene.sessions.succeeds("L-HSK-4", client, "config.groups.get.all")
        error = scene.sessions.fails("L-HSK-4", client, "nosuch.function")
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


_LOST: list[Pins] = [
    {"dialect": ["0"], "missed": [{"close", "user", "group", "open"}], "reconnects": [True]},
    {"dialect": ["2"], "missed": [{"close", "user", "group", "open"}], "reconnects": [True]},
    {"dialect": ["0"], "reconnects": [False]}, {"dialect": ["1.00"], "reconnects": [False]},
    {"dialect": ["2"], "reconnects": [False]},
]  # fmt: skip


@suite(Profile.FULL, control=True, exclusive=True, weight=0.7, examples=_LOST)
def lost_connections(scene: Scene) -> None:
    """The MT4 connection breaks, and comes back where that was asked for."""
    scene.group()
    # the session to be cut has a login of its own, so that the boss stays
    cut = scene.second_manager()
    reconnects = scene.draw(st.booleans(), "reconnects")
    dialect: Dialect = scene.draw(st.sampled_from(["0", "2"] if reconnects else ["0", "1.00", "2"]), "dialect")
    client = scene.sessions.dial(dialect, cut)
    if reconnects:
        _restored(scene, client, cut)
    else:
        _given_up(scene, client, cut)


def _connect(scene: Scene, client: Client, credentials: Credentials, reconnect_delay: int) -> None:
    scene.sessions.succeeds("L-SES-6", client, "subscribe", {"event": "connection"})
    if client.dialect != "1.00":
        version = {"version": "2"} if client.dialect == "2" else {}
        data = {**data_of(credentials), "reconnect_delay": reconnect_delay, **version}
        scene.sessions.succeeds("L-SES-1", client, "connect", data)
        _told_of_connection(scene, client, up=True)


def _cut(scene: Scene, client: Client, login: int) -> None:
    """Breaks a session's connection; its client hears of it."""
    scene.sessions.boss.result("simulator.fault.disconnect", {"login": login})
    lost = client.wait_for(lambda: {"event": "connection", "data": False} in _told(client), 2.0)
    scene.judge.check("L-SES-7", lost, "not told of the loss")


def _restored(scene: Scene, client: Client, cut: Credentials) -> None:
    """The gateway reconnects; what was missed is told, and everything goes on as before."""
    boss, sessions, login = scene.sessions.boss, scene.sessions, scene.account(0)
    scene.book.quiet_tick(boss, EURUSD, 1.07, 1.0701)
    _connect(scene, client, cut, reconnect_delay=20)
    for kind in KINDS:
        sessions.succeeds("L-SES-5", client, "subscribe", {"event": kind})
    sessions.succeeds("L-MKT-3", client, "symbol.show", {"symbol": EURUSD.name})
    order = scene.book.open(boss, login, {"symbol": "EURUSD", "command": "buy", "volume": 0.5, "price": 1.08})
    missed = scene.draw(st.sets(st.sampled_from(["close", "user", "group", "open"]), min_size=1), "missed")
    boss.result("simulator.fault.down", {"down": True})
    try:
        _cut(scene, client, cut.login)
        sessions.fails("L-SES-7", client, "config.groups.get.all", codes=("no_connection", "not_connected"))
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
    scene.book.tick(boss, EURUSD, 1.0702, 1.0703)
    shown = client.wait_for(lambda: any(each["event"] == "tick" for each in client.events), scene.target.patience)
    scene.judge.check("L-SES-8", shown, "no tick of a symbol that was shown before the loss")
    client.take()
    scene.book.balance(boss, login, "balance", 7.0)
    sessions.leave(client)


def _given_up(scene: Scene, client: Client, cut: Credentials) -> None:
    """Without reconnection dialect 1.00 is closed; others are as before ``connect`` and may call it again."""
    _connect(scene, client, cut, reconnect_delay=0)
    scene.sessions.succeeds("L-SES-5", client, "subscribe", {"event": "user"})
    _cut(scene, client, cut.login)
    scene.sessions.clients.remove(client)
    if client.dialect == "1.00":
        closed = client.closed(2.0)
        scene.judge.equal("L-SES-12", closed and closed[0], 1011, "close code of a session that lost its connection")
        return
    client.connected = False
    client.subscribed.discard("user")
    client.take()
    sessions, version = scene.sessions, {"version": "2"} if client.dialect == "2" else {}
    sessions.fails("L-SES-12", client, "config.groups.get.all", codes=("not_connected",))
    sessions.succeeds("L-SES-12", client, "connect", {**data_of(cut), "reconnect_delay": 0, **version})
    sessions.succeeds("L-SES-12", client, "subscribe", {"event": "user"})
    client.close()


@suite(Profile.DEMO, weight=0.5, examples=[{"dialect": [dialect]} for dialect in ("0", "2")])
def barriers(scene: Scene) -> None:
    """What follows a call that changes the session waits for it."""
    scene.group()
    login = scene.account(0)
    client = scene.sessions.dial(scene.draw(st.sampled_from(["0", "2"]), "dialect"))
    version = {"version": "2"} if client.dialect == "2" else {}
    calls: list[tuple[str, Json | None, bool]] = [
        ("connect", {**data_of(scene.target.credentials), "reconnect_delay": 0, **version}, True),
        ("users.get", {"logins": [login]}, True), ("subscribe", {"event": "user"}, True),
        ("user.set", {"login": login, "city": "Riga"}, True), ("disconnect", None, True),
        ("users.get", {"logins": [login]}, False),
    ]  # fmt: skip
    slow = scene.control and scene.target.exclusive
    if slow:  # the log-in takes until it is let go, so that what follows has every chance to overtake it
        scene.sessions.boss.result("simulator.faults.set", {"rules": [{"on": "connect", "do": "hang", "times": 1}]})
    try:
        sent = [(name, client.send(name, data), works) for name, data, works in calls]
        for _ in range(3):
            scene.sessions.boss.settle()
    finally:
        if slow:
            scene.sessions.boss.result("simulator.faults.clear")
    for name, id_, works in sent:
        answer = client.answer(id_)
        what = f"{name}, sent at once with the calls before it, is answered: {answer.message or 'OK'}"
        scene.judge.equal("L-SES-11", answer.ok, works, what)
    scene.judge.equal("L-SES-11", [each["city"] for each in client.take("user")], ["Riga"], "cities told of")
    scene.sessions.leave(client)
    scene.users.read(scene.sessions.boss, login)


@suite(Profile.FULL, exclusive=True, weight=0.5, examples=[{}])
def passwords(scene: Scene) -> None:
    """A manager's password is changed, and his account disabled."""
    sessions, boss = scene.sessions, scene.sessions.boss
    who = scene.second_manager()
    fresh = f"{SECRET}N{scene.draw(st.integers(1, 999), 'password')}"

    def enters(password: str) -> bool:
        client = sessions.dial("0")
        try:
            return client.call("connect", {**data_of(who), "password": password, "reconnect_delay": 0}).ok
        finally:
            sessions.leave(client)

    for change in ({"password": ""}, {"city": "Riga"}):
        sessions.succeeds("L-USR-11", boss, "user.set", {"login": who.login, **change})
        scene.judge.check("L-USR-11", enters(who.password), f"the password is another one after {change}")
    sessions.succeeds("L-USR-11", boss, "user.set", {"login": who.login, "password": fresh})
    scene.judge.check("L-USR-11", enters(fresh), "the new password does not count")
    scene.judge.check("L-USR-11", not enters(who.password), "the old password still counts")
    sessions.succeeds("L-SES-13", boss, "user.set", {"login": who.login, "enable": False})
    scene.judge.check("L-SES-13", not enters(fresh), "a disabled account logs in")
    sessions.succeeds("L-SES-13", boss, "user.set", {"login": who.login, "enable": True})
    scene.judge.check("L-SES-13", enters(fresh), "an account that is enabled again does not log in")


def _change(scene: Scene, missed: set[str], login: int, ticket: int) -> list[int]:
    """Changes while a session is cut off; gives the tickets that it must hear of."""
    boss, tickets = scene.sessions.boss, []
    watching = [each for each in scene.sessions.clients if each is not boss]
    scene.sessions.clients = [boss]
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
    scene.sessions.clients += watching
    return tickets


def _told(client: Client) -> list[dict[str, Any]]:
    return [{"event": each["event"], "data": each["data"]} for each in client.events]


def _key_of(event: dict[str, Any]) -> Any:
    keys = {"group": "group", "user": "login", "trade": "order"}
    kind = event["event"]
    return event["data"][keys[kind]] if kind in keys else None
