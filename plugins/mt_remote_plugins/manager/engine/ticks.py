"""Which of a symbol's queued ticks are new.

Libraries differ: asking for a symbol's ticks may empty its queue, or give a window of the last ones again and again.
Which it is shows at the first ticks that come, by asking twice.
"""

from __future__ import annotations

from collections.abc import Callable

from mt4abi import table

_SIZE = table().layouts["TickInfo"].size
_KEPT = 1024
_MISSES = 16
"""Changed symbols without a queue, before the first with one, after which the library counts as one that keeps none."""


class TickQueues:
    """The queues of one pumping connection, as native rows."""

    def __init__(self) -> None:
        self._emptied_by_asking: bool | None = None
        self._misses = 0
        self._tails: dict[bytes, bytes] = {}

    def news(self, symbol: bytes, ask: Callable[[], bytes]) -> bytes | None:
        """A symbol's rows that were not told yet, ``None`` when the library keeps no queue of it."""
        if self._misses >= _MISSES:
            return None
        rows = ask()
        if not rows:
            if self._emptied_by_asking is not None:
                return b""
            self._misses += 1
            return None
        if self._emptied_by_asking is None:
            again = ask()
            self._emptied_by_asking = again != rows
            if self._emptied_by_asking:
                return rows + again
        return rows if self._emptied_by_asking else self._unseen(symbol, rows)

    def _unseen(self, symbol: bytes, rows: bytes) -> bytes:
        """Of a window, what it has beyond the end of the one before."""
        tail = self._tails.get(symbol, b"")
        most = min(len(tail), len(rows))
        common = next((n for n in range(most, 0, -_SIZE) if tail[-n:] == rows[:n]), 0)
        fresh = rows[common:]
        self._tails[symbol] = (tail + fresh)[-_KEPT * _SIZE :]
        return fresh
