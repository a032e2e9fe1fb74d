"""``mt-remote plugins`` and ``mt-remote functions``: what is there, for people and as JSON."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Any

import pluggy
import typer

from mt_remote.cli import options
from mt_remote.plugin import PROJECT

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mt_remote.cli.configuration import Startup
    from mt_remote.functions import Function

_VETO = "mt_remote_call_started"
_WIDTH_OF_A_PIPE = 160


def version() -> str:
    """The installed distribution's version."""
    try:
        return metadata.version("mt-remote")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def functions_command(manager: pluggy.PluginManager, startup: Startup) -> Callable[..., None]:
    """``functions``, over these plugins."""

    def functions(
        as_json: options.AsJson = False,
        as_markdown: Annotated[bool, typer.Option("--markdown", help="as a reference page")] = False,
        backend: options.OnBackend = None,
        config: options.Config = None,
        plugin: options.Plugin = None,
        plugins_dir: options.PluginsDir = None,
    ) -> None:
        from mt_remote.hooks import Hooks
        from mt_remote.host import catalogue, find_backend

        hooks = Hooks(manager)
        contents = catalogue(hooks, find_backend(hooks, startup.backend).name, "cp1252")
        found = [function for _, function in sorted(contents.registry.functions.items())]
        described = [describe_function(each) for each in found]
        if as_markdown:
            from mt_remote.cli import reference

            print(reference.functions(found, {}))
            print(reference.events(contents.kinds.values(), {}))
        elif as_json:
            json.dump(described, sys.stdout, indent=2, ensure_ascii=False)
            print()
        else:
            _print_functions(described)

    return functions


def describe_function(function: Function) -> dict[str, Any]:
    """What a function is, as JSON data. Schemas are JSON Schema; ``result`` is null where it returns nothing."""
    return {
        "name": function.name,
        "plugin": function.plugin,
        "kind": str(function.kind),
        "needs_connection": function.needs_connection,
        "help": function.help,
        "parameters": function.parameters_schema,
        "result": function.result_schema,
        "errors": list(function.errors),
        "example": function.example,
    }


def _print_functions(described: list[dict[str, Any]]) -> None:
    table = _table("function", "parameters", "result", "kind", "plugin", "help")
    for each in described:
        table.add_row(
            each["name"],
            parameters_in_short(each["parameters"]),
            "-" if each["result"] is None else in_short(each["result"], each["result"]),
            each["kind"],
            each["plugin"],
            " ".join(each["help"].split()),
        )
    _console().print(table)


def parameters_in_short(schema: Mapping[str, Any]) -> str:
    """``login, from?, to?``: names, optional ones with a question mark; ``ConGroup`` for a whole record."""
    target = _resolved(schema, schema)
    names: Mapping[str, Any] = target.get("properties", {})
    required = set(target.get("required", ()))
    if len(names) > 12:
        return f"{target.get('title', 'object')}, {', '.join(sorted(required)) or 'any subset'}"
    return ", ".join(name if name in required else f"{name}?" for name in names) or "-"


def in_short(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """A type's name: ``list of TradeRecord``, ``{login}``, ``text``."""
    if "$ref" in schema:
        target = _resolved(schema, root)
        return in_short(target, root) if target.get("type") != "object" else str(target.get("title", "object"))
    kind = schema.get("type")
    if kind == "array":
        return f"list of {in_short(schema.get('items', {}), root)}"
    if kind == "object":
        names: Mapping[str, Any] = schema.get("properties", {})
        return f"{{{', '.join(names)}}}" if 0 < len(names) <= 4 else str(schema.get("title", "object"))
    if "anyOf" in schema:
        return " or ".join(in_short(each, root) for each in schema["anyOf"])
    return {"string": "text", "integer": "int", "boolean": "bool"}.get(str(kind), str(kind or "any"))


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def plugins_command(manager: pluggy.PluginManager) -> Callable[..., None]:
    """``plugins``, over these plugins."""

    def plugins(
        as_json: options.AsJson = False,
        config: options.Config = None,
        plugin: options.Plugin = None,
        plugins_dir: options.PluginsDir = None,
    ) -> None:
        described = describe_plugins(manager)
        if as_json:
            json.dump(described, sys.stdout, indent=2, ensure_ascii=False)
            print()
        else:
            _print_plugins(described)

    return plugins


def describe_plugins(manager: pluggy.PluginManager) -> list[dict[str, Any]]:
    """What each plugin registered, as JSON data. ``vetoes`` says where and what for a plugin may refuse calls."""
    points = {point.module: point.dist for point in metadata.entry_points(group=PROJECT) if point.dist}
    described = []
    for name, plugin in manager.list_name_plugin():
        module = getattr(plugin, "__name__", type(plugin).__name__)
        distribution = points.get(module)
        hooks = sorted(caller.name for caller in manager.get_hookcallers(plugin) or [])
        given = {hook: getattr(plugin, hook) for hook in hooks}
        described.append(
            {
                "name": name,
                "module": module,
                "distribution": f"{distribution.name} {distribution.version}" if distribution else None,
                "functions": _functions_of(given),
                "backends": [spec.name for spec in _call(given, "mt_remote_backends")],
                "events": [kind.name for kind in _call(given, "mt_remote_event_kinds")],
                "hooks": hooks,
                "vetoes": _place(given[_VETO]) if _VETO in given else None,
            }
        )
    return described


def _functions_of(given: Mapping[str, Callable[..., Any]]) -> list[str]:
    found = _call(given, "mt_remote_namespaces") + [
        namespace for spec in _call(given, "mt_remote_backends")
        for namespace in _call(given, "mt_remote_backend_namespaces", spec.name)
    ]  # fmt: skip
    return sorted(declared.name for namespace in found for declared in namespace.functions)


def _call(given: Mapping[str, Callable[..., Any]], hook: str, *arguments: str) -> list[Any]:
    if hook not in given:
        return []
    takes = len(inspect.signature(given[hook]).parameters)
    return list(given[hook](*arguments[:takes]))


def _place(implementation: Callable[..., Any]) -> str:
    """What a hook's implementation says of itself, or else where it stands."""
    text = inspect.getdoc(implementation)
    if text:
        return text.partition("\n")[0]
    module = inspect.getmodule(implementation)
    return f"it does not say what; {_VETO} in {module.__name__ if module else 'an object'}"


def _print_plugins(described: list[dict[str, Any]]) -> None:
    table = _table("plugin", "from", "brings", "may refuse calls")
    for each in described:
        brings = [
            *([f"{len(each['functions'])} functions: {', '.join(each['functions'])}"] if each["functions"] else []),
            *([f"backend {', '.join(each['backends'])}"] if each["backends"] else []),
            *([f"events {', '.join(each['events'])}"] if each["events"] else []),
            *(["commands"] if "mt_remote_commands" in each["hooks"] else []),
        ]
        listens = [hook for hook in each["hooks"] if hook.endswith(("_opened", "_closed", "_finished", "ing"))]
        brings += [f"listens: {', '.join(listens)}"] if listens else []
        source = each["distribution"] or each["module"]
        table.add_row(each["name"], source, "\n".join(brings) or "-", each["vetoes"] or "-")
    _console().print(table)


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    table.columns[0].no_wrap = True
    return table


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE, markup=False, highlight=False)
