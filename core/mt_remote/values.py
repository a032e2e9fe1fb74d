"""Types of single values, for the parameters of functions: ``bid: Price`` says range, unit and limit once."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, TypeAlias, Union

from pydantic import AfterValidator, Discriminator, Field, GetCoreSchemaHandler, Tag
from pydantic_core import CoreSchema, core_schema

from mt_remote.records.accept import TextCheck, check_lots

_MOST_CHOICES = 1000
"""Entries of a list of values to choose from."""


def one_or_many(hint: Any) -> Any:
    """A value of a type or a list of such: an element fits when it is one of them."""
    many: Any = Annotated[list.__class_getitem__(hint), Field(min_length=1, max_length=_MOST_CHOICES)]
    return Annotated[
        Union[Annotated[hint, Tag("[one]")], Annotated[many, Tag("[many]")]],  # noqa: UP007  the members are values
        Discriminator(lambda value: "[many]" if isinstance(value, list) else "[one]"),
    ]


class OneOf:
    """Some members of an enum: ``Annotated[TradeCommand, OneOf(TradeCommand.BUY, TradeCommand.SELL)]`` takes these two
    on the wire, by their names, and gives the member."""

    __slots__ = ("members",)

    def __init__(self, *members: Enum) -> None:
        self.members = members

    def __get_pydantic_core_schema__(self, source: type[Enum], handler: GetCoreSchemaHandler) -> CoreSchema:
        names = core_schema.literal_schema([member.value for member in self.members])
        return core_schema.no_info_after_validator_function(source, names)


Login: TypeAlias = Annotated[int, Field(ge=1, le=2**31 - 1, description="account or manager login")]
Ticket: TypeAlias = Annotated[int, Field(ge=1, le=2**31 - 1, description="order ticket")]
RequestId: TypeAlias = Annotated[int, Field(ge=0, le=2**31 - 1, description="id of a dealing request")]
GroupName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=15, description="group name"), AfterValidator(TextCheck(15))
]
SymbolName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=11, description="symbol name"), AfterValidator(TextCheck(11))
]
Comment: TypeAlias = Annotated[
    str, Field(max_length=31, description="comment, at most 31 bytes"), AfterValidator(TextCheck(31))
]
Price: TypeAlias = Annotated[float, Field(gt=0, lt=1e9, allow_inf_nan=False, description="price in quote currency")]
PriceLevel: TypeAlias = Annotated[
    float, Field(ge=0, lt=1e9, allow_inf_nan=False, description="price in quote currency, 0 for none")
]
Money: TypeAlias = Annotated[
    float, Field(gt=-1e13, lt=1e13, allow_inf_nan=False, description="amount in account currency")
]
Lots: TypeAlias = Annotated[
    float,
    Field(gt=0, le=21_474_836.47, allow_inf_nan=False, description="lots, a multiple of 0.01"),
    AfterValidator(check_lots),
]
_MASKS: Any = one_or_many(Annotated[str, Field(min_length=1, max_length=255)])
Masks: TypeAlias = _MASKS
"""A mask (see :mod:`mt_remote.records.masks`) or a list of masks."""
UnixTime: TypeAlias = Annotated[int, Field(ge=0, le=2**31 - 1, description="Unix seconds in the server's zone")]


__all__ = [
    "Comment",
    "GroupName",
    "Login",
    "Lots",
    "Masks",
    "Money",
    "OneOf",
    "Price",
    "PriceLevel",
    "RequestId",
    "SymbolName",
    "Ticket",
    "UnixTime",
    "one_or_many",
]
