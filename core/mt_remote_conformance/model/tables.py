"""Tables of the server's configuration: one row for each, and how a table must read after each change.

A table is addressed by a key, or by position: then a row has no name, only a place and an ``etag`` that tells whether
it is still the one that was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis.strategies import SearchStrategy

from mt_remote_conformance import strategies as some
from mt_remote_conformance.model.configuration import overlaid
from mt_remote_conformance.sessions.client import Client, Json
from mt_remote_conformance.sessions.sessions import Sessions, differences

ADDRESS = ("position", "etag")
"""Fields that say where a row stands, not what it is."""


@dataclass(frozen=True, slots=True)
class ConfigTable:
    """One table. ``one`` is the namespace of its verbs, ``all`` the function that lists it. ``key`` names the field
    that identifies a row, ``""`` where a row has but a place. ``mark`` names a text that the kit knows its own rows by;
    ``rows`` draws a new row without its address, ``changes`` a partial update. ``adds``: a ``set`` of an unknown key
    adds, and there is neither ``add`` nor ``move``: such a table has no order that anybody states."""

    name: str
    one: str
    all: str
    key: str
    mark: str
    rows: SearchStrategy[Json]
    changes: SearchStrategy[Json]
    adds: bool = False

    def owns(self, row: Json) -> bool:
        """Whether the kit made a row."""
        return str(row[self.mark]).upper().startswith(some.TABLE_MARK.upper())


TABLES = (
    ConfigTable("holidays", "config.holiday", "config.holidays.get.all", "", "description",
                some.holidays(), some.holidays()),
    ConfigTable("symbols", "config.symbol", "config.symbols.get.all", "symbol", "symbol",
                some.symbols(), some.symbols()),
    ConfigTable("managers", "config.manager", "config.managers.get.all", "login", "name",
                some.managers(), some.managers(), adds=True),
)  # fmt: skip
"""Every table that the kit knows. A target that does not list one is not asked for it."""


class TableModel:
    """One table while the kit changes it. Others' rows stay where they are among each other."""

    def __init__(self, sessions: Sessions, table: ConfigTable) -> None:
        self.sessions = sessions
        self.table = table
        self.rows: list[Json] = self._listed("L-TAB-1")

    # What changes it

    def add(self, client: Client, row: Json, key: object = None, position: int | None = None) -> None:
        """Adds a row: at the end, or at a place."""
        address: Json = {self.table.key: key} if self.table.key else {}
        if position is not None:
            address["position"] = position
        whole = {**row, **address}
        verb = "set" if self.table.adds else "add"
        place = self.sessions.succeeds("L-TAB-1", client, f"{self.table.one}.{verb}", whole)
        expected = list(self.rows)
        expected.insert(len(expected) if position is None else position, whole)
        self._compare("L-TAB-1", expected)
        self._placed("L-TAB-1", place, len(expected) - 1 if position is None else position)

    def set(self, client: Client, position: int, changes: Json) -> None:
        """Changes a row in part."""
        data = {**self._address(position), **changes}
        place = self.sessions.succeeds("L-TAB-2", client, f"{self.table.one}.set", data)
        expected = list(self.rows)
        expected[position] = overlaid(expected[position], changes)
        self._compare("L-TAB-2", expected)
        self._placed("L-TAB-2", place, position)

    def delete(self, client: Client, position: int) -> None:
        """Deletes a row; the others close up."""
        self.sessions.succeeds("L-TAB-3", client, f"{self.table.one}.del", self._address(position))
        self._compare("L-TAB-3", [row for place, row in enumerate(self.rows) if place != position])

    def move(self, client: Client, position: int, to: int) -> None:
        """Moves a row; the others keep their order."""
        place = self.sessions.succeeds(
            "L-TAB-4", client, f"{self.table.one}.move", {**self._address(position), "to": to}
        )
        expected = list(self.rows)
        expected.insert(to, expected.pop(position))
        self._compare("L-TAB-4", expected)
        self._placed("L-TAB-4", place, to)

    # What must be refused

    def conflicts(self, client: Client, position: int, changes: Json, etag: str) -> None:
        """A place with the etag of another row, or of this one as it was: nothing is done to whatever stands there."""
        address = {"position": position, "etag": etag}
        for verb, more in (("set", changes), ("move", {"to": 0}), ("del", {})):
            data = {**address, **more}
            self.sessions.fails("L-TAB-5", client, f"{self.table.one}.{verb}", data, codes=("conflict",))
        self._unchanged("L-TAB-5")

    def unknown(self, client: Client, address: Json, changes: Json) -> None:
        """A key that no row has, or a place behind the last: an error for every verb but ``add``."""
        verbs: list[tuple[str, Json]] = [("del", {})]
        if not self.table.adds:
            verbs += [("set", changes), ("move", {"to": 0})]
        if self.table.key:
            verbs.append(("get", {}))
        for verb, more in verbs:
            data = {**address, **more}
            self.sessions.fails("L-TAB-6", client, f"{self.table.one}.{verb}", data, codes=("not_found",))
        self._unchanged("L-TAB-6")

    def taken(self, client: Client, row: Json, key: str) -> None:
        """A key that exists, in any letters' case, can't be added."""
        self.sessions.fails("L-TAB-7", client, f"{self.table.one}.add", {**row, self.table.key: key})
        self._unchanged("L-TAB-7")

    # Reading

    def alone(self, client: Client, position: int) -> None:
        """A row reads alone as it does in the list."""
        row = self.rows[position]
        got = self.sessions.succeeds("L-REC-4", client, f"{self.table.one}.get", self._address(position))
        for _, problem in differences(got, row):
            self.sessions.judge.check("L-REC-4", False, f"{self._named(row)} alone: {problem}")
        self.sessions.judge.held("L-REC-4")

    @property
    def own(self) -> list[int]:
        """The places of the kit's own rows."""
        return [place for place, row in enumerate(self.rows) if self.table.owns(row)]

    def clear(self) -> None:
        """Deletes what the kit made, from behind: so the places of what is still to go stay as they are."""
        rows = self.sessions.boss.result(self.table.all)
        for place in reversed(range(len(rows))):
            if self.table.owns(rows[place]):
                self.sessions.boss.result(f"{self.table.one}.del", self._address_of(rows[place]))

    def _listed(self, law: str) -> list[Json]:
        found: list[Json] = self.sessions.succeeds(law, self.sessions.boss, self.table.all)
        return self._ordered(found)

    def _ordered(self, rows: list[Json]) -> list[Json]:
        return sorted(rows, key=lambda row: row[self.table.key]) if self.table.adds else rows

    def _address(self, position: int) -> Json:
        return self._address_of(self.rows[position])

    def _address_of(self, row: Json) -> Json:
        return {self.table.key: row[self.table.key]} if self.table.key else {name: row[name] for name in ADDRESS}

    def _named(self, row: Json) -> str:
        return f"{self.table.one} {row[self.table.key or self.table.mark]!r}"

    def _placed(self, law: str, place: Any, position: int) -> None:
        """What a change of a table without keys answers: where the row stands now, and its new etag."""
        if not self.table.key:
            now = {name: self.rows[position][name] for name in ADDRESS}
            self.sessions.judge.equal(law, place, now, f"place of {self._named(self.rows[position])}")

    def _compare(self, law: str, expected: list[Json]) -> None:
        """Reads the list: as many rows, in this order, each with these fields."""
        judge, rows = self.sessions.judge, self._listed(law)
        judge.equal(law, len(rows), len(expected), f"rows of {self.table.all}")
        for place, (row, due) in enumerate(zip(rows, self._ordered(expected), strict=True)):
            whole = {name: value for name, value in due.items() if name not in ADDRESS}
            for _, problem in differences(row, whole):
                judge.check(law, False, f"{self._named(row)} at {place}: {problem}")
            if not self.table.key:
                judge.equal(law, row["position"], place, f"position of {self._named(row)}")
        judge.held(law)
        self.rows = rows

    def _unchanged(self, law: str) -> None:
        rows = self._listed(law)
        judge = self.sessions.judge
        judge.equal("L-MSG-7", rows, self.rows, f"{self.table.all} after what was refused")


def other_case(key: str) -> str:
    """A key that differs by its letters' case alone."""
    return key.swapcase()
