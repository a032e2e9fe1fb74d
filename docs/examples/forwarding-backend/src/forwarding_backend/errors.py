"""The other gateway's errors as this one's: code, message and details stay as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mt_remote.errors import (
    Busy,
    CallTimeout,
    ConnectionLost,
    InternalError,
    InvalidData,
    NotFound,
    Problem,
    RequestError,
    ReturnCode,
    ServerError,
    SessionStateError,
    UnknownFunction,
)

PLAIN: Mapping[str, Callable[[str], RequestError]] = {
    kind.code: kind for kind in (Busy, InternalError, InvalidData, NotFound, UnknownFunction)
}
"""Errors that are made of a message alone, by code."""

STATES = frozenset({"already_connected", "already_subscribed", "not_subscribed"})

NUMBERS = {code.code: code for code in ReturnCode}


class ForwardedError(RequestError):
    """An error whose code this gateway does not know: a plugin of the other one refused, or it is a newer one."""

    def __init__(self, code: str, message: str, *, details: Sequence[Problem] = ()) -> None:
        super().__init__(message, details=details)
        self._code = code

    @property
    def wire_code(self) -> str:
        """The other gateway's code."""
        return self._code


def error_of(answer: Mapping[str, Any]) -> RequestError:
    """The error that an answer with ``status: ERROR``, or the body of a refused handshake, stands for."""
    code, message = str(answer.get("code", "error")), str(answer.get("message", ""))
    details = tuple(Problem(str(found.get("path", "")), str(found.get("problem", ""))) for found in _details(answer))
    error = _of_code(code, message, answer)
    if tuple(error.details) != details:
        error.details = details
    return error


def _of_code(code: str, message: str, answer: Mapping[str, Any]) -> RequestError:
    if code == "timeout":
        return CallTimeout(message, outcome=str(answer.get("outcome", "unknown")))
    if code in ("no_connection", "not_connected"):  # we did connect: the other gateway has lost its server since
        return ConnectionLost(message)
    if code in STATES:
        return SessionStateError(code, message)
    if code in PLAIN:
        return PLAIN[code](message)
    if code in NUMBERS:
        return ServerError(NUMBERS[code], message)
    return ForwardedError(code, message)


def _details(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = answer.get("details", [])
    return [detail for detail in found if isinstance(detail, Mapping)] if isinstance(found, list) else []
