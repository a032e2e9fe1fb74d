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
            # What is strict (no text for a number) takes a record's enums from JSON text alone.
            return adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            raise Unreadable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    return read


def nothing(value: object) -> None:
    """Reads the result of a function that has none."""
    if value is not None:
        raise Unreadable("a result where there is none")


EVENTS: dict[str, Reader[Any]] = {
    "group": reader(ConGroup),
    "user": reader(UserRecord),
    "trade": reader(TradeRecord),
    "tick": reader(Tick),
    "trade_request": reader(TradeRequest),
}
"""The kinds of event that are forwarded, with what reads their data."""


def fields_of(patch: Patch[R]) -> dict[str, Any]:
    """A partial update, or a new record, as the ``data`` of a request. Passwords are in it."""
    fields: dict[str, Any] = _on_the_wire(to_jsonable_python(patch.changes))
    return fields


def _on_the_wire(value: Any) -> Any:
    """A field that is called as a word of Python's has a line behind its name here, ``from_``."""
    if isinstance(value, dict):
        return {name.rstrip("_"): _on_the_wire(inner) for name, inner in value.items()}
    return [_on_the_wire(inner) for inner in value] if isinstance(value, list) else value


def request_text(id_: int, name: str, data: object) -> str:
    """A request. Raises ``InvalidData`` for numbers that JSON has not and for text that is not Unicode."""
    message = {"id": id_, "name": name} if data is None else {"id": id_, "name": name, "data": data}
    try:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode()
    except ValueError:
        raise InvalidData(f"{name}: numbers must be finite, and text must be Unicode") from None
    return text
