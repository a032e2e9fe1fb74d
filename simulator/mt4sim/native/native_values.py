"""Reading what native callers pass and writing what they get."""

from __future__ import annotations

import ctypes

from mt4abi import table


def size_of(name: str) -> int:
    """Bytes of a native struct."""
    return table().layouts[name].size


def text_at(address: int | None) -> bytes:
    """The zero-terminated text at an address; empty for none."""
    return ctypes.string_at(address) if address else b""


def struct_at(name: str, address: int | None, at: int = 0) -> bytes:
    """One struct of an array."""
    size = size_of(name)
    return ctypes.string_at(address + at * size, size) if address else bytes(size)


def integers_at(address: int | None, count: int) -> list[int]:
    """An array of ints."""
    return list((ctypes.c_int * count).from_address(address)) if address and count > 0 else []


def integer_at(address: int | None) -> int:
    """One int."""
    return ctypes.c_int.from_address(address).value if address else 0


def put_integer(address: int | None, value: int) -> None:
    """Writes one int, where the caller wants it."""
    if address:
        ctypes.c_int.from_address(address).value = value


def put_pointer(address: int | None, value: int) -> None:
    """Writes one pointer."""
    if address:
        ctypes.c_void_p.from_address(address).value = value


def put(address: int | None, data: bytes) -> None:
    """Writes a struct or an array."""
    if address:
        ctypes.memmove(address, data, len(data))
