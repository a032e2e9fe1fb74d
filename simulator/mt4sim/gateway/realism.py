"""Lags and quirks of real servers, to be switched on one by one (Semantics 9.8, 10.5): code which would break on the
real thing breaks here first. All are off by default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from mt_remote.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Realism:
    """Which quirks show.

    ``hidden_groups``: a group that was added is not found by connections that are older than it.
    ``lagging_events``: events come up to a second late and not at once (with a manual clock: when it moves).
    ``coalesced_ticks``: of several ticks of a symbol within that second only the newest is told.
    ``pump_locales``: ``en-EN`` reads ``en-150`` and ``max_symbols`` 0 reads 4096 in events.
    """

    hidden_groups: bool = False
    lagging_events: bool = False
    coalesced_ticks: bool = False
    pump_locales: bool = False

    @classmethod
    def of(cls, names: Iterable[str]) -> Realism:
        """The quirks of these names; ``all`` means all. Raises for a name that is none."""
        known = {field.name for field in fields(cls)}
        chosen = set(names)
        if "all" in chosen:
            chosen = known
        if unknown := chosen - known:
            raise ConfigurationError(
                f"--realism: there is no {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
            )
        return cls(**dict.fromkeys(chosen, True))
