"""What passes between the two halves of the backend: tasks for the engine, notices from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class Mode(StrEnum):
    """The three connections of a session, each on its own handle and thread."""

    DIRECT = "direct"
    PUMPING = "pumping"
    DEALING = "dealing"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a handle logs in with; the texts are in the server's code page already."""

    server: bytes
    login: int
    password: bytes

    def __repr__(self) -> str:
        return f"Credentials(server={self.server!r}, login={self.login})"


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times of the engine, in seconds."""

    retry_first: float = 0.5
    retry_most: float = 30.0
    retry_patience: float = 300.0
    ping: float = 20.0
    silence: float = 60.0


class Task(NamedTuple):
    """One thing to do on a handle; answered by a notice ``reply`` with its ``id``."""

    id: int
    mode: Mode
    operation: str
    arguments: tuple[Any, ...]


class Failure(NamedTuple):
    """A task that failed: the library's code where there is one, a message, and the problem's stable name where the
    library itself could not be used."""

    code: int
    message: str
    problem: str = ""


Notice = tuple[Any, ...]
"""``("reply", id, answer)`` · ``("pump", code, type, data)`` · ``("ticks", TickInfo rows)`` ·
``("infos", SymbolInfo rows)`` · ``("request", row)`` ·
``("down", mode, message)`` · ``("up", mode)`` · ``("lost", mode, code, message)``."""
