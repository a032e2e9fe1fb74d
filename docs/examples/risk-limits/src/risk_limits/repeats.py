"""Calls that were carried out under a key, so that their repetition is not taken for another order.

The gateway answers a repeated call from memory, but asks its plugins first. An order that filled a limit would be
refused when its client, who missed the answer, asks again, and he would believe that it never was.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable

from mt_remote.plugin import Call, Session

KEPT_FOR = 23 * 3600.0
"""Seconds; below the day for which the gateway promises to carry nothing out again."""

MOST = 10_000
"""Calls remembered. One that is forgotten is merely checked anew."""


class Repeats:
    """The calls that succeeded, by manager, key and content."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: OrderedDict[str, float] = OrderedDict()

    def add(self, session: Session, call: Call) -> None:
        """Remembers a call that succeeded, if it has a key."""
        if call.key is not None:
            self._done[_identity(session, call)] = self._clock()
            while len(self._done) > MOST:
                self._done.popitem(last=False)

    def has(self, session: Session, call: Call) -> bool:
        """Whether this manager's very call succeeded under its key: the gateway will carry nothing out."""
        done = None if call.key is None else self._done.get(_identity(session, call))
        return done is not None and self._clock() < done + KEPT_FOR


def _identity(session: Session, call: Call) -> str:
    return json.dumps([session.server, session.login, call.key, call.name, call.arguments], sort_keys=True)
