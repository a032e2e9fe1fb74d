"""Data that no decent client would send, made from a function's JSON schema: the same each time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_LONG = 5_000
_INTEGERS = [0, 1, -1, 2**31 - 1, 2**31, -(2**31) - 1, 2**63, -(2**70)]
_NUMBERS = [0.0, -0.0, 1.5, -1.5, 1e-300, 1e308, -1e308]
_TEXTS = ["", " ", "x", "x" * _LONG, "\0", "\n\t", "é€😀", "\ud800", "'; --", "{}", "%s%n", "../../etc/passwd", "-1"]
_ARRAYS: list[Any] = [[], [0], ["x"], [None], [[]], [{}], list(range(200))]
_OBJECTS: list[Any] = [{}, {"": 0}, {"x": {"x": {"x": 1}}}, {"__class__": "x"}]
_VALUES: list[Any] = [True, False, *_INTEGERS, *_NUMBERS, *_TEXTS, *_ARRAYS, *_OBJECTS]
_ORDINARY: dict[str, Any] = {
    "integer": 1, "number": 1.0, "string": "x", "boolean": True, "array": [], "object": {}, "null": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One request's data. ``wrong`` is the field that is not what the schema says: the answer has to be
    ``invalid_data`` and name it; ``None`` where any answer but ``internal_error`` will do."""

    data: Any
    wrong: str | None

    def __str__(self) -> str:
        text = json.dumps(self.data)
        return text if len(text) <= 120 else f"{text[:120]}… ({len(text)} characters)"


def cases(schema: Schema, example: Mapping[str, object] | None) -> Iterator[Case]:
    """The example first, then every field with every value, fields left out, fields that do not exist."""
    target = resolved(schema, schema)
    fields: Mapping[str, Schema] = target.get("properties", {})
    required = list(target.get("required", ()))
    ordinary = {**{name: _ordinary(fields[name], schema) for name in required if name in fields}, **(example or {})}
    yield Case(ordinary, None)
    for name, field in fields.items():
        types = types_of(field, schema)
        for value in _VALUES:
            yield Case({**ordinary, name: value}, name if types and not types & _types(value) else None)
        for value, fits in _inner(field, schema):
            yield Case({**ordinary, name: value}, None if fits else name)
        if name in required:
            yield Case({other: value for other, value in ordinary.items() if other != name}, name)
    if target.get("type") == "object" and not target.get("additionalProperties", False):
        yield Case({**ordinary, "no_such_field": 1}, "no_such_field")
        for value in ([], "x", 1, True):
            yield Case(value, "data")


def _inner(schema: Schema, root: Schema) -> Iterator[tuple[Any, bool]]:
    """Objects with one field that is wrong or odd, and whether its type fits."""
    schema = resolved(schema, root)
    ordinary = _ordinary(schema, root)
    if isinstance(ordinary, dict):
        for name, field in schema.get("properties", {}).items():
            types = types_of(field, root)
            yield from (({**ordinary, name: value}, not types or bool(types & _types(value))) for value in _VALUES)


def resolved(schema: Schema, root: Schema) -> Schema:
    """What a reference stands for."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def types_of(schema: Schema, root: Schema) -> set[str]:
    """The JSON types that a schema takes; empty where it says nothing of them."""
    schema = resolved(schema, root)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            found = [types_of(each, root) for each in schema[word]]
            return set().union(*found) if all(found) else set()
    if "type" in schema:
        types = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
        if "integer" in types and ("enum" in schema or "const" in schema):
            types |= {"boolean", "number"}  # 1, true and 1.0 are one choice to Python
        return types | ({"integer"} if "number" in types else set())
    values = schema["enum"] if "enum" in schema else [schema["const"]] if "const" in schema else []
    return set().union(*(_types(value) for value in values)) if values else set()


def _types(value: object) -> set[str]:
    if value is None:
        return {"null"}
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int):
        return {"integer"}
    names = {float: "number", str: "string", list: "array", dict: "object"}
    return {names[type(value)]}


def _ordinary(schema: Schema, root: Schema) -> Any:
    """A value that a schema takes, as far as its types, ranges and choices say."""
    schema = resolved(schema, root)
    for word in ("enum", "anyOf", "oneOf"):
        if word in schema:
            first = schema[word][0]
            return first if word == "enum" else _ordinary(first, root)
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type", "string")
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: _ordinary(fields[name], root) for name in schema.get("required", ()) if name in fields}
    value = _ORDINARY[kind]
    if kind in ("integer", "number"):
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        return high if high is not None and value > high else low if low is not None and value < low else value
    return value
