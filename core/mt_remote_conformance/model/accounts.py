"""The kit's accounts as they must read back (protocol, chapter 3; semantics, chapter 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mt_remote_conformance.model.configuration import Groups, blank, overlaid
from mt_remote_conformance.protocol import schema
from mt_remote_conformance.sessions.client import Client, Json
from mt_remote_conformance.sessions.sessions import SECRET, Changes, Sessions, differences

LEARNED = {"last_date", "reg_date", "timestamp"}
"""Times that the server sets."""

MONEY = {"balance", "credit"}


class Users:
    """Accounts in the kit's range of logins."""

    def __init__(self, sessions: Sessions, groups: Groups) -> None:
        self.sessions = sessions
        self.groups = groups
        self.known: dict[int, Json] = {}
        everything = sessions.succeeds("L-USR-5", sessions.boss, "users.get.all")
        self.left_over = [each["login"] for each in everything if each["login"] in sessions.target.logins]
        self.hidden: set[int] = set()
        """Accounts that the kit made for managers: no case is about them."""
        self.taken = {each["login"] for each in everything}

    def add(self, client: Client, login: int, group: str, fields: Json) -> int | None:
        """Adds an account; login 0 lets the server choose. Gives the login, ``None`` where it must be refused."""
        judge = self.sessions.judge
        data: Json = {"login": login, "group": group, "name": "Kit", "password": f"{SECRET}{login}", **fields}
        if login in self.known:
            self.sessions.fails("L-USR-2", client, "user.add", data)
            self.unchanged(login)
            return None
        got = self.sessions.succeeds("L-USR-1", client, "user.add", data)["login"]
        if login:
            judge.equal("L-USR-1", got, login, "the login of a new user")
        else:
            judge.check("L-USR-1", got > 0 and got not in self.taken | set(self.known), f"chosen login {got}")
        self.known[got] = {**blank(schema.fields("UserRecord")), "login": got}
        shown = {
            name: value for name, value in data.items() if not name.startswith("password") or name == "password_phone"
        }
        self._compare(client, got, {**shown, "login": got}, "L-USR-7")
        self.sessions.judge.equal(
            "L-USR-7", client.result("trades.history", {"login": got}), [], "a fresh user's history"
        )
        return int(got)

    def refused(self, client: Client, data: Json) -> None:
        """An addition that lacks what the server insists on."""
        self.sessions.fails("L-USR-2", client, "user.add", data)
        login = data.get("login")
        if login in self.sessions.target.logins and login not in self.known:
            self.sessions.judge.equal("L-MSG-7", client.result("users.get", {"logins": [login]}), [], "users.get")
        self.sessions.examine(Changes())

    def set(self, client: Client, login: int, fields: Json, *, read_only: Json | None = None) -> None:
        """Changes an account; ``read_only`` fields ride along and change nothing."""
        data = {"login": login, **fields, **(read_only or {})}
        if login not in self.known:
            self.sessions.fails("L-USR-9", client, "user.set", data, codes=("not_found",))
            self.sessions.examine(Changes())
            return
        self.sessions.succeeds("L-USR-8" if read_only else "L-USR-3", client, "user.set", data)
        self._compare(client, login, fields, "L-USR-3", read_only=read_only)

    def move(self, client: Client, login: int, group: str) -> None:
        """Puts an account into another group; one that is not there is refused."""
        data = {"login": login, "group": group}
        if login not in self.known:
            self.sessions.fails("L-USR-9", client, "user.set", data, codes=("not_found",))
        elif group not in self.groups.known:
            self.sessions.fails("L-USR-10", client, "user.set", {**data, "city": "Nowhere"}, codes=("invalid_data",))
            self.unchanged(login)
        else:
            self.sessions.succeeds("L-USR-10", client, "user.set", data)
            self._compare(client, login, {"group": group}, "L-USR-3", most=2)  # a change, and a change of group (S9.2)

    def _compare(
        self, client: Client, login: int, fields: Json, rest: str, *, read_only: Json | None = None, most: int = 1
    ) -> None:
        judge = self.sessions.judge
        record = self.read(client, login)
        expected = overlaid(self.known[login], {name: each for name, each in fields.items() if name != "password"})
        if "user_color" not in fields and rest == "L-USR-7":
            expected["user_color"] = record["user_color"]
        judge.held("L-USR-3")
        judge.held(rest)
        if read_only:
            judge.held("L-USR-8")
        for path, problem in differences(record, expected):
            if path in LEARNED and path not in (read_only or {}):
                continue
            if path in LEARNED and record[path] != (read_only or {})[path]:
                continue
            law = "L-USR-3" if path in fields else "L-USR-8" if path in (read_only or {}) else rest
            judge.check(law, False, f"user {login}: {problem}")
        judge.check("L-USR-7", record["reg_date"] > 0, "reg_date is not set")
        self.known[login] = record
        changes = Changes()
        changes.add("user", record, most=most)
        self.sessions.examine(changes)

    def read(self, client: Client, login: int) -> Json:
        """The record alone."""
        found = self.sessions.succeeds("L-USR-4", client, "users.get", {"logins": [login]})
        self.sessions.judge.equal("L-USR-4", [each["login"] for each in found], [login], f"users.get of {login}")
        record: Json = found[0]
        return record

    def get(self, client: Client, logins: Sequence[int]) -> None:
        """Several at once, some unknown, in the order asked."""
        found = self.sessions.succeeds("L-USR-4", client, "users.get", {"logins": list(logins)})
        expected = [login for login in logins if login in self.known]
        self.sessions.judge.equal(
            "L-USR-4", [each["login"] for each in found], expected, f"users.get of {list(logins)}"
        )

    def delete(self, client: Client, logins: Sequence[int], *, orders: Iterable[int] = ()) -> bool:
        """Deletes accounts, with ``orders`` that they have open; one unknown among them spares all."""
        unknown = [login for login in logins if login not in self.known]
        if unknown:
            self.sessions.fails("L-USR-6", client, "users.del", {"logins": list(logins)}, codes=("not_found",))
            for login in logins:
                if login in self.known:
                    self.unchanged(login)
            return False
        self.sessions.succeeds("L-USR-6", client, "users.del", {"logins": list(logins)})
        changes = Changes()
        for login in logins:
            del self.known[login]
            changes.add("user", None, login, most=None)
            answer = client.call("trades.history", {"login": login})
            gone = not answer.ok or not answer.result
            self.sessions.judge.check(
                "L-USR-6", gone, f"the history of {login}, who is deleted, is {answer.result!r:.200}"
            )
        for order in orders:
            changes.add("trade", None, order, most=None)
            self.sessions.fails("L-USR-6", client, "trade.get", {"order": order}, codes=("not_found",))
        self.sessions.judge.equal("L-USR-6", client.result("users.get", {"logins": list(logins)}), [], "deleted users")
        self.sessions.examine(changes)
        return True

    def unchanged(self, login: int) -> None:
        """Reads an account back that nothing may have changed; nobody was told of it."""
        record = self.read(self.sessions.boss, login)
        self.sessions.judge.held("L-MSG-7")
        for path, problem in differences(record, self.known[login]):
            if path not in LEARNED:
                self.sessions.judge.check("L-MSG-7", False, f"user {login}: {problem}")
        self.sessions.examine(Changes())

    def money(self, login: int, balance: float, credit: float) -> None:
        """Notes what trading made of an account."""
        self.known[login] = {**self.known[login], "balance": balance, "credit": credit}

    def audit(self, client: Client) -> None:
        """The list of all has each account once, as it reads alone."""
        judge = self.sessions.judge
        everything = self.sessions.succeeds("L-USR-5", client, "users.get.all")
        logins = [each["login"] for each in everything]
        judge.equal("L-USR-5", len(logins), len(set(logins)), "users listed, each once")
        listed = {each["login"]: each for each in everything}
        for login, record in self.known.items():
            judge.check("L-USR-5", login in listed, f"user {login} is not in the list of all")
            alone = self.read(client, login)
            found = [problem for _, problem in differences(listed.get(login, {}), alone)]
            judge.check("L-REC-4", not found, f"user in the list: {found}")
            drifted = [p for path, p in differences(alone, record) if path not in LEARNED]
            judge.check("L-USR-3", not drifted, f"user {login}: {drifted}")
        own = {login for login in logins if login in self.sessions.target.logins}
        judge.equal("L-USR-5", own - set(self.known) - self.hidden, set(), "users that should not be")
