"""Pages and filters of lists: one declaration, any elements, cursors that survive changes."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from typing_extensions import TypedDict

from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.paging import Page
from mt_remote.errors import PluginError
from mt_remote.plugin import Declared, Filter, Kind, Listing, Namespace, Session, hookimpl
from mt_remote.records import ConGroup, TradeRecord, UserRecord
from mt_remote.records.masks import matcher
from tests.core.conftest import Peer, Start, peer, shipped


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Thing(TypedDict):
    number: int
    colour: Colour
    name: str
    new: bool


class Box(BaseModel):
    name: str


THINGS: list[Thing] = []
things = Namespace("things")
FIELDS = ("number", "colour", "name", "new")


async def _even(session: Session, wanted: bool) -> Any:
    assert session.dialect == "2"
    return lambda thing: (thing["number"] % 2 == 0) is wanted


def _fails(session: Session, wanted: bool) -> Any:
    raise ZeroDivisionError


@things.function("all", listing=Listing("number", filters=(*FIELDS, Filter("even", bool, _even))))
def things_all() -> list[Thing]:
    """Things, in the order in which they came."""
    return list(THINGS)


@things.function("some", listing=Listing("number", along="wanted_"))
async def things_some(wanted_: list[int]) -> list[Thing]:
    known = {thing["number"]: thing for thing in THINGS}
    return [known[number] for number in wanted_ if number in known]


@things.function("boxes", listing=Listing("name", filters=("name", Filter("broken", bool, _fails))))
async def boxes() -> list[Box]:
    return [Box(name=name) for name in ("c", "a", "b")]


@things.function("names", listing=Listing(""))
def names() -> list[str]:
    return ["b", "c", "a"]


class Plugin:
    __name__ = "things"

    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        return [things]


def fill(*numbers: int) -> None:
    THINGS[:] = [
        {"number": n, "colour": Colour.RED if n % 3 else Colour.BLUE, "name": f"thing {n}", "new": n > 5}
        for n in numbers
    ]


async def numbers(client: Peer, function: str = "things.all", /, **data: Any) -> tuple[list[int], object]:
    answer = await client.ask(function, **data)
    assert answer["status"] == "OK", answer
    return [thing["number"] for thing in answer["result"]], answer.get("next")


@pytest.mark.anyio
async def test_pages_follow_the_key_whatever_comes_and_goes(start: Start) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        fill(5, 3, 9, 1, 7)
        assert await numbers(client) == ([5, 3, 9, 1, 7], None), "whole and in its usual order"
        assert await numbers(client, limit=2) == ([1, 3], 3)
        fill(9, 7, 5, 4, 0)  # 3, the cursor, is gone, and so is 1; 0 is new before it and 4 behind it
        assert await numbers(client, limit=2, after=3) == ([4, 5], 5)
        assert await numbers(client, limit=2, after=5) == ([7, 9], None), "exactly full and nothing follows"
        assert await numbers(client, after=5) == ([7, 9], None)
        assert await numbers(client, after=9, limit=1) == ([], None)


@pytest.mark.anyio
async def test_filters(start: Start) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        fill(*range(9, 0, -1))
        assert await numbers(client, number=4) == ([4], None)
        assert await numbers(client, number=[4, 8, 77]) == ([8, 4], None), "in the usual order"
        assert await numbers(client, colour="blue", limit=2) == ([3, 6], 6)
        assert await numbers(client, colour="blue", limit=2, after=6) == ([9], None)
        assert await numbers(client, colour=["blue", "red"], new=True, even=True) == ([8, 6], None)
        assert await numbers(client, new=False, limit=1, number=None) == ([1], 1), "null is absent"
        assert await numbers(client, name="*g 1") == ([1], None)
        assert await numbers(client, name=["thing 2", "*3"]) == ([3, 2], None)
        assert await numbers(client, name="Thing*") == ([], None), "case counts"


@pytest.mark.anyio
async def test_the_clients_own_order(start: Start) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        fill(1, 2, 3, 4)
        wanted = [4, 1, 77, 4, 3]
        some = "things.some"
        assert await numbers(client, some, wanted=wanted) == ([4, 1, 4, 3], None)
        assert await numbers(client, some, wanted=wanted, limit=2) == ([4, 1], 1)
        assert await numbers(client, some, wanted=wanted, limit=2, after=1) == ([3], None)
        assert await numbers(client, some, wanted=wanted, limit=9, after=77) == ([3], None), (
            "unknown, yet it has a place"
        )
        answer = await client.ask(some, wanted=wanted, after=5)
        assert (answer["code"], answer["message"]) == ("invalid_data", "after: must be one of 'wanted_'")


@pytest.mark.anyio
async def test_models_and_plain_values_page_too(start: Start) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        answer = await client.ask("things.boxes", limit=2)
        assert (answer["result"], answer["next"]) == ([{"name": "a"}, {"name": "b"}], "b")
        answer = await client.ask("things.names", limit=1, after="a")
        assert (answer["result"], answer["next"]) == (["b"], "b")
        assert (await client.ask("things.names"))["result"] == ["b", "c", "a"]
        assert (await client.ask("things.boxes", broken=True))["code"] == "internal_error"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"limit": 0}, "limit: must be greater than or equal to 1"),
    ({"limit": 2**31}, "limit: must be less than or equal to 2147483647"),
    ({"limit": "3"}, "limit: must be an integer"),
    ({"limit": 1.0}, "limit: must be an integer"),
    ({"after": "x"}, "after: must be an integer"),
    ({"number": "x"}, "number: must be an integer"),
    ({"number": [1, "x"]}, "number.1: must be an integer"),
    ({"number": []}, "number: at least 1 entry, got 0"),
    ({"number": list(range(1001))}, "number: at most 1000 entries, got 1001"),
    ({"colour": "green"}, "colour: must be 'red' or 'blue'"),
    ({"name": ""}, "name: must not be empty"),
    ({"name": 3}, "name: must be text"),
    ({"new": 1}, "new: must be true or false"),
    ({"weight": 1}, "weight: is not a field of this"),
]  # fmt: skip


@pytest.mark.anyio
async def test_bad_values_name_field_and_limit(start: Start) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, VERSION="2") as client:
        for data, problem in BAD:
            answer = await client.ask("things.all", **data)
            assert (answer["code"], answer["message"]) == ("invalid_data", f"Invalid data for things.all: {problem}")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "version", [{}, {"VERSION": "1.00", "MT_SERVER": "s", "MT_LOGIN": "1", "MT_PASSWORD": "manager"}]
)
async def test_older_dialects_know_nothing_of_it(start: Start, version: dict[str, str]) -> None:
    async with start(plugins=(Plugin(),)) as gateway, peer(gateway, **version) as client:
        fill(2, 1)
        unknown: list[dict[str, Any]] = [{"limit": 1}, {"limit": 0}, {"after": "x"}, {"number": None}, {"colour": []}]
        for data in unknown:
            answer = await client.ask("things.all", **data)
            message = f"Invalid data for things.all: {next(iter(data))}: is not a field of this"
            assert answer == {"id": client.next_id, "status": "ERROR", "message": message}
        assert await numbers(client) == ([2, 1], None)


def test_every_list_that_we_ship_has_pages() -> None:
    lists = [each for each in shipped()[1].registry.functions.values() if str(each.result).startswith("list[")]
    assert len(lists) >= 7
    assert [each.name for each in lists if each.paging is None] == []


# Declarations that are refused


async def trades() -> list[TradeRecord]: ...  # type: ignore[empty-body]
async def users() -> list[UserRecord]: ...  # type: ignore[empty-body]
async def groups() -> list[ConGroup]: ...  # type: ignore[empty-body]
async def one() -> ConGroup: ...  # type: ignore[empty-body]
async def limited(limit: int) -> list[UserRecord]: ...  # type: ignore[empty-body]
async def whole(data: dict[str, int], /) -> list[UserRecord]: ...  # type: ignore[empty-body]
async def numbered() -> list[float]: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("handler", "listing", "words"),
    [
        (one, Listing("group"), "a listing is for functions that answer 'list[…]'"),
        (trades, Listing("ticket"), "the elements have no field 'ticket'"),
        (trades, Listing("profit"), "the key 'profit' must be an integer or a text"),
        (trades, Listing("order", filters=("profit",)), "'profit' can't be filtered: only integers, texts, enums"),
        (users, Listing("login", filters=("password",)), "'password' is secret"),
        (users, Listing("login", filters=("password_phone",)), "'password_phone' is secret"),
        (groups, Listing("group", filters=(Filter("limit", int, _even),)), "a filter can't be called 'limit'"),
        (groups, Listing("group", along="names"), "there is no parameter 'names'"),
        (limited, Listing("login"), "'limit' is a parameter already"),
        (whole, Listing("login"), "a function that takes the whole data can't have a listing"),
        (numbered, Listing(""), "the key '' must be"),
    ],
)
def test_a_wrong_listing_is_refused_by_name(handler: Any, listing: Listing, words: str) -> None:
    with pytest.raises(PluginError) as caught:
        Function(Declared("own.function", handler, Kind.READ, listing=listing), "strange")
    assert str(caught.value).startswith("plugin 'strange', function 'own.function': ")
    assert words in str(caught.value)


# Slices


@given(
    elements=st.lists(st.integers(0, 50), unique=True).map(sorted),
    limit=st.none() | st.integers(1, 12),
    size=st.integers(1, 7),
    odd=st.booleans(),
)
def test_slices_make_the_same_page_whatever_their_size(
    elements: list[int], limit: int | None, size: int, odd: bool
) -> None:
    tests = (lambda element: element % 2,) if odd else ()
    page = Page(elements, tests, limit, lambda element: element)
    parts = list(page.slices(lambda: size))
    fitting = [element for element in elements if not odd or element % 2]
    expected = fitting if limit is None else fitting[:limit]
    assert [element for part in parts for element in part] == expected
    assert page.next == (expected[-1] if len(expected) < len(fitting) else None)
    assert all(len(part) <= size for part in parts)


class Lazy(Sequence[int]):
    """Makes its elements when they are asked for, and counts them."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.made = 0

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, place: Any) -> Any:
        found = range(self.length)[place]
        self.made += len(found) if isinstance(found, range) else 1
        return list(found) if isinstance(found, range) else found


@pytest.mark.anyio
async def test_a_page_of_an_ordered_list_makes_little_more_than_itself() -> None:
    lazy = Lazy(100_000)

    async def answer() -> list[int]:
        return lazy  # type: ignore[return-value]

    function = Function(Declared("own.all", answer, Kind.READ, listing=Listing("", ordered=True)), "tests")
    asked = {"limit": 10, "after": 70_000}
    assert function.encode(await function.invoke(None, asked, None), "2") == (  # type: ignore[arg-type]
        b"[70001,70002,70003,70004,70005,70006,70007,70008,70009,70010]" + b',"next":70010'
    )
    assert lazy.made < 40


# Masks


@given(parts=st.lists(st.text("ab", max_size=2), min_size=1, max_size=4), text=st.text("ab", max_size=8))
def test_a_mask_fits_what_a_regular_expression_would(parts: list[str], text: str) -> None:
    import re

    expected = re.fullmatch(".*".join(map(re.escape, parts)), text) is not None
    assert matcher(["*".join(parts)])(text) is expected


def test_a_hostile_mask_takes_no_time() -> None:
    fits = matcher(["*a" * 100 + "*b"])
    assert not any(fits("a" * 255) for _ in range(100))
