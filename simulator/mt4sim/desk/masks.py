"""Group masks of managers (Semantics 9.9): a list of names in which ``*`` stands for anything; a leading ``!``
excludes."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=1024)
def _compiled(masks: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    wanted = [mask for mask in masks if not mask.startswith("!")]
    denied = [mask[1:] for mask in masks if mask.startswith("!")]
    return _pattern(wanted), _pattern(denied)


def _pattern(masks: list[str]) -> re.Pattern[str]:
    parts = (".*".join(re.escape(part) for part in mask.split("*")) for mask in masks)
    return re.compile("|".join(parts) or r"(?!)", re.DOTALL)


def allows(masks: tuple[str, ...], group: str) -> bool:
    """Whether a manager with these masks sees a group. Assumed: an exclusion wins wherever it stands."""
    wanted, denied = _compiled(masks)
    return wanted.fullmatch(group) is not None and denied.fullmatch(group) is None


def unrestricted(masks: tuple[str, ...]) -> bool:
    """Whether these masks see every group."""
    return "*" in masks and not any(mask.startswith("!") for mask in masks)
