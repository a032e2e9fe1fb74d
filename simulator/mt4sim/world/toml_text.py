"""Writes TOML: what :mod:`tomllib` reads back as the same values. Tables are dicts, arrays of tables lists of dicts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def write_toml(document: Mapping[str, object]) -> str:
    """The document as text. ``None`` has no form in TOML and may not occur."""
    lines: list[str] = []
    _write_table(lines, (), document)
    return "\n".join(lines).lstrip("\n") + "\n"


def _write_table(lines: list[str], path: tuple[str, ...], table: Mapping[str, object]) -> None:
    tables: list[tuple[str, Mapping[str, object]]] = []
    arrays: list[tuple[str, Sequence[Mapping[str, object]]]] = []
    for name, value in table.items():
        if isinstance(value, Mapping):
            tables.append((name, value))
        elif isinstance(value, Sequence) and value and all(isinstance(item, Mapping) for item in value):
            arrays.append((name, value))
        else:
            lines.append(f"{_key(name)} = {_value(value)}")
    for name, inner in tables:
        lines += ["", f"[{_path((*path, name))}]"]
        _write_table(lines, (*path, name), inner)
    for name, rows in arrays:
        for row in rows:
            lines += ["", f"[[{_path((*path, name))}]]"]
            _write_table(lines, (*path, name), row)


def _path(names: tuple[str, ...]) -> str:
    return ".".join(_key(name) for name in names)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped too.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no form in TOML")
