"""Kinds of functions: what a call does to the server decides when it may start and how long it may take."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a function does to the server: it decides order and deadline.

    Reads may overtake; what changes state is carried out in the order received; ``SESSION`` functions change the
    session itself, and everything sent after one waits for it.
    """

    READ = "read"
    HISTORY = "history"
    CHANGE = "change"
    TRADE = "trade"
    SESSION = "session"

    @property
    def changes_state(self) -> bool:
        """Whether calls of this kind are carried out one at a time, in the order received."""
        return self in (Kind.CHANGE, Kind.TRADE, Kind.SESSION)


__all__ = ["Kind"]
