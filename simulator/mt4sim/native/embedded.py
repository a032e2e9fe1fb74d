"""What the native shim calls: one object, its address written where the shim wants it."""

from __future__ import annotations

import ctypes
import os
from functools import cache

from mt4abi.library import Library, open_library

DEFAULT = "mt4sim.native.library:library"
"""The library that programs get unless ``MT4SIM_LIBRARY`` names another ``module:name``."""


@cache
def _library() -> Library:
    return open_library(os.environ.get("MT4SIM_LIBRARY") or DEFAULT)


def create(version: int, where: int) -> None:
    """Makes an interface object and writes its address to ``where``."""
    ctypes.c_void_p.from_address(where).value = _library().create(version) or None
