"""JSON Schemas in few words: ``list of TradeRecord``, ``{login}``, ``text``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_MANY_FIELDS = 12
"""An object of more is told by its title."""
_FEW_FIELDS = 4
"""An object of no more is told by its fields."""


def parameters_in_short(schema: Schema) -> str:
    """``login, from?, to?``: names, optional ones with a question mark; ``ConGroup`` for a whole record."""
    target = resolved(schema, schema)
    names: Mapping[str, Any] = target.get("properties", {})
    required = set(target.get("required", ()))
    if len(names) > _MANY_FIELDS:
        return f"{target.get('title', 'object')}, {', '.join(sorted(required)) or 'any subset'}"
    return ", ".join(name if name in required else f"{name}?" for name in names) or "-"


def in_short(schema: Schema, root: Schema) -> str:
    """A type's name: ``list of TradeRecord``, ``{login}``, ``text``."""
    if "$ref" in schema:
        target = resolved(schema, root)
        return in_short(target, root) if target.get("type") != "object" else str(target.get("title", "object"))
    kind = schema.get("type")
    if kind == "array":
        return f"list of {in_short(schema.get('items', {}), root)}"
    if kind == "object":
        names: Mapping[str, Any] = schema.get("properties", {})
        return f"{{{', '.join(names)}}}" if 0 < len(names) <= _FEW_FIELDS else str(schema.get("title", "object"))
    if "anyOf" in schema:
        return " or ".join(in_short(each, root) for each in schema["anyOf"])
    return {"string": "text", "integer": "int", "boolean": "bool"}.get(str(kind), str(kind or "any"))


def resolved(schema: Schema, root: Schema) -> Schema:
    """A schema behind its reference."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema
