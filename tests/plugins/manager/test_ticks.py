"""Ticks are told once, whatever the library's queue keeps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mt_remote_plugins.manager.engine.ticks import TickQueues
from tests.plugins.manager.tiny import row

EURUSD = b"EURUSD"


def _rows(bids: list[int]) -> bytes:
    return b"".join(row("TickInfo", symbol=EURUSD, bid=float(bid)) for bid in bids)


@given(st.lists(st.lists(st.integers(1, 3), max_size=8), max_size=8))
def test_a_queue_that_is_emptied_by_asking(parts: list[list[int]]) -> None:
    queues, told, waiting = TickQueues(), b"", b""

    def ask() -> bytes:
        nonlocal waiting
        taken, waiting = waiting, b""
        return taken

    for part in parts:
        waiting += _rows(part)
        told += queues.news(EURUSD, ask) or b""
    assert told == b"".join(map(_rows, parts))


@given(st.lists(st.integers(1, 8), max_size=12), st.integers(2, 10))
def test_a_window_of_the_last_ticks(counts: list[int], window: int) -> None:
    """Every price is another here: of a window, equal ticks can't be told from old ones."""
    queues, told, sent = TickQueues(), b"", 0
    for count in counts:
        sent += min(count, window)
        shown = _rows(list(range(max(0, sent - window), sent)))
        told += queues.news(EURUSD, lambda shown=shown: shown) or b""  # type: ignore[misc]
    assert told == _rows(list(range(sent)))


def test_a_library_without_a_queue() -> None:
    assert TickQueues().news(EURUSD, bytes) is None
