"""A lie for each law: what a gateway that breaks it alone would say.

A lie is told between the gateway and the kit: it changes answers (knowing the request) and events. The suites named
with it must find it out, and name that law.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mt_remote_conformance.sessions.client import Json, Tamper

Edit = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Lie:
    """``make`` gives a fresh tamper for each run; ``suites`` find it out."""

    suites: tuple[str, ...]
    make: Callable[[], Tamper]


# Makers of lies


def answers(name: str, change: Callable[[Json, Json], Iterable[Json]]) -> Callable[[], Tamper]:
    """Changes the answers to one function."""

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if request is not None and request.get("name") == name:
            return change(message, request)
        return (message,)

    return lambda: tamper


def succeeds(name: str, result: Any = None) -> Callable[[], Tamper]:
    """Errors of a function become successes."""

    def change(message: Json, request: Json) -> Iterable[Json]:
        if message["status"] == "OK":
            return (message,)
        lie = {"id": message["id"], "status": "OK"}
        return ({**lie, "result": result} if result is not None else lie,)

    return answers(name, change)


def fails(name: str, *, when: Callable[[Json], bool] = lambda request: True) -> Callable[[], Tamper]:
    """Successes of a function become errors."""

    def change(message: Json, request: Json) -> Iterable[Json]:
        if message["status"] == "ERROR" or not when(request):
            return (message,)
        code = {"code": "common_error"} if request["dialect"] == "2" else {}
        return ({"id": message["id"], "status": "ERROR", "message": "no", **code},)

    return answers(name, change)


def result(name: str, edit: Edit, *, when: Callable[[Json], bool] = lambda request: True) -> Callable[[], Tamper]:
    """The result of a function is another."""

    def change(message: Json, request: Json) -> Iterable[Json]:
        if "result" not in message or not when(request):
            return (message,)
        return ({**message, "result": edit(copy.deepcopy(message["result"]))},)

    return answers(name, change)


def field(
    name: str, path: str, edit: Edit, *, when: Callable[[Json], bool] = lambda record: True
) -> Callable[[], Tamper]:
    """A field of the record, or of each record, that a function gives."""

    def change(found: Any) -> Any:
        for record in found if isinstance(found, list) else [found]:
            if when(record):
                inner = record
                *outer, last = path.split(".")
                for step in outer:
                    inner = inner[step]
                inner[last] = edit(inner[last])
        return found

    return result(name, change)


def events(kind: str, change: Callable[[Json], Iterable[Json]]) -> Callable[[], Tamper]:
    """Changes the events of a kind, renumbering what follows."""

    def make() -> Tamper:
        shift: dict[str, int] = {"by": 0}

        def tamper(message: Json, request: Json | None) -> Iterable[Json]:
            if "event" not in message:
                return (message,)
            if message["event_id"] == 0:  # another session
                shift["by"] = 0
            changed = list(change(message)) if message["event"] == kind else [message]
            numbered = [{**each, "event_id": message["event_id"] + shift["by"] + n} for n, each in enumerate(changed)]
            shift["by"] += len(changed) - 1
            return numbered

        return tamper

    return make


def event_field(kind: str, name: str, edit: Edit, *, when: Edit = lambda data: True) -> Callable[[], Tamper]:
    """A field of the events of a kind."""

    def change(message: Json) -> Iterable[Json]:
        data = message["data"]
        return ({**message, "data": {**data, name: edit(data[name])}} if when(data) else message,)

    return events(kind, change)


def everywhere(*makers: Callable[[], Tamper]) -> Callable[[], Tamper]:
    """Several lies that agree with each other."""

    def make() -> Tamper:
        tampers = [maker() for maker in makers]

        def tamper(message: Json, request: Json | None) -> Iterable[Json]:
            messages: list[Json] = [message]
            for each in tampers:
                messages = [made for one in messages for made in each(one, request)]
            return messages

        return tamper

    return make


def trade(path: str, edit: Edit, *, when: Callable[[Json], bool] = lambda record: True) -> Callable[[], Tamper]:
    """A field of every trade record, wherever it is told."""
    reads = ("trade.get", "trades.get", "trades.get.by_login", "trades.history")
    return everywhere(
        *[field(name, path, edit, when=when) for name in reads], event_field("trade", path, edit, when=when)
    )


def closed(record: Json) -> bool:
    return bool(record["close_time"])


def commented(*parts: str) -> Callable[[Json], bool]:
    return lambda record: any(part in record["comment"] for part in parts)


def later(edit: Edit = lambda data: data) -> Callable[[], Tamper]:
    """Trade events of an ended subscription go on: the last one comes again after the unsubscribe answer."""

    def make() -> Tamper:
        last: dict[str, Json] = {}

        def tamper(message: Json, request: Json | None) -> Iterable[Json]:
            if "event" in message:
                last[message["event"]] = message
                last["number"] = message
                return (message,)
            leaves = request is not None and request["name"] == "unsubscribe" and request["data"]["event"] == "trade"
            if leaves and "trade" in last:
                again = {**last["trade"], "event_id": last["number"]["event_id"] + 1}
                return (message, again)
            return (message,)

        return tamper

    return make


def uninvited() -> Tamper:
    """An event of a kind that nobody subscribed to."""

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if request is not None and request["name"] == "config.groups.get.all":
            return (message, {"event": "connection", "event_id": 0, "data": True})
        return (message,)

    return tamper


def swapped() -> Tamper:
    """Two trade events in one burst change places."""
    held: list[Json] = []

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if message.get("event") == "trade" and not held:
            held.append(message)
            return ()
        if not held:
            return (message,)
        first = held.pop()
        if message.get("event") == "trade":
            return ({**message, "event_id": first["event_id"]}, {**first, "event_id": message["event_id"]})
        return (first, message)

    return tamper


def at_once() -> Tamper:
    """Subscribing is followed by an event about what was before."""

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if "event" in message:
            numbers["event"] = message["event_id"] + 1
            return (message,)
        if request is not None and request["name"] == "users.get" and message.get("result"):
            known["user"] = message["result"][0]
        if request is not None and request["name"] == "subscribe" and request["data"]["event"] == "user" and known:
            return (message, {"event": "user", "event_id": numbers["event"], "data": known["user"]})
        return (message,)

    numbers, known = {"event": 0}, dict[str, Json]()
    return tamper


def leaking() -> Tamper:
    """Errors repeat the whole request."""

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if request is not None and message.get("status") == "ERROR":
            return ({**message, "message": f"{message['message']}: {request}"},)
        return (message,)

    return tamper


def renamed_id() -> Tamper:
    """Ids come back as texts."""

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        return ({**message, "id": str(message["id"])},) if "id" in message else (message,)

    return tamper


def swapped_amounts(history: list[Json]) -> list[Json]:
    """Amounts by other tickets."""
    amounts = [record["profit"] for record in history][::-1]
    return [{**record, "profit": amount} for record, amount in zip(history, amounts, strict=True)]


def any_answer(change: Callable[[Json, Json], Json]) -> Callable[[], Tamper]:
    """Changes any answer."""

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        return (message,) if request is None else (change(message, request),)

    return lambda: tamper


def any_error(**members: Any) -> Callable[[], Tamper]:
    """Errors have other members."""
    return any_answer(lambda message, _: {**message, **members} if message["status"] == "ERROR" else message)


def any_success(**members: Any) -> Callable[[], Tamper]:
    """Successes have other members."""
    return any_answer(lambda message, _: {**message, **members} if message["status"] == "OK" else message)


def plus(number: float) -> Edit:
    return lambda value: round(value + number, 8)


def is_(**fields: Any) -> Callable[[Json], bool]:
    """Whether a record, or a request's data, has these values."""
    return lambda record: all(record.get("data", record).get(name) == value for name, value in fields.items())


def of_group(name: str) -> Callable[[Json], bool]:
    return lambda record: bool(record["group"] == name)


EURUSD = is_(symbol="EURUSD")
OPEN = is_(close_time=0)
SYMBOLS = "config.symbols.get.all"


def position(record: Json) -> bool:
    return record["cmd"] in ("buy", "sell") and not record["close_time"]


def heard(code: int, *, only: int | None = None, name: str = "simulator.trader.open") -> Callable[[], Tamper]:
    """What traders hear is another code."""
    return result(name, lambda h: {**h, "code": code} if only in (None, h["code"]) else h)


def _as_given(record: Json) -> bool:
    """Whether a comment is the one that the order was opened with."""
    return not record["close_time"] and "#" not in record["comment"] and "partial" not in record["comment"]


def _sold(record: Json) -> bool:
    return closed(record) and record["cmd"] in ("buy", "sell") and bool(record["volume"])


def _without_ours(groups: list[Json]) -> list[Json]:
    return [group for group in groups if group["group"] != "kit1"]


# Lies of one law


def _anything_goes(message: Json, request: Json | None) -> Iterable[Json]:
    """What is no request is answered with success."""
    if request is None and message.get("status") == "ERROR":
        return ({"id": message["id"], "status": "OK"},)
    return (message,)


def _internal(message: Json, request: Json) -> Json:
    """Errors are bugs."""
    bug = message["status"] == "ERROR" and request["dialect"] == "2"
    return {**message, "code": "internal_error"} if bug else message


def _half_done() -> Tamper:
    """A refused set has changed something."""
    state = {"city": ""}

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        name = request["name"] if request is not None else ""
        if name == "user.set" and message["status"] == "ERROR":
            state["city"] = "Nowhere"
        if name == "users.get" and "result" in message and state["city"]:
            return ({**message, "result": [{**user, **state} for user in message["result"]]},)
        return (message,)

    return tamper


def _counting(name: str) -> Tamper:
    """Every repetition has a ticket of its own."""
    count = [0]

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if request is None or request["name"] != name or "key" not in request or "result" not in message:
            return (message,)
        count[0] += 1
        return ({**message, "result": {"order": message["result"]["order"] + count[0]}},)

    return tamper


def _before_connect(message: Json, request: Json | None) -> Iterable[Json]:
    """Reads work before connect."""
    refused = (
        request is not None and message["status"] == "ERROR" and message.get("code", "not_connected") == "not_connected"
    )
    if refused and request is not None and request["name"] in ("users.get.all", "config.groups.get.all", "trades.get"):
        return ({"id": message["id"], "status": "OK", "result": []},)
    return (message,)


def _forgetful() -> Tamper:
    """After a reconnection nothing of what was missed is told."""
    lost = [False]

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if message.get("event") == "connection":
            lost[0] = lost[0] or not message["data"]
        elif "event" in message and lost[0]:
            return ()
        return (message,)

    return tamper


def _drifting(namespace: str, member: str, key: str) -> Callable[[], Tamper]:
    """A field changes with a set of other fields of its record, whoever sets them and whoever reads it."""
    drifted = set[str]()

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        record = request["data"].get(key) if request is not None and isinstance(request.get("data"), dict) else None
        if request is None or not isinstance(record, str):
            return (message,)
        if message["status"] == "OK" and request["name"] in (f"{namespace}.set", f"{namespace}.add"):
            if request["name"].endswith(".set") and member not in request["data"]:
                drifted.add(record)
            else:
                drifted.discard(record)
        if request["name"] != f"{namespace}.get" or "result" not in message or record not in drifted:
            return (message,)
        found = message["result"]
        return ({**message, "result": {**found, member: found[member] + 1}},)

    return lambda: tamper


def _fresh_only(namespace: str, member: str, key: str, value: Any) -> Callable[[], Tamper]:
    """A record reads, until that is set, as if a value had been given with its addition that nobody gave."""
    fresh = set[str]()

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        record = request["data"].get(key) if request is not None and isinstance(request.get("data"), dict) else None
        if request is None or not isinstance(record, str) or message["status"] == "ERROR":
            return (message,)
        if request["name"] in (f"{namespace}.add", f"{namespace}.set"):
            if member in request["data"]:
                fresh.discard(record)
            elif request["name"].endswith(".add"):
                fresh.add(record)
        if request["name"] != f"{namespace}.get" or record not in fresh:
            return (message,)
        return ({**message, "result": {**message["result"], member: value}},)

    return lambda: tamper


def _nothing_is_fine(message: Json, request: Json | None) -> Iterable[Json]:
    """A security that is not there can be set."""
    if request is not None and "Nothing" in str(request) and message["status"] == "ERROR":
        return ({"id": message["id"], "status": "OK"},)
    return (message,)


def _unmodified() -> Callable[[], Tamper]:
    """A modification is answered and not carried out."""
    before: dict[int, str] = {}

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if request is None or request["name"] != "trade.get" or "result" not in message:
            return (message,)
        record = message["result"]
        first = before.setdefault(record["order"], record["comment"])
        if record["close_time"] or "#" in record["comment"]:
            return (message,)
        return ({**message, "result": {**record, "comment": first}},)

    return lambda: tamper


def _once_closed() -> Tamper:
    """A cent is lost with the first close."""
    state = [0.0]

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        record = message.get("result") if request is not None and request["name"] == "trade.get" else None
        if record and record["close_time"] and record["cmd"] in ("buy", "sell"):
            state[0] = 0.01
        if request is not None and request["name"] == "users.get" and "result" in message:
            users = [{**user, "balance": user["balance"] - state[0]} for user in message["result"]]
            return ({**message, "result": users},)
        return (message,)

    return tamper


def _still_pending() -> Tamper:
    """A pending that was activated by a price reads as pending."""
    pendings: dict[int, str] = {}

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        if request is None or request["name"] != "trade.get" or "result" not in message:
            return (message,)
        record = message["result"]
        if "_" in record["cmd"]:
            pendings[record["order"]] = record["cmd"]
        command = pendings.get(record["order"], record["cmd"])
        return ({**message, "result": {**record, "cmd": command}},)

    return tamper


def _gone_at_a_tick() -> Tamper:
    """At the first price after an order is opened every position reads as closed."""
    seen: dict[str, object] = {}

    def tamper(message: Json, request: Json | None) -> Iterable[Json]:
        name = request["name"] if request is not None else ""
        if name == "ticks.get":
            symbol = str(request and request["data"])
            moved = symbol in seen and seen[symbol] != message.get("result")
            seen["moved"] = seen.get("moved") or (moved and "order" in seen)
            seen[symbol] = message.get("result")
        if name != "trade.get" or "result" not in message:
            return (message,)
        record = message["result"]
        if record["cmd"] in ("buy", "sell"):
            seen["order"] = record
        if not seen.get("moved"):
            return (message,)
        return ({**message, "result": {**record, "close_time": record["close_time"] or record["open_time"]}},)

    return tamper


def _permissive(message: Json, request: Json | None) -> Iterable[Json]:
    """What is refused for want of rights is answered as done."""
    silent = ("set", "del", "modify", "close", "close_all", "activate", "cancel", "subscribe")
    if request is None or request["name"].rpartition(".")[2] not in silent:
        return (message,)
    refused = message.get("code") == "not_enough_rights" or "ights" in str(message.get("message"))
    if request is not None and message.get("status") == "ERROR" and refused:
        return ({"id": message["id"], "status": "OK"},)
    return (message,)


def _second_time(name: str) -> Callable[[], Tamper]:
    """In each session a function fails from its second success on."""

    def make() -> Tamper:
        worked = [0]

        def change(message: Json, request: Json) -> Iterable[Json]:
            worked[0] += message["status"] == "OK"
            if worked[0] < 2 or message["status"] == "ERROR":
                return (message,)
            return ({"id": message["id"], "status": "ERROR", "message": "no", **_coded(request)},)

        return answers(name, change)()

    return make


def _coded(request: Json) -> Json:
    return {"code": "common_error"} if request["dialect"] == "2" else {}


def _once(name: str, lie: Callable[[], Tamper]) -> Callable[[], Tamper]:
    """A lie that is told, in all sessions, once a function has succeeded in any."""
    seen = [False]

    def make() -> Tamper:
        lying = lie()

        def tamper(message: Json, request: Json | None) -> Iterable[Json]:
            if request is not None and request["name"] == name and message["status"] == "OK":
                seen[0] = True
            return lying(message, request) if seen[0] else (message,)

        return tamper

    return make


def excused(name: str, why: Callable[[Json, Json], object], result: Any = None) -> Callable[[], Tamper]:
    """Some errors of a function, chosen by message and request, become successes."""

    def change(message: Json, request: Json) -> Iterable[Json]:
        if message["status"] == "OK" or not why(message, request):
            return (message,)
        lie = {"id": message["id"], "status": "OK"}
        return ({**lie, "result": result} if result is not None else lie,)

    return answers(name, change)


def paged(name: str, change: Callable[[Json], Json], *, field: str = "limit") -> Callable[[], Tamper]:
    """Answers to calls that have a page's or filter's field are others."""
    return answers(name, lambda message, request: (change(message) if field in request.get("data", {}) else message,))


def _without_next(message: Json) -> Json:
    return {name: value for name, value in message.items() if name != "next"}


def _backwards(message: Json) -> Json:
    return {**message, "result": message["result"][::-1]} if "result" in message else message


def _headless(message: Json) -> Json:
    return {**message, "result": message["result"][1:]} if "result" in message else message


LIES: dict[str, Lie] = {
    "L-MSG-1": Lie(("ids", "reading"), lambda: renamed_id()),
    "L-MSG-2": Lie(("reading", "groups"), any_success(result=None)),
    "L-MSG-3": Lie(("reading",), any_error(message="")),
    "L-MSG-4": Lie(("no-requests",), lambda: _anything_goes),
    "L-MSG-5": Lie(("no-requests",), any_error(message="Something is unknown")),
    "L-MSG-6": Lie(("bad-data",), any_error(message="Something is wrong")),
    "L-MSG-7": Lie(("half-bad-data",), lambda: _half_done()),
    "L-MSG-8": Lie(("pipelined",), result("trades.history", swapped_amounts)),
    "L-MSG-10": Lie(("bad-data",), any_answer(_internal)),
    "L-MSG-11": Lie(("repeated-calls",), lambda: _counting("order.balance")),
    "L-MSG-13": Lie(("slow-calls",), any_answer(lambda message, _: (
        {**message, "code": "common_error"} if message.get("code") == "timeout" else message))),
    "L-SES-1": Lie(("wrong-credentials",), succeeds("connect")),
    "L-SES-2": Lie(("connecting",), succeeds("connect")),
    "L-SES-3": Lie(("connecting",), lambda: _before_connect),
    "L-SES-4": Lie(("connecting",), succeeds("disconnect")),
    "L-SES-5": Lie(("connecting",), fails("unsubscribe")),
    "L-SES-6": Lie(("lost-connections",), fails("subscribe", when=is_(event="connection"))),
    "L-SES-7": Lie(("lost-connections",), events("connection", lambda m: (m,) if m["data"] else ())),
    "L-SES-8": Lie(("lost-connections",), lambda: _forgetful()),
    "L-SES-9": Lie(("connecting",), events("connection", lambda m: (m,) if m["data"] else ())),
    "L-SES-10": Lie(("connecting",), excused("subscribe", lambda _, request: request["data"]["event"] == "weather")),
    "L-SES-11": Lie(("barriers",), fails("users.get", when=lambda request: request["dialect"] == "0")),
    "L-SES-12": Lie(("lost-connections",), _second_time("connect")),
    "L-SES-13": Lie(("passwords",), excused("connect", lambda message, _: "isabled" in message["message"])),
    "L-REC-1": Lie(("reading",), field("users.get.all", "leverage", str)),
    "L-REC-2": Lie(("watching",), event_field("user", "leverage", str)),
    "L-REC-3": Lie(("users", "wrong-credentials"), lambda: leaking()),
    "L-REC-4": Lie(("reading",), field("config.group.get", "copies", plus(1))),
    "L-REC-5": Lie(("moments",), everywhere(
        field("users.get", "reg_date", plus(5)), event_field("user", "reg_date", plus(5)))),
    "L-REC-6": Lie(("external-commands",), result("external.command", lambda text: f"{text}=")),
    "L-REC-7": Lie(("origins",), trade("reason", lambda reason: "client" if reason == "expert" else reason)),
    "L-EVT-1": Lie(("watching",), lambda: lambda message, request: (
        {**message, "event_id": message["event_id"] + 1} if "event" in message else message,)),
    "L-EVT-2": Lie(("watching",), lambda: uninvited()),
    "L-EVT-3": Lie(("watching", "unsubscribe-in-a-flood"), later()),
    "L-EVT-4": Lie(("watching",), events("group", lambda message: ())),
    "L-EVT-5": Lie(("groups",), events("group", lambda message: (message, message))),
    "L-EVT-6": Lie(("pipelined",), lambda: swapped()),
    "L-EVT-7": Lie(("groups",), event_field("group", "copies", plus(1))),
    "L-EVT-8": Lie(("ticks",), event_field("tick", "symbol", lambda symbol: "GER30")),
    "L-EVT-9": Lie(("watching",), lambda: at_once()),
    "L-CFG-1": Lie(("groups",), _drifting("config.group", "timeout_seconds", "group")),
    "L-CFG-2": Lie(("groups",), field("config.group.get", "company", lambda text: text[:3], when=is_(group="kit1"))),
    "L-CFG-3": Lie(("common-configuration",), fails("config.common.set", when=lambda r: "owner" in r.get("data", {}))),
    "L-CFG-4": Lie(("groups",), succeeds("config.group.add")),
    "L-CFG-5": Lie(("groups",), succeeds("config.group.del")),
    "L-CFG-6": Lie(("groups",), result("config.groups.get.all", _without_ours)),
    "L-CFG-7": Lie(("groups",), _fresh_only("config.group", "copies", "group", 1)),
    "L-CFG-8": Lie(("users",), succeeds("config.group.del")),
    "L-CFG-9": Lie(("managers",), succeeds("config.manager.del")),
    "L-CFG-10": Lie(("managers",), result("config.manager.get", lambda record: {**record, "securities": {}})),
    "L-CFG-11": Lie(("groups",), lambda: _nothing_is_fine),
    "L-USR-1": Lie(("users",), result("user.add", lambda found: {"login": found["login"] + 1})),
    "L-USR-2": Lie(("users",), succeeds("user.add", {"login": 7_700_000})),
    "L-USR-3": Lie(("users",), field("users.get", "email", lambda text: text[:2])),
    "L-USR-4": Lie(("users", "reading"), result("users.get", lambda found: found[::-1])),
    "L-USR-5": Lie(("users",), result("users.get.all", lambda found: [*found, found[-1]])),
    "L-USR-6": Lie(("users", "deleted-users-leave-nothing"), succeeds("users.del")),
    "L-USR-7": Lie(("users",), result("users.get", lambda found: [{**u, "reg_date": 0} for u in found])),
    "L-USR-8": Lie(("users",), fails("user.set", when=lambda r: "balance" in r["data"])),
    "L-USR-9": Lie(("users",), succeeds("user.set")),
    "L-USR-10": Lie(("users",), excused("user.set", lambda _, request: "group" in request["data"])),
    "L-USR-11": Lie(("passwords",), succeeds("connect")),
    "L-MKT-1": Lie(("ticks",), field("ticks.get", "bid", plus(0.00001))),
    "L-MKT-2": Lie(("ticks",), result("ticks.get", lambda found: [])),
    "L-MKT-3": Lie(("ticks",), events("tick", lambda message: (message, message))),
    "L-MKT-4": Lie(("ticks",), succeeds("symbol.show")),
    "L-ORD-1": Lie(("order-lives",), trade("comment", lambda text: text[:5], when=_as_given)),
    "L-ORD-2": Lie(("order-lives",), result("trades.get.by_login", lambda found: found[::-1])),
    "L-ORD-3": Lie(("order-lives",), result("trades.history", lambda found: found[:-1])),
    "L-ORD-4": Lie(("order-lives",), _unmodified()),
    "L-ORD-5": Lie(("order-lives",), trade("comment", lambda text: "", when=commented("to #"))),
    "L-ORD-6": Lie(("order-lives",), trade("comment", lambda text: "", when=commented("close hedge"))),
    "L-ORD-7": Lie(("close-all",), trade("comment", lambda text: "", when=commented("close hedge"))),
    "L-ORD-8": Lie(("pendings",), trade("comment", lambda text: "", when=commented("cancelled"))),
    "L-ORD-9": Lie(("pendings",), fails("order.activate")),
    "L-ORD-10": Lie(("wrong-orders",), succeeds("order.close")),
    "L-ORD-11": Lie(("order-lives",), result("order.open", lambda found: {"order": found["order"] + 1})),
    "L-MON-1": Lie(("order-lives",), trade("profit", plus(0.01), when=_sold)),
    "L-MON-2": Lie(("floating-profit",), trade("profit", plus(0.01), when=position)),
    "L-MON-3": Lie(("order-lives",), trade("commission", lambda value: value * 2, when=OPEN)),
    "L-MON-4": Lie(("balances",), field("users.get", "credit", plus(0.01), when=lambda user: user["balance"] != 0)),
    "L-MON-5": Lie(("order-lives",), lambda: _once_closed()),
    "L-MON-6": Lie(("order-lives",), trade("commission", plus(0.01), when=commented("from #"))),
    "L-MON-7": Lie(("order-lives",), trade("margin_rate", plus(0.1), when=position)),
    "L-MON-8": Lie(("agents",), field("trade.get", "commission_agent", plus(0.01), when=closed)),
    "L-TRG-1": Lie(("at-the-level", "triggers"), trade("close_price", plus(0.1), when=commented("[sl]"))),
    "L-TRG-2": Lie(("at-the-level", "triggers"), trade("close_price", plus(0.1), when=commented("[tp]"))),
    "L-TRG-3": Lie(("at-the-level", "triggers"), lambda: _still_pending()),
    "L-TRG-4": Lie(("at-the-level", "triggers"), trade("comment", lambda text: text[:-1], when=commented("[sl]"))),
    "L-TRG-5": Lie(("stop-outs",), trade("close_price", plus(0.1), when=commented("so: "))),
    "L-TRG-6": Lie(("stop-outs",), trade("comment", lambda text: text[:-1], when=commented("so: "))),
    "L-TRG-7": Lie(("stop-outs",), lambda: _gone_at_a_tick()),
    "L-TRG-8": Lie(("poor-pendings",), trade("comment", lambda text: "", when=commented("no money"))),
    "L-TIM-1": Lie(("expirations",), trade("profit", plus(1), when=lambda r: closed(r) and r["cmd"] == "buy_limit")),
    "L-TIM-2": Lie(("nights",), trade("storage", plus(1), when=lambda record: record["storage"] != 0)),
    "L-TIM-3": Lie(("nights",), field("users.get", "prev_day_equity", plus(1), when=is_(prev_day_equity=1234.5))),
    "L-TIM-4": Lie(("nights",), field("users.get", "prev_month_equity", plus(1), when=is_(prev_month_equity=1234.5))),
    "L-RGT-1": Lie(("rights",), lambda: _permissive),
    "L-RGT-2": Lie(("rights",), fails("user.set")),
    "L-RGT-3": Lie(("masks",), lambda: _permissive),
    "L-RGT-4": Lie(("masks",), event_field("user", "login", lambda login: 7_700_001)),
    "L-RGT-5": Lie(("details",), field("users.get", "phone", lambda _: "123")),
    "L-DLG-1": Lie(("dealing",), event_field("trade_request", "status", lambda status: "request")),
    "L-DLG-2": Lie(("dealing",), field("trades.get", "open_price", plus(0.00001))),
    "L-DLG-3": Lie(("dealing",), heard(0, only=138, name="simulator.trader.request")),
    "L-DLG-4": Lie(("dealing",), heard(0, only=133, name="simulator.trader.request")),
    "L-DLG-5": Lie(("dealing",), fails("request.reset")),
    "L-DLG-6": Lie(("dealing",), succeeds("request.confirm")),
    "L-DLG-7": Lie(("dealing",), fails("unsubscribe", when=is_(event="trade_request"))),
    "L-DLG-8": Lie(("unanswered",), heard(0, name="simulator.trader.request")),
    "L-DLG-9": Lie(("limited-dealers",), events("trade_request", lambda message: ())),
    "L-DLG-10": Lie(("dealing",), _once("request.confirm", field("ticks.get", "bid", plus(0.00001)))),
    "L-DLG-11": Lie(("dealing",), heard(0, only=139, name="simulator.trader.close")),
    "L-TRD-1": Lie(("traders",), heard(0, only=131)),
    "L-TRD-2": Lie(("traders",), heard(0, only=130)),
    "L-TRD-3": Lie(("traders",), heard(0, only=134)),
    "L-TRD-4": Lie(("barred-traders",), heard(0)),
    "L-TRD-5": Lie(("barred-traders",), heard(0, only=148)),
    "L-TRD-6": Lie(("deviations",), heard(0, only=138)),
    "L-TRD-7": Lie(("pending-traders",), heard(0, only=130)),
    "L-TRD-8": Lie(("barred-traders",), heard(0, only=147)),
    "L-TRD-9": Lie(("barred-traders",), heard(0, only=133, name="simulator.trader.close_by")),
    "L-TRD-10": Lie(("deviations",), heard(0, only=129)),
    "L-PAG-1": Lie(("pages",), paged("trades.get", _without_next)),
    "L-PAG-2": Lie(("pages",), paged("users.get.all", _backwards)),
    "L-PAG-3": Lie(("pages-in-motion",), paged("users.get.all", _headless, field="after")),
    "L-PAG-4": Lie(("pages",), paged("users.get.all", _headless, field="city")),
    "L-PAG-5": Lie(("pages",), paged("users.get", _backwards)),
    "L-TAB-1": Lie(("holidays-table",), result("config.holidays.get.all", lambda rows: rows[:-1])),
    "L-TAB-2": Lie(("symbols-table",), _once("config.symbol.set", field(SYMBOLS, "spread", plus(1)))),
    "L-TAB-3": Lie(("symbols-table",), _once("config.symbol.del", result(SYMBOLS, lambda rows: [*rows, rows[-1]]))),
    "L-TAB-4": Lie(("symbols-table",), _once("config.symbol.move", result(SYMBOLS, lambda rows: rows[::-1]))),
    "L-TAB-5": Lie(("holidays-table",), succeeds("config.holiday.del")),
    "L-TAB-6": Lie(("symbols-table",), succeeds("config.symbol.del")),
    "L-TAB-7": Lie(("symbols-table",), succeeds("config.symbol.add")),
    "L-PAG-6": Lie(("pages-of-old",), excused("users.get.all", lambda _, request: request["dialect"] != "2", [])),
}  # fmt: skip
"""What makes each law fail. The handshake's refusals and close codes (L-HSK-*, L-MSG-9) are no messages: gateways of
their own in test_laws_can_fail.py break them."""
