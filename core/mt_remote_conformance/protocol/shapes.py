"""Checks made of JSON Schema: as much of it as the protocol's file uses, and strictly by JSON's types.

A check takes a JSON value and gives what is wrong with it, ``""`` when nothing is: ``securities.Forex.trade: 1 is not
a boolean``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Check = Callable[[Any], str]
Schema = Mapping[str, Any]

_SAYS_NOTHING = ("contentEncoding", "description", "format", "readOnly", "title")
"""Keywords for people: a ``format`` has its ``pattern`` beside it."""

_KNOWN = frozenset(
    (
        *("$ref", "additionalProperties", "anyOf", "const", "enum", "exclusiveMaximum", "exclusiveMinimum", "items"),
        *("maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minimum", "multipleOf", "not"),
        *("pattern", "properties", "required", "type", *_SAYS_NOTHING),
    )
)

_STEP_SLACK = 1e-6
"""Of a step: 0.29 is a multiple of 0.01, though not as binary numbers."""


class Shapes:
    """Makes checks of the schemas in a document. ``open_ended`` objects may have fields that their schema does not
    name, but for passwords."""

    def __init__(self, document: Schema, *, open_ended: bool) -> None:
        self._definitions: Mapping[str, Schema] = document["$defs"]
        self._open_ended = open_ended
        self._made: dict[str, Check] = {}

    def check(self, schema: Schema) -> Check:
        """The check of a schema. Raises ``ValueError`` for a keyword that would be passed over."""
        if unknown := set(schema) - _KNOWN:
            raise ValueError(f"no check knows {sorted(unknown)} in {schema}")
        if "$ref" in schema:
            return self._referred(schema["$ref"].rpartition("/")[2])
        return _all(self._parts(schema))

    def fields(self, definition: str) -> dict[str, Check]:
        """The checks of a definition's fields."""
        return {name: self.check(each) for name, each in self._definitions[definition]["properties"].items()}

    def _referred(self, name: str) -> Check:
        if name not in self._made:
            self._made[name] = lambda value: self._made[name](value)  # so that a type may hold itself
            self._made[name] = self.check(self._definitions[name])
        return self._made[name]

    def _parts(self, schema: Schema) -> Iterable[Check]:
        if "type" in schema:
            yield _of_type(schema["type"])
        if "const" in schema:
            yield _one_of([schema["const"]])
        if "enum" in schema:
            yield _one_of(schema["enum"])
        if "anyOf" in schema:
            yield _any([self.check(each) for each in schema["anyOf"]])
        if "not" in schema:
            yield _none(self.check(schema["not"]))
        yield from _of_texts(schema)
        yield from _of_numbers(schema)
        yield from self._of_lists(schema)
        if schema.get("type") == "object":
            yield self._of_objects(schema)

    def _of_lists(self, schema: Schema) -> Iterable[Check]:
        if "minItems" in schema or "maxItems" in schema:
            yield _count("elements", schema.get("minItems", 0), schema.get("maxItems", math.inf))
        if "items" in schema:
            inner = self.check(schema["items"])

            def elements(value: Any) -> str:
                for place, each in enumerate(value):
                    if problem := inner(each):
                        return f"[{place}]{_below(problem)}"
                return ""

            yield elements

    def _of_objects(self, schema: Schema) -> Check:
        """The fields that it names, those that it needs, and of what is beyond them whether it may be there."""
        known = {name: self.check(each) for name, each in schema.get("properties", {}).items()}
        needed, beyond = tuple(schema.get("required", ())), schema.get("additionalProperties", self._open_ended)
        others = self.check(beyond) if isinstance(beyond, Mapping) else None
        most = schema.get("maxProperties", math.inf)

        def check(value: Any) -> str:
            if len(value) > most:
                return f"has {len(value)} members, at most {most} are allowed"
            for name in needed:
                if name not in value:
                    return f"{name}: is missing"
            for name, each in value.items():
                inner = known.get(name, others)
                if inner is not None:
                    if problem := inner(each):
                        return f"{name}{_below(problem)}"
                elif "password" in name:
                    return f"{name}: must never be sent"
                elif not beyond:
                    return f"{name}: is not a field of this record"
            return ""

        return check


_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "integer": ("an integer", (int,)),
    "number": ("a number", (int, float)),
    "boolean": ("a boolean", (bool,)),
    "string": ("a text", (str,)),
    "array": ("a list", (list,)),
    "object": ("a record", (dict,)),
    "null": ("null", (type(None),)),
}


def _of_type(name: str) -> Check:
    called, types = _TYPES[name]

    def check(value: Any) -> str:
        if type(value) not in types:  # true is no integer, and 1.0 is none either: clients read them into such types
            return f"{value!r:.80} is not {called}"
        return "" if types != (int, float) or math.isfinite(value) else f"{value!r} is not a finite number"

    return check


def _of_texts(schema: Schema) -> Iterable[Check]:
    if "maxLength" in schema or "minLength" in schema:
        least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        yield lambda value: "" if least <= len(value) <= most else f"{value!r} has not {least} to {most} characters"
    if "pattern" in schema:
        pattern = re.compile(schema["pattern"])
        kind = schema.get("format", f"of the form {schema['pattern']}")
        yield lambda value: "" if pattern.search(value) and not value.endswith("\n") else f"{value!r} is not {kind}"


def _of_numbers(schema: Schema) -> Iterable[Check]:
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    if low > -math.inf or high < math.inf:
        yield lambda value: "" if low <= value <= high else f"{value!r} is not within {low} and {high}"
    above, below = schema.get("exclusiveMinimum", -math.inf), schema.get("exclusiveMaximum", math.inf)
    if above > -math.inf or below < math.inf:
        yield lambda value: "" if above < value < below else f"{value!r} is not between {above} and {below}"
    if "multipleOf" in schema:
        step = schema["multipleOf"]
        yield (
            lambda value: (
                "" if abs(value / step - round(value / step)) < _STEP_SLACK else f"{value!r} is not in steps of {step}"
            )
        )


def _one_of(values: list[Any]) -> Check:
    """One of the values, of the same JSON type."""
    return lambda value: (
        "" if any(value == each and type(value) is type(each) for each in values) else f"{value!r} is none of {values}"
    )


def _count(of: str, least: float, most: float) -> Check:
    return lambda value: "" if least <= len(value) <= most else f"has {len(value)} {of}, not {least} to {most}"


def _all(checks: Iterable[Check]) -> Check:
    """The first problem of several checks; the type's goes first, so that the others need not look at it."""
    parts = tuple(checks)
    if len(parts) == 1:
        return parts[0]

    def check(value: Any) -> str:
        for each in parts:
            if problem := each(value):
                return problem
        return ""

    return check


def _any(checks: list[Check]) -> Check:
    def check(value: Any) -> str:
        problems = [each(value) for each in checks]
        return "" if "" in problems else problems[-1]

    return check


def _none(check: Check) -> Check:
    return lambda value: "" if check(value) else f"{value!r} must not be"


def _below(problem: str) -> str:
    """A problem of an element as one of what holds it."""
    return f".{problem}" if re.match(r"[\w.#\[\]]+(: |\.|\[)", problem) else f": {problem}"
