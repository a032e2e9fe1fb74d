"""The server's configuration: common settings, groups, manager accounts (Semantics 9.8, 9.9)."""

from __future__ import annotations

from mt4sim.events import Change
from mt4sim.state import State
from mt4sim.trading import Trading
from mt_remote.errors import InvalidData, NotFound, ReturnCode, ServerError
from mt_remote.records import (
    ConCommon,
    ConGroup,
    ConGroupSecurity,
    ConManager,
    ConManagerSecurity,
    Draft,
    Patch,
)


class Configuration:
    """Reads and changes the configuration of one state. What it returns is a copy: the caller may keep it."""

    def __init__(self, state: State, trading: Trading) -> None:
        self._state = state
        self._trading = trading

    # Common settings

    def common(self) -> ConCommon:
        """The common settings; ``last_order`` and ``last_login`` as they are now."""
        return self._state.common.copy()

    def set_common(self, patch: Patch[ConCommon]) -> None:
        """Changes what the patch has; the server's own fields never change. Day ends follow at once."""
        state = self._state
        changed = patch.applied_to(state.common)
        state.common = changed
        state.events.emit("common", Change.UPDATE, changed)

    # Groups

    def groups(self) -> list[ConGroup]:
        """All groups, in the order in which they were added."""
        return [group.copy() for group in self._state.groups.values()]

    def group(self, name: str) -> ConGroup:
        """One group. Raises :class:`~mt_remote.errors.NotFound`."""
        return self._group(name).copy()

    def _group(self, name: str) -> ConGroup:
        group = self._state.groups.get(name)
        if group is None:
            raise NotFound(f"Cannot find group '{name}'")
        return group

    def add_group(self, draft: Draft[ConGroup]) -> None:
        """Adds a group with every security of the server, all zero where the draft says nothing (Semantics 9.8).
        A name that exists is an error."""
        state = self._state
        if draft.key in state.groups:
            raise InvalidData.of("group", f"the group '{draft.key}' exists already")
        empty = ConGroup(securities={name: ConGroupSecurity() for name in state.securities})
        group = draft.applied_to(empty)
        self._check_group(group)
        state.groups[group.group] = group
        state.events.emit("group", Change.ADD, group)

    def set_group(self, patch: Patch[ConGroup]) -> None:
        """Changes what the patch has. Raises :class:`~mt_remote.errors.NotFound`."""
        state = self._state
        group = patch.applied_to(self._group(patch.key))
        self._check_group(group)
        state.groups[group.group] = group
        state.events.emit("group", Change.UPDATE, group)
        self._trading.engine.supervise()

    def _check_group(self, group: ConGroup) -> None:
        for symbol in group.symbols:
            if symbol not in self._state.symbols:
                raise InvalidData.of(f"symbols.{symbol}", "the server has no symbol of that name")

    def delete_group(self, name: str) -> None:
        """Deletes a group without users. Raises :class:`~mt_remote.errors.NotFound`."""
        group = self._group(name)
        self._refuse_used(name)
        del self._state.groups[name]
        self._state.events.emit("group", Change.DELETE, group)

    def _refuse_used(self, name: str) -> None:
        """A group that has users can't be deleted. Assumed: the refusal and its code (Semantics 9.8)."""
        users = sum(account.group == name for account in self._state.accounts.all())
        if users:
            raise ServerError(
                ReturnCode.ERROR, f"group: '{name}' has {users} users; move or delete them first", path="group"
            )

    # Manager accounts

    def managers(self) -> list[ConManager]:
        """All manager accounts, by login."""
        return [self._state.managers[login].copy() for login in sorted(self._state.managers)]

    def manager(self, login: int) -> ConManager:
        """One manager account; every security of the server is listed. Raises
        :class:`~mt_remote.errors.NotFound`."""
        return self._manager(login).copy()

    def _manager(self, login: int) -> ConManager:
        manager = self._state.managers.get(login)
        if manager is None:
            raise NotFound(f"Cannot find manager {login}")
        return manager

    def set_manager(self, patch: Patch[ConManager]) -> None:
        """Adds a manager account, or changes what the patch has. It needs no user of the same login."""
        state = self._state
        known = state.managers.get(patch.key)
        securities = {name: ConManagerSecurity() for name in state.securities}
        manager = patch.applied_to(known or ConManager(login=patch.key, securities=securities))
        state.managers[manager.login] = manager
        state.events.emit("manager", Change.UPDATE if known else Change.ADD, manager)

    def delete_manager(self, login: int) -> None:
        """Deletes a manager account; its open connections end with its rights. Raises
        :class:`~mt_remote.errors.NotFound`."""
        manager = self._manager(login)
        del self._state.managers[login]
        self._state.manager_passwords.pop(login, None)
        self._state.events.emit("manager", Change.DELETE, manager)
