"""Where the tables of the configuration are kept, and what the server says to a change of one.

Every door uses them: the gateway's areas and the simulated Manager library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from mt4sim.desk.configuration import Configuration
from mt4sim.desk.symbol_records import holiday_of, holiday_record, symbol_of, symbol_record
from mt4sim.events import Change
from mt4sim.state import State
from mt_remote.errors import InvalidData, ReturnCode, ServerError
from mt_remote.records import ConGroup, ConHoliday, ConManager, ConSymbol, Draft, Patch, Record

R = TypeVar("R", bound=Record)
K = TypeVar("K")
V = TypeVar("V")


class Store(Protocol[R]):
    """A table where the server keeps it. Places count from 0 and have been looked at already."""

    def rows(self) -> Sequence[R]:
        """All rows, in their order."""

    def write(self, record: R, place: int) -> None:
        """Writes a row over the one of its key or, without a key, at ``place``; adds it where there is none."""

    def delete(self, place: int) -> None:
        """Takes a row away."""

    def move(self, place: int, to: int) -> None:
        """Moves a row to another place."""


class GroupStore:
    """Groups."""

    def __init__(self, state: State, config: Configuration) -> None:
        self._state = state
        self._config = config

    def rows(self) -> Sequence[ConGroup]:
        return self._config.groups()

    def write(self, record: ConGroup, place: int) -> None:
        config = self._config
        known = self._state.groups.get(record.group)
        if known is None:
            config.add_group(Draft.of(record))
            return
        patch = Patch.of(record)
        terms: dict[str, Any] = patch.changes["symbols"]  # type: ignore[assignment]
        # A struct has all of a group's terms: those that it has not are gone.
        patch.changes["symbols"] = terms | {name: None for name in known.symbols if name not in terms}
        config.set_group(patch)

    def delete(self, place: int) -> None:
        self._config.delete_group(list(self._state.groups)[place])

    def move(self, place: int, to: int) -> None:
        _move(self._state.groups, place, to)


class ManagerStore:
    """Manager accounts."""

    def __init__(self, state: State, config: Configuration) -> None:
        self._state = state
        self._config = config

    def rows(self) -> Sequence[ConManager]:
        return list(self._state.managers.values())

    def write(self, record: ConManager, place: int) -> None:
        self._config.set_manager(Patch.of(record))

    def delete(self, place: int) -> None:
        self._config.delete_manager(list(self._state.managers)[place])

    def move(self, place: int, to: int) -> None:
        _move(self._state.managers, place, to)


class SymbolStore:
    """Symbols. Assumed: what is added is there at once (a real server wants a restart), a symbol with orders can't be
    deleted, and one that has a price keeps its digits."""

    def __init__(self, state: State, config: Configuration) -> None:
        self._state = state
        self._config = config

    def rows(self) -> Sequence[ConSymbol]:
        return [symbol_record(symbol) for symbol in self._state.symbols.values()]

    def write(self, record: ConSymbol, place: int) -> None:
        symbols = self._state.symbols
        known = symbols.get(record.symbol)
        if known is None and record.symbol.casefold() in map(str.casefold, symbols):
            raise InvalidData.of("symbol", f"a symbol '{record.symbol}' exists already, in other letters")
        changed = symbol_of(record, known, self._state.securities)
        priced = known is not None and self._state.quotes.last(known.name) is not None
        if known is not None and priced and changed.digits != known.digits:
            raise InvalidData.of("digits", f"'{known.name}' has prices of {known.digits} digits")
        symbols[changed.name] = changed
        self._state.events.emit("symbol", Change.UPDATE if known else Change.ADD, changed)

    def delete(self, place: int) -> None:
        symbol = list(self._state.symbols.values())[place]
        used = sum(order.symbol == symbol.name for order in self._state.orders.all_open())
        if used:
            raise ServerError(ReturnCode.ERROR, f"symbol: '{symbol.name}' has {used} orders", path="symbol")
        del self._state.symbols[symbol.name]
        self._state.events.emit("symbol", Change.DELETE, symbol)

    def move(self, place: int, to: int) -> None:
        _move(self._state.symbols, place, to)


class HolidayStore:
    """Holidays, known by their places alone."""

    def __init__(self, state: State, config: Configuration) -> None:
        self._calendar = state.quotes.calendar

    def rows(self) -> Sequence[ConHoliday]:
        return [holiday_record(each) for each in self._calendar.holidays]

    def write(self, record: ConHoliday, place: int) -> None:
        made, rows = holiday_of(record), list(self._calendar.holidays)
        if 0 <= place < len(rows):
            rows[place] = made
        else:
            rows.append(made)
        self._calendar.holidays = tuple(rows)

    def delete(self, place: int) -> None:
        rows = list(self._calendar.holidays)
        del rows[place]
        self._calendar.holidays = tuple(rows)

    def move(self, place: int, to: int) -> None:
        self._calendar.holidays = tuple(_moved(self._calendar.holidays, place, to))


def _moved(rows: Iterable[V], place: int, to: int) -> list[V]:
    found = list(rows)
    found.insert(to, found.pop(place))
    return found


def _move(table: dict[K, V], place: int, to: int) -> None:
    """Moves an entry of a table in place: whoever has the table sees the new order."""
    rows: Mapping[K, V] = dict(_moved(table.items(), place, to))
    table.clear()
    table.update(rows)


STORES: Mapping[str, Callable[[State, Configuration], Store[Any]]] = {
    "Group": GroupStore,
    "Manager": ManagerStore,
    "Symbol": SymbolStore,
    "Holiday": HolidayStore,
}
"""The stores by their tables' names in the Manager library's functions."""
