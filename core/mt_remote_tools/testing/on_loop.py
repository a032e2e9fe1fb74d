"""Objects that live on another thread, used from this one as if they were here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from enum import Enum
from functools import partial
from typing import Any, cast

Run = Callable[[Callable[[], Any]], Any]
"""Does something where the object lives; gives its result or raises what it raised."""

_OWN = ("_object", "_run")


class OnLoop:
    """Stands for an object. Whatever is asked of it is done where the object lives, and the calling thread waits.

    What comes back is wrapped too if it is a living part of the same library (a trader, a table of symbols); values
    (numbers, texts, enums, frozen dataclasses, records of this project, lists of those) come as they are.
    """

    __slots__ = _OWN

    def __init__(self, wrapped: object, run: Run) -> None:
        object.__setattr__(self, "_object", wrapped)
        object.__setattr__(self, "_run", run)

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # so that isinstance() sees what it stands for
        return type(self._object)

    def __getattr__(self, name: str) -> Any:
        return self._wrap(self._run(partial(getattr, self._object, name)))

    def __setattr__(self, name: str, value: object) -> None:
        self._run(partial(setattr, self._object, name, self._bare(value)))

    def __call__(self, *arguments: object, **more: object) -> Any:
        plain = [self._bare(each) for each in arguments]
        named = {name: self._bare(each) for name, each in more.items()}
        return self._wrap(self._run(partial(cast(Callable[..., Any], self._object), *plain, **named)))

    def __getitem__(self, key: object) -> Any:
        return self._wrap(self._run(lambda: cast(Any, self._object)[key]))

    def __setitem__(self, key: object, value: object) -> None:
        self._run(partial(cast(Any, self._object).__setitem__, key, self._bare(value)))

    def __iter__(self) -> Iterator[Any]:
        return iter([self._wrap(each) for each in self._run(lambda: list(cast(Any, self._object)))])

    def __contains__(self, key: object) -> bool:
        return bool(self._run(lambda: key in cast(Any, self._object)))

    def __len__(self) -> int:
        return int(self._run(lambda: len(cast(Any, self._object))))

    def __bool__(self) -> bool:
        return bool(self._run(lambda: bool(self._object)))

    def __eq__(self, other: object) -> bool:
        return bool(self._run(lambda: self._object == self._bare(other)))

    def __hash__(self) -> int:
        return hash(self._object)

    def __repr__(self) -> str:
        return str(self._run(lambda: repr(self._object)))

    def _wrap(self, value: Any) -> Any:
        if isinstance(value, list | tuple) and type(value) in (list, tuple):
            return type(value)(self._wrap(each) for each in value)
        return OnLoop(value, self._run) if _is_alive(value) else value

    @staticmethod
    def _bare(value: object) -> object:
        return object.__getattribute__(value, "_object") if type(value) is OnLoop else value


def _is_alive(value: object) -> bool:
    """Whether it may change where it lives: all but plain values."""
    kind = type(value)
    if isinstance(value, dict):
        return any(_is_alive(each) for each in value.values())
    if value is None or (kind.__module__ == "builtins" and not callable(value)) or isinstance(value, Enum):
        return False
    if kind.__module__.partition(".")[0] == "mt_remote":
        return False
    frozen = is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    return not (frozen or isinstance(value, tuple))
