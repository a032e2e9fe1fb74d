"""What a field's line accepts from the wire: validation, derived from :class:`~mt_remote.records.declare.Wire`."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Hashable, Mapping
from functools import cache, lru_cache
from typing import Annotated, Any, Optional, Required, cast, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
)  # fmt: skip
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema
from typing_extensions import TypedDict

from mt_remote.records.declare import DEFAULT_CODE_PAGE, Record, Unit, Wire

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_HOUR_MINUTE = re.compile(r"([0-9]{1,3}):([0-9]{1,2})")


def code_page(info: ValidationInfo) -> str:
    """The code page that a validation runs under; the registry passes it as context."""
    context = info.context
    return cast(str, context["code_page"]) if context else DEFAULT_CODE_PAGE


def _refuse(problem: str) -> PydanticCustomError:
    return PydanticCustomError("value", "{problem}", {"problem": problem})


class TextCheck:
    """A validator: the text has at most ``limit`` bytes in the server's code page and no zero byte.

    Behind a native ``max_length`` of as many characters there is nothing left for it in ASCII without a zero character:
    see :func:`without_text_checks`.
    """

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __call__(self, value: str, info: ValidationInfo) -> str:
        if "\0" in value:
            raise _refuse("must not contain a zero character")
        if value.isascii():
            length = len(value)
        else:
            page = code_page(info)
            try:
                length = len(value.encode(page))
            except UnicodeEncodeError as error:
                position = error.start + 1  # and not the character: the text may be secret
                raise _refuse(f"character {position} does not exist in the server's code page {page}") from None
        if length > self.limit:
            raise _refuse(f"at most {self.limit} bytes in the server's code page, got {length}")
        return value


def without_text_checks(schema: Any) -> Any:
    """A core schema without the :class:`TextCheck` steps that ASCII text without a zero character always passes: the
    same rules for a message that is all ASCII and has no ``\\u``, without a call into Python for each text."""
    if isinstance(schema, dict):
        return (
            without_text_checks(schema["schema"])
            if _is_text_check(schema)
            else {key: without_text_checks(value) for key, value in schema.items()}
        )
    return [without_text_checks(item) for item in schema] if isinstance(schema, list) else schema


def _is_text_check(schema: dict[str, Any]) -> bool:
    if schema.get("type") != "function-after":
        return False
    check = schema["function"]["function"]
    return isinstance(check, TextCheck) and schema["schema"].get("max_length", float("inf")) <= check.limit


@lru_cache(maxsize=1024)  # the same few volumes come all day
def check_lots(value: float) -> float:
    """Lots are natively 1/100 lot: refuses what is not a multiple of 0.01."""
    hundredths = round(value * 100)
    if abs(value * 100 - hundredths) > 1e-6:
        raise _refuse("must be a multiple of 0.01 lot")
    return hundredths / 100


def _check_ipv4(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ipaddress.AddressValueError:
        raise _refuse("must be an IPv4 address such as 127.0.0.1") from None


def _check_minutes(last: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        match = _HOUR_MINUTE.fullmatch(value)
        if match is None or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > last:
            raise _refuse(f'must be a time of day "H:M" from "0:0" to "{last // 60}:{last % 60}"')
        return f"{int(match[1])}:{int(match[2])}"

    return check


def _check_tag(value: str) -> str:
    if len(value) > 84 or not _TAG.fullmatch(value):
        raise _refuse("must be a locale tag such as ru-RU")
    return value


def _check_raw(size: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value == "":
            return value
        try:
            data = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise _refuse("must be base64") from None
        if len(data) > size:
            raise _refuse(f"at most {size} bytes, got {len(data)}")
        data = data.ljust(size, b"\0")
        return base64.b64encode(data).decode() if any(data) else ""

    return check


def _check_masks(limit: int) -> Callable[[list[str], ValidationInfo], list[str]]:
    check_joined = TextCheck(limit)

    def check(value: list[str], info: ValidationInfo) -> list[str]:
        for mask in value:
            if not mask or "," in mask:
                raise _refuse("a mask must be text without a comma")
        check_joined(",".join(value), info)
        return value

    return check


def _in_bit_order(numbers: Mapping[str, int]) -> Callable[[list[str]], list[str]]:
    def order(value: list[str]) -> list[str]:
        return value if len(value) < 2 else sorted(set(value), key=numbers.__getitem__)

    return order


def _in_bit_order_or_none(numbers: Mapping[str, int]) -> Callable[[list[str] | None], list[str] | None]:
    """An empty list denies nothing either."""

    def order(value: list[str] | None) -> list[str] | None:
        if not value:
            return None
        return value if len(value) < 2 else sorted(set(value), key=numbers.__getitem__)

    return order


def _list_of_one(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Whole:
    """JSON's ``true`` and ``1.0`` are no integers, though Python's equal one: an enum of integers takes neither."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        whole_or_text = core_schema.union_schema(
            [core_schema.int_schema(strict=True), core_schema.str_schema(strict=True)],  # of text the enum complains
            mode="left_to_right",
            custom_error_type="value",
            custom_error_message="must be an integer",
        )
        return core_schema.chain_schema([whole_or_text, handler(source)])

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(cast(core_schema.ChainSchema, schema)["steps"][1])


def _text_hint(wire: Wire) -> object:
    note = Field(min_length=1, max_length=wire.longest) if wire.key else Field(max_length=wire.longest)
    return Annotated[str, note, AfterValidator(TextCheck(wire.longest))]


def _bounded_hint(wire: Wire) -> object:
    kind = float if wire.unit in (Unit.LOTS, Unit.DIVIDER) else int
    return Annotated[kind, Field(ge=wire.low, le=wire.high, allow_inf_nan=False if kind is float else None)]


def _names_hint(wire: Wire) -> object:
    if wire.unit is Unit.BITMASK:
        return Annotated[wire.hint, AfterValidator(_in_bit_order(wire.numbers))]
    return Annotated[wire.hint, BeforeValidator(_list_of_one), AfterValidator(_in_bit_order_or_none(wire.numbers))]


def _nested_hint(wire: Wire) -> object:
    kind = get_args(wire.hint)[1]
    inner: Any = partial_hint(kind, "patch")
    value, longest = (Optional[inner], _SYMBOL_NAME) if wire.unit is Unit.ENTRIES else (inner, _SECURITY_NAME)  # noqa: UP045
    name: Any = Annotated[str, Field(min_length=1, max_length=longest), AfterValidator(TextCheck(longest))]
    table: Any = dict.__class_getitem__((name, value))
    return Annotated[table, Field(max_length=wire.most)]


def _clock_hint(wire: Wire) -> object:
    return Annotated[str, AfterValidator(_check_minutes(int(wire.high or 0)))]


def _security_hint(wire: Wire) -> object:
    return Annotated[str, Field(max_length=_SECURITY_NAME), AfterValidator(TextCheck(_SECURITY_NAME))]


def _rows_hint(wire: Wire) -> object:
    (kind,) = get_args(wire.hint)
    unused = kind().to_dict()

    def used(value: list[dict[str, object]]) -> list[dict[str, object]]:
        return [row for row in value if row != unused]

    return Annotated[
        list.__class_getitem__(partial_hint(kind, "whole")), Field(max_length=wire.most), AfterValidator(used)
    ]


def _days_hint(wire: Wire) -> object:
    kind = get_args(wire.hint)[1]
    inner: Any = partial_hint(kind, "patch")
    return typed_dict(f"{kind.__name__}ByDay", dict.fromkeys(map(str, wire.numbers), inner), "Days, any subset")


_SECURITY_NAME, _SYMBOL_NAME = 15, 11
"""Bytes of the longest name of a security, of a symbol."""

_HINTS: dict[Unit, Callable[[Wire], object]] = {
    Unit.TEXT: _text_hint,
    Unit.FLAG: lambda wire: bool,
    Unit.INTEGER: _bounded_hint,
    Unit.UNSIGNED: _bounded_hint,
    Unit.NUMBER: lambda wire: Annotated[float, Field(allow_inf_nan=False)],
    Unit.LOTS: lambda wire: Annotated[_bounded_hint(wire), AfterValidator(check_lots)],
    Unit.CHOICE: lambda wire: Annotated[wire.hint, _Whole()],
    Unit.NAMED: lambda wire: wire.hint,
    Unit.BITMASK: _names_hint,
    Unit.DENIALS: _names_hint,
    Unit.TIME: _bounded_hint,
    Unit.DEALING_TIME: _bounded_hint,
    Unit.MINUTES: _clock_hint,
    Unit.CLOCK: _clock_hint,
    Unit.IPV4: lambda wire: Annotated[str, AfterValidator(_check_ipv4)],
    Unit.IPV4_LIST: lambda wire: Annotated[
        list[Annotated[str, AfterValidator(_check_ipv4)]], Field(max_length=wire.most)
    ],
    Unit.LOCALES: lambda wire: Annotated[list[Annotated[str, AfterValidator(_check_tag)]], Field(max_length=wire.most)],
    Unit.MASKS: lambda wire: Annotated[list[str], AfterValidator(_check_masks(wire.longest))],
    Unit.BYTES: lambda wire: Annotated[str, AfterValidator(_check_raw(wire.size))],
    Unit.NUMBERS: lambda wire: wire.hint,
    Unit.DIVIDER: _bounded_hint,
    Unit.SECURITIES: _nested_hint,
    Unit.ENTRIES: _nested_hint,
    Unit.STRUCT: lambda wire: wire.hint,
    Unit.SECURITY: _security_hint,
    Unit.POSITION: _bounded_hint,
    Unit.ETAG: lambda wire: Annotated[str, Field(min_length=1, max_length=wire.longest)],
    Unit.ROWS: _rows_hint,
    Unit.DAYS: _days_hint,
}


def _input_hint(wire: Wire) -> object:
    if wire.read_only:  # accepted and ignored: deployed clients send back what they got
        return Annotated[
            object, Field(description=wire.doc or "read-only: ignored", json_schema_extra={"readOnly": True})
        ]
    hint = _HINTS[wire.unit](wire)
    if wire.name != wire.attribute:
        hint = Annotated[hint, Field(alias=wire.name)]
    return Annotated[hint, Field(description=wire.doc)] if wire.doc else hint


def typed_dict(name: str, hints: Mapping[str, Any], doc: str) -> type:
    """A TypedDict made at run time that pydantic validates strictly; fields may be absent unless ``Required``."""
    make: Any = TypedDict
    made: Any = make(name, dict(hints), total=False)
    made.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)
    made.__doc__ = doc
    return cast(type, made)


@cache
def _partial(kind: Hashable, purpose: str) -> type:
    wires = cast("type[Record]", kind).wires

    def needed(wire: Wire) -> bool:
        if purpose == "whole":
            return not wire.read_only
        if purpose == "draft":
            return wire.required or (wire.key and wire.unit is Unit.TEXT)
        return wire.key or wire.unit is Unit.ETAG

    hints: dict[str, Any] = {name: _input_hint(wire) for name, wire in wires.items()}
    hints = {name: Required[hint] if needed(wires[name]) else hint for name, hint in hints.items()}
    name = cast("type[Record]", kind).__name__
    return typed_dict(f"{name}{purpose.title()}", hints, f"{name}, any subset")


def partial_hint(kind: type[Record], purpose: str) -> type:
    """The type that validates a partial record: a TypedDict of what may be present. A ``patch`` needs the key
    and the etag, a ``draft`` what the server insists on for a new record, a ``whole`` one everything that is not
    read-only."""
    return _partial(cast(Hashable, kind), purpose)
