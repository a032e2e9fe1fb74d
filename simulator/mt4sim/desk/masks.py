"""Group masks of managers (Semantics 9.9): a list of names in which ``*`` stands for anything; a leading ``!``
excludes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from mt_remote.records.masks import matcher


@lru_cache(maxsize=256)
def _compiled(masks: tuple[str, ...]) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    wanted = matcher(mask for mask in masks if not mask.startswith("!"))
    denied = matcher(mask[1:] for mask in masks if mask.startswith("!"))
    return wanted, denied


def allows(masks: tuple[str, ...], group: str) -> bool:
    """Whether a manager with these masks sees a group. Assumed: an exclusion wins wherever it stands."""
    wanted, denied = _compiled(masks)
    return wanted(group) and not denied(group)


def unrestricted(masks: tuple[str, ...]) -> bool:
    """Whether these masks see every group."""
    return "*" in masks and not any(mask.startswith("!") for mask in masks)
