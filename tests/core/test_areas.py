"""Areas and tables: a function is a row, and all else derives from it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from mt_remote.area import Area, call
from mt_remote.backend import Connection
from mt_remote.dispatch.functions import Function
from mt_remote.errors import NotFound, NotOffered, RequestError
from mt_remote.plugin import Kind, Namespace, hookimpl
from mt_remote.records import ConGroup, Draft, Patch
from mt_remote.records.declare import Record, integer, record, text
from mt_remote.table import KeyTable, Place, PositionTable
from mt_remote.values import GroupName
from mt_remote.workers.far import forwarding
from tests.core.conftest import Peer, Start, peer
from tests.core.memory import MemoryConnection, MemoryServer

pytestmark = pytest.mark.anyio


class Conflict(RequestError):
    code = "conflict"


@record(native="ConHoliday")
class Day(Record):
    """A row that has a place and no name."""

    position: int = integer("position", key=True, low=0)
    etag: str = text("etag", 65)
    day: int = integer("day", low=0, high=31)


class Lottery(Area, namespace="lottery"):
    """Draws."""

    @call(kind=Kind.CHANGE, rights=("manager", "admin"), example={"below": 10}, errors=("unlucky",))
    async def draw(self, below: int, from_: int = 0) -> int:  # type: ignore[empty-body]
        """A number below `below`."""

    @call("lotteries.get.all")
    async def past(self) -> list[int]:  # type: ignore[empty-body]
        """What was drawn."""


class Rows(KeyTable[ConGroup, GroupName], one="own.row", all="own.rows", rights=(), filters=("group",)):
    """Rows with a key."""


class Days(PositionTable[Day], one="own.day", all="own.days", rights=()):
    """Rows without one."""


class MemoryLottery(Lottery):
    def __init__(self, connection: MemoryConnection) -> None:
        self.connection = connection

    async def draw(self, below: int, from_: int = 0) -> int:
        self.connection.owner.balances.append(below)
        return from_ + below - 1


class MemoryRows(Rows):
    def __init__(self, connection: MemoryConnection) -> None:
        self.table = connection.owner.table

    async def get(self, key: str) -> ConGroup:
        if key not in self.table:
            raise NotFound(f"Cannot find '{key}'")
        return self.table[key]

    async def get_all(self) -> list[ConGroup]:
        return list(self.table.values())

    async def add(self, new: Draft[ConGroup], /) -> None:
        self.table[new.key] = new.build()

    async def delete(self, key: str) -> None:
        await self.get(key)
        del self.table[key]

    async def move(self, key: str, to: int) -> None:
        rows = [name for name in self.table if name != key]
        rows.insert(to, key)
        moved = {name: self.table[name] for name in rows}
        self.table.clear()
        self.table.update(moved)


class MemoryDays(Days):
    rows: list[int] = [1, 25]  # noqa: RUF012  each test has a class of its own

    def __init__(self, connection: MemoryConnection) -> None: ...

    def _etag(self, position: int) -> str:
        return hashlib.sha256(str(self.rows[position]).encode()).hexdigest()[:8]

    def _place(self, position: int) -> Place:
        return {"position": position, "etag": self._etag(position)}

    def _same(self, position: int, etag: str) -> None:
        if self._etag(position) != etag:
            raise Conflict("Another row is there")

    async def get_all(self) -> list[Day]:
        return [Day(day=day, **self._place(place)) for place, day in enumerate(self.rows)]

    async def set(self, changes: Patch[Day], /) -> Place:
        self._same(changes.key, str(changes.get("etag")))
        self.rows[changes.key] = int(str(changes.get("day")))
        return self._place(changes.key)

    async def delete(self, position: int, etag: str) -> None:
        self._same(position, etag)
        del self.rows[position]

    async def move(self, position: int, etag: str, to: int) -> Place:
        self._same(position, etag)
        self.rows.insert(to, self.rows.pop(position))
        return self._place(to)


async def ask(client: Peer, name: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    return await client.ask(name, **(data or {}))


class Plugin:
    """A stranger's plugin: it brings areas, and implements them for a backend that is not its own."""

    own = Namespace("lucky")

    def __init__(self) -> None:
        self.own = Namespace("lucky")
        self.own.function()(self.number)
        self.own.function()(self.same)
        self.days = type("OwnDays", (MemoryDays,), {"rows": [1, 25]})

    async def number(self, lottery: Lottery, below: int) -> int:
        """Over an area that is a parameter."""
        return await lottery.draw(below)

    async def same(self, mt: Connection, below: int) -> int:
        """Over the connection."""
        return await mt[Lottery].draw(below)

    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace | type[Area]]:
        return [self.own, Lottery, Rows, Days]

    @hookimpl
    def mt_remote_implementations(self, backend: str) -> list[type[Area]]:
        return [MemoryLottery, MemoryRows, self.days] if backend == "memory" else []


async def test_a_function_is_a_row(start: Start, memory: MemoryServer) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        assert (await ask(client, "lottery.draw", {"below": 3}))["code"] == "not_connected"
        await client.connect()
        assert (await ask(client, "lottery.draw", {"below": 3, "from": 10}))["result"] == 12
        wrong = await ask(client, "lottery.draw", {"below": "x", "to": 1})
        assert {each["path"] for each in wrong["details"]} == {"below", "to"}
        assert (await ask(client, "lucky.number", {"below": 5}))["result"] == 4
        assert (await ask(client, "lucky.same", {"below": 6}))["result"] == 5
        assert memory.balances == [3, 5, 6]
        function = gateway.gateway.functions["lottery.draw"]
        assert (function.kind, function.rights) == (Kind.CHANGE, ("manager", "admin"))
        assert (function.help, function.errors) == ("A number below `below`.", ("unlucky",))


async def test_what_a_backend_lacks_is_not_offered_by_name(start: Start) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        await client.connect()
        for name, data in {"lotteries.get.all": {}, "own.row.set": {"group": "demo", "news": 1}}.items():
            answer = await ask(client, name, data)
            assert (answer["code"], answer["message"].startswith(name)) == ("not_offered", True)
            assert not gateway.gateway.functions[name].offered
        (session,) = gateway.gateway.sessions
        assert session.connection is not None
        with pytest.raises(NotOffered, match=r"lotteries\.get\.all"):
            await session.connection[Lottery].past()


async def test_rights_are_asked_before_the_call(
    start: Start, memory: MemoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the rights is enough; one that is missing is looked up once more, for it may have been given since."""
    known: dict[str, frozenset[str] | None] = {"held": frozenset({"trades"}), "asked anew": frozenset({"trades"})}

    async def learn(self: Connection) -> frozenset[str] | None:
        return known["asked anew"]

    monkeypatch.setattr(MemoryConnection, "rights", property(lambda self: known["held"]))
    monkeypatch.setattr(MemoryConnection, "learn_rights", learn)
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        await client.connect()
        refused = await ask(client, "lottery.draw", {"below": 3})
        assert refused["code"] == "not_enough_rights"
        assert "'manager' or 'admin'" in refused["message"]
        assert memory.balances == []
        known["asked anew"] = frozenset({"admin"})
        assert (await ask(client, "lottery.draw", {"below": 3}))["result"] == 2
        known["held"] = None
        assert (await ask(client, "lottery.draw", {"below": 4}))["result"] == 3


async def test_a_table_over_a_key(start: Start, memory: MemoryServer) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        await client.connect()
        assert (await ask(client, "own.row.add", {"group": "new", "currency": "EUR"}))["status"] == "OK"
        assert (await ask(client, "own.row.get", {"group": "new"}))["result"]["currency"] == "EUR"
        assert (await ask(client, "own.row.get", {"group": "none"}))["code"] == "not_found"
        assert (await ask(client, "own.row.get", {"key": "new"}))["code"] == "invalid_data"
        await ask(client, "own.row.move", {"group": "new", "to": 0})
        assert list(memory.table) == ["new", "demo"]
        page = await ask(client, "own.rows.get.all", {"limit": 1})
        assert ([each["group"] for each in page["result"]], page["next"]) == (["demo"], "demo")
        await ask(client, "own.row.del", {"group": "new"})
        assert list(memory.table) == ["demo"]


async def test_a_table_of_places(start: Start) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        await client.connect()
        first, second = (await ask(client, "own.days.get.all"))["result"]
        place = {"position": 0, "etag": first["etag"]}
        moved = (await ask(client, "own.day.move", {**place, "to": 1}))["result"]
        assert moved == {"position": 1, "etag": first["etag"]}
        assert (await ask(client, "own.day.del", place))["code"] == "conflict"
        changed = await ask(client, "own.day.set", {"position": 0, "etag": second["etag"], "day": 26})
        assert changed["result"]["position"] == 0
        await ask(client, "own.day.del", moved)
        assert [row["day"] for row in (await ask(client, "own.days.get.all"))["result"]] == [26]


def test_verbs_of_a_table_are_rows() -> None:
    assert [row.name for row in Rows.functions] == [
        "own.row.get", "own.rows.get.all", "own.row.add", "own.row.set", "own.row.del", "own.row.move",
    ]  # fmt: skip
    assert [row.name for row in Days.functions] == [
        "own.days.get.all", "own.day.add", "own.day.set", "own.day.del", "own.day.move",
    ]  # fmt: skip
    assert Function(Rows.functions[0], "own").parameters_schema["required"] == ["group"]


async def test_an_area_is_forwarded_by_its_rows() -> None:
    asked: list[tuple[object, ...]] = []

    class Far:
        async def ask(self, *what: object) -> int:
            asked.append(what)
            return 7

    class Making(MemoryConnection):
        def __init__(self) -> None:
            self.implemented = {Lottery: forwarding(Lottery)}

        def make_area(self, kind: type[Area]) -> Area:
            made: Area = kind(Far())  # type: ignore[call-arg]
            return made

    assert await Making()[Lottery].draw(3, from_=1) == 7
    assert asked == [(Lottery.identity(), "draw", (3,), {"from_": 1})]


def test_an_area_names_its_namespace() -> None:
    with pytest.raises(TypeError, match="names its namespace"):
        type("Nameless", (Area,), {})
    with pytest.raises(TypeError, match="async def"):
        call()(lambda self: None)  # type: ignore[type-var]
