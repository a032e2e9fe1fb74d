"""What time does: expirations, swaps, the day's end."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from mt_remote.conformance import strategies as some
from mt_remote.conformance.money import EURUSD, cents, exact
from mt_remote.conformance.scene import Scene
from mt_remote.conformance.suites import suite
from mt_remote.conformance.targets import Profile

DAY = 86_400


@suite(Profile.FULL, control=True, exclusive=True)
def expirations(scene: Scene) -> None:
    """Pendings live until their time, and no longer."""
    scene.seat(kinds=["trade"])
    scene.group()
    login = scene.account(0)
    book, boss = scene.book, scene.table.boss
    now = scene.clock()
    for hours in scene.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3), "hours"):
        data = {
            "symbol": "EURUSD", "command": "buy_limit", "volume": 0.1, "price": 0.5,
            "expiration": (now // 3600 + hours + 1) * 3600,
        }  # fmt: skip
        book.open(scene.actor(), login, data)
    for seconds in scene.draw(st.lists(st.integers(600, 7200), min_size=1, max_size=4), "pass"):
        now = scene.advance(seconds)
        for order in book.open_orders(login):
            if order.expiration < now:
                order.open, order.profit = False, Decimal(0)
                record = boss.result("trade.get", {"order": order.ticket})
                order.comment = record["comment"]  # sources don't say what it reads
                closed = record["close_time"]
                scene.judge.check(
                    "L-TIM-1", order.expiration <= closed <= now, f"closed at {closed}, {order.expiration}"
                )
                book.verify(boss, [order.ticket], "L-TIM-1")
            elif order.expiration > now:
                book.verify(boss, [order.ticket], "L-TIM-1")
        for client in scene.table.clients:
            client.settle()
            client.take()


@suite(Profile.FULL, control=True, exclusive=True)
def nights(scene: Scene) -> None:
    """Swaps, night by night, over weekdays, the triple day and the weekend."""
    scene.seat(("2",), kinds=[])
    boss, book = scene.table.boss, scene.book
    rates = [scene.draw(st.integers(-100, 100), name) / 10 for name in ("swap_long", "swap_short")]
    used = scene.draw(st.booleans(), "use_swap")
    scene.group(use_swap=used, symbols={"EURUSD": {"swap_long": rates[0], "swap_short": rates[1]}})
    idle, login = scene.account(0, deposit=1234.5), scene.account(1)
    common = boss.result("config.common.get")
    end = common["end_of_day_hour"] * 3600 + common["end_of_day_minute"] * 60
    orders = [
        book.open(boss, login, {**scene.draw(some.orders(EURUSD, pendings=False), "order"), "sl": 0.0, "tp": 0.0})
        for _ in range(scene.draw(st.integers(1, 2), "positions"))
    ]
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
    for order in orders:
        book.close(boss, order, float(order.volume), EURUSD.typical)
