"""The plugins that ship touch nothing of the gateway but what any plugin may: once as they run, once as they are
written."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mt_remote import interfaces
from mt_remote.dispatch.functions import Function
from mt_remote.plugins.hooks import Hooks
from mt_remote_tools.testing import Bench

ROOT = Path(__file__).parents[2]
SHIPPED = [*(ROOT / "plugins" / "mt_remote_plugins").rglob("*.py"), *(ROOT / "simulator" / "mt4sim").rglob("*.py")]
INTERFACES = {each.__name__: each for each in (interfaces.Session, interfaces.Gateway, interfaces.Call)}


def public(interface: type) -> set[str]:
    return {name for name in dir(interface) if not name.startswith("_")}


class Only:
    """What an object has of an interface; whatever else is asked of it is an error."""

    _made: ClassVar[dict[int, Only]] = {}

    def __init__(self, wrapped: object, interface: type) -> None:
        vars(self).update(_wrapped=wrapped, _interface=interface)

    @classmethod
    def of(cls, wrapped: Any) -> Any:
        for interface in INTERFACES.values():
            if isinstance(wrapped, interface):
                return cls._made.setdefault(id(wrapped), cls(wrapped, interface))
        return wrapped

    def _check(self, name: str) -> None:
        interface = vars(self)["_interface"]
        if name not in public(interface):
            raise AssertionError(f"{interface.__name__}.{name} is no plugin's business")

    def __getattr__(self, name: str) -> Any:
        self._check(name)
        return Only.of(getattr(vars(self)["_wrapped"], name))

    def __setattr__(self, name: str, value: object) -> None:
        self._check(name)
        assert getattr(vars(self)["_interface"], name).fset is not None, f"{name} is not to be set"
        setattr(vars(self)["_wrapped"], name, value)


@pytest.fixture
def veiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions and hooks are given :class:`Only` what they may touch."""
    invoke = Function.invoke

    def invoked(self: Function, session: Any, arguments: dict[str, Any], body: object) -> Any:
        return invoke(self, Only.of(session), arguments, body)

    monkeypatch.setattr(Only, "_made", {})
    monkeypatch.setattr(Function, "invoke", invoked)
    for name in ("session_opened", "session_closed", "call_started", "call_finished", "gateway_starting",
                 "gateway_stopping"):  # fmt: skip
        told = getattr(Hooks, name)

        def tell(self: Hooks, *arguments: Any, _told: Any = told) -> Any:
            return _told(self, *map(Only.of, arguments))

        monkeypatch.setattr(Hooks, name, tell)


def test_the_shipped_functions_need_no_more(veiled: None, tmp_path: Path) -> None:
    with Bench.of("simulator") as bench:
        client, again = bench.client(), {**asdict(bench.credentials), "reconnect_delay": 0}
        called = 0
        for name, function in sorted(bench.gateway.functions.items()):
            data = dict(function.example or {})
            if "file" in data:
                data["file"] = str(tmp_path / "snapshot")
            answer = client.request(name, data)
            assert answer.get("code") != "internal_error", (name, answer)
            called += 1
            client.call("simulator.fault.down", down=False)
            client.request("connect", again)
        assert called > 60
        for kind in ("tick", "connection"):
            client.call("subscribe", event=kind)
            client.call("unsubscribe", event=kind)
        client.call("trades.get", group="*")  # a filter that asks the server
        assert client.call("simulator.clock.get")["time"] > 0


def test_a_veil_hides_the_rest() -> None:
    class Inner(interfaces.Call):
        secret = 1
        id = key = name = function = arguments = body = None  # type: ignore[assignment]

    veil = Only.of(Inner())
    assert veil.body is None
    with pytest.raises(AssertionError, match=r"Call\.secret is no plugin's business"):
        _ = veil.secret
    with pytest.raises(AssertionError):
        veil.secret = 2


# As they are written


def told(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, type]:
    """The parameters that are objects of the gateway, by name."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return {
        each.arg: INTERFACES[each.annotation.id]
        for each in arguments
        if isinstance(each.annotation, ast.Name) and each.annotation.id in INTERFACES
    }


def attributes(function: ast.AST, names: dict[str, type]) -> Iterator[tuple[type, str]]:
    """Each attribute that a function reads or sets of those, and of what it gets from them."""

    def kind(node: ast.expr) -> type | None:
        if isinstance(node, ast.Name):
            return names.get(node.id)
        if isinstance(node, ast.Attribute) and (owner := kind(node.value)) is not None:
            member = inspect.getattr_static(owner, node.attr, None)
            hints = typing.get_type_hints(member.fget, vars(interfaces)) if isinstance(member, property) else {}
            return hints.get("return") if hints.get("return") in INTERFACES.values() else None
        return None

    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and (owner := kind(node.value)) is not None:
            yield owner, node.attr


def knows_interfaces(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.module == "mt_remote.plugin" for node in ast.walk(tree))


def test_the_shipped_functions_are_written_for_no_more() -> None:
    seen: set[tuple[str, str]] = set()
    for path in SHIPPED:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {m for m in imports(tree) if m.startswith("mt_remote.")}
        rooms = ("session", "gateway", "shell", "wire", "dispatch", "workers", "plugins")
        assert not [m for m in imported if m.split(".")[1] in rooms], path
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and (names := told(function)):
                for owner, name in attributes(function, names):
                    assert name in public(owner), f"{path}: {owner.__name__}.{name}"
                    seen.add((owner.__name__, name))
    assert {("Session", "connect"), ("Session", "gateway"), ("Gateway", "backend"), ("Gateway", "plugins")} <= seen


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
