"""What prices do to orders: stops, takes, pendings, stop-outs."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from mt_remote_conformance import strategies as some
from mt_remote_conformance.model.money import EURUSD, USDJPY, Instrument, exact
from mt_remote_conformance.model.trading import Order
from mt_remote_conformance.model.triggers import level, measured, react, stop_out
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, suite
from mt_remote_conformance.sessions.client import Client, Json
from mt_remote_conformance.sessions.sessions import Changes
from mt_remote_conformance.targets import Profile


def tick(scene: Scene, client: Client, instrument: Instrument, bid: float, ask: float) -> None:
    """A price, and what it does to the orders."""
    book = scene.book
    told = book.tick(client, instrument, bid, ask)
    touched = react(book, instrument) if told else {}
    _after(scene, instrument, bid, ask, touched, told)


def _after(scene: Scene, instrument: Instrument, bid: float, ask: float, touched: dict[int, str], told: bool) -> None:
    book, boss = scene.book, scene.sessions.boss
    changes = Changes()
    if told:
        changes.ticks.append({"symbol": instrument.name, "bid": bid, "ask": ask})
    for ticket, law in touched.items():
        changes.records |= book.verify(boss, [ticket], law).records
        if law in ("L-TRG-1", "L-TRG-2"):
            scene.judge.held("L-TRG-4")
        login = book.orders[ticket].login
        changes.records |= book.money_of(boss, login).records
    for order in book.open_orders(symbol=instrument.name):
        if order.ticket not in touched:
            for law in ("L-TRG-1", "L-TRG-2") if not order.pending else ("L-TRG-3",):
                if order.pending or (order.sl if law == "L-TRG-1" else order.tp):
                    book.verify(boss, [order.ticket], law)
    scene.sessions.examine(changes)


def _placed(scene: Scene, instrument: Instrument, quote: tuple[float, float]) -> Json:
    """An order with levels on the right sides of the market."""
    points = 10**instrument.digits

    def beside(price: float, distance: int) -> float:
        return float(round(price + distance / points, 8))

    command = scene.draw(st.sampled_from([*some.MARKET_COMMANDS, *some.PENDING_COMMANDS]), "command")
    near = st.integers(20, 400)
    side = 1 if command.startswith("buy") else -1
    market = quote[1] if side > 0 else quote[0]
    if "_" in command:
        away = side if command.endswith("stop") else -side
        price = beside(market, away * scene.draw(near, "distance"))
    else:
        price = market
    order: Json = {
        "symbol": instrument.name, "command": command, "price": price,
        "volume": scene.draw(st.integers(1, 200), "lots") / 100, "comment": scene.draw(some.texts(20), "comment"),
    }  # fmt: skip
    base = price if "_" in command else (quote[0] if side > 0 else quote[1])
    if scene.draw(st.booleans(), "stop loss"):
        order["sl"] = beside(base, -side * scene.draw(near, "sl"))
    if scene.draw(st.booleans(), "take profit"):
        order["tp"] = beside(base, side * scene.draw(near, "tp"))
    return order


_KINDS = (*some.MARKET_COMMANDS, *some.PENDING_COMMANDS)
_TRIGGERS: list[Pins] = [
    {"symbol": ["EURUSD"], "spread": [spread], "orders": [6], "command": _KINDS, "distance": [100] * 4,
     "lots": [37] * 6, "comment": ["a", "b", "c", "d", "e", "f"], "stop loss": [True] * 6, "sl": [60] * 6,
     "take profit": [True] * 6,
     "tp": [80] * 6, "login": [0, 1, 0, 1, 0, 1],
     "prices": [[(round(1.08 + step / 1e5, 5), round(1.08 + (step + 10) / 1e5, 5)) for step in steps]]}
    for spread, steps in ((0, (-50, -59, -61, -95, -105, -250, 30, 400)), (4, (50, 81, 95, 105, 300, -30, -500)))
]  # fmt: skip


@suite(Profile.FULL, exclusive=True, weight=4, examples=_TRIGGERS)
def triggers(scene: Scene) -> None:
    """Orders with levels, and prices that walk and jump over them."""
    instrument = scene.instrument()
    scene.seat(kinds=["trade", "user", "tick"])
    scene.show(instrument)
    wide = scene.draw(st.sampled_from([0, 4]), "spread")
    scene.group(securities={instrument.security: {"spread_diff": wide, "commission_base": 3.0}})
    logins = [scene.account(0, deposit=1e8), scene.account(1, deposit=1e8)]
    stream = scene.draw(some.tick_streams(instrument, most=8), "prices")
    start = (instrument.typical, round(instrument.typical + 10 / 10**instrument.digits, 8))
    tick(scene, scene.sessions.boss, instrument, *start)
    for _ in range(scene.draw(st.integers(1, 4), "orders")):
        login = logins[scene.draw(st.integers(0, 1), "login")]
        scene.book.open(scene.actor(), login, _placed(scene, instrument, start))
    for quote in stream:
        tick(scene, scene.actor(), instrument, *quote)
    scene.audit()


_AT_THE_LEVEL: list[Pins] = [
    {"symbol": ["EURUSD"], "command": [command], "distance": [100], "stop loss": [True], "sl": [60],
     "take profit": [True], "tp": [80], "level": [level], "offsets": [[before * points, 0]], "moved": [moved],
     "widened": [wide], "bid at the level": [command.startswith("buy") == (level < 2)] * 2}
    for command, level, before in (
        ("buy", 0, 1), ("buy", 1, -1), ("sell", 0, -1), ("sell", 1, 1),
        ("buy_limit", 2, 1), ("buy_stop", 2, -1), ("sell_limit", 2, -1), ("sell_stop", 2, 1),
    )
    for points, moved, wide in ((1, 0, 0), (-1, 0, 0), (1, 40, 0), (3, 0, 4))
]  # fmt: skip
"""Each level (the stop, the take, the pending's own price) from the harmless side, and from the other."""


@suite(Profile.FULL, exclusive=True, weight=3, examples=_AT_THE_LEVEL)
def at_the_level(scene: Scene) -> None:
    """One order, its levels moved or the spread widened meanwhile, and prices a point before its level, at it, a point
    behind."""
    instrument = scene.instrument()
    scene.seat(("2",), kinds=["trade", "tick"])
    scene.show(instrument)
    scene.group()
    login = scene.account(0, deposit=1e8)
    point = 1 / 10**instrument.digits
    start = (instrument.typical, round(instrument.typical + 10 * point, 8))
    tick(scene, scene.sessions.boss, instrument, *start)
    order = scene.book.open(scene.actor(), login, _placed(scene, instrument, start))
    _moved(scene, order, scene.draw(st.sampled_from([0, 0, 3, 40]), "moved") * order.instrument.point)
    wide = scene.draw(st.sampled_from([0, 0, 4]), "widened")
    if wide:
        changed = {"securities": {instrument.security: {"spread_diff": wide}}}
        scene.groups.set(scene.actor(), scene.target.group(), changed)
    levels = [each for each in (order.sl, order.tp, order.price if order.pending else Decimal(0)) if each]
    if not levels:
        return
    aimed = levels[scene.draw(st.integers(0, 2), "level") % len(levels)]
    for offset in scene.draw(st.lists(st.integers(-4, 4), min_size=1, max_size=4), "offsets"):
        by_bid = scene.draw(st.booleans(), "bid at the level")
        spread = (10 + wide) * point
        near = round(float(aimed) + offset * point, 8)
        seen = (near, near + spread) if by_bid else (near - spread, near)
        tick(
            scene,
            scene.actor(),
            instrument,
            round(seen[0] + wide // 2 * point, 8),
            round(seen[1] - wide // 2 * point, 8),
        )
    scene.audit()


def _moved(scene: Scene, order: Order, distance: Decimal) -> None:
    """Levels that are set go ``distance`` further away from the market."""
    if not distance:
        return
    side = order.side
    away = side if order.command.endswith("stop") else -side
    changed = {
        "sl": order.sl - side * distance if order.sl else None,
        "tp": order.tp + side * distance if order.tp else None,
        "price": order.price + away * distance if order.pending else None,
    }
    scene.book.modify(scene.actor(), order, {name: float(each) for name, each in changed.items() if each is not None})


_FALLS: list[Pins] = [
    {"stop-out level": [50], "leverage": [leverage], "larger leg": [large], "in money": [money],
     "credit": [credit], "deposit": [10_000],
     "used": [1], "positions": [4], "command": ["buy", "buy", "sell", "buy"], "share of the deposit": [20, 15, 10, 5],
     "ticks": [12], "move": [300, *[250] * 11], "direction": [-1] * 12}
    for leverage, large, money, credit in (
        (100, False, False, 0), (200, False, False, 0), (50, True, False, 0), (100, False, False, 5),
        (100, False, True, 0),
    )
]  # fmt: skip


@suite(Profile.FULL, exclusive=True, weight=3, examples=_FALLS)
def stop_outs(scene: Scene) -> None:
    """Accounts that lose more than they have, slowly and at once."""
    scene.seat(kinds=["trade", "user"])
    threshold = scene.draw(st.sampled_from([20, 50, 100]), "stop-out level")
    leverage = scene.draw(st.sampled_from([100, 50, 200]), "leverage")
    larger = scene.draw(st.booleans(), "larger leg")
    in_money = scene.draw(st.booleans(), "in money")
    threshold *= 40 if in_money else 1
    thresholds = {"margin_stopout": threshold, "margin_call": threshold + 20}
    scene.group(**thresholds, hedge_large_leg=larger, margin_type=int(in_money), margin_mode=1)
    deposit = float(scene.draw(st.integers(1_000, 20_000), "deposit"))
    login, rich = scene.account(0, deposit=deposit, leverage=leverage), scene.account(1, deposit=1e8)
    credit = scene.draw(st.sampled_from([0, 0, 5]), "credit") * deposit / 100
    if credit:
        scene.book.balance(scene.sessions.boss, login, "credit", credit, expiration=2**31 - 3600)
    used = [EURUSD, USDJPY][: scene.draw(st.integers(1, 2), "used")]
    for instrument in used:
        start = (instrument.typical, round(instrument.typical + 10 / 10**instrument.digits, 8))
        tick(scene, scene.sessions.boss, instrument, *start)
    for _ in range(scene.draw(st.integers(1, 4), "positions")):
        instrument = scene.draw(st.sampled_from(used), "symbol")
        command = scene.draw(st.sampled_from(some.MARKET_COMMANDS), "command")
        bid, ask = (float(each) for each in scene.book.quotes[instrument.name])
        share = scene.draw(st.integers(5, 40), "share of the deposit")  # percent, as margin
        volume = max(round(deposit * share * leverage / 10_000_000, 2), 0.01)
        order = {
            "symbol": instrument.name,
            "command": command,
            "volume": volume,
            "price": ask if command == "buy" else bid,
        }
        scene.book.open(scene.actor(), rich, order)
        known = _level_with(scene, login, leverage, order)
        if known > threshold + 40:
            scene.book.open(scene.actor(), login, order)
    for _ in range(scene.draw(st.integers(1, 5), "ticks")):
        instrument = scene.draw(st.sampled_from(used), "symbol")
        if not _fall(scene, instrument, login, leverage, threshold):
            return
    scene.audit()


def _level_with(scene: Scene, login: int, leverage: int, order: Json) -> Decimal:
    """What counts for the stop-out, once the order is open."""
    book = scene.book
    trial = book.opened(-1, login, order)
    try:
        known = level(book, login, leverage)
    finally:
        del book.orders[trial.ticket]
    return Decimal(0) if known is None else measured(book, login, known)


def _fall(scene: Scene, instrument: Instrument, login: int, leverage: int, threshold: int) -> bool:
    """A price far away; says whether its outcome can be foretold."""
    book, points = scene.book, 10**instrument.digits
    bid = float(book.quotes[instrument.name][0])
    sizes = st.one_of(st.integers(100, 3000), st.integers(1000, 20_000))
    move = scene.draw(sizes, "move") * scene.draw(st.sampled_from([-1, 1]), "direction")
    bid = round(max(bid + move / points, 0.1), instrument.digits)
    ask = round(bid + 10 / points, instrument.digits)
    told = book.tick(scene.actor(), instrument, bid, ask)
    if not told:
        return True
    touched = react(book, instrument)
    outcome = stop_out(book, login, leverage, threshold)
    if outcome is None or outcome[1] < Decimal("0.05"):
        return False  # two lose alike, or the level is within rounding of the threshold
    for ticket in outcome[0]:
        touched[ticket] = "L-TRG-5"
        scene.judge.held("L-TRG-6")
    if not outcome[0]:
        scene.judge.held("L-TRG-7")
        for order in book.positions(login):
            touched[order.ticket] = "L-TRG-7"
    wanted = {ticket: law for ticket, law in touched.items() if not book.orders[ticket].open or law != "L-TRG-7"}
    for ticket in touched.keys() - wanted.keys():
        book.verify(scene.sessions.boss, [ticket], "L-TRG-7")
    _after(scene, instrument, bid, ask, wanted, told)
    return True


@suite(Profile.FULL, exclusive=True, weight=0.5, examples=[{"command": [each]} for each in some.PENDING_COMMANDS])
def poor_pendings(scene: Scene) -> None:
    """The price of a pending comes, and its account has not the margin."""
    book, boss, instrument = scene.book, scene.sessions.boss, EURUSD
    scene.seat(("0", "2"), kinds=["trade"])
    scene.group()
    login = scene.account(0, deposit=100.0)
    tick(scene, boss, instrument, 1.08, 1.0801)
    command = scene.draw(st.sampled_from(some.PENDING_COMMANDS), "command")
    up = command in ("buy_stop", "sell_limit")
    data = {"symbol": instrument.name, "command": command, "volume": 5.0, "price": 1.082 if up else 1.078}
    order = book.open(scene.actor(), login, data)
    bid, ask = (1.083, 1.0831) if up else (1.077, 1.0771)
    book.tick(scene.actor(), instrument, bid, ask)
    order.open, order.comment, order.profit = False, "deleted [no money]", Decimal(0)
    order.closed_at = exact(ask if order.side > 0 else bid)
    book.step(boss, [order.ticket], "L-TRG-8", login)
    scene.audit()
