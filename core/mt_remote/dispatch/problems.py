"""pydantic's validation errors, translated once: each problem with its path and a sentence without the value.

Values may be secret, so no message repeats one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import ErrorDetails, ValidationError

from mt_remote.errors import Problem

_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this",
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "dict_attributes_type": "must be an object",
    "int_parsing_size": "is out of range",
    "none_required": "must be null",
}
_UNSEEN = ("[key]", "[one]", "[many]")
"""Parts of pydantic's paths that are no part of the data: a map's key, a member of a union."""


MOST_PROBLEMS = 100
"""Details that an error has at most."""
_MOST_BYTES = 16 * 1024
"""Characters that they have together."""
_LONGEST_PATH = 200


def problems_of(error: ValidationError, skip: Sequence[str] = (), count: int = 0) -> tuple[Problem, ...]:
    """What is wrong, field by field; ``skip`` are leading parts of the paths that a client does not know. ``count`` is
    how many problems there are, where the error does not have them all."""
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False, include_input=False):
        path = _path(detail, skip)
        found.setdefault(path, Problem(path or "data", _sentence(detail)))
    return capped(found.values(), max(count - error.error_count(), 0) + len(found))


def capped(problems: Iterable[Problem], count: int = 0) -> tuple[Problem, ...]:
    """As many problems as an answer should have; the last one says how many more there are of ``count``, all of them
    unless told otherwise."""
    listed = tuple(problems)
    kept: list[Problem] = []
    size = 0
    for problem in listed[:MOST_PROBLEMS]:
        path, sentence = _short(problem.path), _short(problem.problem, 2 * _LONGEST_PATH)
        size += len(path) + len(sentence)
        if size > _MOST_BYTES:
            break
        kept.append(problem if (path, sentence) == (problem.path, problem.problem) else Problem(path, sentence))
    more = max(count, len(listed)) - len(kept)
    return (*kept, Problem("data", f"has {more:,} more problems")) if more else tuple(kept)


def _short(text: str, most: int = _LONGEST_PATH) -> str:
    return text if len(text) <= most else text[:most] + "…"


def few_of(value: Any) -> Any:
    """A part of a request's JSON: of each list and map so many elements as may have problems of their own."""
    if isinstance(value, dict):
        return {key: few_of(value[key]) for _, key in zip(range(MOST_PROBLEMS), value, strict=False)}
    return [few_of(each) for each in value[:MOST_PROBLEMS]] if isinstance(value, list) else value


def _path(detail: ErrorDetails, skip: Sequence[str]) -> str:
    parts = list(detail["loc"])
    for name in (*skip, "data"):
        if parts and parts[0] == name:
            parts.pop(0)
    return ".".join(str(part) for part in parts if part not in _UNSEEN)


def _sentence(detail: ErrorDetails) -> str:
    kind = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    if kind == "string_too_long":
        return f"at most {context['max_length']} bytes in the server's code page"
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "too_short":
        return f"at least {context['min_length']} entry, got {context['actual_length']}"
    if kind == "too_long":
        return f"at most {context['max_length']} entries, got {context['actual_length']}"
    if kind == "enum":
        return f"must be {context['expected']}"
    message = detail["msg"]
    for prefix, plain in (("Input should be ", "must be "), ("Value error, ", ""), ("Assertion failed, ", "")):
        if message.startswith(prefix):
            return plain + message[len(prefix) :]
    return message
