"""What a manager may do and see (Semantics 9.9)."""

from __future__ import annotations

from mt4sim.desk.masks import allows
from mt4sim.state import State
from mt_remote.errors import ReturnCode, ServerError
from mt_remote.records import ConManager


def rights_of(state: State, login: int) -> ConManager:
    """A manager's record as it is now: a right taken away counts at once. Raises code 7 when he was deleted."""
    manager = state.managers.get(login)
    if manager is None:
        raise ServerError(ReturnCode.NOT_ENOUGH_RIGHTS, f"Manager {login} was deleted")
    return manager


def need(state: State, login: int, right: str) -> None:
    """Raises code 7 when the manager does not have ``right``."""
    if not getattr(rights_of(state, login), right):
        raise ServerError(ReturnCode.NOT_ENOUGH_RIGHTS, f"Not enough rights: manager {login} has no {right!r}")


def sees_group(state: State, login: int, group: str) -> bool:
    """Whether a group is in the manager's masks; a manager who was deleted sees none."""
    manager = state.managers.get(login)
    return manager is not None and allows(tuple(manager.groups), group)
