"""What time does: expirations, swaps, the day's end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from mt_remote_conformance import strategies as some
from mt_remote_conformance.model.money import EURUSD, cents, exact
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, suite
from mt_remote_conformance.sessions.client import Json
from mt_remote_conformance.targets import Profile

DAY = 86_400


_EXPIRATIONS: list[Pins] = [
    {"hours": [[1, 2, 1, 3]], "moved": [0, -1, 1, 0], "activate": [False, False, False, True],
     "pass": [[3600, 5400, 1800, 7200]]},
]  # fmt: skip


@suite(Profile.FULL, control=True, exclusive=True, examples=_EXPIRATIONS)
def expirations(scene: Scene) -> None:
    """Pendings live until their time, which may be another one meanwhile, and no longer; what was activated stays."""
    scene.seat(kinds=["trade"])
    scene.group()
    login = scene.account(0)
    book, boss = scene.book, scene.sessions.boss
    now = scene.clock()
    for hours in scene.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3), "hours"):
        data = {
            "symbol": "EURUSD", "command": "buy_limit", "volume": 0.1, "price": 0.5,
            "expiration": (now // 3600 + hours + 1) * 3600,
        }  # fmt: skip
        order = book.open(scene.actor(), login, data)
        moved = scene.draw(st.sampled_from([0, 0, 1, -1]), "moved") * 3600
        if moved and order.expiration + moved > now:
            book.modify(scene.actor(), order, {"expiration": order.expiration + moved})
        if scene.draw(st.booleans(), "activate"):
            book.activate(scene.actor(), order, 1.08)
    for seconds in scene.draw(st.lists(st.integers(600, 7200), min_size=1, max_size=4), "pass"):
        now = scene.advance(seconds)
        for order in book.open_orders(login):
            if order.pending and order.expiration < now:
                order.open, order.profit = False, Decimal(0)
                record = boss.result("trade.get", {"order": order.ticket})
                order.comment = record["comment"]  # sources don't say what it reads
                closed = record["close_time"]
                scene.judge.check(
                    "L-TIM-1", order.expiration <= closed <= now, f"closed at {closed}, {order.expiration}"
                )
                book.verify(boss, [order.ticket], "L-TIM-1")
            elif order.expiration != now:
                book.verify(boss, [order.ticket], "L-TIM-1")
        for client in scene.sessions.clients:
            client.settle()
            client.take()


_TO_MONTHS_END = 35
_NIGHTS: list[Pins] = [
    {"swap_long": [-73], "swap_short": [31], "use_swap": [True], "positions": [3], "nights": [[1, 1, 1, 1, 1, 1, 1]],
     "side": ["buy", "sell", "buy"], "ending": [ending], "order": [
         {"symbol": "EURUSD", "command": "buy", "volume": volume, "price": 1.08} for volume in (1.0, 0.37, 0.5)]}
    for ending in ("close", "part", "by", "all")
]  # fmt: skip
_NIGHTS += [{"use_swap": [True, False], "nights": [[_TO_MONTHS_END]], "swap_long": [5]},
            {"use_swap": [False], "nights": [[1, 2, 1]], "swap_long": [5], "swap_short": [5]}]  # fmt: skip


@suite(Profile.FULL, control=True, exclusive=True, examples=_NIGHTS)
def nights(scene: Scene) -> None:
    """Swaps, night by night, over weekdays, the triple day and the weekend; then they are shared and realised."""
    scene.seat(("2",), kinds=[])
    boss, book = scene.sessions.boss, scene.book
    rates = [scene.draw(st.integers(-100, 100), name) / 10 for name in ("swap_long", "swap_short")]
    used = scene.draw(st.booleans(), "use_swap")
    scene.group(use_swap=used, symbols={"EURUSD": {"swap_long": rates[0], "swap_short": rates[1]}})
    idle, login = scene.account(0, deposit=1234.5), scene.account(1)
    common = boss.result("config.common.get")
    end = common["end_of_day_hour"] * 3600 + common["end_of_day_minute"] * 60
    orders = [
        book.open(boss, login, {**scene.draw(some.orders(EURUSD, pendings=False), "order"), "sl": 0.0, "tp": 0.0,
                                "command": scene.draw(st.sampled_from(some.MARKET_COMMANDS), "side")})
        for _ in range(scene.draw(st.integers(1, 3), "positions"))
    ]  # fmt: skip
    for days in scene.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4), "nights"):
        before = scene.clock()
        after = scene.advance(days * DAY)
        for midnight in range(before - before % DAY, after + 1, DAY):
            if before < midnight + end <= after:
                weekday = datetime.fromtimestamp(midnight, UTC).weekday()
                times = 0 if weekday > 4 or not used else 3 if weekday == 2 else 1
                for order in orders:
                    rate = exact(rates[0 if order.side > 0 else 1])
                    order.storage += times * cents(rate * EURUSD.point * EURUSD.contract * order.volume)
        for order in orders:
            record = boss.result("trade.get", {"order": order.ticket})
            scene.judge.check(
                "L-TIM-2", abs(record["storage"] - float(order.storage)) < 0.011 * len(orders) * 14,
                f"storage of {order.ticket}: is {record['storage']}, expected {order.storage}",
            )  # fmt: skip
            order.storage = exact(record["storage"])
        user = scene.users.read(boss, idle)
        scene.judge.equal(
            "L-TIM-3", (user["prev_day_balance"], user["prev_day_equity"]), (1234.5, 1234.5), "the day before"
        )
        if _month_ended(before, after, end):
            kept = (user["prev_month_balance"], user["prev_month_equity"])
            scene.judge.equal("L-TIM-4", kept, (1234.5, 1234.5), "the month before")
    _end(scene, login, scene.draw(st.sampled_from(["close", "part", "by", "all"]), "ending"))


def _month_ended(before: int, after: int, end: int) -> bool:
    """Whether a month certainly ended between two times: with a day to spare, since sources don't say at which of the
    two midnights it does."""
    months = {datetime.fromtimestamp(moment - end, UTC).month for moment in (before + DAY, after - DAY)}
    return after - before > 2 * DAY and len(months) > 1


def _end(scene: Scene, login: int, how: str) -> None:
    """Closes what is open, by way of what shares swaps between orders."""
    book, boss = scene.book, scene.sessions.boss
    held = book.positions(login)
    if how == "part":
        for order in held:
            if order.volume * 100 > 1:
                book.close(boss, order, int(order.volume * 50) / 100, EURUSD.typical)
    elif how == "by" and any(order.side != held[0].side for order in held):
        book.close_by(boss, held[0], next(order for order in held if order.side != held[0].side))
    elif how == "all":
        book.close_all(boss, login, EURUSD.name)
    for order in book.positions(login):
        book.close(boss, order, float(order.volume), EURUSD.typical)
    book.audit(boss)


@suite(
    Profile.FULL,
    control=True,
    exclusive=True,
    weight=0.7,
    examples=[{"seconds": [7, 60, 100, 3, 59, 1000, 5, 9, 11, 13]}],
)
def moments(scene: Scene) -> None:
    """Time passes between what happens to accounts, prices and orders; records say when, histories go by it."""
    boss, book, judge = scene.sessions.boss, scene.book, scene.judge
    watcher = scene.seat(("2",), kinds=["trade", "user", "tick"])[0]
    scene.show(EURUSD)
    scene.group()

    def passed() -> int:
        return scene.advance(scene.draw(st.integers(1, 2000), "seconds"))

    at = passed()
    login = scene.account(0)
    judge.equal("L-REC-5", scene.users.read(boss, login)["reg_date"], at, "reg_date")
    at = passed()
    scene.users.set(boss, login, {"city": "Riga"})
    judge.equal("L-REC-5", scene.users.read(boss, login)["timestamp"], at, "a user's timestamp")
    at = passed()
    watcher.take()
    last = boss.result("ticks.get", {"symbol": "EURUSD"})
    bid = 1.0805 if last and last[0]["bid"] == 1.0802 else 1.0802
    book.tick(boss, EURUSD, bid, 1.081)
    watcher.settle()
    watcher.wait_for(lambda: bool(watcher.events), scene.target.patience)
    times = [tick["time"] for tick in (*boss.result("ticks.get", {"symbol": "EURUSD"}), *watcher.take("tick"))]
    judge.equal("L-REC-5", times, [at, at], "times of the tick, read and told")
    _lives(scene, login, passed)


def _lives(scene: Scene, login: int, passed: Callable[[], int]) -> None:
    boss, book = scene.sessions.boss, scene.book
    data = {"symbol": "EURUSD", "command": "buy", "volume": 1.0, "price": 1.08}
    closed: dict[int, int] = {ticket: _read(scene, ticket)["close_time"] for ticket in book.entries[login]}
    opened = passed()
    one = book.open(boss, login, data)
    other = book.open(boss, login, {**data, "command": "sell", "volume": 0.3})
    passed()
    pending = book.open(boss, login, {**data, "command": "buy_limit", "price": 1.0})
    modified = passed()
    book.modify(boss, one, {"comment": "later"})
    _at(scene, one.ticket, open_time=opened, timestamp=modified)
    activated = passed()
    book.activate(boss, pending, 1.08)
    _at(scene, pending.ticket, open_time=activated)
    parted = passed()
    book.close(boss, one, 0.4, 1.09)
    rest = book.positions(login)[-1]
    _at(scene, one.ticket, open_time=opened, close_time=parted, timestamp=parted)
    _at(scene, rest.ticket, open_time=opened, close_time=0)
    hedged = passed()
    book.close_by(boss, rest, other)
    left = book.positions(login)[-1]
    for ticket in (rest.ticket, other.ticket):
        _at(scene, ticket, open_time=opened, close_time=hedged)
    _at(scene, left.ticket, open_time=opened, close_time=0)
    ended = passed()
    book.close(boss, pending, 1.0, 1.09)
    _at(scene, pending.ticket, open_time=activated, close_time=ended)
    closed |= {one.ticket: parted, rest.ticket: hedged, other.ticket: hedged, pending.ticket: ended}
    _ranges(scene, login, closed)


def _read(scene: Scene, ticket: int) -> Json:
    record: Json = scene.sessions.boss.result("trade.get", {"order": ticket})
    return record


def _at(scene: Scene, ticket: int, **times: int) -> None:
    record = _read(scene, ticket)
    scene.judge.equal("L-REC-5", {name: record[name] for name in times}, times, f"times of order {ticket}")


def _ranges(scene: Scene, login: int, closed: dict[int, int]) -> None:
    """Every range of the history that begins and ends at, or a second beside, a time at which something was closed."""
    edges = sorted({0, *(time + beside for time in closed.values() for beside in (-1, 0, 1))})
    for first in edges:
        for last in (*(each for each in edges if each >= first), None):
            asked = {"login": login, "from": first, **({} if last is None else {"to": last})}
            found = [each["order"] for each in scene.sessions.boss.result("trades.history", asked)] if (
                last is not None or first <= max(closed.values())) else []  # fmt: skip
            due = sorted(t for t, time in closed.items() if first <= time and (last is None or time <= last))
            scene.judge.equal("L-ORD-3", found, due, f"history {asked}")
