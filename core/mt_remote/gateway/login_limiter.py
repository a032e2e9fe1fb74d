"""A limit on failed logins per address, so that passwords can't be tried at speed. Time is passed in."""

from __future__ import annotations

from collections import OrderedDict, deque

_MOST_ADDRESSES = 100_000


class LoginLimiter:
    """An address with ``most`` failures within ``window`` seconds has to wait until one of them is older."""

    def __init__(self, most: int, window: float) -> None:
        self._most = most
        self._window = window
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Seconds until ``address`` may try again; 0 when it may now."""
        failures = self._failures.get(address)
        if failures is None:
            return 0.0
        while failures and now - failures[0] >= self._window:
            failures.popleft()
        if not failures:
            del self._failures[address]
        return 0.0 if len(failures) < self._most else self._window - (now - failures[0])

    def failed(self, address: str, now: float) -> None:
        """A login from ``address`` was refused for its credentials."""
        self._failures.setdefault(address, deque(maxlen=self._most)).append(now)
        self._failures.move_to_end(address)
        if len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)
