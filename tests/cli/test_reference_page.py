"""``mt-remote functions --markdown``: the reference page of anybody's plugins."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from mt_remote.dispatch.functions import Function
from mt_remote.plugin import EventKind, Filter, Kind, Listing, Namespace, Session
from mt_remote.records import TradeRecord
from mt_remote_tools.cli import main
from mt_remote_tools.reference.pages import page

desk = Namespace("desk")


class Place(TypedDict):
    """Where it was booked."""

    office: str
    floor: int


class Line(TypedDict):
    """A day of an account."""

    day: date
    closed: float
    swaps: float
    taxes: float
    deposits: float
    fees: dict[str, float]
    place: Annotated[Place, Field(description="where")]
    last: TradeRecord


class Wish(BaseModel, extra="forbid"):
    """What to change."""

    lots: Annotated[float, Field(description="lots of the largest order")] = 1.0


@desk.function()
def daily(start: Annotated[date, Field(description="first day")], end: date | None = None) -> list[Line]:
    """Day by day."""
    return []


class Short(TypedDict):
    name: str
    closed: float


def above(session: Session, least: float) -> Callable[[Short], bool]:
    return lambda line: line["closed"] > least


ABOVE = Filter("closed_above", float, above, help="days that brought more than this")


@desk.function(listing=Listing("name", filters=("name", ABOVE)))
def short() -> list[Short]:
    """In short."""
    return []


@desk.function(kind=Kind.CHANGE)
def change(wish: Wish, /) -> None:
    """Changes the terms."""


KINDS = [
    EventKind("desk.line", Line, help="A line was booked."),
    EventKind("desk.place", Place, help="A place opened."),
]


@pytest.fixture(scope="module")
def text() -> str:
    return page([Function(declared, "desk") for declared in desk.functions], KINDS)


def anchors(text: str) -> set[str]:
    return {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in re.findall(r"^#+ (.*)$", text, re.M)}


def test_every_link_leads_somewhere(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["functions", "--markdown", "--plugin", "mt_remote_plugins", "--plugin", "mt4sim.gateway"]) == 0
    for each in (text, capsys.readouterr().out):
        links = set(re.findall(r"\]\(#([^)]*)\)", each))
        assert {"traderecord", "tradetransaction", "line"} & links
        assert links - anchors(each) == set()


def test_types_are_explained_with_what_they_hold(text: str) -> None:
    assert "Result: list of [Line](#line)." in text
    assert "A line was booked. Data: [Line](#line)." in text
    assert "A place opened. Data: {`office` text, `floor` int}." in text
    section = text.partition("### Line\n")[2]
    assert section.startswith("\nA day of an account.\n\n| field | type | meaning |\n")
    for row in (
        "| `day` | text, a date, `2020-05-14` |  |",
        "| `fees` | map of text → number |  |",
        "| `place` | {`office` text, `floor` int} | Where. |",
        "| `last` | [TradeRecord](#traderecord) |",
    ):
        assert row in section
    assert "### TradeRecord\n\nAn order, open or closed" in section


def test_data_that_is_taken_whole(text: str) -> None:
    assert "`data`: [Wish](#wish), any subset." in text
    assert "### Wish\n\nWhat to change.\n" in text
    assert "| `lots` | number | Lots of the largest order. |" in text


def test_dates_say_how_they_are_written(text: str) -> None:
    assert "| `start` | text, a date, `2020-05-14` | First day. |" in text
    assert "| `end` | text, a date, `2020-05-14` | Optional. |" in text


def test_filters_are_explained(text: str) -> None:
    assert "pages by `limit` and `after` (text); filters `name`, `closed_above`." in text
    assert "| `closed_above` | number | Dialect 2: days that brought more than this. Optional. |" in text
    assert "| `name` |" not in text


other_desk = Namespace("other")


def _other_line() -> type:
    class Line(BaseModel):
        """Somebody else's line."""

        a: int
        b: int
        c: int
        d: int
        e: int
        f: int
        g: int

    return Line


OtherLine = _other_line()


@other_desk.function()
def line() -> OtherLine:  # type: ignore[valid-type]
    """A line."""


def test_two_types_of_one_title_are_both_there() -> None:
    declared = [*desk.functions, *other_desk.functions]
    said = page([Function(each, "desk") for each in declared], [])
    assert said.count("### Line\n") == 2
    assert "### Line\n\nSomebody else's line.\n" in said
    assert "### Line\n\nA day of an account.\n" in said
