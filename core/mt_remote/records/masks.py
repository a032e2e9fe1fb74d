"""Masks: texts in which ``*`` stands for anything, also for nothing. Case counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def matcher(masks: Iterable[str]) -> Callable[[str], bool]:
    """Says whether a text fits one of the masks. The time it takes grows with the text's length, whatever the mask:
    masks come from clients, and a regular expression of many ``*`` could be made to run for hours."""
    plain = frozenset(mask for mask in masks if "*" not in mask)
    split = tuple(tuple(mask.split("*")) for mask in masks if "*" in mask)
    return lambda text: text in plain or any(_fits(text, parts) for parts in split)


def _fits(text: str, parts: tuple[str, ...]) -> bool:
    first, *middle, last = parts
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True
