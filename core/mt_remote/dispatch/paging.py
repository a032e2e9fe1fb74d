"""Paging and filters of functions that answer a list, from one declaration: :class:`~mt_remote.plugin.Listing`.

A session of dialect 2 may add ``limit``, ``after`` and the declared filters to the function's own fields. A page is
the part of the list, in rising order of its key, that lies behind ``after``; ``next`` beside ``result`` says from
where to go on, and its absence that nothing follows. A cursor is the key of an element, not a position: whatever is
added or deleted between two calls, no element that was there all the time is left out or told twice. In older dialects
these fields are what they always were: unknown.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Annotated, Any, Literal, Optional, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError, to_json
from typing_extensions import is_typeddict

from mt_remote.area import Filter, Listing
from mt_remote.errors import InvalidData
from mt_remote.interfaces import Session
from mt_remote.records.declare import Record, Unit, Wire
from mt_remote.records.masks import matcher
from mt_remote.values import Masks, one_or_many

Test = Callable[[Any], object]
"""Whether an element fits a filter."""

PLAIN_FILTER = "only elements of which this is so"
"""The help of a filter that is a field and has none of its own."""

_COUNTED = (Unit.POSITION, Unit.INTEGER, Unit.UNSIGNED, Unit.CHOICE, Unit.TIME)


_TESTED_AT_ONCE = 16
"""Elements that are tested between two looks at the time."""
_VALUES_AN_EFFORT = 16
"""Values of a filter that make testing an element as dear as making one."""


def _never() -> bool:
    return False


class Page:
    """The part of a list that a client asked for, found and made slice by slice. ``next`` is the key of its last
    element once all slices were taken and more follow, else ``None``."""

    __slots__ = ("_effort", "_elements", "_end", "_key", "_limit", "_start", "_tests", "next")

    def __init__(
        self,
        elements: Sequence[Any],
        tests: Sequence[Test] = (),
        limit: int | None = None,
        key: Callable[[Any], Any] | None = None,
        start: int = 0,
        effort: int = 1,
    ) -> None:
        """``elements`` from ``start`` on that pass all ``tests``, at most ``limit``; ``key`` gives an element's.
        ``effort`` is how many elements without a test would take as long as one with them."""
        self._elements = elements
        self._start = start
        self._end = len(elements) if limit is None or tests else min(len(elements), start + limit + 1)
        self._tests = tests
        self._limit = limit
        self._key = key
        self._effort = effort
        self.next: int | str | None = None

    def __len__(self) -> int:
        """How many elements have to be looked at; as many more as looking at one takes longer."""
        return (self._end - self._start) * self._effort

    @property
    def beside(self) -> bytes:
        """What the answer has beside the result, once all slices were taken."""
        return b"" if self.next is None else b',"next":' + to_json(self.next)

    def slices(self, size: Callable[[], int], enough: Callable[[], bool] = _never) -> Iterator[list[Any]]:
        """The page in parts of which each took at most ``size()`` elements to make; a part may be empty. A part ends
        early where ``enough`` says that testing its elements took long enough."""
        position, end, left, last = self._start, self._end, self._limit, None
        while position < end:
            part = self._elements[position : min(end, position + size())]
            if self._tests:
                tested, part = self._tested(part, enough)
                position += tested
            else:
                position += len(part)
            if left is not None:
                if len(part) > left and self._key is not None:
                    self.next = self._key(part[left - 1] if left else last)
                    yield list(part[:left])
                    return
                left -= len(part)
            if part:
                last = part[-1]
            yield list(part)

    def _tested(self, part: Sequence[Any], enough: Callable[[], bool]) -> tuple[int, list[Any]]:
        """How many elements of a part were tested, and those that passed."""
        passed: list[Any] = []
        for start in range(0, len(part), _TESTED_AT_ONCE):
            some = part[start : start + _TESTED_AT_ONCE]
            passed += [element for element in some if all(test(element) for test in self._tests)]
            if enough():
                return start + len(some), passed
        return len(part), passed


class Paging:
    """What a function's :class:`~mt_remote.plugin.Listing` means: ``fields`` are what it adds to the function's
    data."""

    def __init__(self, listing: Listing, result: object) -> None:
        """``result`` is the function's result type. Raises ``TypeError`` saying what does not fit."""
        if get_origin(result) is not list:
            raise TypeError("a listing is for functions that answer 'list[…]'")
        self._listing = listing
        self._fields = _fields(get_args(result)[0])
        self._is_mapping = is_typeddict(get_args(result)[0])
        self._key = self._getter(listing.key) if listing.key else _itself
        hint = _key_hint(self._hint_of(listing.key) if listing.key else get_args(result)[0], listing.key)
        self._filters = {each.name: each for each in map(self._filter, listing.filters)}
        self.fields: dict[str, Any] = {
            "limit": _noted(int, "most elements to answer; `next` beside `result` tells when more follow", ge=1,
                            le=2**31 - 1),
            "after": _noted(hint, f"only elements behind this {listing.key or 'one'}: the `next` of the page before"),
        }  # fmt: skip
        for name, each in self._filters.items():
            if name in self.fields:
                raise TypeError(f"a filter can't be called {name!r}")
            self.fields[name] = _noted(each.hint, each.help or PLAIN_FILTER)

    def _getter(self, name: str) -> Callable[[Any], Any]:
        if name not in self._fields:
            raise TypeError(f"the elements have no field {name!r}")
        return itemgetter(name) if self._is_mapping else attrgetter(name)

    def _hint_of(self, name: str) -> object:
        wire = self._fields[name]
        if not isinstance(wire, Wire):
            return wire
        if wire.secret or wire.write_only:
            raise TypeError(f"{name!r} is secret: whoever may filter by it can find it out")
        if wire.unit in _COUNTED:
            return Annotated[int, Field(ge=wire.low, le=wire.high)]
        return wire.hint

    def _filter(self, declared: str | Filter) -> Filter:
        if isinstance(declared, Filter):
            return declared
        get = self._getter(declared)
        hint, test = _filtering(self._hint_of(declared), declared)
        return Filter(declared, hint, lambda session, value: _composed(test(value), get))

    # A call

    def take(self, given: dict[str, Any]) -> dict[str, Any] | None:
        """Takes what belongs to the page out of a call's arguments; ``None`` when nothing does."""
        if self.fields.keys().isdisjoint(given):
            return None
        return {name: given.pop(name) for name in self.fields if name in given}

    async def page(
        self,
        session: Session,
        asked: Mapping[str, Any],
        arguments: Mapping[str, Any],
        answer: Callable[[], Awaitable[Sequence[Any]]],
    ) -> Page:
        """The page that was ``asked`` for, of what the handler's ``answer`` gives. What filters need is read first:
        nothing is awaited between the handler's result and the page."""
        ranks = self._ranks(asked, arguments)
        tests: list[Test] = []
        for name, each in self._filters.items():
            if name in asked:
                test = each.test(session, asked[name])
                tests.append(await test if inspect.isawaitable(test) else test)
        elements = await answer()
        start = 0
        if "limit" in asked or "after" in asked:
            elements, start = self._behind(elements, asked.get("after"), ranks)
        return Page(elements, tests, asked.get("limit"), self._key, start, _effort(asked.values()))

    def _ranks(self, asked: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[Any, int] | None:
        """The places of the keys, where the client's own list gives the order."""
        if not self._listing.along:
            return None
        ranks = {key: place for place, key in enumerate(dict.fromkeys(arguments[self._listing.along]))}
        if "after" in asked and asked["after"] not in ranks:
            raise InvalidData.of("after", f"must be one of '{self._listing.along}'")
        return ranks

    def _behind(self, elements: Sequence[Any], after: Any, ranks: dict[Any, int] | None) -> tuple[Sequence[Any], int]:
        """The elements in the order of pages, and where those behind ``after`` begin."""
        key = self._key
        if ranks is not None:
            found = {key(element): element for element in elements}
            first = 0 if after is None else ranks[after] + 1
            return [found[each] for each in list(ranks)[first:] if each in found], 0
        if not self._listing.ordered:
            elements = sorted(elements, key=key)
        return elements, 0 if after is None else _first_behind(elements, after, key)


def _effort(asked: Iterable[object]) -> int:
    """What testing an element costs, in elements."""
    return 1 + sum(len(value) for value in asked if isinstance(value, list)) // _VALUES_AN_EFFORT


def _first_behind(elements: Sequence[Any], after: Any, key: Callable[[Any], Any]) -> int:
    """``bisect_right``, for any sequence: one that makes its elements as they are asked for makes few."""
    low, high = 0, len(elements)
    while low < high:
        middle = (low + high) // 2
        if after < key(elements[middle]):
            high = middle
        else:
            low = middle + 1
    return low


def _itself(element: Any) -> Any:
    return element


def _composed(test: Test, get: Callable[[Any], Any]) -> Test:
    return lambda element: test(get(element))


# Types


def _fields(element: Any) -> Mapping[str, Any]:
    """The fields of an element's type: types by name, for records the lines that declare them."""
    if isinstance(element, type):
        if issubclass(element, Record):
            return element.wires
        if issubclass(element, BaseModel) or dataclasses.is_dataclass(element) or is_typeddict(element):
            return get_type_hints(element)
    return get_type_hints(element) if is_typeddict(element) else {}


def _bare(hint: Any) -> Any:
    return _bare(get_args(hint)[0]) if get_origin(hint) is Annotated else hint


def _key_hint(hint: Any, name: str) -> object:
    if _bare(hint) not in (int, str):
        raise TypeError(f"the key {name!r} must be an integer or a text")
    return hint


def _filtering(hint: Any, name: str) -> tuple[object, Callable[[Any], Test]]:
    """How values of a type are filtered: what a client may send, and the test that it makes."""
    kind = _bare(hint)
    if kind is bool:
        return bool, lambda value: lambda found: found is value
    if isinstance(kind, type) and issubclass(kind, str) and not issubclass(kind, enum.Enum):
        return Masks, lambda value: matcher(value if isinstance(value, list) else [value])
    if kind is int or (isinstance(kind, type) and issubclass(kind, enum.Enum)) or get_origin(kind) is Literal:
        return one_or_many(hint), lambda value: frozenset(value if isinstance(value, list) else [value]).__contains__
    raise TypeError(f"{name!r} can't be filtered: only integers, texts, enums and flags can")


def _in_dialect_2(value: object, info: ValidationInfo) -> object:
    if info.context and info.context.get("dialect", "2") != "2":
        raise PydanticCustomError("extra_forbidden", "Extra inputs are not permitted")
    return value


def _noted(hint: Any, note: str, **bounds: Any) -> Any:
    described: Any = Annotated[hint, Field(description=f"Dialect 2: {note}", **bounds)]
    return Annotated[Optional[described], BeforeValidator(_in_dialect_2)]  # noqa: UP045  the member is a value
