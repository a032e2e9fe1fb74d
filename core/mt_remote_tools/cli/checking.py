"""``mt-remote check-plugin``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from mt_remote_tools.cli import options

if TYPE_CHECKING:
    from mt_remote_tools.checking import Finding
    from mt_remote_tools.cli.configuration import Startup

NAME = "check-plugin"
HELP = """Find a plugin's mistakes before it serves anybody.

It is imported, its source is read, and its functions are called with hostile data on a server in memory. Each finding
has a code, a place and a sentence on how to mend it; exit code 1 when there are any."""


def command(startup: Startup) -> Callable[..., None]:
    """``check-plugin``, beside the plugins that the command line names."""

    def check_plugin(
        modules: Annotated[
            list[str], typer.Argument(metavar="MODULE...", help="modules, or files of one-file plugins (house.py)")
        ],
        as_json: options.AsJson = False,
        run: Annotated[bool, typer.Option("--run/--no-run", help="call the plugin's functions too")] = True,
        config: options.Config = None,
        plugin: options.Plugin = None,
        plugins_dir: options.PluginsDir = None,
    ) -> None:
        from mt_remote import logs
        from mt_remote_tools.checking import check
        from mt_remote_tools.cli.app import complain

        logs.configure("error", as_json=False)
        if "" not in sys.path:
            sys.path.insert(0, "")  # as python -m does: the plugin is in the folder where its author stands
        found = check(modules, plugins=startup.plugins, run=run, note=complain)
        if as_json:
            json.dump([_described(each) for each in found], sys.stdout, indent=2, ensure_ascii=False)
            print()
        else:
            _print(modules, found)
        if found:
            raise typer.Exit(1)

    return check_plugin


def _described(finding: Finding) -> dict[str, str]:
    return {"code": finding.code, "place": finding.place, "message": finding.message, "fix": finding.fix}


def _print(modules: list[str], found: list[Finding]) -> None:
    for each in found:
        print(f"{each.place}: {each.code} {each.message}\n    {each.fix}")
    print(f"{', '.join(modules)}: {f'{len(found)} found' if found else 'nothing found'}")
