"""Dealers and the traders who ask them. The traders are the simulator's."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from mt_remote.conformance.money import GBPUSD, Instrument, exact
from mt_remote.conformance.scene import Scene
from mt_remote.conformance.suites import suite
from mt_remote.conformance.targets import Profile
from mt_remote.conformance.wire import Client, Dialect, Json


class Desk:
    """Two dealers, one trader in a group that they serve."""

    def __init__(self, scene: Scene, execution: int = 0) -> None:
        self.scene = scene
        self.instrument: Instrument = GBPUSD
        scene.group(timeout_seconds=60, securities={"Forex": {"execution_mode": execution}})
        self.login = scene.account(0)
        boss = scene.table.boss
        scene.book.tick(boss, GBPUSD, 1.26748, 1.26753)
        boss.result("tick.add", {"symbol": "GBPUSD", "bid": 1.26747, "ask": 1.26752})
        boss.result("tick.add", {"symbol": "GBPUSD", "bid": 1.26748, "ask": 1.26753})
        pairs: list[tuple[Dialect, Dialect]] = [("0", "1.00"), ("1.00", "2"), ("2", "0")]
        dialects = scene.draw(st.sampled_from(pairs), "dialects")
        self.dealers = [scene.table.sit(dialect, ["trade_request"]) for dialect in dialects]
        self.requests: dict[int, Client] = {}

    def ask(self, **more: object) -> Json:
        """The trader asks; notes who is offered it."""
        data: Json = {"login": self.login, "symbol": self.instrument.name, "command": "buy", "volume": 0.1, **more}
        return self.scene.trader("open", **data)

    def heard(self, request_id: int) -> Json:
        """What the trader knows of his request."""
        return self.scene.trader("request", login=self.login, request_id=request_id)

    def offered(self, request_id: int, law: str = "L-DLG-1") -> Client:
        """Who holds a request: one dealer alone."""
        judge = self.scene.judge
        holding = []
        for dealer in self.dealers:
            dealer.settle()
        if not any(dealer.events for dealer in self.dealers):
            for dealer in self.dealers:
                dealer.wait_for(lambda: any(each.events for each in self.dealers), self.scene.target.patience)
        for dealer in self.dealers:
            for request in dealer.take("trade_request"):
                judge.equal(law, (request["id"], request["status"]), (request_id, "locked"), "the request offered")
                judge.equal(law, request["login"], self.login, "who asks")
                holding.append(dealer)
        judge.equal(law, len(holding), 1, f"dealers to whom request {request_id} is offered")
        return holding[0]


@suite(Profile.FULL, control=True, exclusive=True, weight=2.5)
def dealing(scene: Scene) -> None:
    """Requests are confirmed, requoted, rejected, given back, left behind."""
    desk = Desk(scene)
    boss, table, judge = scene.table.boss, scene.table, scene.judge
    for _ in range(scene.draw(st.integers(1, 3), "requests")):
        command = scene.draw(st.sampled_from(["buy", "sell"]), "command")
        lots = scene.draw(st.integers(1, 50), "lots") / 100
        sent = desk.ask(command=command, volume=lots)
        id_ = int(sent["request_id"])
        dealer = desk.offered(id_)
        other = next(each for each in desk.dealers if each is not dealer)
        bid = scene.draw(st.integers(126_000, 127_000), "bid") / 100_000
        ask = round(bid + 0.0001, 5)
        pair: Json = {"request_id": id_, "bid": bid, "ask": ask}
        table.fails("L-DLG-6", other, "request.confirm", {**pair, "mode": "normal"})
        if scene.draw(st.booleans(), "give it back first"):
            table.succeeds("L-DLG-5", dealer, "request.reset", {"request_id": id_})
            dealer, other = desk.offered(id_, "L-DLG-5"), dealer
            judge.check("L-DLG-5", dealer is not other, "the same dealer is offered it again")
        end = scene.draw(st.sampled_from(["confirm", "requote", "reject"]), "answer")
        before = [each["order"] for each in boss.result("trades.get")]
        data = pair if end == "requote" else {**pair, "mode": "normal"} if end == "confirm" else {"request_id": id_}
        law = {"confirm": "L-DLG-2", "requote": "L-DLG-3", "reject": "L-DLG-4"}[end]
        table.succeeds(law, dealer, f"request.{end}", data)
        heard = desk.heard(id_)
        opened = [each for each in boss.result("trades.get") if each["order"] not in before]
        if end == "confirm":
            judge.equal(law, (heard["code"], len(opened)), (0, 1), "what the trader hears, and orders opened")
            _filled(scene, opened[0], command, lots, bid, ask)
        else:
            codes = {"requote": (138,), "reject": (133, 136)}[end]
            judge.check(law, heard["code"] in codes, f"the trader hears {heard}")
            judge.equal(law, opened, [], f"orders opened after a {end}")
        if end == "requote":
            judge.equal(law, heard["prices"], {"bid": bid, "ask": ask}, "prices offered")
        table.fails("L-DLG-6", dealer, "request.reject", {"request_id": id_})
    _left(scene, desk)


def _filled(scene: Scene, record: Json, command: str, lots: float, bid: float, ask: float) -> None:
    price = ask if command == "buy" else bid
    got = (record["cmd"], record["volume"], record["open_price"], record["reason"])
    scene.judge.equal("L-DLG-2", got, (command, lots, price, "client"), "the order that was opened")


def _left(scene: Scene, desk: Desk) -> None:
    """A dealer leaves what he holds to the other."""
    sent = desk.ask()
    dealer = desk.offered(int(sent["request_id"]))
    scene.table.succeeds("L-DLG-7", dealer, "unsubscribe", {"event": "trade_request"})
    follower = desk.offered(int(sent["request_id"]), "L-DLG-7")
    scene.judge.check("L-DLG-7", follower is not dealer, "offered to the dealer who left")
    scene.table.succeeds("L-DLG-7", follower, "request.reject", {"request_id": sent["request_id"]})


OK, VOLUME, STOPS, MONEY = 0, 131, 130, 134


@suite(Profile.FULL, control=True, exclusive=True, weight=4)
def traders(scene: Scene) -> None:
    """What a trader may do, and at which price."""
    judge, boss = scene.judge, scene.table.boss
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


@suite(Profile.FULL, control=True, exclusive=True, weight=3)
def barred_traders(scene: Scene) -> None:
    """Accounts, groups and securities that may not trade; limits of the group."""
    judge = scene.judge
    bars: list[tuple[str, Json, Json, tuple[int, ...], str]] = [
        ("L-TRD-4", {}, {"enable": False}, (64, 65, 133), "a disabled account"),
        ("L-TRD-4", {}, {"read_only": True}, (133,), "a read-only account"),
        ("L-TRD-4", {"securities": {"Forex": {"trade": False}}}, {}, (133,), "a security without trading"),
        ("L-TRD-5", {"max_positions": 1}, {}, (148,), "the limit of positions"),
        ("L-TRD-5", {"hedge_prohibited": True}, {}, (149,), "hedging"),
        ("L-TRD-5", {"close_fifo": True}, {}, (150,), "first in, first out"),
    ]
    law, group, user, codes, what = scene.draw(st.sampled_from(bars), "bar")
    scene.group()
    login = scene.account(0)
    scene.book.tick(scene.table.boss, scene.target.instruments["EURUSD"], 1.1, 1.1001)
    order: Json = {"login": login, "symbol": "EURUSD", "volume": 0.1, "command": "buy"}
    first = scene.trader("open", **order)
    judge.equal("L-TRD-6", first["code"], OK, "an order without bars")
    second = None
    if what == "first in, first out":
        second = scene.trader("open", **order)
    if group:
        scene.groups.set(scene.table.boss, scene.target.group(), group)
    if user:
        scene.table.boss.result("user.set", {"login": login, **user})
    if second is not None:
        answer = scene.table.boss.call("simulator.trader.close", {"login": login, "order": second["order"]})
    else:
        side = "sell" if what == "hedging" else "buy"
        answer = scene.table.boss.call("simulator.trader.open", {**order, "command": side})
    code = answer.result["code"] if answer.ok else answer.code
    refused = not answer.ok or code in codes
    judge.check(law, refused, f"{what}: the trader hears {code}, expected one of {codes}")


@suite(Profile.FULL, control=True, exclusive=True)
def deviations(scene: Scene) -> None:
    """Instant execution fills what is within the deviation, and requotes what is not."""
    scene.group(securities={"Forex": {"ie_deviation": 0}})
    login = scene.account(0)
    eurusd = scene.target.instruments["EURUSD"]
    scene.book.tick(scene.table.boss, eurusd, 1.1, 1.1001)
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
    if abs(off) <= allowed:
        scene.judge.equal("L-TRD-6", heard["code"], OK, f"{off} points off, {allowed} allowed")
    else:
        scene.judge.equal("L-TRD-6", heard["code"], 138, f"{off} points off, {allowed} allowed")
        scene.judge.equal("L-TRD-6", heard["prices"], {"bid": 1.1, "ask": 1.1001}, "prices offered")
