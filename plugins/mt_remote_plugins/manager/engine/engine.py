"""The engine: one session's lanes, made when first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mt4abi.library import Library, open_library
from mt_remote_plugins.manager.engine.handle import Ledger
from mt_remote_plugins.manager.engine.lanes import LANES, Lane
from mt_remote_plugins.manager.engine.messages import LaneName, Notice, Order, Tuning


class Engine:
    """Takes orders from any thread; gives notices on its lanes' threads."""

    def __init__(self, source: str | Library, emit: Callable[[Notice], None], tuning: Tuning) -> None:
        self._source = source
        self._emit = emit
        self._tuning = tuning
        self._library: Library | None = None
        self._lock = threading.Lock()
        self._lanes: dict[LaneName, Lane] = {}
        self._closed = False
        self.ledger = Ledger()

    def _load(self) -> Library:
        with self._lock:
            if self._library is None:
                self._library = open_library(self._source) if isinstance(self._source, str) else self._source
            return self._library

    def submit(self, order: Order) -> None:
        """Hands an order to its lane."""
        with self._lock:
            if self._closed:
                return
            lane = self._lanes.get(order.lane)
            if lane is None:
                lane = self._lanes[order.lane] = LANES[order.lane](self._load, self._emit, self._tuning, self.ledger)
        lane.submit(order)

    def close(self, timeout: float = 5.0) -> bool:
        """Ends every lane; whether all threads ended in time."""
        with self._lock:
            self._closed = True
            lanes = list(self._lanes.values())
        for lane in lanes:
            lane.submit(None)
        ended = [lane.join(timeout) for lane in lanes]
        return all(ended)
