"""ctypes structures of the interface, built from the table.

Padding is spelled out as members and the packing is 1, so the layout is the table's on every platform and for every
pointer width. Pointers inside structs are 32 bits wide also in the 64-bit library, belong to the library and are never
followed: here they are plain integers.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, cast

from mt4abi.table import Layout, Member, table

SCALARS: dict[str, type[Any]] = {
    "char": ctypes.c_char,
    "uint8": ctypes.c_uint8,
    "int16": ctypes.c_int16,
    "int32": ctypes.c_int32,
    "uint32": ctypes.c_uint32,
    "int64": ctypes.c_int64,
    "float": ctypes.c_float,
    "double": ctypes.c_double,
    "time32": ctypes.c_int32,
    "wchar16": ctypes.c_uint16,
    "ptr32": ctypes.c_uint32,
}
"""ctypes type of each scalar of the table."""


def _type_of(member: Member) -> type[Any]:
    if member.type == "char" and not member.dims:  # a small number, not text
        return ctypes.c_int8
    kind: type[Any] = SCALARS.get(member.type) or structure(member.type)
    for dim in reversed(member.dims):
        kind = kind * dim
    return kind


def _fields(layout: Layout) -> list[tuple[str, type[Any]]]:
    fields: list[tuple[str, type[Any]]] = []
    at = 0
    for member in layout.members.values():
        if member.offset > at:
            fields.append((f"_pad{at}", ctypes.c_char * (member.offset - at)))
        fields.append((member.name, _type_of(member)))
        at = member.offset + member.size
    if layout.size > at:
        fields.append((f"_pad{at}", ctypes.c_char * (layout.size - at)))
    return fields


@cache
def structure(name: str) -> type[ctypes.Structure]:
    """The ctypes class of one native struct. A new object is all zeros, as what goes into the library must be."""
    layout = table().layouts[name]
    body = {"_pack_": 1, "_layout_": "ms", "_fields_": _fields(layout), "__doc__": f"{name} of the Manager library."}
    made = cast("type[ctypes.Structure]", type(name, (ctypes.Structure,), body))
    if ctypes.sizeof(made) != layout.size:
        raise AssertionError(f"{name} came out with {ctypes.sizeof(made)} bytes, the table says {layout.size}")
    return made
