"""What is known of a call that was to change something: whether it happened.

Whoever asks a server to change something knows best what became of it, and says so where it asks::

    with changing() as change:
        reply = await server.ask("deposit", 100)
        change.happened() if reply.ok else change.refused()

What leaves the block without having said anything is unknown: the connection broke, or nobody waits any more. The
gateway reads all that was said during a call, and tells the client that: no error that comes later, while somebody
finds out why or reads back what was written, can soften it. A backend that says nothing here is believed by the
errors that it raises (:attr:`mt_remote.errors.ConnectionLost.outcome`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

from mt_remote.errors import Busy, CallTimeout, Refused, RequestError, ReturnCode, ServerError


class Known(StrEnum):
    """Whether something happened. Two together give the less certain (:func:`joined`)."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


def joined(*known: Known) -> Known:
    """What is known of several things as one: that of each where they agree, else nothing. Of no thing: not done."""
    found = set(known) or {Known.NOT_DONE}
    return found.pop() if len(found) == 1 else Known.UNKNOWN


class Change:
    """One thing that a server is asked to change."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known = Known.UNKNOWN

    def happened(self) -> None:
        """The server did it."""
        self.known = Known.DONE

    def refused(self) -> None:
        """The server did not do it, or was not asked."""
        self.known = Known.NOT_DONE


class Changes:
    """All that a call asked a server to change, so far."""

    __slots__ = ("_all",)

    def __init__(self) -> None:
        self._all: list[Change] = []

    def add(self, change: Change) -> None:
        """One more."""
        self._all.append(change)

    @property
    def any(self) -> bool:
        """Whether anything was asked."""
        return bool(self._all)

    @property
    def known(self) -> Known:
        """What is known of all of it together."""
        return joined(*(change.known for change in self._all))

    def after(self, error: RequestError) -> Known:
        """What is known of the call once it failed with ``error``."""
        return self.known if self._all else said_by(error)


_OF_THIS_CALL: ContextVar[Changes | None] = ContextVar("changes", default=None)


def begin() -> Changes:
    """A call begins: what is asked from here on, in its context, is its own."""
    changes = Changes()
    _OF_THIS_CALL.set(changes)
    return changes


@contextmanager
def changing() -> Iterator[Change]:
    """Something is asked of a server. Where it ends without a word, by an exception or not, it stays unknown."""
    change = Change()
    changes = _OF_THIS_CALL.get()
    if changes is not None:
        changes.add(change)
    yield change


def said_by(error: RequestError) -> Known:
    """What an error says, or one on whose account it was raised: whoever handles a loss and meets another one, which
    knows nothing of the first, must not hide it."""
    found: list[Known] = []
    each: BaseException | None = error
    while each is not None:
        if isinstance(each, RequestError):
            found.append(_said(each))
        each = each.__context__
    return joined(*found)


_CUT_OFF = (ReturnCode.NO_CONNECT, ReturnCode.NETWORK_PROBLEM)
"""Codes that say that the connection broke, not what became of what was asked over it."""


_BY_NAME = {str(known): known for known in Known}


def _said(error: RequestError) -> Known:
    if error.outcome:
        return _BY_NAME.get(error.outcome, Known.UNKNOWN)
    cut_off = isinstance(error, ServerError) and error.return_code in _CUT_OFF
    return Known.UNKNOWN if cut_off else Known.NOT_DONE


def may_be_repeated(error: RequestError, known: Known) -> bool:
    """Whether a call under a key that ended like this is carried out again when it is repeated: it did not happen, and
    no server said that it never will."""
    if known is not Known.NOT_DONE:
        return False
    cut_off = isinstance(error, ServerError) and error.return_code in _CUT_OFF
    return cut_off or isinstance(error, Busy | CallTimeout | Refused) or error.wire_code == "not_connected"


__all__ = ["Change", "Changes", "Known", "begin", "changing", "joined", "may_be_repeated", "said_by"]
