"""What happens on the server, told to listeners in order and numbered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Change(StrEnum):
    """What happened to the thing an event is about (natively ``TRANS_*``)."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"
    CHANGE_GROUP = "change_group"


class Happened(NamedTuple):
    """One event. ``data`` is the server's own object at the time; listeners that keep it must convert it at once.

    Kinds: ``common group manager symbol user online tick trade request margin_call activation``.
    """

    number: int
    kind: str
    change: Change
    data: object


Listener = Callable[[Happened], None]


class EventLog:
    """Tells the server's own rooms what they react to (:mod:`mt4sim.reactions` has who, and in which order), then every
    listener of every event, in the order in which they began to listen."""

    def __init__(self) -> None:
        self.number = 0
        self.reactions: Mapping[str, tuple[Listener, ...]] = {}  # by the event's kind
        self._listeners: tuple[Listener, ...] = ()

    def emit(self, kind: str, change: Change, data: object) -> None:
        """Something happened."""
        self.number += 1
        happened = Happened(self.number, kind, change, data)
        for reaction in self.reactions.get(kind, ()):
            reaction(happened)
        for listener in self._listeners:
            listener(happened)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls ``listener`` for each event from now on. Returns what ends it."""
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return stop
