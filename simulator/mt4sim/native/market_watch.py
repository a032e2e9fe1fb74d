"""What one connection's market watch shows, and the ticks that its program did not take yet."""

from __future__ import annotations

from collections import deque

_TICKS_KEPT = 256
"""Ticks of a symbol that wait for the program; of more, the newest."""


class MarketWatch:
    """Symbols that are shown, and what changed of them since the program last looked."""

    def __init__(self) -> None:
        self.shown: dict[str, None] = {}
        self.changed: dict[str, None] = {}
        self._ticks: dict[str, deque[bytes]] = {}

    def show(self, symbol: str) -> None:
        self.shown[symbol] = None

    def hide(self, symbol: str) -> None:
        self.shown.pop(symbol, None)
        self.changed.pop(symbol, None)

    def tick(self, symbol: str, row: bytes) -> None:
        """A tick of a symbol that is shown, as a native struct."""
        self.changed[symbol] = None
        self._ticks.setdefault(symbol, deque(maxlen=_TICKS_KEPT)).append(row)

    def take_ticks(self, symbol: str) -> list[bytes]:
        """The ticks that wait, which wait no longer."""
        return list(self._ticks.pop(symbol, ()))

    def take_changed(self, most: int) -> list[str]:
        """At most so many of the symbols that changed, which count as seen now."""
        names = list(self.changed)[: max(most, 0)]
        for name in names:
            del self.changed[name]
        return names

    def forget(self) -> None:
        """Pumping ended: what was not taken is gone; what is shown stays."""
        self.changed.clear()
        self._ticks.clear()
