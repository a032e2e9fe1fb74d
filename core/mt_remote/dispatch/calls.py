"""Calls on their way: a request that was read and found valid."""

from __future__ import annotations

from typing import Any

from mt_remote.dispatch.functions import Function
from mt_remote.interfaces import Call
from mt_remote.outcomes import Changes


class ParsedCall(Call):
    """A valid request: see :class:`~mt_remote.interfaces.Call` for what plugins may read of it."""

    __slots__ = ("arguments", "body", "changes", "function", "id", "key")

    id: bytes
    function: Function
    arguments: dict[str, Any]
    body: object
    key: str | None
    changes: Changes | None
    """What it asked a server to change, from when it is carried out; ``None`` for a call that changes nothing."""

    def __init__(
        self, id_: bytes, function: Function, arguments: dict[str, Any], body: object, key: str | None
    ) -> None:
        self.id = id_
        self.function = function
        self.arguments = arguments
        self.body = body
        self.key = key
        self.changes = None

    @property
    def name(self) -> str:
        return self.function.name

    def __repr__(self) -> str:
        """Without arguments: they may be secret."""
        return f"Call({self.name}, id={self.id.decode()})"
