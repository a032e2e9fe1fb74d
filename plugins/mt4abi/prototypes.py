"""Prototypes of the interface's functions, with their calling convention.

The interface is a C++ object whose first word points to a table of functions; each takes the object first. On 32-bit
Windows they and the callbacks are stdcall; everywhere else there is one convention only.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from mt4abi.structures import structure
from mt4abi.table import Method, table

_functype: Callable[..., type[Any]] = ctypes.CFUNCTYPE
if sys.platform == "win32":
    _functype = ctypes.WINFUNCTYPE

NotifyFunction = _functype(None, ctypes.c_int)
"""``MTAPI_NOTIFY_FUNC``: the notification's code."""

NotifyFunctionEx = _functype(None, ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
"""``MTAPI_NOTIFY_FUNC_EX``: code, type, data (the library's, valid during the call only), parameter."""

_PLAIN: dict[str, type[Any] | None] = {
    "void": None,
    "int": ctypes.c_int,
    "UINT": ctypes.c_uint,
    "double": ctypes.c_double,
    "__time32_t": ctypes.c_int,
    "HWND": ctypes.c_void_p,
    "REFIID": ctypes.c_void_p,
    "LPCSTR": ctypes.c_char_p,
    "LPVOID*": ctypes.c_void_p,
    "LPSTR*": ctypes.POINTER(ctypes.c_void_p),
    "LPSTR": ctypes.c_void_p,
    "LPCWSTR": ctypes.c_void_p,
    "LPWSTR": ctypes.c_void_p,
    "void*": ctypes.c_void_p,
    "int*": ctypes.POINTER(ctypes.c_int),
    "__time32_t*": ctypes.POINTER(ctypes.c_int),
    "MTAPI_NOTIFY_FUNC": NotifyFunction,
    "MTAPI_NOTIFY_FUNC_EX": NotifyFunctionEx,
}


def bare(spelling: str) -> str:
    """A type without its ``const``."""
    return spelling.removeprefix("const ")


def struct_of(spelling: str) -> str:
    """The struct's name when the type is a pointer to one, else ``""``."""
    name = bare(spelling).removesuffix("*")
    return name if name in table().layouts and spelling.endswith("*") else ""


def _argument_type(spelling: str) -> type[Any] | None:
    name = bare(spelling)
    return _PLAIN[name] if name in _PLAIN else ctypes.POINTER(structure(struct_of(spelling)))


def _return_type(spelling: str) -> type[Any] | None:
    """Pointers come back as plain addresses: what the library allocated is copied and freed by address."""
    if spelling.endswith("*") or spelling == "LPSTR":
        return ctypes.c_void_p
    return _PLAIN[bare(spelling)]


@cache
def prototype(key: str) -> type[Any]:
    """The function type of one method, the object first."""
    method: Method = table().methods[key]
    arguments = [_argument_type(argument.type) for argument in method.arguments]
    return _functype(_return_type(method.returns), ctypes.c_void_p, *arguments)


@cache
def implementation_prototype(key: str) -> type[Any]:
    """The same function's type as an implementer in Python wants it: pointers arrive as plain addresses, because a
    struct that the library fills may be bigger than what ctypes would let us copy by value."""
    method = table().methods[key]
    returns = _return_type(method.returns)
    if returns is ctypes.c_char_p:
        returns = ctypes.c_void_p
    return _functype(returns, ctypes.c_void_p, *(_implementer_type(a.type) for a in method.arguments))


def _implementer_type(spelling: str) -> type[Any] | None:
    name = bare(spelling)
    if name in ("int", "UINT", "double", "__time32_t"):
        return _PLAIN[name]
    return ctypes.c_void_p
