"""``mt-remote plugins``: what each plugin registered, and who may refuse what, for people and as JSON."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from importlib import metadata
from types import ModuleType
from typing import Any, TypeVar

import pluggy
import typer

from mt_remote.plugin import HOOKSPEC_VERSION, PROJECT, BackendSpec, EventKind, Namespace
from mt_remote.plugins.hooks import Hooks, given_by
from mt_remote_tools.cli.tables import console, table_of
from mt_remote_tools.command_line import AsJson, CommandLine, Config, Plugin, PluginsDir, add_commands
from mt_remote_tools.testing import StandSpec

HELP = "Show the plugins: what each brings, and which may refuse calls."

VETO = "mt_remote_call_started"
_ANY = "*"
_T = TypeVar("_T")

Implementations = Mapping[str, pluggy.HookImpl]
"""A plugin's implementations by hook."""


def command(line: CommandLine) -> Callable[..., None]:
    """The command, over the command line's plugins."""

    def plugins(
        as_json: AsJson = False,
        config: Config = None,
        plugin: Plugin = None,
        plugins_dir: PluginsDir = None,
    ) -> None:
        manager = line.manager
        described = describe_plugins(manager)
        if as_json:
            json.dump(described, sys.stdout, indent=2, ensure_ascii=False)
            print()
        else:
            _print_plugins(described)
            _print_vetoes(vetoes(manager, described))

    return plugins


def describe_plugins(manager: pluggy.PluginManager) -> list[dict[str, Any]]:
    """What each plugin registered, as JSON data. ``vetoes`` says where and what for a plugin may refuse calls,
    ``refuses`` which ones; ``implements`` has each hook with its place and order."""
    backends = sorted(spec.name for _, spec in Hooks(manager).backends())
    points = {point.module: point.dist for point in metadata.entry_points(group=PROJECT) if point.dist}
    described = []
    for name, plugin in manager.list_name_plugin():
        module = getattr(plugin, "__name__", type(plugin).__name__)
        distribution = points.get(module)
        implementations = _implementations(manager, plugin)
        described.append(
            {
                "name": name,
                "module": module,
                "distribution": f"{distribution.name} {distribution.version}" if distribution else None,
                "hooks_version": str(getattr(plugin, "mt_remote_api", HOOKSPEC_VERSION)),
                "functions": _functions_of(implementations, backends),
                "backends": [spec.name for spec in _given(implementations, "mt_remote_backends", BackendSpec)],
                "stands": [spec.backend for spec in _given(implementations, "mt_remote_stands", StandSpec)],
                "events": [kind.name for kind in _given(implementations, "mt_remote_event_kinds", EventKind)],
                "commands": _commands_of(implementations, manager),
                "brings_hooks": _hooks_of(implementations),
                "hooks": sorted(implementations),
                "implements": {hook: _described(each) for hook, each in sorted(implementations.items())},
                "vetoes": _place(implementations[VETO].function) if VETO in implementations else None,
                "refuses": list(_refused_by(implementations[VETO].function)) if VETO in implementations else [],
            }
        )
    return described


def vetoes(manager: pluggy.PluginManager, described: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(plugin, which functions, what for) of those who may refuse calls, in the order in which they are asked."""
    names = sorted({name for each in described for name in each["functions"]})
    by_name = {each["name"]: each for each in described}
    found = []
    for implementation in reversed(getattr(manager.hook, VETO).get_hookimpls()):
        patterns = _refused_by(implementation.function)
        concerned = [name for name in names if any(fnmatchcase(name, each) for each in patterns)]
        which = "any" if _ANY in patterns else ", ".join(concerned) or f"none that is served ({', '.join(patterns)})"
        found.append((implementation.plugin_name, which, by_name[implementation.plugin_name]["vetoes"]))
    return found


def _implementations(manager: pluggy.PluginManager, plugin: object) -> dict[str, pluggy.HookImpl]:
    return {
        caller.name: implementation
        for caller in manager.get_hookcallers(plugin) or []
        for implementation in caller.get_hookimpls()
        if implementation.plugin is plugin
    }


def _described(implementation: pluggy.HookImpl) -> dict[str, Any]:
    order = [name for name in ("tryfirst", "trylast", "wrapper", "hookwrapper") if getattr(implementation, name)]
    function = inspect.unwrap(implementation.function)
    code = getattr(function, "__code__", None)
    where = f"{code.co_filename}:{code.co_firstlineno}" if code else None
    return {"place": where, "order": order, "about": (inspect.getdoc(function) or "").partition("\n")[0]}


def _refused_by(implementation: Callable[..., Any]) -> tuple[str, ...]:
    """The patterns that ``vetoes`` states; any function without it."""
    return tuple(getattr(implementation, "mt_remote_vetoes", (_ANY,)))


def _functions_of(implementations: Implementations, backends: list[str]) -> list[str]:
    """What it serves on any backend."""
    found = _given(implementations, "mt_remote_namespaces", Namespace)
    for backend in backends:
        found += _given(implementations, "mt_remote_backend_namespaces", Namespace, backend)
    return sorted({declared.name for namespace in found for declared in namespace.functions})


def _commands_of(implementations: Implementations, manager: pluggy.PluginManager) -> list[str]:
    if "mt_remote_commands" not in implementations:
        return []
    line = CommandLine(["plugins"], manager)  # the others' names are enough
    return sorted(add_commands(typer.Typer(), implementations["mt_remote_commands"], line))


def _hooks_of(implementations: Implementations) -> list[str]:
    return sorted(
        name for module in _given(implementations, "mt_remote_hookspecs", ModuleType)
        for name, each in vars(module).items() if hasattr(each, f"{PROJECT}_spec")
    )  # fmt: skip


def _given(implementations: Implementations, hook: str, kind: type[_T], *arguments: str) -> list[_T]:
    """What a plugin gives for a hook. Raises :class:`~mt_remote.errors.PluginError` where that fails."""
    implementation = implementations.get(hook)
    if implementation is None:
        return []
    return list(given_by(implementation, kind, *arguments[: len(implementation.argnames)]))


def _place(implementation: Callable[..., Any]) -> str:
    """What a hook's implementation says of itself, or else where it stands."""
    text = inspect.getdoc(implementation)
    if text:
        return text.partition("\n")[0]
    module = inspect.getmodule(implementation)
    return f"it does not say what; {VETO} in {module.__name__ if module else 'an object'}"


def _print_plugins(described: list[dict[str, Any]]) -> None:
    table = table_of("plugin", "from", "brings", "may refuse calls")
    for each in described:
        brings = [
            *([f"{len(each['functions'])} functions: {', '.join(each['functions'])}"] if each["functions"] else []),
            *(
                f"{what} {', '.join(each[field])}"
                for what, field in (
                    ("backend", "backends"),
                    ("stand for tests on", "stands"),
                    ("events", "events"),
                    ("commands", "commands"),
                    ("hooks", "brings_hooks"),
                )
                if each[field]
            ),
        ]
        listens = [hook for hook in each["hooks"] if hook.endswith(("_opened", "_closed", "_finished", "ing"))]
        brings += [f"listens: {', '.join(listens)}"] if listens else []
        source = each["distribution"] or each["module"]
        table.add_row(each["name"], source, "\n".join(brings) or "-", each["vetoes"] or "-")
    console().print(table)


def _print_vetoes(found: list[tuple[str, str, str]]) -> None:
    if not found:
        print("\nNo plugin may refuse a call.")
        return
    print("\nWho may refuse what, in the order in which they are asked:\n")
    table = table_of("plugin", "functions", "what for")
    for row in found:
        table.add_row(*row)
    console().print(table)
