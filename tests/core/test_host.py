"""Finding plugins, and refusing the wrong ones with the plugin's name and what was expected."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

import mt_remote_plugins
from mt_remote.backend import Event
from mt_remote.errors import PluginError
from mt_remote.plugin import BackendSpec, EventKind, Namespace, hookimpl
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import catalogue, find_backend, plugin_manager
from mt_remote.records import Tick
from tests.core import memory


def module(name: str, **members: Any) -> ModuleType:
    made = ModuleType(name)
    for key, value in members.items():
        setattr(made, key, value)
    return made


def hook(name: str, give: Any) -> Callable[..., Any]:
    def implementation() -> Any:
        return give

    implementation.__name__ = name
    return hookimpl(implementation)


def plugin(name: str, **hooks: Any) -> ModuleType:
    return module(name, **{key: hook(key, give) for key, give in hooks.items()})


def load(*plugins: object) -> Any:
    return catalogue(Hooks(plugin_manager(plugins=plugins, entry_points=False)), "memory", "cp1252")


def namespace(name: str, function: str = "get") -> Namespace:
    own = Namespace(name)

    @own.function(function)
    def handler() -> None: ...

    return own


def test_the_shipped_functions_register_as_any_plugin_does() -> None:
    found = load(mt_remote_plugins)
    assert found.registry["config.group.get"].plugin == "mt_remote_plugins"
    assert set(found.kinds) == {"connection", "group", "user", "trade", "tick", "trade_request"}
    assert found.kind_plugins["tick"] == "mt_remote_plugins"
    assert found.encode_event(Event("tick", Tick(symbol="X")), "0") == (
        b',"data":{"symbol":"X","time":0,"bid":0.0,"ask":0.0}}'
    )


@pytest.mark.parametrize(
    ("plugins", "words"),
    [
        (
            [plugin(name, mt_remote_namespaces=[namespace("a")]) for name in ("one", "two")],
            "plugins 'one' and 'two' both register the function 'a.get'",
        ),
        ([plugin("one", mt_remote_namespaces=[namespace("a"), namespace("a")])], "'a.get'"),
        (
            [
                plugin("one", mt_remote_event_kinds=[EventKind("e", int)]),
                plugin("two", mt_remote_event_kinds=[EventKind("e", int)]),
            ],
            "plugins 'one' and 'two' both register the event kind 'e'",
        ),
        ([plugin("one", mt_remote_event_kinds=[EventKind("e", object())])], "plugin 'one', event kind 'e': its data"),
        ([plugin("one", mt_remote_event_kinds=[EventKind('e"', int)])], "plugin 'one', event kind 'e\"': the name"),
        ([plugin("one", mt_remote_namespaces=None)], "plugin 'one': mt_remote_namespaces must return a list, got None"),
        ([plugin("one", mt_remote_namespaces=namespace("a"))], "plugin 'one': mt_remote_namespaces must return a list"),
        ([plugin("one", mt_remote_namespaces=["a"])], "plugin 'one': mt_remote_namespaces must return a list of Names"),
        ([plugin("one", mt_remote_event_kinds=[3])], "plugin 'one': mt_remote_event_kinds must return a list of Event"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(plugins: list[object], words: str) -> None:
    with pytest.raises(PluginError) as caught:
        load(*plugins)
    assert words in str(caught.value)


def test_a_hook_that_breaks_at_registration_names_its_plugin() -> None:
    @hookimpl
    def mt_remote_namespaces() -> list[Namespace]:
        raise ZeroDivisionError("oh")

    with pytest.raises(PluginError, match="plugin 'broken': mt_remote_namespaces failed: ZeroDivisionError: oh"):
        load(module("broken", mt_remote_namespaces=mt_remote_namespaces))


def test_wrong_arguments_of_a_hook_are_refused_with_the_right_ones() -> None:
    @hookimpl
    def mt_remote_session_opened(sesion: object) -> None: ...

    with pytest.raises(PluginError) as caught:
        load(module("typo", mt_remote_session_opened=mt_remote_session_opened))
    message = str(caught.value)
    assert "typo" in message
    assert "sesion" in message
    assert "mt_remote_session_opened" in message
    assert "docs/plugins.md" in message


def test_a_hook_that_does_not_exist_is_refused() -> None:
    with pytest.raises(PluginError) as caught:
        load(plugin("typo", mt_remote_namespace=[]))
    assert "typo" in str(caught.value)
    assert "mt_remote_namespace" in str(caught.value)


@pytest.mark.parametrize("wanted", [2, "2.0", None])
def test_a_plugin_for_newer_hooks_is_refused(wanted: object) -> None:
    with pytest.raises(PluginError, match=f"plugin 'later' needs version {wanted!r} of the hooks, this gateway has 1"):
        load(module("later", mt_remote_api=wanted))
    assert load(module("now", mt_remote_api=1))


def test_a_plugin_counts_once_and_a_name_once() -> None:
    one = plugin("one", mt_remote_namespaces=[namespace("a")])
    assert list(load(one, one).registry.functions) == ["a.get"]
    with pytest.raises(PluginError, match="plugin 'one'"):
        load(one, plugin("one", mt_remote_namespaces=[namespace("b")]))


def test_modules_and_folders() -> None:
    with pytest.raises(PluginError, match="plugin module 'no_such_module' can't be imported: ModuleNotFoundError"):
        plugin_manager(modules=["no_such_module"], entry_points=False)
    with pytest.raises(PluginError, match="plugin folder '/no/such/folder' does not exist"):
        plugin_manager(folders=[Path("/no/such/folder")], entry_points=False)
    manager = plugin_manager(modules=["mt_remote_plugins"], entry_points=False)
    assert manager.get_plugin("mt_remote_plugins") is mt_remote_plugins


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import no_such_module\n", "ModuleNotFoundError"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("from mt_remote.plugin import hookimpl\n@hookimpl\ndef mt_remote_nope(): ...\n", "mt_remote_nope"),
        ("mt_remote_api = 99\n", "needs version 99"),
        ("import sys\nsys.exit(3)\n", "SystemExit"),
    ],
)
def test_a_bad_file_in_the_plugins_folder_is_named(tmp_path: Path, source: str, words: str) -> None:
    (tmp_path / "_ignored.py").write_text("1 / 0")
    (tmp_path / "notes.txt").write_text("no python")
    assert plugin_manager(folders=[tmp_path], entry_points=False)
    (tmp_path / "bad_one.py").write_text(source)
    with pytest.raises(PluginError) as caught:
        plugin_manager(folders=[tmp_path], entry_points=False)
    assert "bad_one" in str(caught.value)
    assert words in str(caught.value)
    sys.modules.pop("mt_remote_plugin_bad_one", None)


def distribution(folder: Path, name: str, target: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mt_remote]\n{name} = {target}\n")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_module\n", "ModuleNotFoundError"),
        ("mt_remote_api = 99\n", "needs version 99"),
        ("1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_a_bad_entry_point_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "stranger_bad.py").write_text(source)
    distribution(tmp_path, "strangers", "stranger_bad")
    with pytest.raises(PluginError) as caught:
        plugin_manager()
    assert "strangers" in str(caught.value)
    assert words in str(caught.value)
    sys.modules.pop("stranger_bad", None)


def test_backends_are_found_by_name() -> None:
    hooks = Hooks(plugin_manager(plugins=[memory], entry_points=False))
    assert find_backend(hooks, "memory").name == "memory"
    with pytest.raises(PluginError, match="no plugin brings a backend 'nope'; there is memory"):
        find_backend(hooks, "nope")
    with pytest.raises(PluginError, match="there is none"):
        find_backend(Hooks(plugin_manager(entry_points=False)), "nope")

    class Nothing(BaseModel): ...

    other = plugin("other", mt_remote_backends=[BackendSpec("memory", Nothing, lambda _: memory.MemoryServer())])
    with pytest.raises(PluginError, match=r"plugins .* and .* both bring a backend 'memory'"):
        find_backend(Hooks(plugin_manager(plugins=[memory, other], entry_points=False)), "memory")


def test_core_imports_neither_plugins_nor_simulator() -> None:
    root = Path(catalogue.__code__.co_filename).parent
    for path in root.rglob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                assert not words[1].startswith(("mt_remote_plugins", "mt4sim")), f"{path}: {line}"
