"""Managers' orders, from open to history, and the money in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from mt_remote_conformance import strategies as some
from mt_remote_conformance.model.money import Instrument, cents, exact
from mt_remote_conformance.model.trading import Order
from mt_remote_conformance.plays import samples
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, suite
from mt_remote_conformance.sessions.client import Json
from mt_remote_conformance.sessions.sessions import same
from mt_remote_conformance.targets import Profile


def costs(scene: Scene, instrument: Instrument) -> Json:
    """Commission and spread of the group, such as can be foretold for the instrument."""
    kinds = [0, 1, 2] if instrument.quote == "USD" else [0]
    kind = scene.draw(st.sampled_from(kinds), "commission type")
    per_deal = scene.draw(st.sampled_from([0, 1]), "per deal") if kind == 0 else 0
    base = scene.draw(st.integers(0, 2000), "commission") / (10_000 if kind == 2 else 100)
    return {
        instrument.security: {
            "commission_base": base, "commission_type": kind, "commission_lots_mode": per_deal,
            "spread_diff": scene.draw(st.sampled_from([0, 2, 10]), "spread"),
        }
    }  # fmt: skip


def desk(scene: Scene, instrument: Instrument, *, kinds: tuple[str, ...] = ("trade", "user", "tick")) -> list[int]:
    """Two accounts in a group with costs."""
    scene.seat(kinds=kinds)
    scene.group(securities=costs(scene, instrument))
    return [scene.account(0), scene.account(1, deposit=5_000.0)]


_ORDERS: list[Json] = [
    {"symbol": "EURUSD", "command": "buy", "volume": 1.0, "price": 1.09, "comment": samples.text(31), "sl": 0.54,
     "tp": 2.16},
    {"symbol": "EURUSD", "command": "sell", "volume": 0.37, "price": 1.07, "comment": "hedge", "sl": 2.16},
    {"symbol": "EURUSD", "command": "buy_limit", "volume": 0.11, "price": 1.05, "comment": "later", "tp": 2.16},
    {"symbol": "EURUSD", "command": "sell_stop", "volume": 0.01, "price": 1.04, "sl": 2.16},
    {"symbol": "EURUSD", "command": "sell", "volume": 2.0, "price": 1.1},
]  # fmt: skip
_LIVES: list[Pins] = [
    {
        "symbol": ["EURUSD"], "commission type": [kind], "per deal": [per_deal], "commission": [base], "spread": [2],
        "order": _ORDERS, "steps": [12], "part": [33, 10], "price": [1.12, 1.06, 1.03, 1.11],
        "step": ["modify", "part", "by", "open", "modify", "pending", "open", "pending", "open", "by", "close", "open"],
        "fields": [{"sl": 0.0, "comment": ""}, {"tp": 0.0}], "activate": [True, False],
    }
    for kind, per_deal, base in ((0, 0, 733), (0, 1, 500), (1, 0, 150), (2, 0, 100))
]  # fmt: skip


@suite(Profile.DEMO, weight=3, examples=_LIVES)
def order_lives(scene: Scene) -> None:
    """Orders are opened, changed, closed in part and whole, activated, cancelled."""
    instrument = scene.instrument()
    logins = desk(scene, instrument)
    for command in scene.draw(st.permutations(some.MARKET_COMMANDS), "sides"):
        order = scene.draw(some.orders(instrument, pendings=False), "order")
        scene.book.open(scene.actor(), logins[0], {**order, "command": command})
    for _ in range(scene.draw(st.integers(1, 8), "steps")):
        step(scene, instrument, logins)
    scene.audit()


def step(scene: Scene, instrument: Instrument, logins: list[int]) -> None:
    """One transaction, right or wrong."""
    book = scene.book
    what = scene.draw(st.sampled_from(["open", "open", "modify", "close", "part", "by", "pending", "wrong"]), "step")
    orders = [order for order in book.open_orders() if order.instrument is instrument]
    positions = [order for order in orders if not order.pending and order.volume]
    pendings = [order for order in orders if order.pending]
    price = some.prices(instrument)
    if what == "wrong":
        wrong(scene, instrument, logins[0])
    elif what == "modify" and orders:
        data = scene.draw(st.fixed_dictionaries({}, optional={
            "comment": some.texts(31), "sl": st.sampled_from([0.0, round(instrument.typical / 2, instrument.digits)]),
            "tp": st.sampled_from([0.0, round(instrument.typical * 2, instrument.digits)]),
        }), "fields")  # fmt: skip
        book.modify(scene.actor(), scene.draw(st.sampled_from(orders), "which"), data)
    elif what == "close" and positions:
        order = scene.draw(st.sampled_from(positions), "which")
        book.close(scene.actor(), order, float(order.volume), scene.draw(price, "price"))
    elif what == "part" and any(order.volume * 100 > 1 for order in positions):
        order = scene.draw(st.sampled_from([each for each in positions if each.volume * 100 > 1]), "which")
        part = scene.draw(st.integers(1, int(order.volume * 100) - 1), "part") / 100
        book.close(scene.actor(), order, part, scene.draw(price, "price"))
    elif what == "by" and any(a.side * b.side < 0 and a.login == b.login for a in positions for b in positions):
        pairs = [(a, b) for a in positions for b in positions if a.side * b.side < 0 and a.login == b.login]
        book.close_by(scene.actor(), *scene.draw(st.sampled_from(pairs), "pair"))
    elif what == "pending" and pendings:
        order = scene.draw(st.sampled_from(pendings), "which")
        if scene.draw(st.booleans(), "activate"):
            book.activate(scene.actor(), order, scene.draw(price, "price"))
        else:
            book.cancel(scene.actor(), order)
    else:
        book.open(
            scene.actor(), scene.draw(st.sampled_from(logins), "login"), scene.draw(some.orders(instrument), "order")
        )


def wrong(scene: Scene, instrument: Instrument, login: int) -> None:
    """A transaction that must be refused."""
    choices = _wrong(scene, instrument, login)
    orders = list(scene.book.orders.values())
    with_known = scene.draw(st.booleans(), "with a known order")
    if orders and with_known:
        choices = _wrong_with(scene.draw(st.sampled_from(orders), "which"), orders)
    scene.book.refused(scene.actor(), *scene.draw(st.sampled_from(choices), "wrong"))


def _wrong(scene: Scene, instrument: Instrument, login: int) -> list[tuple[str, Json]]:
    """What can't be done whatever is open."""
    good: Json = {"login": login, "symbol": instrument.name, "command": "buy", "volume": 0.1, "price": 1.0}
    nobody, no_ticket = scene.target.logins[90], 2**31 - 2
    return [
        ("order.open", {**good, "login": nobody}), ("order.open", {**good, "symbol": "NOPE"}),
        ("order.open", {**good, "volume": 0.001}), ("order.open", {**good, "volume": 0}),
        ("order.open", {**good, "price": 0}), ("order.open", {**good, "command": "balance"}),
        ("order.close", {"order": no_ticket, "volume": 0.1, "price": 1.0}),
        ("order.modify", {"order": no_ticket, "sl": 1.0}), ("order.activate", {"order": no_ticket, "price": 1.0}),
        ("order.cancel", {"order": no_ticket, "command": "buy_limit"}), ("trade.get", {"order": no_ticket}),
        ("order.close_by", {"order": no_ticket, "order_by": no_ticket - 1}),
        ("order.close_all", {"login": nobody, "symbol": instrument.name}),
        ("order.close_all", {"login": login, "symbol": "NOPE"}),
        ("order.balance", {"login": nobody, "command": "balance", "amount": 5.0}),
        ("order.balance", {"login": login, "command": "balance", "amount": 0.0}),
        ("order.balance", {"login": login, "command": "credit", "amount": 5.0, "expiration": 1}),
        ("trades.history", {"login": nobody}),
        ("trades.get.by_login", {"login": nobody, "group": scene.target.group()}),
    ]  # fmt: skip


def _wrong_with(order: Order, orders: list[Order]) -> list[tuple[str, Json]]:
    """What can't be done with an order as it is."""
    ticket = order.ticket
    if not order.open:
        close = {"order": ticket, "volume": 0.01, "price": 1.0}
        return [("order.close", close), ("order.modify", {"order": ticket, "sl": 0.5})]
    itself = ("order.close_by", {"order": ticket, "order_by": ticket})
    if order.pending:
        other = "buy_stop" if order.command != "buy_stop" else "buy_limit"
        return [itself, ("order.cancel", {"order": ticket, "command": other}),
                ("order.close", {"order": ticket, "volume": 0.01, "price": 1.0})]  # fmt: skip
    too_much = round(float(order.volume) + 0.01, 2)
    alike = [
        ("order.close_by", {"order": ticket, "order_by": each.ticket})
        for each in orders
        if each.open
        and (
            each.pending
            or each.side == order.side
            or each.login != order.login
            or each.instrument is not order.instrument
        )
    ]
    return [itself, *alike, ("order.close", {"order": ticket, "volume": too_much, "price": 1.0}),
            ("order.cancel", {"order": ticket, "command": "buy_limit"}),
            ("order.activate", {"order": ticket, "price": 1.0})]  # fmt: skip


@suite(
    Profile.DEMO, weight=2, examples=[{"cancel it": [True], "all": [True]}, {"pending": ["sell_stop"], "all": [True]}]
)
def wrong_orders(scene: Scene) -> None:
    """What can't be done with orders as they are is refused, and they stay as they are."""
    instrument = scene.instrument()
    logins = desk(scene, instrument)
    other = next(each for each in scene.target.instruments.values() if each is not instrument)
    kinds = [("buy", 0, instrument), ("buy", 0, instrument), ("buy", 1, instrument), ("sell", 0, instrument),
             ("sell", 0, other),
             (scene.draw(st.sampled_from(some.PENDING_COMMANDS), "pending"), 0, instrument)]  # fmt: skip
    for command, number, symbol in kinds:
        order = {**scene.draw(some.orders(symbol), "order"), "command": command}
        last = scene.book.open(scene.actor(), logins[number], order)
    if scene.draw(st.booleans(), "cancel it"):
        scene.book.cancel(scene.actor(), last)
    orders = list(scene.book.orders.values())
    if scene.draw(st.just(False), "all"):
        for known in orders:
            for name, data in _wrong_with(known, orders):
                scene.book.refused(scene.actor(), name, data)
        for name, data in _wrong(scene, instrument, logins[0]):
            scene.book.refused(scene.actor(), name, data)
    for known in scene.draw(st.permutations(orders), "orders"):
        scene.book.refused(scene.actor(), *scene.draw(st.sampled_from(_wrong_with(known, orders)), "wrong"))
    scene.audit()


@suite(Profile.DEMO, weight=1.5, examples=[
    {"symbol": ["EURUSD"], "commission": [333], "order": [{**_ORDERS[0], "volume": 0.1}], "go on": [1, 1, 1],
     "part": [3, 3, 3], "price": [1.2, 1.0, 1.1, 1.08]},
])  # fmt: skip
def partial_closes(scene: Scene) -> None:
    """A position is closed in parts until nothing is left; no cent of its costs goes astray."""
    instrument = scene.instrument()
    scene.seat(("2",), kinds=["trade"])
    base = scene.draw(st.integers(1, 997), "commission") / 100
    scene.group(securities={instrument.security: {"commission_base": base}})
    order = scene.draw(some.orders(instrument, pendings=False), "order")
    left = scene.book.open(scene.actor(), scene.account(0), order)
    while left.volume * 100 > 1 and scene.draw(st.integers(0, 4), "go on"):
        part = scene.draw(st.integers(1, int(left.volume * 100) - 1), "part") / 100
        scene.book.close(scene.actor(), left, part, scene.draw(some.prices(instrument), "price"))
        left = scene.book.positions()[0]
    scene.book.close(scene.actor(), left, float(left.volume), scene.draw(some.prices(instrument), "price"))
    scene.audit()


_PENDINGS: list[Pins] = [
    {"symbol": ["EURUSD"], "commands": [list(some.PENDING_COMMANDS)], "expires": [True] * 4, "modify first": [True] * 4,
     "order": [_ORDERS[2]] * 4, "price": [1.1, 1.2, 1.05, 1.07], "activate": [activate] * 4, "later": [1, 0, 2, 1],
     "commission type": [0], "commission": [700]}
    for activate in (True, False)
]  # fmt: skip
_FAR = 2**31 - 1 - 3600 * 48
"""A time at which no pending of a case is left."""


@suite(Profile.DEMO, examples=_PENDINGS)
def pendings(scene: Scene) -> None:
    """Pendings are placed, changed, activated, cancelled."""
    instrument = scene.instrument()
    logins = desk(scene, instrument)
    for command in scene.draw(st.lists(st.sampled_from(some.PENDING_COMMANDS), min_size=1, max_size=4), "commands"):
        expires = {"expiration": _FAR} if scene.draw(st.booleans(), "expires") else {}
        order = {**scene.draw(some.orders(instrument), "order"), "command": command, **expires}
        placed = scene.book.open(scene.actor(), logins[0], order)
        price = scene.draw(some.prices(instrument), "price")
        if scene.draw(st.booleans(), "modify first"):
            later = scene.draw(st.sampled_from([0, 1, 2]), "later") * 3600
            scene.book.modify(scene.actor(), placed, {"price": price, "expiration": _FAR + later})
        if scene.draw(st.booleans(), "activate"):
            scene.book.activate(scene.actor(), placed, price)
        else:
            scene.book.cancel(scene.actor(), placed)
    scene.audit()


_CLOSE_ALL: list[Pins] = [
    {"symbol": ["EURUSD"], "positions": [3], "order": [
        {**_ORDERS[0], "volume": 0.7}, {**_ORDERS[1], "volume": 0.5}, {**_ORDERS[1], "volume": 1.0}, *_ORDERS[2:0:-1],
    ], "elsewhere": [_ORDERS[0], _ORDERS[1]]},
    {"symbol": ["EURUSD"], "positions": [5], "order": [_ORDERS[number] for number in (1, 0, 1, 0, 1, 2, 0)]},
]  # fmt: skip


@suite(Profile.DEMO, weight=1.5, examples=_CLOSE_ALL)
def close_all(scene: Scene) -> None:
    """Many positions of both sides are closed against each other; pendings, other symbols and other accounts stay."""
    instrument = scene.instrument()
    logins = desk(scene, instrument)
    positions = some.orders(instrument, pendings=False)
    for _ in range(scene.draw(st.integers(2, 6), "positions")):
        scene.book.open(scene.sessions.boss, logins[0], scene.draw(positions, "order"))
    pending = {**scene.draw(some.orders(instrument), "order"), "command": "buy_limit"}
    others = [scene.book.open(scene.sessions.boss, logins[0], pending),
              scene.book.open(scene.sessions.boss, logins[1], scene.draw(positions, "order"))]  # fmt: skip
    elsewhere = next(each for each in scene.target.instruments.values() if each is not instrument)
    for command in ("buy", "sell"):
        order = {**scene.draw(some.orders(elsewhere, pendings=False), "elsewhere"), "command": command}
        order["symbol"] = elsewhere.name
        others.append(scene.book.open(scene.sessions.boss, logins[0], order))
    scene.book.close_all(scene.actor(), logins[0], instrument.name)
    scene.judge.check("L-ORD-7", all(each.open for each in others), "another order was closed")
    scene.audit()


_BALANCES: list[Pins] = [
    {"steps": [5], "amount": [1000.0, -300.25, 500.5, 0.01, -100.1], "comment": [samples.text(31), "", "x", "y", "z"],
     "command": ["balance", "balance", "credit", "balance", "credit"]},
]  # fmt: skip


@suite(Profile.DEMO, examples=_BALANCES)
def balances(scene: Scene) -> None:
    """Deposits, withdrawals, credits, with their records."""
    scene.seat(kinds=["trade", "user"])
    scene.group()
    login = scene.account(0, deposit=100_000.0)
    for _ in range(scene.draw(st.integers(1, 5), "steps")):
        amount = scene.draw(some.amounts.filter(bool), "amount")
        more: dict[str, Any] = {"comment": scene.draw(some.texts(31), "comment")}
        command = scene.draw(st.sampled_from(["balance", "credit"]), "command")
        if command == "credit":
            more["expiration"] = 2**31 - 3600
            amount = abs(amount)
        scene.book.balance(scene.actor(), login, command, amount, **more)
    scene.audit()


@suite(Profile.DEMO, weight=0.7, examples=[
    {"rate": [250], "per deal": [0], "volume": [137]}, {"rate": [250], "per deal": [1], "volume": [137]},
])  # fmt: skip
def agents(scene: Scene) -> None:
    """An agent earns at the close of what his client opened."""
    boss, book, instrument = scene.sessions.boss, scene.book, scene.target.instruments["EURUSD"]
    rate, per_deal = scene.draw(st.integers(1, 1000), "rate") / 100, scene.draw(st.sampled_from([0, 1]), "per deal")
    terms = {"commission_agent": rate, "commission_agent_type": 0, "commission_agent_mode": per_deal}
    scene.group(securities={instrument.security: terms})
    agent = scene.account(1, deposit=0.0)
    client = scene.account(0, agent_account=agent)
    volume = scene.draw(st.integers(1, 500), "volume") / 100
    order = book.open(boss, client, {"symbol": "EURUSD", "command": "buy", "volume": volume, "price": 1.08})
    book.close(boss, order, volume, 1.09)
    earned = float(cents(exact(rate) * (1 if per_deal else exact(volume))))
    told = boss.result("trade.get", {"order": order.ticket})["commission_agent"]
    scene.judge.check("L-MON-8", same(told, earned), f"commission_agent is {told}, expected {earned}")
    history = boss.result("trades.history", {"login": agent})
    got = [(each["cmd"], each["profit"]) for each in history]
    due = [("balance", earned)] if earned else []
    scene.judge.check("L-MON-8", same(got, due), f"the agent's history: {got}, expected {due}")
    balance = scene.users.read(boss, agent)["balance"]
    scene.judge.check("L-MON-8", same(balance, earned), f"the agent's balance is {balance}, expected {earned}")
    book.money_of(boss, client, law="L-MON-8")


@suite(Profile.DEMO, weight=0.5, examples=[{"percent": [13], "price": [1.1]}])
def taxes(scene: Scene) -> None:
    """Whatever taxes a close says, the balance changes by the sum of what it says."""
    boss = scene.sessions.boss
    scene.group(securities={"Forex": {"commission_base": 3.0}})
    login = scene.account(0, taxes=float(scene.draw(st.integers(1, 50), "percent")))
    order = {"login": login, "symbol": "EURUSD", "command": "buy", "volume": 1.0, "price": 1.08}
    ticket = scene.sessions.succeeds("L-ORD-1", boss, "order.open", order)["order"]
    price = scene.draw(some.prices(), "price")
    scene.sessions.succeeds("L-ORD-3", boss, "order.close", {"order": ticket, "volume": 1.0, "price": price})
    record = boss.result("trade.get", {"order": ticket})
    told = sum((exact(record[name]) for name in ("profit", "storage", "commission", "taxes")), exact(1_000_000.0))
    balance = scene.users.read(boss, login)["balance"]
    scene.judge.check("L-MON-5", same(balance, float(told)), f"the balance is {balance}, the close says {told}")
