"""Requests on their way: what a session asks for and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mt_remote.errors import RequestError

if TYPE_CHECKING:
    from mt_remote.dispatch.functions import Function


class Call:
    """A valid request. ``id`` is the client's id as JSON text; ``arguments`` the validated fields of ``data`` by
    parameter name, ``body`` the whole ``data`` for functions that take it whole; ``key`` makes it safe to repeat."""

    __slots__ = ("arguments", "body", "function", "id", "key")

    def __init__(self, id_: bytes, function: Function, arguments: dict[str, Any], body: Any, key: str | None) -> None:
        self.id = id_
        self.function = function
        self.arguments = arguments
        self.body = body
        self.key = key

    @property
    def name(self) -> str:
        """The function's full name."""
        return self.function.name

    def __repr__(self) -> str:
        """Without arguments: they may be secret."""
        return f"Call({self.name}, id={self.id.decode()})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call: ``error`` is ``None`` for success; ``seconds`` it took from being taken up."""

    error: RequestError | None
    seconds: float
