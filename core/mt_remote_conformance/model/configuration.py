"""Groups, managers and the common configuration as they must read back (protocol, chapter 3)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mt_remote_conformance.protocol import schema
from mt_remote_conformance.protocol.shapes import Check
from mt_remote_conformance.sessions.client import Client, Json
from mt_remote_conformance.sessions.sessions import Changes, Sessions, differences

DEFAULTED = {"symbols"}
"""Maps whose new members the server fills in by itself: what was not given is learned."""


_ZEROS: tuple[Any, ...] = (False, 0, "", [], {}, None, "0.0.0.0", 1)
"""The last is for keys, which count from 1."""
_Paths = set[str]


def zero(check: Check) -> Any:
    """What a field of this kind holds when nothing was ever put in."""
    for value in _ZEROS:
        if not check(value):
            return value
    raise AssertionError("a field without a zero")


def blank(fields: Mapping[str, Check]) -> Json:
    """A record of zeros."""
    return {name: zero(check) for name, check in fields.items()}


def overlaid(record: Mapping[str, Any], fields: Mapping[str, Any]) -> Json:
    """The record after a partial update; an entry of a map that is null goes."""
    changed = copy.deepcopy(dict(record))
    for name, value in fields.items():
        if isinstance(value, dict) and isinstance(changed.get(name), dict):
            changed[name] = overlaid(changed[name], value)
        elif value is None and isinstance(changed.get(name, {}), dict):
            changed.pop(name, None)
        else:
            changed[name] = copy.deepcopy(value)
    return changed


def given(fields: Mapping[str, Any], at: str = "") -> set[str]:
    """Paths of the fields that an update has."""
    found: set[str] = set()
    for name, value in fields.items():
        if (isinstance(value, dict) and name in ("securities", "symbols")) or at:
            found |= given(value, f"{at}{name}.") if isinstance(value, dict) else {f"{at}{name}"}
        else:
            found.add(f"{at}{name}")
    return found


class Groups:
    """The kit's own groups."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.known: dict[str, Json] = {}
        everything = sessions.succeeds("L-CFG-6", sessions.boss, "config.groups.get.all")
        self.foreign = {each["group"]: each for each in everything if not sessions.target.owns_group(each["group"])}
        self.left_over = [each["group"] for each in everything if sessions.target.owns_group(each["group"])]
        self.securities = sorted(everything[0]["securities"]) if everything else []

    def add(self, client: Client, name: str, fields: Json) -> bool:
        """Adds a group, or shows that one of that name can't be added again."""
        data = {"group": name, **fields}
        if name in self.known or name in self.foreign:
            self.sessions.fails("L-CFG-4", client, "config.group.add", data)
            self.unchanged(name)
            return False
        self.sessions.succeeds("L-CFG-2", client, "config.group.add", data)
        fresh = blank(schema.fields("ConGroup"))
        fresh["securities"] = {each: blank(schema.fields("ConGroupSecurity")) for each in self.securities}
        self._compare(name, overlaid({**fresh, "group": name}, fields), given(fields), "L-CFG-7", symbols=fields)
        return True

    def set(self, client: Client, name: str, fields: Json) -> bool:
        """Changes a group, or shows that an unknown one can't be changed."""
        data = {"group": name, **fields}
        if name not in self.known:
            self.sessions.fails("L-CFG-5", client, "config.group.set", data, codes=("not_found",))
            self.sessions.fails("L-MSG-7", client, "config.group.get", {"group": name})
            self.sessions.examine(Changes())
            return False
        self.sessions.succeeds("L-CFG-2", client, "config.group.set", data)
        self._compare(name, overlaid(self.known[name], fields), given(fields), "L-CFG-1", symbols=fields)
        return True

    def _compare(self, name: str, expected: Json, changed: _Paths, rest: str, *, symbols: Json) -> None:
        """Reads back: given fields by L-CFG-2, the others by the law ``rest``."""
        judge = self.sessions.judge
        record = self.sessions.succeeds("L-CFG-2", self.sessions.boss, "config.group.get", {"group": name})
        for symbol, entry in symbols.get("symbols", {}).items():  # the server fills in what a new entry does not say
            known = self.known.get(name, {}).get("symbols", {})
            if symbol not in known and entry is not None:
                expected["symbols"][symbol] = {**record["symbols"].get(symbol, {}), **entry}
        judge.held("L-CFG-2")
        judge.held(rest)
        for path, problem in differences(record, expected):
            judge.check("L-CFG-2" if path in changed else rest, False, f"group {name}: {problem}")
        judge.equal("L-CFG-2", set(record["symbols"]), set(expected["symbols"]), f"symbols of group {name}")
        judge.equal("L-CFG-7", set(record["securities"]), set(self.securities), f"securities of group {name}")
        self.known[name] = record
        changes = Changes()
        changes.add("group", record)
        self.sessions.examine(changes)

    def unchanged(self, name: str) -> None:
        """Reads a group back that nothing may have changed; nobody was told of it."""
        record = self.sessions.succeeds("L-CFG-6", self.sessions.boss, "config.group.get", {"group": name})
        expected = self.known.get(name) or self.foreign[name]
        for _, problem in differences(record, expected):
            self.sessions.judge.check("L-MSG-7", False, f"group {name}: {problem}")
        self.sessions.judge.held("L-MSG-7")
        self.sessions.examine(Changes())

    def bad_set(self, client: Client, name: str, fields: Json) -> None:
        """A set of what is not there is refused whole."""
        self.sessions.fails("L-CFG-11", client, "config.group.set", {"group": name, **fields})
        self.unchanged(name)

    def delete(self, client: Client, name: str, *, has_users: bool = False) -> bool:
        """Deletes a group; one with users stays."""
        if name not in self.known:
            self.sessions.fails("L-CFG-5", client, "config.group.del", {"group": name}, codes=("not_found",))
            return False
        if has_users:
            self.sessions.fails("L-CFG-8", client, "config.group.del", {"group": name})
            self.unchanged(name)
            return False
        self.sessions.succeeds("L-CFG-6", client, "config.group.del", {"group": name})
        del self.known[name]
        self.sessions.fails("L-CFG-5", client, "config.group.get", {"group": name}, codes=("not_found",))
        changes = Changes()
        changes.add("group", None, name, most=None)
        self.sessions.examine(changes)
        return True

    def audit(self, client: Client) -> None:
        """The list of all has each group as it reads alone."""
        everything = self.sessions.succeeds("L-CFG-6", client, "config.groups.get.all")
        names = [each["group"] for each in everything]
        judge = self.sessions.judge
        judge.equal("L-CFG-6", len(names), len(set(names)), "groups listed, each once")
        listed = {each["group"]: each for each in everything}
        own = {name for name in listed if self.sessions.target.owns_group(name)}
        judge.equal("L-CFG-6", own, set(self.known), "the kit's groups in the list")
        for name, record in self.known.items():
            for _, problem in differences(listed[name], record):
                judge.check("L-REC-4", False, f"group {name} in the list: {problem}")
        judge.held("L-REC-4")


class Managers:
    """A manager of the kit's own."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.known: dict[int, Json] = {}

    def set(self, client: Client, login: int, fields: Json) -> None:
        """Adds or updates."""
        judge = self.sessions.judge
        before = self.known.get(login)
        self.sessions.succeeds("L-CFG-9", client, "config.manager.set", {"login": login, **fields})
        record = self.sessions.succeeds("L-CFG-9", self.sessions.boss, "config.manager.get", {"login": login})
        if before is None:
            before = blank(schema.fields("ConManager"))
            empty = {"enable": False, "minimum_lots": 0, "maximum_lots": 0}
            before["securities"] = {name: dict(empty) for name in record["securities"]}
            judge.check("L-CFG-10", len(record["securities"]) > 0, "no security is listed")
        expected = overlaid({**before, "login": login}, fields)
        changed = given(fields)
        judge.held("L-CFG-1")
        judge.held("L-CFG-2")
        for path, problem in differences(record, expected):
            judge.check("L-CFG-2" if path in changed else "L-CFG-1", False, f"manager {login}: {problem}")
        judge.equal("L-CFG-10", set(record["securities"]), set(before["securities"]), "securities of a manager")
        self.known[login] = record

    def delete(self, client: Client, login: int) -> None:
        """Deletes; an unknown one is an error."""
        if login in self.known:
            self.sessions.succeeds("L-CFG-9", client, "config.manager.del", {"login": login})
            del self.known[login]
        else:
            self.sessions.fails("L-CFG-9", client, "config.manager.del", {"login": login}, codes=("not_found",))
        self.sessions.fails("L-CFG-9", client, "config.manager.get", {"login": login}, codes=("not_found",))


class Common:
    """The server's common configuration, put back at the end."""

    READ_ONLY = ("owner", "adapters", "server_version", "server_build", "last_order", "last_login",
                 "lost_commission_login", "optimization_last_time")  # fmt: skip

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.before: Json = sessions.succeeds("L-CFG-2", sessions.boss, "config.common.get")
        self.known = self.before

    def set(self, client: Client, fields: Json, *, read_only: Json | None = None) -> None:
        """Changes what can be changed; ``read_only`` fields ride along and change nothing."""
        judge = self.sessions.judge
        law = "L-CFG-3" if read_only else "L-CFG-2"
        self.sessions.succeeds(law, client, "config.common.set", {**fields, **(read_only or {})})
        record = self.sessions.succeeds("L-CFG-2", self.sessions.boss, "config.common.get")
        expected = overlaid(self.known, fields)
        judge.held("L-CFG-1")
        judge.held(law)
        for path, problem in differences(record, expected):
            broken = "L-CFG-2" if path in fields else "L-CFG-3" if path in (read_only or {}) else "L-CFG-1"
            judge.check(broken, False, f"common configuration: {problem}")
        self.known = record

    def restore(self) -> None:
        """As it was."""
        changed = {
            name: value for name, value in self.before.items()
            if name not in self.READ_ONLY and self.known.get(name) != value
        }  # fmt: skip
        if changed:
            self.sessions.boss.result("config.common.set", changed)
            self.known = self.before
