"""What passes between a worker and the backend's process, where pickle alone would not do: errors and long lists."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, overload

from mt_remote.errors import RequestError

PART = 200
"""Elements of a long list that travel together: 2 ms of work where each has to be made first."""

PackedError = tuple[type[RequestError], tuple[Any, ...], dict[str, Any]]


def pack(error: RequestError) -> PackedError:
    """An error in a form that can be sent: pickle would call its class with arguments that the class may not take."""
    return type(error), error.args, dict(vars(error))


def unpack(packed: PackedError) -> RequestError:
    """The error of which :func:`pack` made this."""
    kind, arguments, attributes = packed
    error = kind.__new__(kind, *arguments)
    vars(error).update(attributes)
    return error


class Parts(Sequence[Any]):
    """A long list that arrived in pickled parts of :data:`PART` elements: they are read as they are asked for, so that
    neither time nor memory is spent on all of them at once."""

    __slots__ = ("_length", "_number", "_opened", "_parts")

    def __init__(self, parts: list[bytes], length: int) -> None:
        self._parts = parts
        self._length = length
        self._number = -1
        self._opened: list[Any] = []

    def __len__(self) -> int:
        return self._length

    def _part(self, number: int) -> list[Any]:
        if number != self._number:
            self._opened = pickle.loads(self._parts[number])
            self._number = number
        return self._opened

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, int):
            number, inside = divmod(range(self._length)[place], PART)
            return self._part(number)[inside]
        start, stop, step = place.indices(self._length)
        if step != 1 or start >= stop:
            return [self[each] for each in range(start, stop, step)]
        found: list[Any] = []
        for number in range(start // PART, (stop - 1) // PART + 1):
            found += self._part(number)
        first = start - start // PART * PART
        return found[first : first + stop - start]
