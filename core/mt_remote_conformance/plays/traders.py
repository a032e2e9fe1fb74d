"""What traders at their terminals may do, and at which prices. They are the simulator's."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from mt_remote_conformance import strategies as some
from mt_remote_conformance.model.money import exact
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, suite
from mt_remote_conformance.sessions.client import Client, Json
from mt_remote_conformance.targets import Profile

OK, PRICE, STOPS, VOLUME, MONEY, REQUOTE, NO_EXPIRATION = 0, 129, 130, 131, 134, 138, 147
POINT = Decimal("0.00001")

_TRADERS: list[Pins] = [
    {"deposit": [deposit], "command": [command], "lots": [lots], "points to the stop": [distance], "which": [which]}
    for command in ("buy", "sell")
    for deposit, lots, distance, which in (
        (20_000, 10, 10, "sl"), (20_000, 500, 10, "tp"), (20_000, 50, 9, "sl"), (20_000, 50, 9, "tp"),
        (20_000, 9, 15, "sl"), (20_000, 510, 15, "sl"), (20_000, 15, 15, "sl"), (500, 50, 15, "sl"),
    )
]  # fmt: skip


@suite(Profile.FULL, control=True, exclusive=True, weight=3, examples=_TRADERS)
def traders(scene: Scene) -> None:
    """What a trader may do, and at which price."""
    judge, boss = scene.judge, scene.sessions.boss
    scene.group(securities={"Forex": {"lot_min": 0.1, "lot_max": 5.0, "lot_step": 0.1, "ie_deviation": 5}})
    deposit = scene.draw(st.integers(500, 20_000), "deposit")
    login = scene.account(0, deposit=float(deposit))
    bid, ask = Decimal("1.10000"), Decimal("1.10010")
    boss.result("tick.add", {"symbol": "EURUSD", "bid": 1.2, "ask": 1.3})
    scene.book.tick(boss, scene.target.instruments["EURUSD"], float(bid), float(ask))
    command = scene.draw(st.sampled_from(["buy", "sell"]), "command")
    side, price = (1, ask) if command == "buy" else (-1, bid)
    closing = bid if side > 0 else ask
    lots = Decimal(scene.draw(st.integers(1, 600), "lots")) / 100
    distance = scene.draw(st.integers(5, 15), "points to the stop")
    stop = scene.draw(st.sampled_from(["sl", "tp"]), "which")
    away = -side if stop == "sl" else side
    data: Json = {"login": login, "symbol": "EURUSD", "command": command, "volume": float(lots)}
    data[stop] = float(closing + away * distance * Decimal("0.00001"))
    heard = scene.trader("open", **data)
    margin = lots * 100_000 * price / 100
    floating = -lots * Decimal("10.0")
    free = deposit - margin + (floating if _counts_floating(scene) else 0)
    if not Decimal("0.1") <= lots <= 5 or lots % Decimal("0.1"):
        judge.equal("L-TRD-1", heard["code"], VOLUME, f"{lots} lots")
    elif distance < 10:
        judge.equal("L-TRD-2", heard["code"], STOPS, f"{stop} {distance} points from the market")
    elif free < -1 or deposit - margin < -1:
        judge.equal("L-TRD-3", heard["code"], MONEY, f"margin {margin} with {deposit}")
    elif deposit - margin + floating > 1:
        for law in ("L-TRD-1", "L-TRD-2", "L-TRD-3"):
            judge.equal(law, heard["code"], OK, f"{lots} lots, {stop} at {distance}, margin {margin} with {deposit}")
        record = boss.result("trade.get", {"order": heard["order"]})
        got = (record["open_price"], record["cmd"], exact(record["volume"]), record["reason"])
        judge.equal("L-TRD-6", got, (float(price), command, lots, "client"), "the order")


def _counts_floating(scene: Scene) -> bool:
    return bool(scene.groups.known[scene.target.group()]["margin_mode"] == 1)


_BARS: list[tuple[str, Json, Json, tuple[int, ...], str]] = [
    ("L-TRD-4", {}, {"enable": False}, (64, 65, 133), "a disabled account"),
    ("L-TRD-4", {}, {"read_only": True}, (133,), "a read-only account"),
    ("L-TRD-4", {"enable": False}, {}, (64, 65, 133), "a disabled group"),
    ("L-TRD-4", {"securities": {"Forex": {"trade": False}}}, {}, (133,), "a security without trading"),
    ("L-TRD-5", {"max_positions": 1}, {}, (148,), "the limit of positions"),
    ("L-TRD-5", {"max_positions": 2}, {}, (148,), "the limit of positions, a pending among them"),
    ("L-TRD-5", {"hedge_prohibited": True}, {}, (149,), "hedging"),
    ("L-TRD-5", {"close_fifo": True}, {}, (150,), "first in, first out"),
    ("L-TRD-8", {"rights": ["trailing", "advisor"]}, {}, (NO_EXPIRATION,), "an expiration"),
    ("L-TRD-9", {"securities": {"Forex": {"trade_rights": ["deny-close-by"]}}}, {}, (133,), "a close-by"),
    ("L-TRD-1", {"securities": {"Forex": {"lot_min": 0.05}}}, {}, (VOLUME,), "closing less than the least lots"),
    ("L-TRD-1", {"securities": {"Forex": {"lot_step": 0.03}}}, {}, (VOLUME,), "closing a part that is off the step"),
]  # fmt: skip


@suite(
    Profile.FULL, control=True, exclusive=True, weight=2, examples=[{"bar": [bar]} for bar in range(len(_BARS))]
)  # fmt: skip
def barred_traders(scene: Scene) -> None:
    """Accounts, groups and securities that may not trade; limits of the group. What is barred works without the bar."""
    law, group, user, codes, what = _BARS[scene.draw(st.integers(0, len(_BARS) - 1), "bar")]
    scene.group()
    login, free = scene.account(0), scene.account(1)
    scene.book.tick(scene.sessions.boss, scene.target.instruments["EURUSD"], 1.1, 1.1001)
    prepared = [_prepared(scene, each, what) for each in (login, free)]
    before = _tries(scene, free, what, prepared[1])
    scene.judge.equal(law, before, OK, f"{what} without the bar: the trader hears")
    if group:
        scene.groups.set(scene.sessions.boss, scene.target.group(), group)
    if user:
        scene.sessions.boss.result("user.set", {"login": login, **user})
    code = _tries(scene, login, what, prepared[0])
    scene.judge.check(law, code in codes, f"{what}: the trader hears {code}, expected one of {codes}")


def _prepared(scene: Scene, login: int, what: str) -> list[int]:
    """Tickets of the orders that a trader has before he tries."""
    order: Json = {"login": login, "symbol": "EURUSD", "volume": 0.1, "command": "buy"}
    orders = [order]
    if what == "first in, first out":
        orders.append(order)
    elif what == "a close-by":
        orders.append({**order, "command": "sell"})
    elif what.endswith("a pending among them"):
        orders.append({**order, "command": "buy_limit", "price": 1.0})
    heard = [scene.trader("open", **each) for each in orders]
    for each in heard:
        scene.judge.equal("L-TRD-6", each["code"], OK, "an order without bars")
    return [each["order"] for each in heard]


def _tries(scene: Scene, login: int, what: str, tickets: list[int]) -> object:
    """What the trader hears; the code of an error where he is not even let in."""
    own: Json = {"login": login, "order": tickets[0]}
    order: Json = {"login": login, "symbol": "EURUSD", "volume": 0.1, "command": "buy"}
    name, data = {
        "first in, first out": ("close", {**own, "order": tickets[-1]}),
        "hedging": ("open", {**order, "command": "sell"}),
        "a close-by": ("close_by", {**own, "order_by": tickets[-1]}),
        "an expiration": ("open", {**order, "command": "buy_limit", "price": 1.0, "expiration": scene.clock() + 7200}),
        "closing less than the least lots": ("close", {**own, "volume": 0.04}),
        "closing a part that is off the step": ("close", {**own, "volume": 0.04}),
    }.get(what, ("open", order))  # fmt: skip
    answer = scene.sessions.boss.call(f"simulator.trader.{name}", data)
    if answer.ok:
        return answer.result["code"]
    return {"account_disabled": 64, "bad_account_info": 65}.get(answer.code, answer.code)


_DEVIATIONS: list[Pins] = [
    {"points off": [off], "deviation": [5], "quick": [quick]} for off in (0, 5, -5, 6, -6) for quick in (False, True)
]


@suite(Profile.FULL, control=True, exclusive=True, examples=_DEVIATIONS)
def deviations(scene: Scene) -> None:
    """Instant execution fills what is within the deviation, and requotes what is not."""
    quick = scene.draw(st.booleans(), "quick")
    scene.group(securities={"Forex": {"ie_deviation": 0, "ie_quick_mode": quick}})
    login = scene.account(0)
    eurusd = scene.target.instruments["EURUSD"]
    scene.book.tick(scene.sessions.boss, eurusd, 1.1, 1.1001)
    off = scene.draw(st.integers(-8, 8), "points off")
    allowed = scene.draw(st.integers(0, 8), "deviation")
    price = float(exact(1.1001) + eurusd.points(off))
    data: Json = {
        "login": login,
        "symbol": "EURUSD",
        "command": "buy",
        "volume": 0.1,
        "price": price,
        "deviation": allowed,
    }
    heard = scene.trader("open", **data)
    what = f"{off} points off, {allowed} allowed, {quick=}"
    if abs(off) > allowed:
        scene.judge.equal("L-TRD-6", heard["code"], REQUOTE, what)
        scene.judge.equal("L-TRD-6", heard["prices"], {"bid": 1.1, "ask": 1.1001}, f"prices offered, {what}")
        return
    scene.judge.equal("L-TRD-6", heard["code"], OK, what)
    record = scene.sessions.boss.result("trade.get", {"order": heard["order"]})
    scene.judge.equal("L-TRD-6", record["open_price"], 1.1001 if quick else price, f"filled, {what}")
    beside = scene.trader("open", **{**data, "price": 1.100105})
    scene.judge.equal("L-TRD-10", beside["code"], PRICE, "a price off the grid: the trader hears")


_PENDING_TRADERS: list[Pins] = [
    {"command": [command], "away": [away], "sl": [sl], "tp": [tp]}
    for command in some.PENDING_COMMANDS
    for away, sl, tp in ((10, 10, 10), (9, 20, 20), (100, 9, 20), (100, 20, 9), (-5, 20, 20))
]


@suite(Profile.FULL, control=True, exclusive=True, weight=0.5, examples=_PENDING_TRADERS)
def pending_traders(scene: Scene) -> None:
    """Pending orders near the market, with stops near their price."""
    scene.group()
    login = scene.account(0)
    bid, ask = Decimal("1.10000"), Decimal("1.10010")
    scene.book.tick(scene.sessions.boss, scene.target.instruments["EURUSD"], float(bid), float(ask))
    command = scene.draw(st.sampled_from(some.PENDING_COMMANDS), "command")
    side = 1 if command.startswith("buy") else -1
    away, sl, tp = (scene.draw(st.integers(least, 25), name) for least, name in ((-10, "away"), (5, "sl"), (5, "tp")))
    market = ask if side > 0 else bid
    price = market + (side if command.endswith("stop") else -side) * away * POINT
    stops = {"sl": float(price - side * sl * POINT), "tp": float(price + side * tp * POINT)}
    order: Json = {
        "login": login,
        "symbol": "EURUSD",
        "command": command,
        "volume": 0.1,
        "price": float(price),
        **stops,
    }
    heard = scene.trader("open", **order)
    due = OK if min(away, sl, tp) >= 10 else STOPS
    scene.judge.equal("L-TRD-7", heard["code"], due, f"{command} {away} points away, sl at {sl}, tp at {tp} from it")
    if due == OK:
        record = scene.sessions.boss.result("trade.get", {"order": heard["order"]})
        got = {name: record[name] for name in ("sl", "tp", "cmd", "open_price", "reason")}
        scene.judge.equal(
            "L-TRD-7", got, {**stops, "cmd": command, "open_price": float(price), "reason": "client"}, "order"
        )


_FLAGS = ("none", "signal", "expert", "gateway", "mobile", "web", "api")


@suite(Profile.FULL, control=True, exclusive=True, weight=0.5, examples=[{"flags": [_FLAGS], "executions": [(1, 0)]}])
def origins(scene: Scene) -> None:
    """Requests of terminals, phones and programs, as every dialect tells of them."""
    judge, boss = scene.judge, scene.sessions.boss
    clients = scene.seat(kinds=["trade"])
    logins = []
    for execution in (0, 1):
        group = scene.group(1 + execution, securities={"Forex": {"execution_mode": execution}})
        logins.append(scene.account(execution, group))
    boss.result("tick.add", {"symbol": "EURUSD", "bid": 1.1, "ask": 1.1001})
    for client in clients:
        client.settle()
        client.take()
    for execution in scene.draw(st.sampled_from([(1,), (0,)]), "executions"):
        dealers = [scene.sessions.sit(dialect, ["trade_request"]) for dialect in ("0", "1.00")] if not execution else []
        for flag in scene.draw(st.lists(st.sampled_from(_FLAGS), min_size=1, max_size=3), "flags"):
            data: Json = {"symbol": "EURUSD", "command": "buy", "volume": 0.2, "flags": flag}
            heard = scene.trader("open", login=logins[execution], **data)
            if execution:
                _told_from(scene, clients, heard["order"], flag)
                continue
            for dealer in dealers:
                dealer.settle()
                for request in dealer.take("trade_request"):
                    told = request["trade"].get("flags")
                    judge.equal("L-DLG-1", told, None if dealer.dialect == "0" else flag, "the request's flags")


def _told_from(scene: Scene, clients: Sequence[Client], ticket: int, flag: str) -> None:
    """An order from somewhere, read and told in every dialect, and what a partial close leaves of it."""
    origin = "client" if flag == "none" else flag
    older = origin if origin in ("client", "signal", "expert", "gateway") else "client"
    sessions, boss = scene.sessions, scene.sessions.boss
    sessions.succeeds("L-ORD-5", boss, "order.close", {"order": ticket, "volume": 0.1, "price": 1.1})
    for client in clients:
        due = origin if client.dialect == "2" else older
        reads = [sessions.succeeds("L-REC-7", client, "trade.get", {"order": each}) for each in (ticket, ticket + 1)]
        client.settle()
        client.wait_for(lambda client=client: len(client.events) > 2, scene.target.patience)  # type: ignore[misc]
        reasons = [record["reason"] for record in (*reads, *client.take("trade"))]
        what = f"reasons of an order from {flag} in dialect {client.dialect}, read and told"
        scene.judge.equal("L-REC-7", reasons, [due] * 5, what)
