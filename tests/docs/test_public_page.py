"""The page on what is public: its examples run, and what it says may be imported is taken for public."""

from __future__ import annotations

import ast
from typing import Any

from mt_remote.errors import CallTimeout, ConnectionLost, Refused, RequestError, SessionStateError
from mt_remote_tools.checking.public import not_public
from tests.docs.conversations import ROOT, blocks

PAGE = ROOT / "docs" / "public-api.md"


def test_the_examples_run() -> None:
    names: dict[str, Any] = {}
    for block in blocks(PAGE):
        tree = ast.parse(block.text)
        assert not list(not_public(tree))
        exec(compile(tree, f"{PAGE.name}:{block.line}", "exec"), names)
    assert "draft" in names


def test_packages_are_public_as_a_whole_and_not_their_parts() -> None:
    def found(code: str) -> list[str]:
        return [name for _, name in not_public(ast.parse(code))]

    assert found("import mt_remote_plugins") == []
    assert found("import mt_remote_plugins.orders") == ["mt_remote_plugins.orders"]
    assert found("from mt_remote_plugins import orders") == ["mt_remote_plugins.orders"]


def test_how_errors_are_made_and_what_they_have_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for kind in (RequestError, SessionStateError, Refused, CallTimeout, ConnectionLost):
        assert f"| `{kind.__name__}(" in text
        for name in vars(kind).get("__annotations__", {}):
            assert f"| `{kind.__name__}.{name}: " in text or name == "code", (kind, name)
    for name in ("code", "message", "details", "outcome"):
        assert f"| `CallFailed.{name}: " in text
