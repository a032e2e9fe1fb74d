"""Every function of the protocol with every field missing, of another type, out of range, too long, or one too many: a
message that names the field, dialect 2's code and path, and nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mt_remote.dispatch.functions import Function
from tests.stories.client import CallFailed, Client, manager
from tests.stories.conftest import Desk

pytestmark = pytest.mark.anyio

Schema = dict[str, Any]

WRONG: dict[str, list[object]] = {
    "integer": ["1", 1.5, True, [], {}, 10**12],
    "number": ["1", True, [], {}, float("nan"), float("inf")],
    "string": [1, True, [], {}],
    "boolean": [1, "true", [], {}],
    "array": [1, "x", {}],
    "object": [1, "x", []],
}
"""What a field of each JSON type must refuse. One text is taken for a list of denials, and nothing but."""


def resolved(schema: Schema, root: Schema) -> Schema:
    if "$ref" in schema:
        return resolved(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for branch in schema.get("anyOf", ()):
        if branch.get("type") != "null":
            return resolved({**branch, **{k: v for k, v in schema.items() if k != "anyOf"}}, root)
    return schema


def beyond(schema: Schema) -> Iterator[object]:
    """Values just outside what the schema allows."""
    if "enum" in schema:
        yield "nonsense" if schema.get("type") == "string" else 4711
    if schema.get("type") == "string" and "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if schema.get("type") in ("integer", "number"):
        step = 1 if schema["type"] == "integer" else 0.01
        beside = {"minimum": -step, "maximum": step, "exclusiveMinimum": 0, "exclusiveMaximum": 0}
        for name, distance in beside.items():
            if name in schema:
                yield schema[name] + distance
    if "maxItems" in schema and schema["maxItems"] < 1000:
        yield ["127.0.0.1"] * (schema["maxItems"] + 1)


def spoiled(function: Function) -> Iterator[tuple[str, Schema]]:
    """(field, data) for everything wrong with one field of an otherwise good request."""
    root: Schema = dict(function.parameters_schema)
    good: Schema = dict(function.example or {})
    for field in root.get("required", ()):
        yield field, {name: value for name, value in good.items() if name != field}
    for field, declared in root.get("properties", {}).items():
        schema = resolved(declared, root)
        if schema.get("readOnly"):
            continue
        for value in (*WRONG.get(schema.get("type", ""), ()), *beyond(schema)):
            if not (field == "trade_rights" and isinstance(value, str)):
                yield field, {**good, field: value}
    yield "surplus", {**good, "surplus": 1}


def deployed(desk: Desk) -> list[Function]:
    functions = desk.gateway.gateway.functions.values()
    return [each for each in functions if each.plugin != "simulator" and each.name not in ("connect", "disconnect")]


async def refused(client: Client, name: str, data: Schema) -> CallFailed:
    await client.connection.send(json.dumps({"id": "hostile", "name": name, "data": data}))
    answer = await client.answer("hostile")
    assert answer["status"] == "ERROR", (name, data)
    return CallFailed(answer)


async def test_no_field_of_any_function_takes_what_it_should_not(desk: Desk) -> None:
    async with manager(desk.url, dialect="2") as one:
        await one.call("user.add", login=100, group="miniforex", name="A", password="Pass1", enable=True)
        before = json.dumps(desk.server.snapshot())
        tried = 0
        for function in deployed(desk):
            for field, data in spoiled(function):
                error = await refused(one, function.name, data)
                tried += 1
                assert error.code == "invalid_data", (function.name, data, error.message)
                paths = [detail["path"] for detail in error.details]
                assert any(path.split(".")[0] == field for path in paths), (function.name, data, paths)
                assert field in error.message
        assert tried > 800
        assert json.dumps(desk.server.snapshot()) == before


async def test_what_does_not_exist_is_named(desk: Desk) -> None:
    unknown: list[tuple[str, str, Schema]] = [
        ("config.group.get", "nosuch", {"group": "nosuch"}),
        ("config.group.set", "nosuch", {"group": "nosuch", "copies": 1}),
        ("config.group.del", "nosuch", {"group": "nosuch"}),
        ("config.group.set", "Nothing", {"group": "miniforex", "securities": {"Nothing": {"trade": True}}}),
        ("config.group.set", "NOPE", {"group": "miniforex", "symbols": {"NOPE": {"margin_pct": 5}}}),
        ("config.manager.get", "4711", {"login": 4711}),
        ("config.manager.del", "4711", {"login": 4711}),
        ("user.set", "4711", {"login": 4711, "city": "Riga"}),
        ("user.set", "nosuch", {"login": 1, "group": "nosuch"}),
        ("users.del", "4711", {"logins": [1, 4711]}),
        ("trade.get", "4711", {"order": 4711}),
        ("trades.get.by_login", "nosuch", {"login": 1, "group": "nosuch"}),
        ("request.reject", "subscribe", {"request_id": 4711}),
        ("config.group.del", "users", {"group": "manager"}),
        ("config.group.add", "miniforex", {"group": "miniforex"}),
    ]
    async with manager(desk.url, dialect="2") as one:
        before = json.dumps(desk.server.snapshot())
        for name, named, data in unknown:
            assert named in (await refused(one, name, data)).message, (name, data)
        assert json.dumps(desk.server.snapshot()) == before
