"""Accounts: records, passwords, balance and credit (Semantics 9.1 - 9.5)."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from mt4sim.events import Change
from mt4sim.money import to_cents, to_money
from mt_remote.errors import InvalidData, NotFound, ReturnCode, ServerError
from mt_remote.records import Draft, Patch, TradeCommand, UserRecord

if TYPE_CHECKING:
    from mt4sim.server import Server
    from mt4sim.world import UserSeed


class Account:
    """One account. ``info`` holds what managers write; money is in cents, the interest of the month in full."""

    __slots__ = ("balance", "credit", "info", "interest", "last_date", "last_ip", "prev_balance", "prev_equity",
                 "prev_month_balance", "prev_month_equity", "reg_date", "timestamp")  # fmt: skip

    def __init__(self, info: UserRecord, now: int) -> None:
        self.info = info
        self.balance = self.credit = 0
        self.interest = 0.0
        self.prev_balance = self.prev_equity = self.prev_month_balance = self.prev_month_equity = 0
        self.reg_date = self.last_date = now
        self.timestamp = 0
        self.last_ip = "0.0.0.0"

    @property
    def login(self) -> int:
        return self.info.login

    @property
    def group(self) -> str:
        return self.info.group

    @property
    def enable(self) -> bool:
        return self.info.enable

    @property
    def read_only(self) -> bool:
        return self.info.read_only

    @property
    def password(self) -> str:
        return self.info.password

    def __repr__(self) -> str:
        return f"<Account {self.login} of {self.group}>"


def check_policy(password: str, path: str = "password") -> None:
    """The terminal's policy: at least 5 characters, two of lower case, upper case and digits (Semantics 9.3).
    Assumed: that the server enforces it."""
    kinds = [any(map(kind, password)) for kind in (str.islower, str.isupper, str.isdigit)]
    if len(password) < 5 or sum(kinds) < 2:
        problem = "at least 5 characters, with two of lower case, upper case and digits"
        raise InvalidData.of(path, problem)


class Accounts:
    """The accounts of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._accounts: dict[int, Account] = {}
        self.archived: dict[int, Account] = {}

    def find(self, login: int) -> Account | None:
        """The account, ``None`` when there is none."""
        return self._accounts.get(login)

    def get(self, login: int) -> Account:
        """The account. Raises code 65 for an unknown login (Semantics 6.1)."""
        account = self._accounts.get(login)
        if account is None:
            raise ServerError(ReturnCode.BAD_ACCOUNT_INFO, f"login: there is no account {login}", path="login")
        return account

    def all(self) -> list[Account]:
        """All accounts, by login."""
        return [self._accounts[login] for login in sorted(self._accounts)]

    def record(self, account: Account) -> UserRecord:
        """The account as clients see it: passwords empty."""
        record = account.info.copy()
        record.password = record.password_investor = ""
        record.reg_date, record.last_date, record.timestamp = account.reg_date, account.last_date, account.timestamp
        record.last_ip = account.last_ip
        record.balance, record.credit = to_money(account.balance), to_money(account.credit)
        record.prev_day_balance, record.prev_day_equity = to_money(account.prev_balance), to_money(account.prev_equity)
        record.prev_month_balance = to_money(account.prev_month_balance)
        record.prev_month_equity = to_money(account.prev_month_equity)
        record.interestrate = account.interest
        return record

    # Changes

    def add(self, draft: Draft[UserRecord]) -> Account:
        """A new account: money 0, what is not stated 0 or empty (Semantics 9.1). Unknown group, empty name, taken
        login and weak passwords are refused with 3."""
        server = self._server
        info = draft.build()
        self._check_group(info.group)
        if not info.name:
            raise InvalidData.of("name", "must not be empty")
        if info.login in self._accounts:
            raise InvalidData.of("login", f"the account {info.login} exists already")
        check_policy(info.password)
        if info.password_investor:
            check_policy(info.password_investor, "password_investor")
        if not info.login:
            info.login = self._next_login()
        account = Account(info, server.now)
        self._accounts[info.login] = account
        server.events.emit("user", Change.ADD, account)
        return account

    def _next_login(self) -> int:
        """The next free one after ``ConCommon.lastlogin`` (Semantics 7.1)."""
        common = self._server.common
        common.last_login += 1
        while common.last_login in self._accounts:
            common.last_login += 1
        return common.last_login

    def _check_group(self, group: str) -> None:
        if group not in self._server.groups:
            raise InvalidData.of("group", f"there is no group '{group}'")

    def seed(self, seed: UserSeed) -> Account:
        """An account that the world begins with; its password needs no strength, its money is booked as records."""
        server = self._server
        account = Account(seed.draft.build(), server.now)
        self._accounts[account.login] = account
        server.events.emit("user", Change.ADD, account)
        if seed.deposit:
            server.trading.balance(account.login, TradeCommand.BALANCE, seed.deposit, comment="Deposit")
        if seed.credit:
            server.trading.balance(account.login, TradeCommand.CREDIT, seed.credit,
                                   expiration=seed.credit_expiration, comment="Credit")  # fmt: skip
        return account

    def set(self, patch: Patch[UserRecord]) -> None:
        """Changes what the patch has, never money; an empty password stays (Semantics 9.2)."""
        account = self._accounts.get(patch.key)
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
        account.timestamp = self._server.now
        if info.group != before.group:
            self._server.events.emit("user", Change.CHANGE_GROUP, account)
        self._server.trading.account_changed(account)
        self.changed(account)
        self._server.trading.engine.supervise()

    def changed(self, account: Account) -> None:
        """An account's record changed: listeners are told. Assumed: also after each change of its balance
        (Semantics 10.7)."""
        self._server.events.emit("user", Change.UPDATE, account)

    def delete(self, login: int) -> None:
        """The account goes, with its open orders and history (Semantics 9.5)."""
        account = self._accounts.get(login)
        if account is None:
            raise NotFound(f"Cannot find user {login}")
        self._server.trading.about_to_erase(login)
        del self._accounts[login]
        self._server.trading.erase(login)
        self._server.events.emit("user", Change.DELETE, account)

    def archive(self, account: Account) -> None:
        """An idle account moves out: it is no longer among the accounts (Semantics 9.7)."""
        del self._accounts[account.login]
        self.archived[account.login] = account
        self._server.events.emit("user", Change.DELETE, account)

    def book(self, account: Account, amount: int, *, credit: bool = False) -> None:
        """Adds cents to balance or credit; the caller made the record of it."""
        if credit:
            account.credit += amount
        else:
            account.balance += amount

    # Passwords and sessions

    def check_password(self, login: int, password: str) -> bool:
        """Whether it is the investor's. Raises 65 when it is neither the master nor the investor password."""
        account = self.get(login)
        if password and password == account.info.password:
            return False
        if password and password == account.info.password_investor:
            return True
        raise ServerError(ReturnCode.BAD_ACCOUNT_INFO)

    def set_password(self, login: int, password: str, *, investor: bool = False) -> None:
        """Sets the master or the investor password; a weak one is refused with 3."""
        account = self.get(login)
        check_policy(password)
        setattr(account.info, "password_investor" if investor else "password", password)
        account.timestamp = self._server.now
        self.changed(account)

    def logged_in(self, account: Account, address: str) -> None:
        """A terminal logged in."""
        account.last_date = self._server.now
        account.last_ip = address

    # Snapshots

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Every account as plain JSON values, passwords included."""
        return {
            "accounts": [_state_of(account) for account in self.all()],
            "archived": [_state_of(self.archived[login]) for login in sorted(self.archived)],
        }

    def restore(self, state: dict[str, list[dict[str, Any]]]) -> None:
        """The accounts of which :meth:`state` gave this."""
        self._accounts, self.archived = (
            {account.login: account for account in map(_account_of, state[name])} for name in ("accounts", "archived")
        )


def _state_of(account: Account) -> dict[str, Any]:
    names = [name for name in Account.__slots__ if name != "info"]
    return {"info": account.info.to_dict(), **{name: getattr(account, name) for name in names}}


def _account_of(row: dict[str, Any]) -> Account:
    account = Account(UserRecord(**row["info"]), 0)
    for name in Account.__slots__:
        if name != "info":
            setattr(account, name, row[name])
    return account


def amount_in_cents(amount: float, path: str = "amount") -> int:
    """A stated amount of money in cents. Raises 3 for one that has no cent in it."""
    if not isfinite(amount):
        raise InvalidData.of(path, f"must be a number, got {amount}")
    cents = to_cents(amount)
    if not cents:
        raise InvalidData.of(path, "must be at least one cent")
    return cents
