"""The generated parts of the pages are what the code says, and cover all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mt_remote.dispatch.functions import Function
from tests.docs import pages


@pytest.mark.parametrize("page", sorted(pages.DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_is_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert pages.filled(text) == text, "scripts/docs writes it anew"


def test_every_function_has_an_example_that_runs() -> None:
    assert {function.name for function in pages.shipped()} - set(pages.story().exchanges) == set()


def test_every_kind_of_event_has_an_example() -> None:
    assert {kind.name for _, kind in pages.hooks().event_kinds()} == set(pages.story().events)


@pytest.mark.parametrize("function", pages.shipped(), ids=lambda function: function.name)
def test_declared_examples_are_valid(function: Function) -> None:
    if function.example is not None:
        function.adapter.validate_python(dict(function.example))
    else:
        function.adapter.validate_python({})


@pytest.mark.parametrize("function", pages.shipped(), ids=lambda function: function.name)
def test_every_function_is_explained(function: Function) -> None:
    assert function.help.endswith("."), "a docstring says what it does"
    properties = function.parameters_schema.get("properties", {})
    assert isinstance(properties, dict)
    for name, field in properties.items():
        assert function.takes_body or "description" in str(field), f"{name} says what it is"
