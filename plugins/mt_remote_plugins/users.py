# mypy: disable-error-code="empty-body"
"""Accounts (protocol, chapter 3, Users)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from mt_remote.area import Area, Kind, Listing, call
from mt_remote.records import Draft, Patch, UserRecord
from mt_remote.values import Login

Logins = Annotated[list[Login], Field(max_length=100_000, description="logins")]

FILTERS = ("group", "enable", "read_only", "name", "country", "city", "email", "comment", "leverage", "agent_account")

_MANAGER = ("manager",)


class NewLogin(TypedDict):
    """The login of a new account."""

    login: int


class Users(Area, namespace="users"):
    """Accounts"""

    @call(
        "user.add",
        kind=Kind.CHANGE,
        rights=_MANAGER,
        example={"login": 100, "group": "miniforex", "name": "User One", "password": "Pass1", "enable": True},
    )
    async def add(self, new: Draft[UserRecord], /) -> NewLogin:
        """Adds an account; a login of 0 or none lets the server choose."""

    @call(
        "user.set",
        kind=Kind.CHANGE,
        rights=_MANAGER,
        errors=("not_found",),
        example={"login": 100, "read_only": True},
    )
    async def set(self, changes: Patch[UserRecord], /) -> None:
        """Changes the fields that are present; an empty password stays."""

    @call(example={"logins": [1]}, listing=Listing("login", filters=FILTERS, along="logins"))
    async def get(self, logins: Logins) -> list[UserRecord]:
        """Accounts in the order asked; logins that are unknown, or that this manager does not see, are left out."""

    @call("users.get.all", listing=Listing("login", filters=FILTERS))
    async def get_all(self) -> list[UserRecord]:
        """All accounts that this manager sees, managers' own included."""

    @call("users.del", kind=Kind.CHANGE, rights=_MANAGER, errors=("not_found",), example={"logins": [100]})
    async def delete(self, logins: Logins) -> None:
        """Deletes accounts with their open orders and history; none when one of them is unknown."""
