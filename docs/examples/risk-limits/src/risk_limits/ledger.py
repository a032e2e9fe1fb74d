"""Orders under way: let through by the check, and not yet among the orders that the server shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from risk_limits.orders import Side

UNKNOWN_FOR = 60.0
"""Seconds for which an order counts whose outcome is unknown: the server may still carry it out."""


@dataclass(slots=True, eq=False)
class Held:
    """Hundredths of a lot that an order under way may add to one side of an account's position in a symbol."""

    owner: object
    login: int
    symbol: str
    side: Side
    volume: int
    until: float | None = None


@dataclass(slots=True, eq=False)
class Look:
    """Somebody is reading an account's orders.

    `stale` when one that was under way ended meanwhile: what was read may lack it, and it is not held any more either.
    """

    login: int
    symbol: str
    stale: bool = False


class Ledger:
    """What is held, and who is reading. Nothing in here waits, so no session comes between another's lines."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[int, Held] = {}
        self._looks: list[Look] = []

    @contextmanager
    def look(self, login: int, symbol: str) -> Iterator[Look]:
        """Watches, for as long as it is open, whether what is read of an account still holds."""
        look = Look(login, symbol)
        self._looks.append(look)
        try:
            yield look
        finally:
            self._looks.remove(look)

    def hold(self, owner: object, login: int, symbol: str, side: Side, volume: int) -> None:
        """Counts an order, in hundredths of a lot, until its owner (the call) ends."""
        self._held[id(owner)] = Held(owner, login, symbol, side, volume)  # the entry keeps its owner, hence the id

    def end(self, owner: object, *, known: bool) -> None:
        """An owner's call was answered; `known` says whether with certainty. Owners that hold nothing are fine."""
        held = self._held.get(id(owner))
        if held is None:
            return
        if not known:
            held.until = self._clock() + UNKNOWN_FOR
            return
        self._drop(held)

    def volume(self, login: int, symbol: str, side: Side) -> int:
        """Hundredths of a lot under way."""
        self._forget()
        return sum(
            held.volume for held in self._held.values() if (held.login, held.symbol, held.side) == (login, symbol, side)
        )

    def __len__(self) -> int:
        self._forget()
        return len(self._held)

    def _forget(self) -> None:
        now = self._clock()
        for held in [held for held in self._held.values() if held.until is not None and held.until <= now]:
            self._drop(held)

    def _drop(self, held: Held) -> None:
        del self._held[id(held.owner)]
        for look in self._looks:
            if (look.login, look.symbol) == (held.login, held.symbol):
                look.stale = True
