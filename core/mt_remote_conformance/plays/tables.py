"""Tables of the configuration: one suite a table, the same laws for all."""

from __future__ import annotations

from hypothesis import strategies as st

from mt_remote_conformance.model.tables import TABLES, ConfigTable, TableModel, other_case
from mt_remote_conformance.plays import samples
from mt_remote_conformance.plays.pages import walked
from mt_remote_conformance.plays.scene import Scene
from mt_remote_conformance.plays.suites import Pins, register
from mt_remote_conformance.sessions.client import Json
from mt_remote_conformance.strategies import TABLE_MARK
from mt_remote_conformance.targets import Profile

_STEPS = ["add", "set", "set", "move", "delete"]


def _key(scene: Scene, table: ConfigTable, number: int) -> object:
    """The kit's own keys: logins where those are, else names."""
    return scene.target.logins[50 + number] if table.key == "login" else f"{TABLE_MARK}{number}"


def play(scene: Scene, table: ConfigTable) -> None:
    """Rows are added, changed in part, moved, deleted; what can't be is refused; pages have every row."""
    scene.seat(kinds=[])
    model = TableModel(scene.sessions, table)

    def clear() -> None:
        model.sessions = scene.sessions
        model.clear()

    scene.finally_(clear)
    for number in range(3):
        _add(scene, model, number)
    _refused(scene, model)
    for _ in range(scene.draw(st.integers(2, 6), "steps")):
        _step(scene, model, scene.draw(st.sampled_from(_STEPS), "step"))
    if table.key:
        for place in model.own[:2]:
            model.alone(scene.actor(), place)
    keys = [row[table.key or "position"] for row in model.rows]
    for limit in scene.draw(st.lists(st.integers(1, 8), min_size=1, max_size=2), "limits"):
        walked(scene, table.all, {}, keys, limit, key=table.key or "position")


def _marked(scene: Scene, table: ConfigTable, row: Json, number: int) -> Json:
    """A row that the kit knows again."""
    if table.mark == table.key:
        return row
    return {**row, table.mark: f"{TABLE_MARK} {number}"}


def _add(scene: Scene, model: TableModel, number: int, position: int | None = None) -> None:
    table = model.table
    row = _marked(scene, table, scene.draw(table.rows, "row"), number)
    model.add(scene.actor(), row, _key(scene, table, number) if table.key else None, position)


def _step(scene: Scene, model: TableModel, step: str) -> None:
    own, table = model.own, model.table
    if step == "add" or not own:
        position = None if table.key else scene.draw(st.integers(0, len(model.rows)), "position")
        taken = {model.rows[place].get(table.key) for place in own}
        free = [number for number in range(9) if not table.key or _key(scene, table, number) not in taken]
        if free:
            _add(scene, model, free[0], position)
        return
    place = own[scene.draw(st.integers(0, 8), "which") % len(own)]
    if step == "set":
        changes = {name: value for name, value in scene.draw(table.changes, "changes").items() if name != table.mark}
        model.set(scene.actor(), place, changes)
    elif step == "move" and not table.adds:
        model.move(scene.actor(), place, scene.draw(st.integers(0, len(model.rows) - 1), "to"))
    elif step == "delete":
        model.delete(scene.actor(), place)


def _refused(scene: Scene, model: TableModel) -> None:
    """What names another row than it means, or none."""
    table, boss = model.table, scene.sessions.boss
    changes = {name: value for name, value in scene.draw(table.changes, "changes").items() if name != table.mark}
    if not table.key:
        first, second = model.own[:2]
        model.conflicts(boss, first, changes, model.rows[second]["etag"])
        before = model.rows[first]["etag"]
        model.set(boss, first, {table.mark: f"{TABLE_MARK} changed"})
        model.conflicts(boss, first, changes, before)
        model.unknown(boss, {"position": len(model.rows), "etag": before}, changes)
        return
    model.unknown(boss, {table.key: _key(scene, table, 9)}, changes)
    if not table.adds:
        known = str(model.rows[model.own[0]][table.key])
        row = scene.draw(table.rows, "row")
        for key in (known, other_case(known)):
            model.taken(boss, row, key)


def _examples(table: ConfigTable) -> list[Pins]:
    """Every field of a row, then every field of it otherwise."""
    one, other = samples.TABLES[table.name]
    return [
        {
            "row": [one, other, one, other, one],
            "changes": [other, other, one, other],
            "steps": [6],
            "step": ["set", "move", "delete", "add", "set", "move"],
            "which": [0, 1, 1, 0, 0],
            "to": [0, 2],
            "position": [0],
            "limits": [[1, 2, 5]],
        }
    ]


def _register(table: ConfigTable) -> None:
    def suite(scene: Scene) -> None:
        play(scene, table)

    register(
        f"{table.name}-table",
        suite,
        Profile.FULL,
        help=f"The table of {table.name}: added, changed in part, moved, deleted, in pages.",
        exclusive=True,
        weight=0.5,
        needs=table.all,
        examples=_examples(table),
    )


for each in TABLES:
    _register(each)
