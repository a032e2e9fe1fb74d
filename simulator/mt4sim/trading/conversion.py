"""Converting between currencies by the server's own quotes (Semantics 3.3, 3.4)."""

from __future__ import annotations

from collections.abc import Callable

from mt4sim.market.symbols import ProfitMode
from mt4sim.market.ticks import Quote
from mt4sim.state import State

_VIA = "USD"


class Converter:
    """Rates between currencies. ``ask`` chooses the side of a symbol's quote, in either orientation."""

    def __init__(self, state: State, quotes: Callable[[str], Quote | None] | None = None) -> None:
        """At the server's last quotes, or at those that ``quotes`` gives: for as long as symbols stay as they are."""
        self._state = state
        self._pairs: dict[str, str] | None = None
        self._quotes = quotes or state.quotes.last  # bound once: a conversion asks up to four times

    def forget(self) -> None:
        """Symbols are others than before: which of them are pairs is worked out anew."""
        self._pairs = None

    def pair(self, base: str, quote: str) -> str | None:
        """The symbol of a pair. Assumed: names that begin with the six letters count, suffixes do not matter; the
        shortest name wins (Semantics 3.4)."""
        if self._pairs is None:
            self._pairs = {}
            for name in sorted(self._state.symbols, key=lambda each: (-len(each), each)):
                if self._state.symbols[name].profit_mode is ProfitMode.FOREX and len(name) >= 6:
                    self._pairs[name[:6]] = name
        return self._pairs.get(base + quote)

    def rate(self, source: str, target: str, *, ask: bool) -> float:
        """How much ``target`` one ``source`` is: the pair, its inverse, else over the dollar. Assumed: 0 when there is
        no way (Semantics 3.4)."""
        if source == target:
            return 1.0
        direct = self._direct(source, target, ask=ask)
        if direct or _VIA in (source, target):
            return direct
        return self._direct(source, _VIA, ask=ask) * self._direct(_VIA, target, ask=ask)

    def _direct(self, source: str, target: str, *, ask: bool) -> float:
        if source == target:
            return 1.0
        price = self._price(self.pair(source, target), ask=ask)
        if price:
            return price
        inverse = self._price(self.pair(target, source), ask=ask)
        return 1 / inverse if inverse else 0.0

    def _price(self, name: str | None, *, ask: bool) -> float:
        quote = self._quotes(name) if name else None
        if quote is None or name is None:
            return 0.0
        return self._state.symbols[name].to_price(quote.ask if ask else quote.bid)

    def trade_rate(self, source: str, target: str, symbol: str, price: float, *, ask: bool) -> float:
        """The same for a trade at ``price`` in ``symbol``: where the traded symbol is the pair itself its own price
        counts (Semantics 2.3, 3.6)."""
        if source == target:
            return 1.0
        if self.pair(source, target) == symbol:
            return price
        if self.pair(target, source) == symbol:
            return 1 / price if price else 0.0
        return self.rate(source, target, ask=ask)

    def symbols_used(self, source: str, target: str) -> list[str]:
        """The symbols whose quotes :meth:`rate` depends on: those it takes, and those without a quote yet that it would
        take before them."""
        found, priced = self._symbols_of(source, target)
        if priced or _VIA in (source, target):
            return found
        return [*found, *self._symbols_of(source, _VIA)[0], *self._symbols_of(_VIA, target)[0]]

    def _symbols_of(self, source: str, target: str) -> tuple[list[str], bool]:
        """The pair and its inverse up to the first that has a quote, and whether one has."""
        found = []
        for name in (self.pair(source, target), self.pair(target, source)):
            if name is not None:
                found.append(name)
                if self._state.quotes.last(name) is not None:
                    return found, True
        return found, source == target
