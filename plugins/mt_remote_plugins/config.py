"""The server's configuration (protocol, chapter 3, Configuration).

Every ``set`` changes only the fields that are present, inside nested maps too.
"""

from __future__ import annotations

from mt_remote.plugin import Connection, Kind, Listing, Namespace
from mt_remote.records import ConCommon, ConGroup, ConManager, Draft, Patch
from mt_remote.values import GroupName, Login

common = Namespace("config.common", help="The server's common configuration")
group = Namespace("config.group", help="One group of accounts")
groups = Namespace("config.groups.get", help="All groups of accounts")
manager = Namespace("config.manager", help="Manager accounts and their rights")


@common.function("get")
async def common_get(mt: Connection) -> ConCommon:
    """The server's common configuration."""
    return await mt.common.get()


@common.function("set", kind=Kind.CHANGE, example={"timeout": 180, "optimization_time_minutes": "23:0"})
async def common_set(mt: Connection, changes: Patch[ConCommon], /) -> None:
    """Changes the fields that are present."""
    await mt.common.set(changes)


@group.function("add", kind=Kind.CHANGE, example={"group": "test", "enable": True, "currency": "EUR"})
async def group_add(mt: Connection, new: Draft[ConGroup], /) -> None:
    """Adds a group. A name that exists is an error; securities start with everything off."""
    await mt.groups.add(new)


@group.function("set", kind=Kind.CHANGE, example={"group": "demoforex", "margin_call": 50}, errors=("not_found",))
async def group_set(mt: Connection, changes: Patch[ConGroup], /) -> None:
    """Changes the fields that are present; `symbols` entries that are null are removed."""
    await mt.groups.set(changes)


@group.function("get", example={"group": "demoforex"}, errors=("not_found",))
async def group_get(mt: Connection, group: GroupName) -> ConGroup:
    """One group."""
    return await mt.groups.get(group)


@group.function("del", kind=Kind.CHANGE, example={"group": "test"}, errors=("not_found",))
async def group_del(mt: Connection, group: GroupName) -> None:
    """Deletes a group; refused while it has users."""
    await mt.groups.delete(group)


@groups.function("all", listing=Listing("group", filters=("group", "enable", "currency", "company")))
async def groups_get_all(mt: Connection) -> list[ConGroup]:
    """All groups that this manager sees."""
    return await mt.groups.get_all()


@manager.function("set", kind=Kind.CHANGE, example={"login": 123, "name": "Manager1", "groups": ["mini*"]})
async def manager_set(mt: Connection, changes: Patch[ConManager], /) -> None:
    """Adds a manager, or changes the fields that are present."""
    await mt.managers.set(changes)


@manager.function("get", example={"login": 1}, errors=("not_found",))
async def manager_get(mt: Connection, login: Login) -> ConManager:
    """One manager's rights, with every security of the server."""
    return await mt.managers.get(login)


@manager.function("del", kind=Kind.CHANGE, example={"login": 123}, errors=("not_found",))
async def manager_del(mt: Connection, login: Login) -> None:
    """Deletes a manager."""
    await mt.managers.delete(login)
