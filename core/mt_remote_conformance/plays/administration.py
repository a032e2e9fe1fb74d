"""Groups, users, managers, the common configuration."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from mt_remote_conformance import strategies as some
from mt_remote_conformance.model.configuration import Common
from mt_remote_conformance.plays import samples
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, suite
from mt_remote_conformance.sessions.client import Json
from mt_remote_conformance.sessions.sessions import SECRET
from mt_remote_conformance.targets import Profile

_STEPS = ["add", "set", "set", "delete", "bad", "audit"]
_NESTED: Json = {"securities": {"Forex": {"spread_diff": 4}}, "symbols": {"EURUSD": {"swap_long": 1.5}}}
_GROUPS: list[Pins] = [
    {
        "fields": [samples.GROUPS[0], samples.GROUPS[1], samples.GROUPS[0], _NESTED, {}, {"copies": 8}],
        "steps": [9], "step": ["set", "set", "set", "set", "bad", "bad", "audit", "add", "delete"],
        "group": [1, 1, 1, 1, 1, 1, 1, 1, 2], "bad": [0, 1],
    },
    {"fields": [{}, {"timeout_seconds": 30}, samples.GROUPS[1]], "steps": [4], "step": ["set", "add", "delete", "set"],
     "group": [1, 2, 1, 2]},
]  # fmt: skip
_NOT_THERE = (
    {"securities": {"Nothing": {"trade": True}}, "copies": 7},
    {"symbols": {"NOPE": {"margin_pct": 5}}, "copies": 7},
)


@suite(Profile.DEMO, weight=1.5, examples=_GROUPS)
def groups(scene: Scene) -> None:
    """Groups are added, changed in part, read, deleted by several sessions."""
    scene.seat(kinds=["group"])
    known = scene.groups
    symbols = list(scene.target.instruments)
    names = [name for name in ("Forex", "Metals") if name in known.securities] or known.securities[:2]

    def fields() -> Json:
        return _there(scene.draw(some.groups(names, symbols), "fields"), names, symbols)

    known.add(scene.actor(), scene.target.group(1), fields())
    for _ in range(scene.draw(st.integers(1, 6), "steps")):
        step = scene.draw(st.sampled_from(_STEPS), "step")
        name = scene.target.group(scene.draw(st.integers(1, 2), "group"))
        if step in ("add", "set"):
            (known.add if step == "add" else known.set)(scene.actor(), name, fields())
        elif step == "delete":
            known.delete(scene.actor(), name)
        elif step == "audit":
            known.audit(scene.actor())
        elif name in known.known:
            known.bad_set(scene.actor(), name, _NOT_THERE[scene.draw(st.integers(0, 1), "bad")])
    unknown = scene.target.group(8)
    known.set(scene.actor(), unknown, {"copies": 1})
    known.delete(scene.actor(), unknown)
    if scene.target.group() in known.known:
        known.bad_set(scene.actor(), scene.target.group(), _NOT_THERE[0])
    if known.foreign:
        known.add(scene.actor(), next(iter(known.foreign)), {"copies": 3})
    known.audit(scene.actor())


def _there(fields: Json, securities: Sequence[str], symbols: Sequence[str]) -> Json:
    """An update without what the server has no security or symbol for."""
    kept = {"securities": securities, "symbols": symbols}
    return {
        name: {key: each for key, each in value.items() if key in kept[name]} if name in kept else value
        for name, value in fields.items()
    }


_USERS: list[Pins] = [
    {
        "fields": [samples.USERS[0], samples.USERS[1], {}, samples.USERS[0], samples.USERS[1], {}],
        "steps": [13], "read-only fields": [{"balance": 5.0, "credit": 7.0, "prev_day_equity": 3.0, "last_date": 5}],
        "step": ["set", "set", "set", "add", "read-only", "get", "lacking", "lacking", "lacking", "set", "delete",
                 "move", "nowhere"],
        "logins": [[0, 1, 2], [1, 2]], "login": [0, 2, 0, 1, 1, 0, 2, 2, 2, 0, 0, 1, 1],
        "lacks": ["group", "name", "password"],
    },
    {"steps": [3], "step": ["add", "add", "delete"], "login": [1, 1, 0], "logins": [[0, 3]], "unknown group": [True],
     "fields": [{}, {}, {}], "lacks": ["group"]},
]  # fmt: skip
_USER_STEPS = ["add", "add", "set", "read-only", "get", "delete", "lacking", "move", "nowhere"]


@suite(Profile.DEMO, weight=1.5, examples=_USERS)
def users(scene: Scene) -> None:
    """Accounts are added, changed in part, moved, read, deleted by several sessions."""
    scene.seat(kinds=["user", "group"])
    group, other = scene.group(), scene.group(2)
    known, logins = scene.users, scene.target.logins[:4]

    def several(least: int, most: int) -> list[int]:
        chosen = st.lists(st.integers(0, 3), min_size=least, max_size=most, unique=True)
        return [logins[number] for number in scene.draw(chosen, "logins")]

    known.add(scene.actor(), logins[0], group, scene.draw(some.users(), "fields"))
    for _ in range(scene.draw(st.integers(1, 7), "steps")):
        step = scene.draw(st.sampled_from(_USER_STEPS), "step")
        login = logins[scene.draw(st.integers(0, 3), "login")]
        if step == "add":
            known.add(scene.actor(), login, group, scene.draw(some.users(), "fields"))
        elif step == "set":
            known.set(scene.actor(), login, scene.draw(some.users(), "fields"))
        elif step == "read-only":
            read_only = scene.draw(st.fixed_dictionaries({}, optional=some.READ_ONLY_USER_FIELDS), "read-only fields")
            known.set(scene.actor(), login, scene.draw(some.users(), "fields"), read_only=read_only)
        elif step == "get":
            known.get(scene.actor(), several(0, 4))
        elif step == "delete":
            known.delete(scene.actor(), several(1, 2))
        elif step in ("move", "nowhere"):
            known.move(scene.actor(), login, other if step == "move" else f"{scene.target.prefix}?")
        else:
            _lacking(scene, group, login)
    for login in list(known.known)[:1]:
        known.set(
            scene.actor(), login, {"city": "Riga"}, read_only={"balance": 5.0, "reg_date": 5, "last_ip": "1.2.3.4"}
        )
    asked = scene.draw(st.permutations([*known.known, scene.target.logins[9]]), "order")
    known.get(scene.actor(), asked[::-1])
    if scene.target.exclusive:
        chosen = [known.add(scene.actor(), 0, group, {}) for _ in range(2)]
        scene.groups.delete(scene.actor(), group, has_users=True)
        known.delete(scene.actor(), [login for login in chosen if login is not None])
    known.audit(scene.actor())


def _lacking(scene: Scene, group: str, login: int) -> None:
    whole = {"login": login, "group": group, "name": "Kit", "password": f"{SECRET}1"}
    field = scene.draw(st.sampled_from(["group", "name", "password"]), "lacks")
    lacking = {name: value for name, value in whole.items() if name != field}
    if field == "group" and scene.draw(st.booleans(), "unknown group"):
        lacking["group"] = f"{scene.target.prefix}?"
    if field == "name" and scene.draw(st.booleans(), "empty name"):
        lacking["name"] = ""
    scene.users.refused(scene.actor(), lacking)


@suite(Profile.DEMO, weight=0.7)
def deleted_users_leave_nothing(scene: Scene) -> None:
    """Orders and history go with a user."""
    scene.seat(kinds=["user", "trade"])
    scene.group()
    login, other = scene.account(0), scene.account(1, deposit=5.0)
    eurusd = scene.target.instruments["EURUSD"]
    one = scene.book.open(scene.actor(), login, scene.draw(some.orders(eurusd, pendings=False)))
    two = scene.book.open(scene.actor(), login, scene.draw(some.orders(eurusd)))
    scene.book.close(scene.actor(), one, float(one.volume), eurusd.typical)
    unknown = scene.target.logins[7]
    scene.users.delete(scene.actor(), [login, unknown])
    scene.book.audit(scene.sessions.boss)
    tickets = [one.ticket, two.ticket]
    scene.users.delete(scene.actor(), [login], orders=tickets)
    for ticket in tickets:
        del scene.book.orders[ticket]
    scene.book.entries.pop(login)
    scene.users.add(scene.actor(), login, scene.target.group(), {})
    scene.book.funds.pop(login)
    scene.book.money_of(scene.actor(), login, other)
    scene.audit()


@suite(Profile.FULL, examples=[{"fields": [*samples.MANAGERS, samples.MANAGERS[0]], "steps": [3]}])
def managers(scene: Scene) -> None:
    """Managers' records are added, changed in part, deleted."""
    scene.seat(kinds=["group"])
    known, login = scene.managers(), scene.target.logins[50]

    def remove() -> None:
        scene.sessions.boss.call("config.manager.del", {"login": login})

    scene.finally_(remove)
    known.delete(scene.actor(), login)
    for _ in range(scene.draw(st.integers(1, 3), "steps")):
        fields = scene.draw(some.managers(), "fields")
        known.set(scene.actor(), login, _there(fields, scene.groups.securities, ()))
    known.delete(scene.actor(), login)
    scene.quiet()


@suite(Profile.FULL, weight=0.7, examples=[{"fields": [*samples.COMMONS, {}, samples.COMMONS[0]], "steps": [3]}])
def common_configuration(scene: Scene) -> None:
    """The common configuration is changed in part and put back."""
    scene.seat(("0", "1.00"), kinds=[])
    common = Common(scene.sessions)

    def restore() -> None:
        common.sessions = scene.sessions
        common.restore()

    scene.finally_(restore)
    for _ in range(scene.draw(st.integers(1, 3), "steps")):
        common.set(scene.actor(), scene.draw(some.commons(), "fields"))
    old = scene.sessions.clients[1]
    fields = scene.draw(some.commons(), "fields")
    common.set(old, fields, read_only={"owner": "Somebody", "server_build": 1, "last_order": 5})
    scene.quiet()
