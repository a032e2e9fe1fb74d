"""Dealers and the requests that traders make of them. The traders are the simulator's."""

from __future__ import annotations

from hypothesis import strategies as st

from mt_remote_conformance.model.money import GBPUSD, Instrument
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, suite
from mt_remote_conformance.sessions.client import Client, Dialect, Json
from mt_remote_conformance.targets import Profile

OFFERED = "trade_request"
LOCKED = 139


class Desk:
    """Two dealers, one trader in a group that they serve."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.instrument: Instrument = GBPUSD
        self.group = scene.group(timeout_seconds=60, securities={"Forex": {"execution_mode": 0}})
        self.login = scene.account(0)
        boss = scene.sessions.boss
        scene.book.tick(boss, GBPUSD, 1.26748, 1.26753)
        boss.result("tick.add", {"symbol": "GBPUSD", "bid": 1.26747, "ask": 1.26752})
        boss.result("tick.add", {"symbol": "GBPUSD", "bid": 1.26748, "ask": 1.26753})
        pairs: list[tuple[Dialect, Dialect]] = [("0", "1.00"), ("1.00", "2"), ("2", "0")]
        dialects = pairs[scene.draw(st.integers(0, 2), "dialects")]
        self.dealers = [scene.sessions.sit(dialect, [OFFERED]) for dialect in dialects]

    def ask(self, **more: object) -> Json:
        """The trader asks to open something."""
        data: Json = {"login": self.login, "symbol": self.instrument.name, "command": "buy", "volume": 0.1, **more}
        return self.scene.trader("open", **data)

    def heard(self, request_id: int) -> Json:
        """What the trader knows of his request."""
        return self.scene.trader("request", login=self.login, request_id=request_id)

    def offered(self, request_id: int, law: str = "L-DLG-1", **asked: object) -> Client:
        """Who holds a request, one dealer alone; ``asked`` is what its transaction must say."""
        judge = self.scene.judge
        holding = []
        for dealer in self.dealers:
            dealer.settle()
        if not any(dealer.events for dealer in self.dealers):
            for dealer in self.dealers:
                dealer.wait_for(lambda: any(each.events for each in self.dealers), self.scene.target.patience)
        for dealer in self.dealers:
            for request in dealer.take(OFFERED):
                got = {name: request[name] for name in ("id", "status", "login", "group", "manager")}
                due = {"id": request_id, "status": "locked", "login": self.login, "group": self.group,
                       "manager": self.scene.target.credentials.login}  # fmt: skip
                judge.equal(law, got, due, "the request offered")
                judge.equal(law, {name: request["trade"][name] for name in asked}, asked, "what is asked for")
                holding.append(dealer)
        judge.equal(law, len(holding), 1, f"dealers to whom request {request_id} is offered")
        return holding[0]

    def other(self, dealer: Client) -> Client:
        return next(each for each in self.dealers if each is not dealer)


_DEALING: list[Pins] = [
    {"dialects": [0], "requests": [3], "command": ["buy", "sell", "buy"], "lots": [11, 3, 50],
     "give it back first": [True, False, False], "answer": ["confirm", "requote", "reject"], "mode": ["normal"],
     "bid": [126_500, 126_600, 126_700], "close it": [True]},
    {"dialects": [1], "requests": [3], "command": ["sell", "buy", "sell"], "lots": [1, 2, 3],
     "give it back first": [False, True, False], "answer": ["confirm"] * 3, "mode": ["add_prices", "normal", "normal"],
     "bid": [126_510, 126_610, 126_710], "close it": [True, True, False]},
    {"dialects": [2], "answer": ["reject"]},
]  # fmt: skip


@suite(Profile.FULL, control=True, exclusive=True, weight=2.5, examples=_DEALING)
def dealing(scene: Scene) -> None:
    """Requests are confirmed, requoted, rejected, given back, left behind."""
    desk = Desk(scene)
    sessions, judge = scene.sessions, scene.judge
    for _ in range(scene.draw(st.integers(1, 3), "requests")):
        command = scene.draw(st.sampled_from(["buy", "sell"]), "command")
        lots = scene.draw(st.integers(1, 50), "lots") / 100
        id_ = int(desk.ask(command=command, volume=lots, comment="please")["request_id"])
        asked: Json = {"symbol": GBPUSD.name, "cmd": command, "volume": lots, "order": 0, "comment": "please"}
        dealer = desk.offered(id_, **asked)
        pair = _pair(scene, id_)
        sessions.fails("L-DLG-6", desk.other(dealer), "request.confirm", {**pair, "mode": "normal"})
        if scene.draw(st.booleans(), "give it back first"):
            sessions.succeeds("L-DLG-5", dealer, "request.reset", {"request_id": id_})
            before, dealer = dealer, desk.offered(id_, "L-DLG-5", **asked)
            judge.check("L-DLG-5", dealer is not before, "the same dealer is offered it again")
        opened = _answered(scene, desk, dealer, id_, pair)
        sessions.fails("L-DLG-6", dealer, "request.reject", {"request_id": id_})
        if opened is not None:
            got = (opened["cmd"], opened["volume"], opened["open_price"], opened["reason"])
            price = pair["ask"] if command == "buy" else pair["bid"]
            judge.equal("L-DLG-2", got, (command, lots, price, "client"), "the order that was opened")
            if scene.draw(st.booleans(), "close it"):
                _closed(scene, desk, opened)
    _left(scene, desk)


def _pair(scene: Scene, request_id: int) -> Json:
    bid = scene.draw(st.integers(126_000, 127_000), "bid") / 100_000
    return {"request_id": request_id, "bid": bid, "ask": round(bid + 0.0001, 5)}


def _answered(scene: Scene, desk: Desk, dealer: Client, request_id: int, pair: Json) -> Json | None:
    """The dealer answers; gives the order that was opened, if one was."""
    boss, judge = scene.sessions.boss, scene.judge
    end = scene.draw(st.sampled_from(["confirm", "requote", "reject"]), "answer")
    before = [each["order"] for each in boss.result("trades.get")]
    law = {"confirm": "L-DLG-2", "requote": "L-DLG-3", "reject": "L-DLG-4"}[end]
    if end == "confirm":
        _confirmed(scene, dealer, pair, law)
    else:
        scene.sessions.succeeds(law, dealer, f"request.{end}", pair if end == "requote" else {"request_id": request_id})
    heard = desk.heard(request_id)
    opened: list[Json] = [each for each in boss.result("trades.get") if each["order"] not in before]
    if end == "confirm":
        judge.equal(law, (heard["code"], len(opened)), (0, 1), "what the trader hears, and orders opened")
        return opened[0]
    codes = {"requote": (138,), "reject": (133, 136)}[end]
    judge.check(law, heard["code"] in codes, f"the trader hears {heard}")
    judge.equal(law, opened, [], f"orders opened after a {end}")
    if end == "requote":
        judge.equal(law, heard["prices"], {"bid": pair["bid"], "ask": pair["ask"]}, "prices offered")
    return None


def _confirmed(scene: Scene, dealer: Client, pair: Json, law: str) -> None:
    """A confirmation, which makes its prices the last ones where that is asked for."""
    boss = scene.sessions.boss

    def last() -> tuple[float, float]:
        (quote,) = boss.result("ticks.get", {"symbol": GBPUSD.name})
        return quote["bid"], quote["ask"]

    mode = scene.draw(st.sampled_from(["normal", "add_prices"]), "mode")
    due = last() if mode == "normal" else (pair["bid"], pair["ask"])
    scene.sessions.succeeds(law, dealer, "request.confirm", {**pair, "mode": mode})
    scene.judge.equal("L-DLG-10", last(), due, f"the last price after a confirmation in mode {mode}")


def _closed(scene: Scene, desk: Desk, order: Json) -> None:
    """The trader asks to close; a dealer confirms."""
    id_ = int(scene.trader("close", login=desk.login, order=order["order"])["request_id"])
    dealer = desk.offered(id_, order=order["order"], volume=order["volume"])
    again = scene.trader("close", login=desk.login, order=order["order"])
    scene.judge.equal("L-DLG-11", again["code"], LOCKED, "what the trader hears who asks to close it again")
    pair = _pair(scene, id_)
    scene.sessions.succeeds("L-DLG-2", dealer, "request.confirm", {**pair, "mode": "normal"})
    record = scene.sessions.boss.result("trade.get", {"order": order["order"]})
    price = pair["bid"] if order["cmd"] == "buy" else pair["ask"]
    got = (record["close_price"], record["close_time"] > 0)
    scene.judge.equal("L-DLG-2", got, (price, True), f"price of the {order['cmd']} that was closed, and whether it is")


def _left(scene: Scene, desk: Desk) -> None:
    """A dealer leaves what he holds to the other."""
    sent = desk.ask()
    dealer = desk.offered(int(sent["request_id"]))
    scene.sessions.succeeds("L-DLG-7", dealer, "unsubscribe", {"event": OFFERED})
    follower = desk.offered(int(sent["request_id"]), "L-DLG-7")
    scene.judge.check("L-DLG-7", follower is not dealer, "offered to the dealer who left")
    scene.sessions.succeeds("L-DLG-7", follower, "request.reject", {"request_id": sent["request_id"]})


_ENDS = {"withdrawn": 144, "in time": 0, "late": 128}


@suite(Profile.FULL, control=True, exclusive=True, weight=0.5, examples=[{"end": [end]} for end in _ENDS])
def unanswered(scene: Scene) -> None:
    """A request is withdrawn, answered at the last moment, or not answered in the group's time."""
    desk = Desk(scene)
    boss, end = scene.sessions.boss, scene.draw(st.sampled_from(list(_ENDS)), "end")
    id_ = int(desk.ask()["request_id"])
    dealer = desk.offered(id_)
    if end == "withdrawn":
        scene.trader("withdraw", login=desk.login, request_id=id_)
    else:
        scene.advance(59 if end == "in time" else 61)
    answer = dealer.call("request.confirm", {"request_id": id_, "bid": 1.2, "ask": 1.3, "mode": "normal"})
    scene.judge.equal("L-DLG-8", answer.ok, end == "in time", f"whether a request can be confirmed that is {end}")
    heard = desk.heard(id_)["code"]
    scene.judge.equal("L-DLG-8", heard, _ENDS[end], f"what the trader hears of a request that is {end}")
    held = boss.result("trades.get.by_login", {"login": desk.login, "group": desk.group})
    scene.judge.equal("L-DLG-8", len(held), int(end == "in time"), f"orders opened by a request that is {end}")


@suite(Profile.FULL, control=True, exclusive=True, weight=0.5, examples=[{"lots": [[9, 10, 100, 101, 50]]}])
def limited_dealers(scene: Scene) -> None:
    """A dealer for one group, one security and some volumes."""
    boss, judge = scene.sessions.boss, scene.judge
    manual = {"timeout_seconds": 600, "securities": {name: {"execution_mode": 0} for name in ("Forex", "Metals")}}
    inside, outside = scene.group(1, **manual), scene.group(2, **manual)
    logins = [scene.account(0, inside), scene.account(1, outside)]
    for symbol, bid, ask in (("GBPUSD", 1.26748, 1.26753), ("XAUUSD", 1716.0, 1716.5)):
        boss.result("tick.add", {"symbol": symbol, "bid": bid, "ask": ask})
    limits = {"Forex": {"enable": True, "minimum_lots": 0.1, "maximum_lots": 1.0},
              "Metals": {"enable": False, "minimum_lots": 0.01, "maximum_lots": 100.0}}  # fmt: skip
    dealer = scene.sessions.sit("2", [OFFERED], credentials=scene.second_manager(groups=[inside], securities=limits))

    def reaches(login: int, symbol: str, lots: float) -> bool:
        data = {"login": login, "symbol": symbol, "command": "buy", "volume": lots}
        id_ = scene.trader("open", **data)["request_id"]
        dealer.settle()
        offered = [each["id"] for each in dealer.take(OFFERED)]
        judge.check("L-DLG-9", offered in ([], [id_]), f"offered: {offered}, asked: {id_}")
        scene.trader("withdraw", login=login, request_id=id_)
        return bool(offered)

    for hundredths in scene.draw(st.lists(st.integers(1, 200), min_size=1, max_size=5), "lots"):
        what = f"whether {hundredths / 100} lots reach a dealer for 0.1 to 1"
        judge.equal("L-DLG-9", reaches(logins[0], "GBPUSD", hundredths / 100), 10 <= hundredths <= 100, what)
    judge.check("L-DLG-9", not reaches(logins[1], "GBPUSD", 0.5), "a request of another group reaches him")
    judge.check("L-DLG-9", not reaches(logins[0], "XAUUSD", 0.5), "a request in a disabled security reaches him")
