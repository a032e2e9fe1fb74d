"""Conversion of single native values, one pair of functions a unit (see ``mt_remote.records.declare.Unit``)."""

from __future__ import annotations

import base64
import socket
from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

from mt_remote.errors import InvalidData, ReturnCode, ServerError
from mt_remote.records.units import (
    DBL_MAX,
    divider_of_percent,
    hour_minute,
    hundredths,
    minutes_of,
    percent_of_divider,
)

_E = TypeVar("_E", bound=Enum)


class Numbered(dict[int, _E], Generic[_E]):
    """Native numbers to names. A number that nobody knows is an error that says where it stood; of combined flags the
    lowest known one counts."""

    def __init__(self, where: str, known: Mapping[int, _E]) -> None:
        super().__init__(known)
        self._where = where
        self._flags = len(known) > 3 and all(n & (n - 1) == 0 for n in known) and 4 in known and 3 not in known

    def __missing__(self, number: int) -> _E:
        if self._flags:
            for bit in sorted(self):
                if bit & number:
                    return self[bit]
        raise ServerError(ReturnCode.ERROR, f"the library's {self._where} holds {number}, which has no meaning")


def unix_of_dealing_time(value: int) -> int:
    """Unix seconds of the dealing clock, whose unit is 1.6777216 s (semantics 8.5)."""
    return (value << 24) // 10_000_000


def dealing_time_of_unix(seconds: int) -> int:
    """The dealing clock's value, rounded down (semantics 8.5)."""
    return seconds * 10_000_000 >> 24


def address_of(raw: bytes) -> str:
    """Dotted text of a native IPv4 address: the first octet is in the lowest byte."""
    return socket.inet_ntoa(raw)


def raw_of_address(value: str, path: str) -> bytes:
    """Native bytes of a dotted IPv4 address."""
    parts = value.split(".")
    if len(parts) != 4 or not all(part.isdecimal() and len(part) < 4 and int(part) < 256 for part in parts):
        raise InvalidData.of(path, "must be an IPv4 address such as 127.0.0.1")
    return bytes(map(int, parts))


def addresses_of(raw: bytes) -> list[str]:
    """The addresses of a fixed array; a zero one ends it."""
    found = []
    for at in range(0, len(raw), 4):
        if not any(raw[at : at + 4]):
            break
        found.append(address_of(raw[at : at + 4]))
    return found


def base64_of(raw: bytes) -> str:
    """Base64 of raw bytes, ``""`` when all are zero."""
    return base64.b64encode(raw).decode("ascii") if raw.strip(b"\0") else ""


def raw_of_base64(value: str, size: int, path: str) -> bytes:
    """``size`` raw bytes, short input filled up with zeros."""
    try:
        raw = base64.b64decode(value, validate=True)
    except ValueError:
        raise InvalidData.of(path, "must be base64") from None
    if len(raw) > size:
        raise InvalidData.of(path, f"at most {size} bytes, got {len(raw)}")
    return raw.ljust(size, b"\0")


__all__ = [
    "DBL_MAX",
    "Numbered",
    "address_of",
    "addresses_of",
    "base64_of",
    "dealing_time_of_unix",
    "divider_of_percent",
    "hour_minute",
    "hundredths",
    "minutes_of",
    "percent_of_divider",
    "raw_of_address",
    "raw_of_base64",
    "unix_of_dealing_time",
]
