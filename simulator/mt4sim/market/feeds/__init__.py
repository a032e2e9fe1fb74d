"""Where prices come from: ``off``, ``random`` or ``replay``.

A feed schedules itself on the timeline, so advancing the time plays it. Its ticks pass the sessions, the filter and
the symbol's spread like those of a real data feed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mt4sim.market.feeds.base import Feed, Market, OffFeed, Scheduler
from mt4sim.market.feeds.random_walk import RandomFeed
from mt4sim.market.feeds.replay import ReplayError, ReplayFeed
from mt4sim.market.feeds.specs import FeedSpec, FeedTerms
from mt_remote.errors import ConfigurationError

__all__ = ["Feed", "Market", "OffFeed", "RandomFeed", "ReplayError", "ReplayFeed", "Scheduler", "make_feed"]


def make_feed(spec: FeedSpec, market: Market, *, terms: Mapping[str, FeedTerms], seed: int = 0) -> Feed:
    """The feed that ``spec`` describes, not started yet. ``terms`` say how the random feed moves each symbol,
    ``seed`` counts where the spec has none. Raises :class:`~mt_remote.errors.ConfigurationError`."""
    if spec.kind == "random":
        return RandomFeed(
            market, terms, seed=seed if spec.seed is None else spec.seed, rate=spec.rate, currencies=spec.currencies
        )
    if spec.kind == "replay":
        if spec.file is None:
            raise ConfigurationError("feed.file: needed for a replay")
        return ReplayFeed(market, Path(spec.file), speed=spec.speed, anchor=spec.anchor)
    return OffFeed(market)
