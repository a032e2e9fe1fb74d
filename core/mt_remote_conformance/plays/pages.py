"""Lists of dialect 2: pages and filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from hypothesis import strategies as st

from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import suite
from mt_remote_conformance.sessions.client import Answer, Dialect, Json
from mt_remote_conformance.targets import Profile

CITIES = ("Riga", "riga", "Oslo", "Rigard", "Tartu", "")
KEYS = {"users.get.all": "login", "users.get": "login", "config.groups.get.all": "group", "trades.get": "order",
        "trades.get.by_login": "order", "trades.history": "order"}  # fmt: skip

Fits = Callable[[Json], bool]


def _furnished(scene: Scene) -> list[int]:
    """Two groups, six accounts, some orders and history; gives the logins."""
    book, boss = scene.book, scene.sessions.boss
    scene.group(1)
    scene.group(2, enable=False, company="Other")
    logins = []
    for number, city in enumerate(CITIES):
        more = {"city": city, "enable": number % 3 > 0, "leverage": (50, 100, 200)[number % 3]}
        group = scene.target.group(1 + number % 2)
        logins.append(scene.account(number, group, deposit=1000.0 * (number < 2), **more))
    for number, command in enumerate(("buy", "sell", "buy_limit", "buy", "sell_stop")):
        order = {"symbol": ("EURUSD", "GBPUSD")[number % 2], "command": command, "volume": 0.1, "price": 1.0}
        book.open(boss, logins[number % 2], {**order, "comment": f"Kit {number}"})
    for amount in (5.0, 7.0, 9.0):
        book.balance(boss, logins[0], "balance", amount, comment="more")
    return logins


def _lists(scene: Scene, logins: Sequence[int]) -> list[tuple[str, Json]]:
    """Functions that give lists, each with data that keeps it to the kit's own."""
    own = {"group": f"{scene.target.prefix}*"}
    return [
        ("users.get.all", own), ("config.groups.get.all", own), ("trades.get", own),
        ("users.get", {"logins": [*logins[::-1], scene.target.logins[9]]}), ("trades.history", {"login": logins[0]}),
        ("trades.get.by_login", {"login": logins[0], "group": scene.target.group(1)}),
    ]  # fmt: skip


@suite(Profile.DEMO, weight=0.7, examples=[{"limits": [[1, 2, 3, 6, 7, 2**31 - 1]], "cases": [range(60)]}])
def pages(scene: Scene) -> None:
    """Every list in pages of any size, and through filters."""
    logins = _furnished(scene)
    for limit in scene.draw(st.lists(st.integers(1, 8), min_size=1, max_size=3), "limits"):
        for name, data in _lists(scene, logins):
            whole = scene.sessions.boss.result(name, data)
            walked(scene, name, data, [each[KEYS[name]] for each in whole], limit)
    cases = list(_filters(scene, logins))
    for place in scene.draw(st.lists(st.integers(0, len(cases) - 1), min_size=1, max_size=5, unique=True), "cases"):
        if place < len(cases):
            _filtered(scene, *cases[place])
    refused: list[Json] = [
        {"limit": 0},
        {"limit": "5"},
        {"after": "x"},
        {"enable": "yes"},
        {"leverage": []},
        {"weather": 1},
    ]
    for wrong in refused:
        scene.sessions.fails("L-PAG-4", scene.sessions.boss, "users.get.all", wrong, codes=("invalid_data",))
    wrong_cursor = {"logins": list(logins), "limit": 1, "after": scene.target.logins[9]}
    scene.sessions.fails("L-PAG-5", scene.sessions.boss, "users.get", wrong_cursor, codes=("invalid_data",))


def _page(scene: Scene, law: str, name: str, data: Json) -> Answer:
    answer = scene.sessions.boss.call(name, data)
    scene.judge.check(law, answer.ok, lambda: f"{name} {data} answered: {answer.message}")
    return answer


def walked(scene: Scene, name: str, data: Json, whole: Sequence[Any], limit: int, *, key: str = "") -> None:
    """Follows ``next`` from page to page; ``whole`` are the keys of the list without pages."""
    judge, key = scene.judge, key or KEYS[name]
    due = list(whole) if name == "users.get" else sorted(whole)
    taken: list[Any] = []
    law = "L-PAG-5" if name == "users.get" else "L-PAG-2"
    after: Json = {}
    while True:
        asked = {**data, "limit": limit, **after}
        answer = _page(scene, "L-PAG-1", name, asked)
        found = [each[key] for each in answer.result]
        more = len(taken) + len(found) < len(due)
        judge.check("L-PAG-1", len(found) <= limit, f"{name} {asked}: {len(found)} elements")
        judge.equal("L-PAG-1", "next" in answer.raw, more, f"{name} {asked}: whether there is a next page")
        judge.check("L-PAG-1", found or not due, f"{name} {asked}: an empty page")
        taken += found
        if not more or not found:
            break
        after = {"after": answer.raw["next"]}
    judge.equal(law, taken, due, f"{name} {data} in pages of {limit}")


def _filters(scene: Scene, logins: Sequence[int]) -> Iterator[tuple[str, Json, Json, Fits]]:
    """(function, data, filters, what lets an element through)."""
    lists = dict(_lists(scene, logins))
    one, two = scene.target.group(1), scene.target.group(2)

    def masked(*masks: str) -> Callable[[object], bool]:
        return lambda text: any(fnmatchcase(str(text), mask) for mask in masks)

    users: list[tuple[Json, Fits]] = [
        ({"enable": True}, lambda user: user["enable"]), ({"enable": False}, lambda user: not user["enable"]),
        ({"city": "Riga"}, lambda user: user["city"] == "Riga"), ({"city": "R*"}, lambda user: user["city"][:1] == "R"),
        ({"city": ["R*", "O*o"]}, lambda user: masked("R*", "O*o")(user["city"])),
        ({"city": "*i*a*"}, lambda user: masked("*i*a*")(user["city"])),
        ({"leverage": 100}, lambda user: user["leverage"] == 100),
        ({"leverage": [200, 50]}, lambda user: user["leverage"] in (50, 200)),
        ({"enable": True, "leverage": [100], "city": "*"}, lambda user: user["enable"] and user["leverage"] == 100),
        ({"group": one}, lambda user: user["group"] == one), ({"group": [one, two]}, lambda user: True),
        ({"group": one.upper()}, lambda user: False),
    ]  # fmt: skip
    for name in ("users.get.all", "users.get"):
        for filters, fits in users:
            yield name, lists[name], filters, fits
    trades: list[tuple[Json, Fits]] = [
        ({"cmd": "buy"}, lambda trade: trade["cmd"] == "buy"), ({"symbol": "GBP*"}, lambda t: t["symbol"] == "GBPUSD"),
        ({"cmd": ["sell", "buy_limit"]}, lambda trade: trade["cmd"] in ("sell", "buy_limit")),
        ({"cmd": "buy", "symbol": "EURUSD"}, lambda trade: (trade["cmd"], trade["symbol"]) == ("buy", "EURUSD")),
        ({"comment": "Kit *"}, lambda trade: trade["comment"].startswith("Kit ")),
        ({"comment": "kit*"}, lambda trade: False),
    ]  # fmt: skip
    for name in ("trades.get", "trades.get.by_login"):
        for filters, fits in trades:
            yield name, lists[name], filters, fits
    yield "trades.get", lists["trades.get"], {"login": logins[1]}, lambda trade: trade["login"] == logins[1]
    yield "trades.get", {}, {"group": two}, lambda trade: trade["login"] in logins[1::2]
    yield "trades.history", lists["trades.history"], {"comment": "more"}, lambda trade: trade["comment"] == "more"
    yield "config.groups.get.all", {}, {"group": [one, two], "enable": True}, lambda group: group["group"] == one
    yield "config.groups.get.all", {}, {"group": [two, one], "company": "Oth*"}, lambda group: group["group"] == two


def _filtered(scene: Scene, name: str, data: Json, filters: Json, fits: Fits) -> None:
    """A list through filters, whole and in pages."""
    key = KEYS[name]
    whole = scene.sessions.boss.result(name, data)
    due = [each[key] for each in whole if fits(each)]
    found = [each[key] for each in _page(scene, "L-PAG-4", name, {**data, **filters}).result]
    scene.judge.equal("L-PAG-4", found, due, f"{name} through {filters}")
    walked(scene, name, {**data, **filters}, due, 2)


@suite(Profile.DEMO, weight=0.5, examples=[{"what": [what], "limit": [2]} for what in ("users", "trades")])
def pages_in_motion(scene: Scene) -> None:
    """Between two pages the element at the cursor goes, and others come."""
    logins = _furnished(scene)
    boss, judge = scene.sessions.boss, scene.judge
    limit = scene.draw(st.integers(1, 3), "limit")
    what = scene.draw(st.sampled_from(["users", "trades"]), "what")
    name, key = ("users.get.all", "login") if what == "users" else ("trades.get", "order")
    data = {"group": f"{scene.target.prefix}*", "limit": limit}
    there = [each[key] for each in boss.result(name, {"group": data["group"]})]
    first = _page(scene, "L-PAG-3", name, data)
    taken = [each[key] for each in first.result]
    cursor, fresh = taken[-1], scene.target.logins[20]
    if what == "users":
        scene.users.add(boss, fresh, scene.target.group(1), {})
        scene.users.delete(boss, [cursor])
        logins.remove(cursor)
    else:
        scene.book.close(boss, scene.book.orders[cursor], 0.1, 1.1) if limit < 3 else scene.book.cancel(
            boss, scene.book.orders[cursor])  # fmt: skip
        order = {"symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.0}
        fresh = scene.book.open(boss, logins[0], order).ticket
    after = first.raw.get("next")
    while after is not None:
        page = _page(scene, "L-PAG-3", name, {**data, "after": after})
        taken += [each[key] for each in page.result]
        after = page.raw.get("next")
    judge.equal(
        "L-PAG-3", taken, [*there, fresh], f"{name} in pages of {limit}, {cursor} gone and {fresh} come meanwhile"
    )


@suite(Profile.DEMO, weight=0.5, examples=[{"dialect": [dialect]} for dialect in ("0", "1.00")])
def pages_of_old(scene: Scene) -> None:
    """Older dialects know neither pages nor filters."""
    dialect: Dialect = scene.draw(st.sampled_from(["0", "1.00"]), "dialect")
    client = scene.sessions.sit(dialect)
    for field in ({"limit": 1}, {"after": 1}, {"enable": True}, {"group": "*"}):
        answer = scene.sessions.fails("L-PAG-6", client, "users.get.all", field)
        scene.judge.check("L-PAG-6", next(iter(field)) in answer.message, f"{answer.message!r} does not name {field}")
    answer = scene.sessions.boss.call("users.get.all", {"limit": 1})
    scene.judge.check("L-PAG-6", answer.ok, f"dialect 2 has no pages: {answer.message}")
