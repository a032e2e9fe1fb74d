"""Records from and to the JSON of dialect 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from mt_remote.errors import InvalidData
from mt_remote.records import ConGroup, Patch, Record, Tick, TradeRecord, TradeRequest, UserRecord

T = TypeVar("T")
R = TypeVar("R", bound=Record)

Reader = Callable[[object], T]
"""Makes a value of what stood in a message. Raises :class:`Unreadable`."""


class Unreadable(Exception):
    """A message holds what this gateway can't read; the text says where and why."""


def reader(kind: type[T]) -> Reader[T]:
    """Reads values of a type; fields that are not known here are left out, as a client of dialect 2 has to."""
    adapter: TypeAdapter[T] = TypeAdapter(kind)

    def read(value: object) -> T:
        try:
            # Records take choices that are sent as integers from JSON text alone, not from Python's integers.
            return adapter.validate_json(json.dumps(value))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            raise Unreadable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    return read


def users(value: object) -> list[UserRecord]:
    """Reads accounts. Their passwords never come out of a server, so what was read has none, not even an empty one."""
    found = _USERS(value)
    for account in found:
        account.password = account.password_investor = ""
    return found


def user(value: object) -> UserRecord:
    """Reads one account."""
    return users([value])[0]


_USERS = reader(list[UserRecord])


def nothing(value: object) -> None:
    """Reads the result of a function that has none."""
    if value is not None:
        raise Unreadable("a result where there is none")


EVENTS: dict[str, Reader[Any]] = {
    "group": reader(ConGroup),
    "user": user,
    "trade": reader(TradeRecord),
    "tick": reader(Tick),
    "trade_request": reader(TradeRequest),
}
"""The kinds of event that are forwarded, with what reads their data."""


def fields_of(patch: Patch[R]) -> dict[str, Any]:
    """A partial update, or a new record, as the ``data`` of a request. Passwords are in it."""
    fields: dict[str, Any] = to_jsonable_python(patch.changes)
    return fields


def request_text(id_: int, name: str, data: object) -> str:
    """A request. Raises ``InvalidData`` for numbers that JSON has not and for text that is not Unicode."""
    message = {"id": id_, "name": name} if data is None else {"id": id_, "name": name, "data": data}
    try:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode()
    except ValueError:
        raise InvalidData(f"{name}: numbers must be finite, and text must be Unicode") from None
    return text
