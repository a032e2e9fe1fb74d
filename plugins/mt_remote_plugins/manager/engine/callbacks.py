"""The functions that the library calls. They copy what must be copied, enqueue, and return.

They live as long as the process: a library may call back after it was told to disconnect, and a call into freed memory
would take the process down. A call for a handle that is gone finds nobody and is dropped.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from mt4abi import NotifyFunction, NotifyFunctionEx, Pump, table

Pumped = Callable[[int, int, bytes], None]
Dealt = Callable[[int], None]

_pumped: dict[int, Pumped] = {}
_tokens = itertools.count(1)
_RECORDS = {
    Pump.UPDATE_GROUPS: table().layouts["ConGroup"].size,
    Pump.UPDATE_USERS: table().layouts["UserRecord"].size,
    Pump.UPDATE_TRADES: table().layouts["TradeRecord"].size,
}
"""Notifications whose record is read, with its size."""


def _on_pump(code: int, kind: int, data: int | None, parameter: int | None) -> None:
    target = _pumped.get(parameter or 0)
    if target is not None:
        size = _RECORDS.get(code, 0)  # type: ignore[call-overload]
        target(code, kind, ctypes.string_at(data, size) if data and size else b"")


PUMP_FUNCTION = NotifyFunctionEx(_on_pump)
"""The one pumping callback of the process; its parameter tells the handle."""


def pump_token(target: Pumped) -> int:
    """Registers a handle's listener; the token goes to the library as the callback's parameter."""
    token = next(_tokens)
    _pumped[token] = target
    return token


def forget_pump(token: int) -> None:
    """What the library still calls back for the token is dropped from now on."""
    _pumped.pop(token, None)


class DealingSlot:
    """A dealing callback, which has no parameter: a function of its own while a handle uses it."""

    def __init__(self) -> None:
        self._target: Dealt | None = None
        self.function: Any = NotifyFunction(self._called)

    def _called(self, code: int) -> None:
        if self._target is not None:
            self._target(code)

    def aim(self, target: Dealt | None) -> None:
        """Gives the slot to a handle, or to nobody."""
        self._target = target


_idle: deque[DealingSlot] = deque()
_idle_lock = threading.Lock()
_REST = 64
"""Slots that rest before one is used again, so that a late call meets nobody rather than the next handle."""


def dealing_slot(target: Dealt) -> DealingSlot:
    """A slot that nobody uses, aimed at a handle."""
    with _idle_lock:
        slot = _idle.popleft() if len(_idle) > _REST else DealingSlot()
    slot.aim(target)
    return slot


def rest(slot: DealingSlot) -> None:
    """Takes a slot back."""
    slot.aim(None)
    with _idle_lock:
        _idle.append(slot)
