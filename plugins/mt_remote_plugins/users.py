"""Accounts (protocol, chapter 3, Users)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from mt_remote.plugin import Connection, Kind, Listing, Namespace
from mt_remote.records import Draft, Patch, UserRecord
from mt_remote.values import Login

user = Namespace("user", help="One account")
users = Namespace("users", help="Accounts")

Logins = Annotated[list[Login], Field(max_length=100_000, description="logins")]

FILTERS = ("group", "enable", "read_only", "name", "country", "city", "email", "comment", "leverage", "agent_account")


class NewLogin(TypedDict):
    """The login of a new account."""

    login: int


@user.function(
    "add",
    kind=Kind.CHANGE,
    example={"login": 100, "group": "miniforex", "name": "User One", "password": "Pass1", "enable": True},
)
async def user_add(mt: Connection, new: Draft[UserRecord], /) -> NewLogin:
    """Adds an account; a login of 0 or none lets the server choose."""
    return {"login": await mt.users.add(new)}


@user.function("set", kind=Kind.CHANGE, example={"login": 100, "read_only": True}, errors=("not_found",))
async def user_set(mt: Connection, changes: Patch[UserRecord], /) -> None:
    """Changes the fields that are present; an empty password stays."""
    await mt.users.set(changes)


@users.function("get", example={"logins": [1]}, listing=Listing("login", filters=FILTERS, along="logins"))
async def users_get(mt: Connection, logins: Logins) -> list[UserRecord]:
    """Accounts in the order asked; logins that are unknown, or that this manager does not see, are left out."""
    return await mt.users.get(logins)


@users.function("get.all", listing=Listing("login", filters=FILTERS))
async def users_get_all(mt: Connection) -> list[UserRecord]:
    """All accounts that this manager sees, managers' own included."""
    return await mt.users.get_all()


@users.function("del", kind=Kind.CHANGE, example={"logins": [100]}, errors=("not_found",))
async def users_del(mt: Connection, logins: Logins) -> None:
    """Deletes accounts with their open orders and history; none when one of them is unknown."""
    await mt.users.delete(logins)
