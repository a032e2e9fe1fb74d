"""Accounts, and where they are kept."""

from __future__ import annotations

from collections.abc import Iterator

from mt4sim.money import to_money
from mt_remote.errors import ReturnCode, ServerError
from mt_remote.records import UserRecord

FIGURES = (
    "balance",
    "credit",
    "interest",
    "last_date",
    "last_ip",
    "prev_balance",
    "prev_equity",
    "prev_month_balance",
    "prev_month_equity",
    "reg_date",
    "timestamp",
)
"""What of an account the server itself keeps; managers write the rest."""


class Account:
    """One account.

    ``info`` is what managers write. ``balance``, ``credit`` and the four ``prev_…`` figures (of the last day's and the
    last month's end) are cents of the account's currency; ``interest`` is what the month has gathered so far, in
    account currency and unrounded. ``reg_date``, ``last_date`` (the last log-in) and ``timestamp`` (the last change)
    are Unix seconds in the server's zone.
    """

    __slots__ = ("info", *FIGURES)

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

    def record(self) -> UserRecord:
        """The account as clients see it: passwords empty, money in account currency."""
        record = self.info.copy()
        record.password = record.password_investor = ""
        record.reg_date, record.last_date, record.timestamp = self.reg_date, self.last_date, self.timestamp
        record.last_ip = self.last_ip
        record.balance, record.credit = to_money(self.balance), to_money(self.credit)
        record.prev_day_balance, record.prev_day_equity = to_money(self.prev_balance), to_money(self.prev_equity)
        record.prev_month_balance = to_money(self.prev_month_balance)
        record.prev_month_equity = to_money(self.prev_month_equity)
        record.interestrate = self.interest
        return record


class AccountBook:
    """All accounts of a server, by login; apart from them those that were archived."""

    def __init__(self) -> None:
        self._accounts: dict[int, Account] = {}
        self.archived: dict[int, Account] = {}

    def __contains__(self, login: object) -> bool:
        return login in self._accounts

    def __iter__(self) -> Iterator[Account]:
        """All accounts, by login."""
        return iter(self.all())

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

    def keep(self, account: Account) -> None:
        """A new account."""
        self._accounts[account.login] = account

    def drop(self, login: int) -> None:
        """An account is gone."""
        del self._accounts[login]

    def archive(self, login: int) -> None:
        """An account moves out: it is no longer among the accounts, but not lost."""
        self.archived[login] = self._accounts.pop(login)
