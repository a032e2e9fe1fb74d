"""The protocol as one JSON document: what each function takes and gives, what each event carries, in JSON Schema.

``python -m mt_remote_tools.reference.protocol_schema PLUGIN... --out FILE`` writes it from what plugins registered;
``scripts/protocol-schema`` does so for the functions that ship. The conformance kit judges shapes by that file, and a
client in any language may.

Records stand once under ``$defs``; where an older dialect sees another one it is ``Name.DIALECT``. A record has exactly
its fields in dialects ``0`` and ``1.00``, in ``2`` there may be more.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast, get_args, get_origin

from pydantic import TypeAdapter

from mt_remote.dispatch.functions import Function
from mt_remote.plugin import EventKind
from mt_remote.plugins.hooks import Hooks
from mt_remote.records import DIALECTS, Record, Unit, Wire
from mt_remote.records.declare import building_for
from mt_remote_tools.loading import loaded

Schema = dict[str, Any]

_WIDTH = 118
"""Characters of a line of the file."""

_HOUR_MINUTE = r"^(1?\d|2[0-4]):[1-5]?\d$"
_IPV4 = r"^((25[0-5]|2[0-4]\d|1?\d?\d)(\.(?!$)|$)){4}$"
_LOCALE = r"^[a-z]{2,3}(-[A-Za-z]{4})?(-([A-Z]{2}|\d{3}))?$"


def protocol_schema(functions: Iterable[Function], kinds: Iterable[EventKind]) -> Schema:
    """The document."""
    definitions = Definitions()
    described = {function.name: _function(function, definitions) for function in functions}
    events = {
        kind.name: {"needs_connection": kind.from_backend, "data": _by_dialect(kind.data, definitions)}
        for kind in kinds
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The protocol of MT Remote",
        "description": "Made by scripts/protocol-schema from what is registered. Records have exactly their fields in "
        "dialects 0 and 1.00; in 2 there may be more.",
        "dialects": list(DIALECTS),
        "functions": dict(sorted(described.items())),
        "events": dict(sorted(events.items())),
        "$defs": dict(sorted(definitions.found.items())),
    }


def _function(function: Function, definitions: Definitions) -> Schema:
    described: Schema = {
        "kind": str(function.kind),
        "needs_connection": function.needs_connection,
        "rights": list(function.rights),
        "errors": list(function.errors),
        "data": definitions.hoisted(function.parameters_schema),
    }
    if function.paging is not None:
        described["list"] = {"filters": [name for name in function.paging.fields if name not in ("limit", "after")]}
    if function.result is not None:
        described["result"] = _by_dialect(function.result, definitions)
    return described


def _by_dialect(hint: object, definitions: Definitions) -> dict[str, Schema]:
    """The schema of what is sent, by dialect: the newest first, since the others are told by what differs from it."""
    found = {dialect: definitions.of(hint, dialect) for dialect in reversed(DIALECTS)}
    return {dialect: found[dialect] for dialect in DIALECTS}


class Definitions:
    """What stands under ``$defs``."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}

    def of(self, hint: object, dialect: str) -> Schema:
        """The schema of a type as a dialect sends it."""
        if isinstance(hint, type) and issubclass(hint, Record):
            return self._record(hint, dialect)
        if get_origin(hint) is list:
            return {"type": "array", "items": self.of(get_args(hint)[0], dialect)}
        with building_for(dialect):
            adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, hint))
            return self.hoisted(adapter.json_schema(mode="serialization"))

    def hoisted(self, schema: Mapping[str, object]) -> Schema:
        """A schema whose own definitions stand with the others."""
        own = cast("Mapping[str, Schema]", schema.get("$defs", {}))
        for name, given in own.items():
            definition = _untitled(given)
            if self.found.setdefault(name, definition) != definition:
                raise ValueError(f"two types are called {name!r}: {self.found[name]} and {definition}")
        return _untitled({name: value for name, value in schema.items() if name != "$defs"})

    def _record(self, kind: type[Record], dialect: str) -> Schema:
        shown = {
            wire.name: _documented(self._field(wire, dialect), wire)
            for wire in kind.wires.values()
            if dialect in wire.dialects and not wire.write_only
        }
        schema: Schema = {"type": "object", "properties": shown, "required": list(shown)}
        for name in (kind.__name__, *(f"{kind.__name__}.{each}" for each in reversed(DIALECTS[:-1]))):
            if self.found.get(name) == schema:
                return {"$ref": f"#/$defs/{name}"}
        name = kind.__name__ if dialect == DIALECTS[-1] else f"{kind.__name__}.{dialect}"
        self.found[name] = schema
        return {"$ref": f"#/$defs/{name}"}

    def _field(self, wire: Wire, dialect: str) -> Schema:
        """What a record's field is sent as."""
        plain = _plain(wire, dialect)
        if plain is not None:
            return plain
        hint: Any = wire.hint
        inner = self.of(get_args(hint)[-1] if get_args(hint) else hint, dialect)
        if wire.unit is Unit.STRUCT:
            return inner
        if wire.unit is Unit.ROWS:
            return {"type": "array", "items": inner, "maxItems": wire.most}
        if wire.unit is Unit.DAYS:
            names = [str(name) for name in wire.numbers]
            return {"type": "object", "properties": dict.fromkeys(names, inner), "required": names}
        return {"type": "object", "additionalProperties": inner, "maxProperties": wire.most}


def _untitled(schema: Schema) -> Schema:
    """Without the titles that pydantic makes up of fields' names."""
    fields = {name: {key: part for key, part in field.items() if key != "title"}
              for name, field in schema.get("properties", {}).items()}  # fmt: skip
    return {**schema, "properties": fields} if fields else schema


def _documented(schema: Schema, wire: Wire) -> Schema:
    marks: Schema = {"readOnly": True} if wire.read_only else {}
    return {**schema, **marks, **({"description": wire.doc} if wire.doc else {})}


def _plain(wire: Wire, dialect: str) -> Schema | None:
    """The schema of a field that holds no record."""
    names = [str(wire.older.get(name, name)) if dialect != DIALECTS[-1] else str(name) for name in wire.numbers]
    one_of_names: Schema = {"type": "string", "enum": list(dict.fromkeys(names))}
    whole: Schema = {"type": "integer", "minimum": wire.low, "maximum": wire.high}
    address: Schema = {"type": "string", "format": "ipv4", "pattern": _IPV4}
    by_unit: dict[Unit, Schema] = {
        Unit.TEXT: {"type": "string", "maxLength": wire.longest},
        Unit.SECURITY: {"type": "string"},
        Unit.FLAG: {"type": "boolean"},
        Unit.POSITION: whole,
        Unit.ETAG: {"type": "string", "minLength": 1, "maxLength": 64},
        Unit.INTEGER: whole,
        Unit.UNSIGNED: whole,
        Unit.NUMBER: {"type": "number"},
        Unit.LOTS: {"type": "number", "minimum": 0, "multipleOf": 0.01},
        Unit.DIVIDER: {"type": "number", "minimum": 0},
        Unit.TIME: {"type": "integer", "minimum": 0},
        Unit.DEALING_TIME: {"type": "integer", "minimum": 0},
        Unit.NAMED: one_of_names,
        Unit.BITMASK: {"type": "array", "items": one_of_names},
        Unit.DENIALS: {"anyOf": [{"type": "null"}, {"type": "array", "items": one_of_names, "minItems": 1}]},
        Unit.MINUTES: {"type": "string", "pattern": _HOUR_MINUTE},
        Unit.CLOCK: {"type": "string", "pattern": _HOUR_MINUTE},
        Unit.IPV4: address,
        Unit.IPV4_LIST: {"type": "array", "items": address, "maxItems": wire.most},
        Unit.LOCALES: {"type": "array", "items": {"type": "string", "pattern": _LOCALE}, "maxItems": wire.most},
        Unit.MASKS: {"type": "array", "items": {"type": "string"}},
        Unit.NUMBERS: {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    }
    if wire.unit is Unit.CHOICE:
        choices: Any = wire.hint
        return {"type": "integer", "enum": [int(each) for each in choices]}
    return _bytes(wire.size) if wire.unit is Unit.BYTES else by_unit.get(wire.unit)


def _bytes(size: int) -> Schema:
    """Base64 of so many bytes; empty when all are zero."""
    whole, rest = divmod(size, 3)
    letters, padding = 4 * whole + (rest + 1 if rest else 0), "=" * (-size % 3)
    zeros = {"const": "A" * letters + padding}
    some: Schema = {"type": "string", "pattern": f"^[A-Za-z0-9+/]{{{letters}}}{padding}$", "not": zeros}
    return {"contentEncoding": "base64", "anyOf": [{"const": ""}, some]}


def written(value: object, indent: int = 0) -> str:
    """JSON in which what fits stands on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if indent + len(flat) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {written(each, indent + 2)}" for key, each in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(inner + written(each, indent + 2) for each in value) + "\n" + " " * indent + "]"


def of_plugins(modules: Iterable[str]) -> str:
    """The file's text for what plugins serve on any backend."""
    hooks = Hooks(loaded(modules, installed=False))
    functions = [Function(declared, plugin) for plugin, space in hooks.namespaces("") for declared in space.functions]
    return written(protocol_schema(functions, [kind for _, kind in hooks.event_kinds()])) + "\n"


def main(arguments: list[str]) -> int:
    """Writes the file."""
    parser = argparse.ArgumentParser(prog="protocol-schema", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("plugins", nargs="+", metavar="PLUGIN")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    given = parser.parse_args(arguments)
    given.out.write_text(of_plugins(given.plugins), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
