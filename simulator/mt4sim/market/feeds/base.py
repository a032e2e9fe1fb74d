"""What every feed is, and what it needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from mt4sim.market.quotes import Quotes
from mt4sim.market.symbols import Symbol


class Cancellable(Protocol):
    """Something scheduled."""

    def cancel(self) -> object: ...


class Scheduler(Protocol):
    """The timeline, as far as a feed needs it."""

    @property
    def now(self) -> int:
        """Unix seconds in the server's zone."""

    def at(self, when: int, callback: Callable[[], None], /) -> Cancellable:
        """Calls back when the time has come."""


@dataclass(frozen=True, slots=True)
class Market:
    """What a feed works on: the server's own symbols, quotes and timeline."""

    symbols: Mapping[str, Symbol]
    quotes: Quotes
    timeline: Scheduler


class Feed(ABC):
    """A source of ticks. It holds one timer on the timeline while it runs."""

    kind: ClassVar[str]

    def __init__(self, market: Market) -> None:
        self._market = market
        self._timer: Cancellable | None = None

    @property
    def running(self) -> bool:
        """Whether more ticks are to come."""
        return self._timer is not None

    @abstractmethod
    def start(self) -> None:
        """Begins at the timeline's present. A running feed stays as it is."""

    def stop(self) -> None:
        """No tick comes any more. Stopping twice changes nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that is needed to go on from here, as plain JSON values."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on where :meth:`state` was taken, at the same time of the timeline."""

    def _wake_at(self, when: int) -> None:
        self._timer = self._market.timeline.at(max(when, self._market.timeline.now), self._woken)

    def _woken(self) -> None:
        self._timer = None
        self._due()

    def _due(self) -> None:
        """Sends what is due now and schedules what comes next."""
        raise NotImplementedError(f"{type(self).__name__} schedules nothing")


class OffFeed(Feed):
    """No prices but those that managers throw in."""

    kind = "off"

    def start(self) -> None:
        """Nothing to begin."""

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to go on with."""
