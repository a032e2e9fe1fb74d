"""The committed statement of shapes is what the functions that ship are declared as, and its checks are strict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mt_remote_conformance.protocol import schema
from mt_remote_conformance.protocol.shapes import Shapes
from mt_remote_tools.reference.protocol_schema import of_plugins

FILE = Path(__file__).parents[2] / "core" / "mt_remote_conformance" / "protocol.schema.json"
TRADE: dict[str, Any] = {"properties": {"volume": {"type": "number", "minimum": 0, "multipleOf": 0.01}}}


def test_it_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == of_plugins(["mt_remote_plugins"]), "scripts/protocol-schema writes it"


def test_each_dialect_has_its_shapes() -> None:
    document = json.loads(FILE.read_text(encoding="utf-8"))
    assert document["$defs"]["TradeRecord"] != document["$defs"]["TradeRecord.1.00"]
    assert "flags" not in document["$defs"]["TradeTransaction.0"]["properties"]
    for dialect in schema.DIALECTS:
        assert set(schema.results(dialect)) == {n for n, each in document["functions"].items() if "result" in each}
        assert set(schema.events(dialect)) == set(document["events"])


@pytest.mark.parametrize(
    ("part", "right", "wrong", "problem"),
    [
        ({"type": "integer", "minimum": 0}, 0, True, "True is not an integer"),
        ({"type": "integer", "minimum": 0}, 7, 1.0, "1.0 is not an integer"),
        ({"type": "integer", "minimum": 0}, 7, -1, "-1 is not within 0 and inf"),
        ({"type": "integer", "enum": [0, 1]}, 1, True, "True is not an integer"),
        ({"type": "number"}, 1, float("nan"), "nan is not a finite number"),
        ({"type": "number", "multipleOf": 0.01}, 0.29, 0.295, "0.295 is not in steps of 0.01"),
        ({"type": "number", "exclusiveMinimum": 0}, 0.1, 0, "0 is not between 0 and inf"),
        ({"type": "string", "maxLength": 3}, "abc", "abcd", "'abcd' has not 0 to 3 characters"),
        ({"type": "string", "pattern": "^a$"}, "a", "a\n", "'a\\n' is not of the form ^a$"),
        ({"type": "array", "items": {"type": "boolean"}}, [True], [True, 1], "[1]: 1 is not a boolean"),
        ({"type": "array", "items": {"type": "null"}, "maxItems": 1}, [None], [None] * 2, "has 2 elements, not 0 to 1"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None, 1, "1 is not a text"),
        ({"type": "string", "not": {"const": "AA"}}, "AB", "AA", "'AA' must not be"),
        ({"$ref": "#/$defs/Lots"}, {"volume": 0.1}, {"volume": "0.1"}, "volume: '0.1' is not a number"),
        ({"$ref": "#/$defs/Lots"}, {"volume": 0.1}, {}, "volume: is missing"),
        ({"$ref": "#/$defs/Lots"}, {"volume": 0.1}, {"volume": 1, "x": 1}, "x: is not a field of this record"),
        (
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/Lots"}, "maxProperties": 1},
            {"a": {"volume": 1}},
            {"a": {"volume": -1}},
            "a.volume: -1 is not within 0 and inf",
        ),
    ],
)
def test_what_a_check_says(part: dict[str, Any], right: object, wrong: object, problem: str) -> None:
    document = {"$defs": {"Lots": {"type": "object", **TRADE, "required": ["volume"]}}}
    check = Shapes(document, open_ended=False).check(part)
    assert check(right) == ""
    assert check(wrong) == problem


def test_more_fields_are_fine_where_the_dialect_allows_them_but_passwords_never() -> None:
    check = Shapes({"$defs": {}}, open_ended=True).check({"type": "object", **TRADE})
    assert check({"volume": 1, "news": 1}) == ""
    assert check({"volume": 1, "password_hash": 1}) == "password_hash: must never be sent"


def test_a_keyword_that_no_check_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="uniqueItems"):
        Shapes({"$defs": {}}, open_ended=True).check({"type": "array", "uniqueItems": True})
