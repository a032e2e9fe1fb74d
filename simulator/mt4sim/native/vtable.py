"""Interface objects made in Python: what ``MtManCreate`` hands out is an address that any native caller can use.

One table of functions serves all objects. Each slot finds the Python object behind the address that it is called with
and calls its method of the slot's name in snake case, with numbers and addresses as they came. A slot without a method
answers what the object's ``not_offered`` says of its name; an array is none then, and its count 0.
"""

from __future__ import annotations

import ctypes
import re
import sys
import threading
import traceback
from collections.abc import Callable
from functools import cache
from typing import Any

from mt4abi import Method, table
from mt4abi.prototypes import implementation_prototype
from mt_remote.errors import ReturnCode

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def method_name(key: str) -> str:
    """``CfgRequestGroup`` as a Python method's name."""
    return _CAMEL.sub("_", key).lower()


class Memory:
    """What the library handed over and was not given back yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: dict[int, Any] = {}
        self.wrong_frees = 0

    def hold(self, data: bytes) -> int:
        """A copy that lives until it is freed; its address."""
        block = ctypes.create_string_buffer(data, max(len(data), 1))
        address = ctypes.addressof(block)
        with self._lock:
            self._blocks[address] = block
        return address

    def free(self, address: int) -> None:
        """Gives a block back; one that is not held is counted as a caller's mistake."""
        with self._lock:
            if self._blocks.pop(address, None) is None:
                self.wrong_frees += 1

    @property
    def outstanding(self) -> int:
        return len(self._blocks)


class _Object:
    """The native side of one object: a pointer to the table, and room so that no two share an address."""

    def __init__(self, slots: int) -> None:
        self.words = (ctypes.c_void_p * 2)(slots, None)

    @property
    def address(self) -> int:
        return ctypes.addressof(self.words)


_objects: dict[int, tuple[_Object, object]] = {}


def make_object(implementation: object) -> int:
    """Address of an interface object whose functions are ``implementation``'s methods."""
    made = _Object(ctypes.addressof(_slots()[0]))
    _objects[made.address] = (made, implementation)
    return made.address


def drop_object(address: int) -> None:
    """The object was released: calls through its address answer errors from now on. Its two words stay readable, for a
    caller that calls after its own release must not take the process down."""
    entry = _objects.get(address)
    if entry is not None:
        _objects[address] = (entry[0], None)


@cache
def _slots() -> tuple[Any, list[Any]]:
    """The table of functions, and the callbacks that it points to, kept for as long as the process lives."""
    functions = [implementation_prototype(key)(_slot(method)) for key, method in table().methods.items()]
    pointers = [ctypes.cast(function, ctypes.c_void_p).value for function in functions]
    return (ctypes.c_void_p * len(pointers))(*pointers), functions


def _failure(method: Method, code: int) -> int | None:
    if method.returns == "void" or method.returns.endswith("*") or method.returns in ("LPSTR", "LPCSTR"):
        return None
    return code


def _counter(method: Method) -> int | None:
    """The place of the argument that gets the count of an array; ``None`` where no array is returned."""
    if not method.returns.endswith("*") or not method.arguments or method.arguments[-1].type != "int*":
        return None
    return len(method.arguments) - 1


def _slot(method: Method) -> Callable[..., Any]:
    name, counter = method_name(method.key), _counter(method)

    def refuse(arguments: tuple[Any, ...], code: int) -> int | None:
        """No array, and a count that says so."""
        if counter is not None and arguments[counter]:
            ctypes.c_int.from_address(arguments[counter]).value = 0
        return _failure(method, code)

    def call(this: int, *arguments: Any) -> Any:
        entry = _objects.get(this)
        implementation = entry[1] if entry else None
        if implementation is None:
            return refuse(arguments, ReturnCode.ERROR)
        function = getattr(implementation, name, None)
        if function is None:
            not_offered = getattr(implementation, "not_offered", None)
            return refuse(arguments, not_offered(name) if not_offered else ReturnCode.ERROR)
        try:
            answer = function(*arguments)
        except Exception:  # noqa: BLE001 - nothing may leave a native call
            traceback.print_exc(file=sys.stderr)
            return refuse(arguments, ReturnCode.ERROR)
        return answer

    return call
