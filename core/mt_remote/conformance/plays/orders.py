"""Managers' orders, from open to history, and the money in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from mt_remote.conformance import strategies as some
from mt_remote.conformance.areas.trading import Order
from mt_remote.conformance.money import Instrument
from mt_remote.conformance.scene import Scene
from mt_remote.conformance.suites import suite
from mt_remote.conformance.targets import Profile
from mt_remote.conformance.wire import Json


def costs(scene: Scene, instrument: Instrument) -> Json:
    """Commission and spread of the group, such as can be foretold for the instrument."""
    kinds = [0, 1, 2] if instrument.quote == "USD" else [0]
    kind = scene.draw(st.sampled_from(kinds), "commission type")
    per_deal = scene.draw(st.sampled_from([0, 1])) if kind == 0 else 0
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


@suite(Profile.DEMO, weight=3)
def order_lives(scene: Scene) -> None:
    """Orders are opened, changed, closed in part and whole, activated, cancelled."""
    instrument = scene.draw(st.sampled_from(list(scene.target.instruments.values())), "symbol")
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
        book.modify(scene.actor(), scene.draw(st.sampled_from(orders)), data)
    elif what == "close" and positions:
        order = scene.draw(st.sampled_from(positions), "order")
        book.close(scene.actor(), order, float(order.volume), scene.draw(price, "price"))
    elif what == "part" and any(order.volume * 100 > 1 for order in positions):
        order = scene.draw(st.sampled_from([each for each in positions if each.volume * 100 > 1]), "order")
        part = scene.draw(st.integers(1, int(order.volume * 100) - 1), "part") / 100
        book.close(scene.actor(), order, part, scene.draw(price, "price"))
    elif what == "by" and any(a.side * b.side < 0 and a.login == b.login for a in positions for b in positions):
        pairs = [(a, b) for a in positions for b in positions if a.side * b.side < 0 and a.login == b.login]
        book.close_by(scene.actor(), *scene.draw(st.sampled_from(pairs), "pair"))
    elif what == "pending" and pendings:
        order = scene.draw(st.sampled_from(pendings), "order")
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
    good: Json = {"login": login, "symbol": instrument.name, "command": "buy", "volume": 0.1, "price": 1.0}
    choices: list[tuple[str, Json]] = [
        ("order.open", {**good, "login": scene.target.logins[90]}),
        ("order.open", {**good, "symbol": "NOPE"}),
        ("order.open", {**good, "volume": 0.001}),
        ("order.open", {**good, "volume": 0}),
        ("order.open", {**good, "price": 0}),
        ("order.open", {**good, "command": "balance"}),
        ("order.close", {"order": 2**31 - 2, "volume": 0.1, "price": 1.0}),
        ("order.modify", {"order": 2**31 - 2, "sl": 1.0}),
        ("order.balance", {"login": scene.target.logins[90], "command": "balance", "amount": 5.0}),
        ("order.balance", {"login": login, "command": "credit", "amount": 5.0, "expiration": 1}),
        ("order.close_by", {"order": 2**31 - 2, "order_by": 2**31 - 3}),
    ]
    orders = list(scene.book.orders.values())
    with_known = scene.draw(st.booleans(), "with a known order")
    if orders and with_known:
        choices = _wrong_with(scene.draw(st.sampled_from(orders), "order"), orders)
    scene.book.refused(scene.actor(), *scene.draw(st.sampled_from(choices), "wrong"))


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
        if each.open and (each.pending or each.side == order.side or each.login != order.login)
    ]
    return [itself, *alike, ("order.close", {"order": ticket, "volume": too_much, "price": 1.0}),
            ("order.activate", {"order": ticket, "price": 1.0})]  # fmt: skip


@suite(Profile.DEMO, weight=2)
def wrong_orders(scene: Scene) -> None:
    """What can't be done with orders as they are is refused, and they stay as they are."""
    instrument = scene.draw(st.sampled_from(list(scene.target.instruments.values())), "symbol")
    logins = desk(scene, instrument)
    for command in ("buy", "buy", "sell", scene.draw(st.sampled_from(some.PENDING_COMMANDS), "pending")):
        order = {**scene.draw(some.orders(instrument), "order"), "command": command}
        last = scene.book.open(scene.actor(), scene.draw(st.sampled_from(logins), "login"), order)
    if scene.draw(st.booleans(), "cancel it"):
        scene.book.cancel(scene.actor(), last)
    orders = list(scene.book.orders.values())
    for known in scene.draw(st.permutations(orders), "orders"):
        scene.book.refused(scene.actor(), *scene.draw(st.sampled_from(_wrong_with(known, orders)), "wrong"))
    scene.audit()


@suite(Profile.DEMO, weight=1.5)
def partial_closes(scene: Scene) -> None:
    """A position is closed in parts until nothing is left; no cent of its costs goes astray."""
    instrument = scene.draw(st.sampled_from(list(scene.target.instruments.values())), "symbol")
    scene.seat(("2",), kinds=["trade"])
    base = scene.draw(st.integers(1, 997), "commission") / 100
    scene.group(securities={instrument.security: {"commission_base": base}})
    order = {**scene.draw(some.orders(instrument, pendings=False), "order"), "sl": 0.0, "tp": 0.0}
    left = scene.book.open(scene.actor(), scene.account(0), order)
    while left.volume * 100 > 1 and scene.draw(st.integers(0, 4), "go on"):
        part = scene.draw(st.integers(1, int(left.volume * 100) - 1), "part") / 100
        scene.book.close(scene.actor(), left, part, scene.draw(some.prices(instrument), "price"))
        left = scene.book.positions()[0]
    scene.book.close(scene.actor(), left, float(left.volume), scene.draw(some.prices(instrument), "price"))
    scene.audit()


@suite(Profile.DEMO)
def pendings(scene: Scene) -> None:
    """Pendings are placed, changed, activated, cancelled."""
    instrument = scene.draw(st.sampled_from(list(scene.target.instruments.values())), "symbol")
    logins = desk(scene, instrument)
    for command in scene.draw(st.lists(st.sampled_from(some.PENDING_COMMANDS), min_size=1, max_size=4), "commands"):
        order = {**scene.draw(some.orders(instrument), "order"), "command": command}
        placed = scene.book.open(scene.actor(), logins[0], order)
        price = scene.draw(some.prices(instrument), "price")
        if scene.draw(st.booleans(), "modify first"):
            scene.book.modify(scene.actor(), placed, {"price": price})
        if scene.draw(st.booleans(), "activate"):
            scene.book.activate(scene.actor(), placed, price)
        else:
            scene.book.cancel(scene.actor(), placed)
    scene.audit()


@suite(Profile.DEMO, weight=1.5)
def close_all(scene: Scene) -> None:
    """Many positions of both sides are closed against each other."""
    instrument = scene.draw(st.sampled_from(list(scene.target.instruments.values())), "symbol")
    logins = desk(scene, instrument)
    count = scene.draw(st.integers(2, 6), "positions")
    for _ in range(count):
        scene.book.open(scene.table.boss, logins[0], scene.draw(some.orders(instrument, pendings=False), "order"))
    other = scene.book.open(scene.table.boss, logins[1], scene.draw(some.orders(instrument, pendings=False), "order"))
    scene.book.close_all(scene.actor(), logins[0], instrument.name)
    scene.judge.check("L-ORD-7", other.open, "another account's order was closed")
    scene.audit()


@suite(Profile.DEMO)
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
