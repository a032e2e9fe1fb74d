"""``mt-remote functions``: what is served, for people and as JSON; and tables for those who print some."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Any

import pluggy
import typer

from mt_remote_tools.cli import options

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mt_remote.dispatch.functions import Function
    from mt_remote_tools.cli.configuration import Startup

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
        from mt_remote.plugins.hooks import Hooks
        from mt_remote.plugins.host import catalogue, find_backend

        hooks = Hooks(manager)
        spec = find_backend(hooks, startup.backend)
        contents = catalogue(hooks, spec.name, "cp1252", areas=spec.areas())
        found = [function for _, function in sorted(contents.registry.functions.items())]
        described = [describe_function(each) for each in found]
        if as_markdown:
            from mt_remote_tools.cli import reference

            print(reference.page(found, list(contents.kinds.values())), end="")
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
        "rights": list(function.rights),
        "offered": function.offered,
        "help": function.help,
        "parameters": function.parameters_schema,
        "result": function.result_schema,
        "errors": list(function.errors),
        "example": function.example,
    }


def _print_functions(described: list[dict[str, Any]]) -> None:
    table = table_of("function", "parameters", "result", "kind", "plugin", "help")
    for each in described:
        table.add_row(
            each["name"],
            parameters_in_short(each["parameters"]),
            "-" if each["result"] is None else in_short(each["result"], each["result"]),
            each["kind"],
            each["plugin"],
            " ".join(each["help"].split()) if each["offered"] else "not offered by this backend",
        )
    console().print(table)


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


def table_of(*columns: str) -> Table:
    """An empty table for :func:`console`; its first column is never broken."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    table.columns[0].no_wrap = True
    return table


def console() -> Console:
    """Standard output; wide where it is a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE, markup=False, highlight=False)
