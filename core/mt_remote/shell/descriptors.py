"""When the process may open no more files: accepting waits, and the log says so once."""

from __future__ import annotations

import errno

from mt_remote.clock import Clock
from mt_remote.logs import Log

log = Log()

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_SHORTEST, _LONGEST = 0.05, 1.0
_QUIET_SECONDS = 60.0
"""Between two lines in the log."""


class Descriptors:
    """How long accepting waits when the system gives no more descriptors: longer each time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told = -_QUIET_SECONDS
        self._pause = _SHORTEST

    def accepted(self) -> None:
        """There was one."""
        self._pause = _SHORTEST

    def pause(self, error: OSError) -> float:
        """Seconds to wait. Raises an error that is another one."""
        if error.errno not in _EXHAUSTED:
            raise error
        now = self._clock.now()
        if now - self._told >= _QUIET_SECONDS:
            self._told = now
            log.error("connections wait: the system gives no more descriptors", reason=error.strerror)
        pause, self._pause = self._pause, min(2 * self._pause, _LONGEST)
        return pause
