"""One interface object of the library: calls in, bytes out, everything that it hands over freed exactly once.

A handle belongs to one thread; the library isn't thread-safe.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from mt4abi import Argument, Method, prototype, structure, table
from mt4abi.prototypes import bare, struct_of
from mt_remote.errors import ReturnCode

Value = int | float | bytes
MOST_ROWS_BYTES = 1 << 30
"""An array that claims to be bigger is taken for garbage."""


class Reply(NamedTuple):
    """What a call gave: the return code (or number), the array it returned, and what it wrote into its arguments."""

    code: int
    rows: bytes = b""
    outs: tuple[Value, ...] = ()


@dataclass(slots=True)
class Ledger:
    """Counts the arrays that the library handed over and those given back."""

    taken: int = 0
    freed: int = 0

    @property
    def outstanding(self) -> int:
        return self.taken - self.freed


class Misbehaved(Exception):
    """The library broke its own rules: a count without an array, a count that can't be."""


class Handle:
    """The functions of one interface object, by name."""

    def __init__(self, address: int, ledger: Ledger | None = None) -> None:
        self.address = address
        self.ledger = ledger or Ledger()
        slots = ctypes.c_void_p.from_address(address).value
        if not slots:
            raise Misbehaved("the library's object has no table of functions")
        self._slots = (ctypes.c_void_p * len(table().methods)).from_address(slots)
        self._functions: dict[str, Callable[..., Any]] = {}

    def function(self, key: str) -> Callable[..., Any]:
        """The function of one slot, the object not yet given."""
        found = self._functions.get(key)
        if found is None:
            found = self._functions[key] = prototype(key)(self._slots[table().methods[key].index])
        return found

    def plain(self, key: str, *arguments: Any) -> int:
        """Calls a function of numbers and callbacks."""
        answer = self.function(key)(self.address, *arguments)
        return int(answer or 0)

    def call(self, key: str, *values: Value) -> Reply:
        """Calls any function. Structs and texts go in as bytes; every pointer that is not ``const`` comes back in
        :attr:`Reply.outs`, in order. An array that the function returns is copied and freed."""
        plan = _plan(key)
        if len(values) != len(plan.arguments):
            raise TypeError(f"{key} takes {len(plan.arguments)} arguments, got {len(values)}")
        pairs = [take(value) for take, value in zip(plan.arguments, values, strict=True)]
        answer = self.function(key)(self.address, *(native for native, _ in pairs))
        outs = tuple(read(self) for _, read in pairs if read is not None)
        if not plan.row_size:
            code = answer if isinstance(answer, int) else 0
            return Reply(code, b"", outs)
        return self._array(key, answer or 0, plan.row_size, outs)

    def _array(self, key: str, address: int, row_size: int, outs: tuple[Value, ...]) -> Reply:
        total = outs[-1] if outs and isinstance(outs[-1], int) else -1
        if not address:
            if total:
                raise Misbehaved(f"{key} gave no array, yet a count of {total}")
            return Reply(self._why_nothing(), b"", outs)
        return Reply(0, self._copied(key, address, total, row_size), outs)

    def _copied(self, key: str, address: int, total: int, row_size: int) -> bytes:
        self.ledger.taken += 1
        try:
            if total < 0 or total * row_size > MOST_ROWS_BYTES:
                raise Misbehaved(f"{key} gave an array with a count of {total}")
            return ctypes.string_at(address, total * row_size)
        finally:
            self.plain("MemFree", address)
            self.ledger.freed += 1

    def _why_nothing(self) -> int:
        """An empty list and a dead connection both are no array."""
        return 0 if self.plain("IsConnected") else int(ReturnCode.NO_CONNECT)

    def take_text(self, address: int, length: int) -> bytes:
        """Bytes that the library allocated, freed."""
        return self._copied("a text", address, length, 1) if address else b""

    def describe(self, code: int) -> str:
        """The library's text for a code."""
        raw = self.function("ErrorDescription")(self.address, code)
        return raw.decode("ascii", "replace") if raw else ""


Native = tuple[Any, Callable[[Handle], Value] | None]
Taker = Callable[[Any], Native]


class _Plan(NamedTuple):
    arguments: tuple[Taker, ...]
    row_size: int


@cache
def _plan(key: str) -> _Plan:
    method = table().methods[key]
    takers = tuple(_taker(method, argument) for argument in method.arguments)
    return _Plan(takers, _row_size(method))


def _row_size(method: Method) -> int:
    if method.returns == "int*":
        return ctypes.sizeof(ctypes.c_int)
    if method.returns == "LPSTR":
        return 1
    name = struct_of(method.returns)
    return table().layouts[name].size if name else 0


def _taker(method: Method, argument: Argument) -> Taker:
    const = argument.type != bare(argument.type)
    name = bare(argument.type)
    if name in ("int", "UINT", "double", "__time32_t"):
        return lambda value: (value, None)
    if name == "LPCSTR":
        return _text
    if name in ("int*", "__time32_t*"):
        return _numbers if const or argument.name in ("logins", "orders") else _number_out
    if name == "LPSTR*":
        return _text_out
    if struct_of(name):
        return _struct(struct_of(name), const)
    return _opaque


def _text(value: bytes) -> Native:
    return value, None


def _opaque(value: int) -> Native:
    return (value or None), None


def _numbers(value: bytes) -> Native:
    return (ctypes.c_int * (len(value) // 4)).from_buffer_copy(value) if value else None, None


def _number_out(value: int) -> Native:
    box = ctypes.c_int(value)
    return ctypes.byref(box), lambda handle: box.value


def _text_out(value: int) -> Native:
    """The library's own bytes; their length is in the argument after it, so they are read when that is known."""
    box = ctypes.c_void_p()
    return ctypes.byref(box), lambda handle: box.value or 0


def _struct(name: str, const: bool) -> Taker:
    kind = structure(name)
    size = table().layouts[name].size

    def take(value: bytes) -> Native:
        count = max(1, len(value) // size)
        buffer = (kind * count).from_buffer_copy(value.ljust(size * count, b"\0"))
        pointer = ctypes.cast(buffer, ctypes.POINTER(kind))
        return pointer, None if const else lambda handle: bytes(buffer)

    return take
