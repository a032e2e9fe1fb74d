"""What a connection offers: each function of each area that ships is called at the other gateway, by its row."""

from __future__ import annotations

import base64
import binascii
import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin, get_type_hints

from forwarding_backend.wire import Reader, Unreadable, fields_of, nothing, reader
from mt_remote.area import Area, Declared
from mt_remote.errors import InvalidData
from mt_remote_plugins.areas import AREAS, External, ExternalBytes, Market

if TYPE_CHECKING:
    from forwarding_backend.connection import ForwardConnection


LONGEST_COMMAND = 750_000
"""Bytes of an external command: as base64 they are the million that the protocol takes."""


class Forwarded:
    """Base of the areas."""

    def __init__(self, connection: ForwardConnection) -> None:
        self.connection = connection


class ForwardedMarket(Forwarded):
    """The other gateway has no function that tells what a session shows, so that is kept here."""

    async def show(self, symbol: str) -> None:
        await self.connection.link.call("symbol.show", {"symbol": symbol}, nothing)
        self.connection.shown[symbol] = None

    async def hide(self, symbol: str) -> None:
        await self.connection.link.call("symbol.hide", {"symbol": symbol}, nothing)
        self.connection.shown.pop(symbol, None)


class ForwardedExternal(Forwarded, ExternalBytes):
    """Any bytes, and so as base64: what is text for a client here may be none for the other gateway's."""

    async def send(self, data: bytes) -> bytes:
        """Raises ``InvalidData`` for more than can be forwarded."""
        if len(data) > LONGEST_COMMAND:
            raise InvalidData.of("command", f"at most {LONGEST_COMMAND} bytes can be forwarded to another gateway")
        command = {"command": base64.b64encode(data).decode("ascii"), "encoding": "base64"}
        return await self.connection.link.call("external.command", command, _bytes)


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise Unreadable(f"base64: {error}") from None


_OWN: dict[type[Area], type[Forwarded]] = {Market: ForwardedMarket, External: ForwardedExternal}


def forwarding(area: type[Area]) -> type[Area]:
    """An implementation of an area that forwards each of its functions, but for those that have one of their own."""
    base = _OWN.get(area, Forwarded)
    methods = {row.method: _method(row) for row in area.functions if not hasattr(base, row.method)}
    return cast("type[Area]", type(f"Forward{area.__name__}", (base, area), methods))


def _method(row: Declared) -> Callable[..., Awaitable[object]]:
    signature = inspect.signature(row.handler)
    read = _reader(row)

    async def forward(self: Forwarded, *given: object, **named: object) -> object:
        stated = dict(signature.bind(self, *given, **named).arguments)
        stated.pop("self")
        return await self.connection.link.call(row.name, _data(row, signature, stated), read)

    return forward


def _data(row: Declared, signature: inspect.Signature, stated: dict[str, Any]) -> dict[str, Any] | None:
    """The ``data`` of a request: the fields that were stated, or all that a patch or a new record has."""
    for name, value in stated.items():
        if signature.parameters[name].kind is inspect.Parameter.POSITIONAL_ONLY:
            return fields_of(value)
    fields = {row.names.get(name, name.rstrip("_")): value for name, value in stated.items() if value is not None}
    return fields or None


def _reader(row: Declared) -> Reader[Any]:
    hint = (row.hints or get_type_hints(row.handler, include_extras=True))["return"]
    if hint is type(None):
        return nothing
    if get_origin(hint) is Sequence:
        hint = list.__class_getitem__(get_args(hint))
    return reader(cast("type[object]", hint))


FORWARDED: Iterable[type[Area]] = tuple(forwarding(area) for area in AREAS)
"""A class for each area that ships."""
