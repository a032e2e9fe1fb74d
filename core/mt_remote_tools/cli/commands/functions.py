"""``mt-remote functions``: what is served, for people and as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mt_remote_tools.cli.tables import console, table_of
from mt_remote_tools.command_line import AsJson, CommandLine, Config, OnBackend, Plugin, PluginsDir
from mt_remote_tools.reference.schemas import in_short, parameters_in_short

if TYPE_CHECKING:
    from mt_remote.dispatch.functions import Function

HELP = "Show the functions that are served."


def command(line: CommandLine) -> Callable[..., None]:
    """The command, over the command line's plugins."""

    def functions(
        as_json: AsJson = False,
        as_markdown: Annotated[bool, typer.Option("--markdown", help="as a reference page")] = False,
        backend: OnBackend = None,
        config: Config = None,
        plugin: Plugin = None,
        plugins_dir: PluginsDir = None,
    ) -> None:
        from mt_remote.plugins.hooks import Hooks
        from mt_remote.plugins.host import catalogue, find_backend

        hooks = Hooks(line.manager)
        spec = find_backend(hooks, line.backend)
        contents = catalogue(hooks, spec.name, "cp1252", areas=spec.areas())
        found = [function for _, function in sorted(contents.registry.functions.items())]
        described = [describe_function(each) for each in found]
        if as_markdown:
            from mt_remote_tools.reference import pages

            print(pages.page(found, list(contents.kinds.values())), end="")
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
