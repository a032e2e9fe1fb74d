"""Reference pages in Markdown, from what is registered: functions, events, records, error codes, settings.

The pages in docs/ are made of these, and a test holds them to it; ``mt-remote functions --markdown`` prints the same
for anybody's plugins.
"""

from __future__ import annotations

import enum
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast, get_args

from pydantic import TypeAdapter

from mt_remote.dispatch.functions import Function
from mt_remote.dispatch.paging import PLAIN_FILTER, Paging
from mt_remote.errors import ReturnCode
from mt_remote.plugin import EventKind, Kind
from mt_remote.records import DIALECTS, RECORDS, Record, Unit, Wire
from mt_remote_tools.checking.findings import Mistake
from mt_remote_tools.cli.flags import Flag, metavar
from mt_remote_tools.reference.schemas import Schema, in_short, resolved

Exchange = tuple[Mapping[str, Any], Mapping[str, Any]]
"""A request and its answer."""

_LONG = 3
_ROOM = 110
_PAGES = "[pages](#7-lists)"
"""As docs/protocol.md links to its chapter on lists."""


def findings(found: Mapping[str, Mistake]) -> str:
    """A table of what ``check-plugin`` finds."""
    rows = [f"| `{code}` | {mistake.what} | {mistake.fix} |" for code, mistake in found.items()]
    return "\n".join(["| code | mistake | how to mend it |", "| --- | --- | --- |", *rows]) + "\n"


# A whole page


def page(found: Sequence[Function], kinds: Sequence[EventKind]) -> str:
    """Functions and events, and the types that they link to."""
    text = f"## Functions\n\n{functions(found, {})}\n## Events\n\n{events(kinds, {})}".replace(_PAGES, "pages")
    types = _linked(text, found, kinds)
    return f"{text}\n## Types\n\n{types}" if types else text


def _linked(text: str, found: Sequence[Function], kinds: Sequence[EventKind]) -> str:
    """A section for each type that a text, or another such section, links to."""
    known = {kind.__name__.lower(): records([kind]) for kind in RECORDS}
    for title, schemas in _objects(found, kinds).items():
        known.setdefault(title.lower(), "\n".join(_fields(title, *each) for each in schemas))
    sections: dict[str, str] = {}
    waiting = [text]
    while waiting:
        for name in re.findall(r"\]\(#([^)]+)\)", waiting.pop()):
            if name in known and name not in sections:
                sections[name] = known[name]
                waiting.append(known[name])
    return "\n".join(sections[name] for name in sorted(sections))


def _objects(found: Sequence[Function], kinds: Sequence[EventKind]) -> dict[str, list[tuple[Schema, Schema]]]:
    """The objects in data, results and events by their titles, each with the schema that its references are in. Two
    plugins may have different ones of one title."""
    objects: dict[str, list[tuple[Schema, Schema]]] = {}
    roots = [root for each in found for root in (each.parameters_schema, each.result_schema) if root is not None]
    for root in [*roots, *map(_event_schema, kinds)]:
        for schema in [root, *cast("Mapping[str, Schema]", root.get("$defs", {})).values()]:
            same_title = objects.setdefault(str(schema.get("title", "")), [])
            if "properties" in schema and schema not in [known for known, _ in same_title]:
                same_title.append((schema, root))
    return objects


def _fields(title: str, schema: Schema, root: Schema) -> str:
    """The section of an object that is no record."""
    lines = [f"### {title}", ""]
    if "description" in schema:
        lines += [" ".join(str(schema["description"]).split()), ""]
    lines += ["| field | type | meaning |", "| --- | --- | --- |"]
    for name, field in schema["properties"].items():
        lines.append(f"| `{name}` | {_type(field, root)} | {_sentence(_meaning(field))} |")
    return "\n".join(lines) + "\n"


# Functions


def functions(found: Iterable[Function], exchanges: Mapping[str, Exchange], level: int = 3) -> str:
    """A section for each function, in the order given, under a heading for each first part of the names."""
    lines: list[str] = []
    area = None
    for function in found:
        if function.name.rpartition(".")[0] != area:
            area = function.name.rpartition(".")[0]
            lines += [f"{'#' * level} {f'`{area}`' if area else 'The session itself'}", ""]
        lines += _function(function, exchanges.get(function.name), level + 1)
    return "\n".join(lines).rstrip() + "\n"


def _function(function: Function, exchange: Exchange | None, level: int) -> Iterator[str]:
    yield f"{'#' * level} {function.name}"
    yield ""
    yield " ".join(function.help.split())
    yield ""
    yield from _parameters(function)
    result = function.result_schema
    yield f"Result: {'nothing' if result is None else _type(result, result)}. {_facts(function)}"
    yield ""
    if exchange is not None:
        yield from ["```", f"→ {shown(exchange[0])}", f"← {shown(exchange[1])}", "```", ""]


def _facts(function: Function) -> str:
    kinds = {
        Kind.READ: "A read",
        Kind.HISTORY: "A read of history",
        Kind.CHANGE: "Changes the server",
        Kind.TRADE: "Trades",
        Kind.SESSION: "Changes this session",
    }
    asks_itself = "not_connected" in function.errors
    before = "" if function.needs_connection or asks_itself else "; works without `connect`"
    errors = f" Errors of its own: {', '.join(f'`{code}`' for code in function.errors)}." if function.errors else ""
    return f"{kinds[function.kind]}{before}.{errors}"


def _parameters(function: Function) -> Iterator[str]:
    schema = function.parameters_schema
    target = resolved(schema, schema)
    names: Mapping[str, Any] = target.get("properties", {})
    required = set(target.get("required", ()))
    if function.paging is not None:
        yield from _page(function, function.paging, names)
        names = {name: field for name, field in names.items() if _is_told(name, field, function.paging)}
    if function.takes_body:
        needed = ", ".join(f"`{name}`" for name in names if name in required)
        title = str(target.get("title", ""))
        record = title.removesuffix("Patch").removesuffix("Draft")
        name = record if record in _RECORD_NAMES else title
        yield f"`data`: [{name}](#{name.lower()}), {f'at least {needed}' if needed else 'any subset'}."
        yield ""
    elif names:
        defaults = _defaults(function)
        yield "| field | type | meaning |"
        yield "| --- | --- | --- |"
        for name, field in names.items():
            default = "" if name in required else f" Optional{_default(defaults.get(name))}."
            yield f"| `{name}` | {_type(field, schema)} | {(_sentence(_meaning(field)) + default).strip()} |"
        yield ""


def _is_told(name: str, field: Schema, paging: Paging) -> bool:
    """Whether a field has a line of its own: the function's do, and filters that have something to say."""
    if name in ("limit", "after"):
        return False
    return name not in paging.fields or not _meaning(field).endswith(PLAIN_FILTER)


def _page(function: Function, paging: Paging, names: Mapping[str, Any]) -> Iterator[str]:
    """One line on what dialect 2 may add: the page on lists says how."""
    cursor = _type(names["after"], function.parameters_schema)
    filters = ", ".join(f"`{name}`" for name in paging.fields if name not in ("limit", "after"))
    filtered = f"; filters {filters}" if filters else ""
    yield f"Dialect `2`: {_PAGES} by `limit` and `after` ({cursor}){filtered}."
    yield ""


def _meaning(field: Mapping[str, Any]) -> str:
    choices = [field, *field.get("anyOf", ())]
    return next((str(each["description"]) for each in choices if "description" in each), "")


def _defaults(function: Function) -> dict[str, object]:
    parameters = inspect.signature(function.handler).parameters.values()
    return {each.name.rstrip("_"): each.default for each in parameters}


def _default(value: object) -> str:
    if value is None or value == "":
        return ""
    return f", {json.dumps(str(value) if isinstance(value, enum.Enum) else value)} when absent"


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def _type(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    schema = resolved(schema, root)
    if "enum" in schema or "const" in schema:
        values = schema.get("enum") or [schema["const"]]
        return " ".join(f"`{json.dumps(value)}`" for value in values)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        kinds = [_type(each, root) for each in choices if each.get("type") != "null"]
        return " or ".join(kinds)
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        return f"list of {_type(schema['items'], root)}"
    if schema.get("type") == "object":
        return _object(schema, root)
    return in_short(schema, root) + _bounds(schema)


def _object(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    title = str(schema.get("title", "object"))
    names: Mapping[str, Any] = schema.get("properties", {})
    if not names and isinstance(schema.get("additionalProperties"), Mapping):
        return f"map of text → {_type(schema['additionalProperties'], root)}"
    if len(names) > _LONG * 2 or title in _RECORD_NAMES:
        return f"[{title}](#{title.lower()})"
    return "{" + ", ".join(f"`{name}` {_type(field, root)}" for name, field in names.items()) + "}"


_RECORD_NAMES = frozenset(kind.__name__ for kind in RECORDS)
_FORMATS = {"date": "a date, `2020-05-14`", "date-time": "a time, `2020-05-14T12:00:00Z`", "time": "a time, `12:00:00`"}


def _bounds(schema: Mapping[str, Any]) -> str:
    if "format" in schema:
        return f", {_FORMATS.get(schema['format'], schema['format'])}"
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if "maxLength" in schema:
        return f", at most {schema['maxLength']} bytes"
    if low is not None and high is not None:
        return f", {'above ' if 'exclusiveMinimum' in schema else ''}{_number(low)} … {_number(high)}"
    return ""


def _number(value: float) -> str:
    known = {2**31 - 1: "2³¹-1", 2**32 - 1: "2³²-1", 2**15 - 1: "2¹⁵-1", -(2**31): "-2³¹", -(2**15): "-2¹⁵"}
    return known.get(int(value)) or f"{value:.15g}" if value == int(value) else f"{value:.15g}"


# Messages


def shown(message: Mapping[str, Any]) -> str:
    """A message on one line; long lists and records show their beginning and ``…``."""
    return json.dumps(message, ensure_ascii=False) if _short(message) else _text(message, depth=0)


def _short(value: object) -> bool:
    return len(json.dumps(value, ensure_ascii=False)) <= _ROOM * 2


def _text(value: object, depth: int) -> str:
    if isinstance(value, Mapping):
        items = list(value.items())
        kept = items if depth == 0 or len(items) <= 2 * _LONG or _short(value) else items[: 2 * _LONG]
        inner = [f"{json.dumps(key)}: {_text(each, depth + 1)}" for key, each in kept]
        return "{" + ", ".join(inner + ["…"] * (len(kept) < len(items))) + "}"
    if isinstance(value, list) and len(value) > 1 and not _short(value):
        return f"[{_text(value[0], depth + 1)}, …]"
    if isinstance(value, list):
        return "[" + ", ".join(_text(each, depth + 1) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


# Events


def events(kinds: Iterable[EventKind], samples: Mapping[str, Mapping[str, Any]], level: int = 3) -> str:
    """A section for each kind of event."""
    lines: list[str] = []
    for kind in kinds:
        schema = _event_schema(kind)
        data = _type(schema, schema)
        needs = " Needs a connection." if kind.from_backend else " Works without `connect`."
        lines += [f"{'#' * level} {kind.name}", "", f"{kind.help} Data: {data}.{needs}", ""]
        if kind.name in samples:
            lines += ["```", f"← {shown(samples[kind.name])}", "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def _event_schema(kind: EventKind) -> Schema:
    """JSON schema of an event's data in dialect 2."""
    adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, kind.data))
    return adapter.json_schema(mode="serialization")


# Records


def records(kinds: Iterable[type[Record]], level: int = 3) -> str:
    """A table for each kind of record."""
    lines: list[str] = []
    for kind in kinds:
        lines += [f"{'#' * level} {kind.__name__}", "", " ".join((inspect.getdoc(kind) or "").split()), ""]
        lines += ["| field | type | notes |", "| --- | --- | --- |"]
        lines += [f"| `{wire.name}` | {_wire_type(wire)} | {_notes(wire)} |" for wire in kind.wires.values()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


_PLAIN = {
    Unit.FLAG: "bool",
    Unit.NUMBER: "number",
    Unit.LOTS: "number, lots",
    Unit.TIME: "int, Unix seconds, 0 for none",
    Unit.DEALING_TIME: "int, Unix seconds",
    Unit.MINUTES: 'text "H:M"',
    Unit.CLOCK: 'text "H:M"',
    Unit.SECURITY: "text, a security's name",
    Unit.ETAG: "text",
    Unit.IPV4: "text, IPv4 address",
    Unit.NUMBERS: "list of two numbers",
    Unit.DIVIDER: "number, percent",
}


def _wire_type(wire: Wire) -> str:
    if wire.unit in _PLAIN:
        return _PLAIN[wire.unit]
    if wire.unit in (Unit.INTEGER, Unit.UNSIGNED, Unit.POSITION):
        return f"int, {_number(wire.low or 0)} … {_number(wire.high or 0)}"
    if wire.unit is Unit.CHOICE:
        choices: Any = wire.hint
        return "int: " + ", ".join(f"{int(each)} {each.name.lower().replace('_', ' ')}" for each in choices)
    names = " ".join(f"`{each}`" for each in wire.numbers)
    inner = _inner(wire)
    return {
        Unit.TEXT: f"text, at most {wire.longest} bytes",
        Unit.NAMED: names,
        Unit.BITMASK: f"list of {names}",
        Unit.DENIALS: f"null, or list of {names}",
        Unit.IPV4_LIST: f"list of IPv4 addresses, at most {wire.most}",
        Unit.LOCALES: f"list of locale tags, at most {wire.most}",
        Unit.MASKS: f"list of group masks, {wire.longest} bytes in all",
        Unit.BYTES: f'base64 of {wire.size} bytes, "" when all are zero',
        Unit.SECURITIES: f"map of security → {inner}",
        Unit.ENTRIES: f"map of name → {inner}, at most {wire.most}",
        Unit.STRUCT: inner,
        Unit.ROWS: f"list of {inner}, at most {wire.most}",
        Unit.DAYS: f"map of {names} → {inner}",
    }[wire.unit]


def _inner(wire: Wire) -> str:
    hint: Any = wire.hint
    kind = get_args(hint)[-1] if get_args(hint) else hint
    name = getattr(kind, "__name__", "")
    return f"[{name}](#{name.lower()})"


def _notes(wire: Wire) -> str:
    missing = [dialect for dialect in DIALECTS if dialect not in wire.dialects]
    older = ", ".join(f"`{new}`" for new in wire.older)
    notes = [
        "key" if wire.key else "",
        "read-only" if wire.read_only else "",
        "write-only: never sent" if wire.write_only else "",
        f"not in dialect {', '.join(missing)}" if missing else "",
        f"dialects `0` and `1.00` see {older} as `{next(iter(wire.older.values()))}`" if older else "",
        wire.doc,
    ]
    return "; ".join(filter(None, notes))


# Error codes


def codes() -> str:
    """The codes of the MT4 server's result table."""
    rows = [f"| `{code.code}` | {int(code)} | {code.text} |" for code in ReturnCode if code > ReturnCode.OK_NONE]
    return "\n".join(["| code | MT4's number | meaning |", "| --- | --- | --- |", *rows]) + "\n"


# Settings


def settings(flags: Sequence[Flag], prefix: str) -> str:
    """A table of settings: name in the file, flag, variable, what it takes, default, meaning."""
    lines = ["| in the file | flag | variable | takes | default | meaning |", "| --- | --- | --- | --- | --- | --- |"]
    for flag in flags:
        default = flag.field.get_default(call_default_factory=True, validated_data={})
        takes = "true, false" if flag.hint is bool else metavar(flag.hint).lower().replace("|", ", ")
        plural = "list of " if "list" in str(flag.hint)[:5] else ""
        stated = "" if default in (None, []) else f"`{json.dumps(default, default=str)}`"
        variable = prefix + "__".join(flag.path).upper()
        meaning = flag.field.description or ""
        lines.append(
            f"| `{'.'.join(flag.path)}` | `{flag.name}` | `{variable}` | {plural}{takes} | {stated} | {meaning} |"
        )
    return "\n".join(lines) + "\n"
