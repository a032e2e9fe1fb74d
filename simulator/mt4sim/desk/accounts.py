"""Accounts: who may be added, changed, deleted; passwords (Semantics 9.1 - 9.5)."""

from __future__ import annotations

from mt4sim.events import Change
from mt4sim.state import State
from mt4sim.state.accounts import Account
from mt4sim.trading import Trading
from mt_remote.errors import InvalidData, NotFound, ReturnCode, ServerError
from mt_remote.records import Draft, Patch, UserRecord


def check_policy(password: str, path: str = "password") -> None:
    """The terminal's policy: at least 5 characters, two of lower case, upper case and digits (Semantics 9.3).
    Assumed: that the server enforces it."""
    kinds = [any(map(kind, password)) for kind in (str.islower, str.isupper, str.isdigit)]
    if len(password) < 5 or sum(kinds) < 2:
        problem = "at least 5 characters, with two of lower case, upper case and digits"
        raise InvalidData.of(path, problem)


class Accounts:
    """Adds, changes and deletes the accounts of one server."""

    def __init__(self, state: State, trading: Trading) -> None:
        self._state = state
        self._book = state.accounts
        self._trading = trading
        # Reading takes no rule: it is the book's own.
        self.find = state.accounts.find
        self.get = state.accounts.get
        self.all = state.accounts.all

    def add(self, draft: Draft[UserRecord]) -> Account:
        """A new account: money 0, what is not stated 0 or empty (Semantics 9.1). Unknown group, empty name, taken
        login and weak passwords are refused with 3."""
        state = self._state
        info = draft.build()
        self._check_group(info.group)
        if not info.name:
            raise InvalidData.of("name", "must not be empty")
        if info.login in self._book:
            raise InvalidData.of("login", f"the account {info.login} exists already")
        check_policy(info.password)
        if info.password_investor:
            check_policy(info.password_investor, "password_investor")
        if not info.login:
            info.login = self._next_login()
        account = Account(info, state.timeline.now)
        self._book.keep(account)
        state.events.emit("user", Change.ADD, account)
        return account

    def _next_login(self) -> int:
        """The next free one after ``ConCommon.lastlogin`` (Semantics 7.1)."""
        common = self._state.common
        common.last_login += 1
        while common.last_login in self._book:
            common.last_login += 1
        return common.last_login

    def _check_group(self, group: str) -> None:
        if group not in self._state.groups:
            raise InvalidData.of("group", f"there is no group '{group}'")

    def seed(self, draft: Draft[UserRecord]) -> Account:
        """An account that the world begins with; its password needs no strength."""
        account = Account(draft.build(), self._state.timeline.now)
        self._book.keep(account)
        self._state.events.emit("user", Change.ADD, account)
        return account

    def set(self, patch: Patch[UserRecord]) -> None:
        """Changes what the patch has, never money; an empty password stays (Semantics 9.2)."""
        account = self._book.find(patch.key)
        if account is None:
            raise NotFound(f"Cannot find user {patch.key}")
        before = account.info
        info = patch.applied_to(before)
        self._check_group(info.group)
        for path in ("password", "password_investor"):
            if not getattr(info, path):
                setattr(info, path, getattr(before, path))
            elif getattr(info, path) != getattr(before, path):
                check_policy(getattr(info, path), path)
        account.info = info
        account.timestamp = self._state.timeline.now
        if info.group != before.group:
            self._state.events.emit("user", Change.CHANGE_GROUP, account)
        self._trading.account_changed(account)
        self._trading.engine.account_told(account)
        self._trading.engine.supervise()

    def delete(self, login: int) -> None:
        """The account goes, with its open orders and history (Semantics 9.5)."""
        account = self._book.find(login)
        if account is None:
            raise NotFound(f"Cannot find user {login}")
        self._trading.about_to_erase(login)
        self._book.drop(login)
        self._trading.erase(login)
        self._state.events.emit("user", Change.DELETE, account)

    # Passwords and sessions

    def check_password(self, login: int, password: str) -> bool:
        """Whether it is the investor's. Raises 65 when it is neither the master nor the investor password."""
        account = self._book.get(login)
        if password and password == account.info.password:
            return False
        if password and password == account.info.password_investor:
            return True
        raise ServerError(ReturnCode.BAD_ACCOUNT_INFO)

    def set_password(self, login: int, password: str, *, investor: bool = False) -> None:
        """Sets the master or the investor password; a weak one is refused with 3."""
        account = self._book.get(login)
        check_policy(password)
        setattr(account.info, "password_investor" if investor else "password", password)
        account.timestamp = self._state.timeline.now
        self._trading.engine.account_told(account)

    def logged_in(self, account: Account, address: str) -> None:
        """A terminal logged in."""
        account.last_date = self._state.timeline.now
        account.last_ip = address
