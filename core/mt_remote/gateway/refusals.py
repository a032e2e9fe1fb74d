"""What is refused stands in the log, at a rate that nobody can flood it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mt_remote.logs import Log


@dataclass(slots=True)
class _Bucket:
    left: float
    filled: float
    kept_back: int = 0


class RefusalLog:
    """Logs each refusal as a warning, ``rate`` of a kind in a second. Those beyond are counted, and the kind's next
    line has their number as ``not_logged``. Values must have no secrets."""

    def __init__(self, rate: float, now: Callable[[], float], log: Log | None = None) -> None:
        self._rate = rate
        self._most = max(1.0, rate)
        self._now = now
        self._log = log or Log()
        self._buckets: dict[str, _Bucket] = {}

    def refused(self, what: str, **values: object) -> None:
        """Something was refused. ``what`` is its kind: one of a few fixed texts."""
        now = self._now()
        bucket = self._buckets.setdefault(what, _Bucket(self._most, now))
        bucket.left = min(self._most, bucket.left + (now - bucket.filled) * self._rate)
        bucket.filled = now
        if bucket.left < 1:
            bucket.kept_back += 1
            return
        bucket.left -= 1
        if bucket.kept_back:
            values["not_logged"], bucket.kept_back = bucket.kept_back, 0
        self._log.warning(what, **values)
