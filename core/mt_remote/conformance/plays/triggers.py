"""What prices do to orders: stops, takes, pendings, stop-outs."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from mt_remote.conformance import strategies as some
from mt_remote.conformance.areas.triggers import level, react, stop_out
from mt_remote.conformance.money import EURUSD, USDJPY, Instrument
from mt_remote.conformance.scene import Scene
from mt_remote.conformance.suites import suite
from mt_remote.conformance.table import Changes
from mt_remote.conformance.targets import Profile
from mt_remote.conformance.wire import Client, Json


def tick(scene: Scene, client: Client, instrument: Instrument, bid: float, ask: float) -> None:
    """A price, and what it does to the orders."""
    book = scene.book
    told = book.tick(client, instrument, bid, ask)
    touched = react(book, instrument) if told else {}
    _after(scene, instrument, bid, ask, touched, told)


def _after(scene: Scene, instrument: Instrument, bid: float, ask: float, touched: dict[int, str], told: bool) -> None:
    book, boss = scene.book, scene.table.boss
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
    scene.table.examine(changes)


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


@suite(Profile.FULL, exclusive=True, weight=4)
def triggers(scene: Scene) -> None:
    """Orders with levels, and prices that walk and jump over them."""
    instrument = scene.draw(st.sampled_from(list(scene.target.instruments.values())), "symbol")
    scene.seat(kinds=["trade", "user", "tick"])
    scene.show(instrument)
    wide = scene.draw(st.sampled_from([0, 4]), "spread")
    scene.group(securities={instrument.security: {"spread_diff": wide, "commission_base": 3.0}})
    logins = [scene.account(0, deposit=1e8), scene.account(1, deposit=1e8)]
    stream = scene.draw(some.tick_streams(instrument, most=8), "prices")
    start = (instrument.typical, round(instrument.typical + 10 / 10**instrument.digits, 8))
    tick(scene, scene.table.boss, instrument, *start)
    for _ in range(scene.draw(st.integers(1, 4), "orders")):
        login = scene.draw(st.sampled_from(logins), "login")
        scene.book.open(scene.actor(), login, _placed(scene, instrument, start))
    for quote in stream:
        tick(scene, scene.actor(), instrument, *quote)
    scene.audit()


@suite(Profile.FULL, exclusive=True, weight=3)
def at_the_level(scene: Scene) -> None:
    """One order, and prices a point before its level, at it, a point behind."""
    instrument = scene.draw(st.sampled_from(list(scene.target.instruments.values())), "symbol")
    scene.seat(("2",), kinds=["trade", "tick"])
    scene.show(instrument)
    scene.group()
    login = scene.account(0, deposit=1e8)
    point = 1 / 10**instrument.digits
    start = (instrument.typical, round(instrument.typical + 10 * point, 8))
    tick(scene, scene.table.boss, instrument, *start)
    order = scene.book.open(scene.actor(), login, _placed(scene, instrument, start))
    levels = [each for each in (order.sl, order.tp, order.price if order.pending else Decimal(0)) if each]
    if not levels:
        return
    aimed = scene.draw(st.sampled_from(levels), "level")
    for offset in scene.draw(st.lists(st.integers(-2, 2), min_size=1, max_size=4), "offsets"):
        near = round(float(aimed) + offset * point, 8)
        by_bid = scene.draw(st.booleans(), "bid at the level")
        bid, ask = (near, round(near + 10 * point, 8)) if by_bid else (round(near - 10 * point, 8), near)
        tick(scene, scene.actor(), instrument, bid, ask)
    scene.audit()


@suite(Profile.FULL, exclusive=True, weight=3)
def stop_outs(scene: Scene) -> None:
    """Accounts that lose more than they have, slowly and at once."""
    scene.seat(kinds=["trade", "user"])
    threshold = scene.draw(st.sampled_from([20, 50, 100]), "stop-out level")
    scene.group(margin_stopout=threshold, margin_call=threshold + 20)
    leverage = 100
    deposit = float(scene.draw(st.integers(1_000, 20_000), "deposit"))
    login, rich = scene.account(0, deposit=deposit), scene.account(1, deposit=1e8)
    used = scene.draw(st.sampled_from([[EURUSD], [EURUSD, USDJPY]]), "symbols")
    for instrument in used:
        start = (instrument.typical, round(instrument.typical + 10 / 10**instrument.digits, 8))
        tick(scene, scene.table.boss, instrument, *start)
    for _ in range(scene.draw(st.integers(1, 4), "positions")):
        instrument = scene.draw(st.sampled_from(used), "symbol")
        command = scene.draw(st.sampled_from(some.MARKET_COMMANDS), "command")
        bid, ask = (float(each) for each in scene.book.quotes[instrument.name])
        share = scene.draw(st.integers(5, 40), "share of the deposit")  # percent, as margin
        volume = max(round(deposit * share / 100_000, 2), 0.01)
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
    """The margin level once the order is open."""
    book = scene.book
    trial = book.opened(-1, login, order)
    try:
        known = level(book, login, leverage)
    finally:
        del book.orders[trial.ticket]
    return Decimal(0) if known is None else known[0]


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
        book.verify(scene.table.boss, [ticket], "L-TRG-7")
    _after(scene, instrument, bid, ask, wanted, told)
    return True
