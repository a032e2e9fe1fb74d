"""What the protocol says of shapes, read from ``protocol.schema.json``: a committed file, so that a gateway is judged
by what was agreed and not by what it says of itself today. ``scripts/protocol-schema`` writes it.

The envelope of an answer (chapter 2) belongs to no function and stands here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from mt_remote_conformance.protocol.shapes import Check, Schema, Shapes

DIALECTS = ("0", "1.00", "2")


@cache
def document() -> Mapping[str, Any]:
    """The file."""
    text = (resources.files("mt_remote_conformance") / "protocol.schema.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


def functions() -> Mapping[str, Schema]:
    """Each function of the protocol: its kind, its data, its result by dialect where it gives one."""
    found: Mapping[str, Schema] = document()["functions"]
    return found


@cache
def _shapes(dialect: str) -> Shapes:
    return Shapes(document(), open_ended=dialect == DIALECTS[-1])


@cache
def results(dialect: str) -> dict[str, Check]:
    """What each function gives; those that are not named give nothing."""
    shapes = _shapes(dialect)
    return {name: shapes.check(each["result"][dialect]) for name, each in functions().items() if "result" in each}


@cache
def events(dialect: str) -> dict[str, Check]:
    """What each event carries."""
    shapes = _shapes(dialect)
    return {name: shapes.check(each["data"][dialect]) for name, each in document()["events"].items()}


@cache
def fields(record: str) -> dict[str, Check]:
    """The fields of a kind of record, each with what it may hold in dialect 2."""
    return _shapes(DIALECTS[-1]).fields(record)


_OK: Schema = {"const": "OK"}
_TEXT: Schema = {"type": "string", "minLength": 1}


def _envelope(**members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": list(members)}


@cache
def answer(dialect: str) -> Check:
    """The envelope of an answer: a result is looked at by itself."""
    shapes = _shapes(dialect)
    coded = {"code": {"type": "string"}} if dialect == DIALECTS[-1] else {}
    success = shapes.check(_envelope(id={}, status=_OK))
    failure = shapes.check(_envelope(id={}, status={"const": "ERROR"}, message=_TEXT, **coded))

    def check(value: Any) -> str:
        if type(value) is not dict:
            return f"{value!r:.80} is not an object"
        if value.get("status") == "OK":
            return success({name: each for name, each in value.items() if name != "result"})
        return failure(value)

    return check
