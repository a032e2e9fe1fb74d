"""What is looked at in a request's JSON beside its validation: how much there is of it, and whether keys are repeated.

A parser takes each value of a message to an object of its own, which is many times as large and holds up everybody
while it is made. So big messages are counted before they are parsed. And a parser keeps the last of several values
under one key without a word, so that is found out beside it: cheaply where nothing is wrong, by a second parse
otherwise.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

BIG = 64 * 1024
"""Bytes from which a message is counted."""
_MOST_FIELDS = 10_000
_MOST_VALUES = 120_000
"""Of one message. The longest list that a function takes has 100,000."""

_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def too_much(message: bytes) -> str:
    """Why a message has more in it than anybody needs, empty when it has not."""
    fields, commas = message.count(b":"), message.count(b",")
    if fields > _MOST_FIELDS or commas > _MOST_VALUES:
        fields, commas = _outside_texts(message)
    if fields > _MOST_FIELDS:
        return f"A message has at most {_MOST_FIELDS:,} fields"
    return f"A message has at most {_MOST_VALUES:,} values" if commas > _MOST_VALUES else ""


def _outside_texts(message: bytes) -> tuple[int, int]:
    """Colons and commas that are no part of a text, up to some more than there may be."""
    fields = commas = end = 0
    for number, text in enumerate(_TEXT.finditer(message)):
        if number > 2 * _MOST_FIELDS:  # they are values, and nobody needs as many texts
            return fields, _MOST_VALUES + 1
        between = message[end : text.start()]
        fields += between.count(b":")
        commas += between.count(b",")
        end = text.end()
        if fields > _MOST_FIELDS or commas > _MOST_VALUES:
            return fields, commas
    return fields + message.count(b":", end), commas + message.count(b",", end)


_NESTING = frozenset({dict, list})


def keys_given(request: Mapping[str, object], body: Any) -> int:
    """Keys of a request whose data is ``body``: a patch, or whatever else."""
    changes = getattr(body, "changes", body)
    return len(request) + (_keys(changes) if isinstance(changes, dict) else 0)


def _keys(changes: Mapping[str, object]) -> int:
    count, values = len(changes), changes.values()
    if _NESTING.isdisjoint(map(type, values)):  # as most are, and a loop over them costs as much as the parser
        return count
    for value in values:
        if value.__class__ is dict:
            count += _keys(value)
        elif value.__class__ is list:
            count += sum(_keys(each) for each in value if each.__class__ is dict)
    return count


def repeated_keys(message: bytes) -> tuple[str, bool] | None:
    """A key that an object in the message has more than once, and whether the message's own ``id`` is such; ``None``
    when there is none."""
    if message.count(b":") == 2:  # as few as a valid request has: its id and its name
        return None
    repeated: list[str] = []

    def note(pairs: list[tuple[str, object]]) -> list[tuple[str, object]]:
        if len(dict(pairs)) != len(pairs):
            repeated.append(next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1))
        return pairs

    try:
        outermost = json.loads(message, object_pairs_hook=note)
    except ValueError:  # numbers that Python takes for too long
        return None
    if not repeated:
        return None
    return repeated[-1], [name for name, _ in outermost].count("id") > 1
