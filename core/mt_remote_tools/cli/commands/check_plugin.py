"""``mt-remote check-plugin``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from mt_remote_tools.cli.problems import complain
from mt_remote_tools.command_line import AsJson, CommandLine, Config, Plugin, PluginsDir, silence

if TYPE_CHECKING:
    from mt_remote_tools.checking import Finding

HELP = """Find a plugin's mistakes before it serves anybody.

It is imported, its source is read, and its functions are called with hostile data on a server in memory. Each finding
has a code, a place and a sentence on how to mend it; exit code 1 when there are any."""


def command(line: CommandLine) -> Callable[..., None]:
    """The command, beside the plugins that the command line names. Those that are installed may be broken: they are
    loaded when it runs, without the one that is looked at."""

    def check_plugin(
        modules: Annotated[
            list[str], typer.Argument(metavar="MODULE...", help="modules, or files of one-file plugins (house.py)")
        ],
        as_json: AsJson = False,
        run: Annotated[bool, typer.Option("--run/--no-run", help="call the plugin's functions too")] = True,
        config: Config = None,
        plugin: Plugin = None,
        plugins_dir: PluginsDir = None,
    ) -> None:
        from mt_remote_tools.checking import check

        silence()
        if "" not in sys.path:
            sys.path.insert(0, "")  # as python -m does: the plugin is in the folder where its author stands
        found = check(modules, plugins=line.startup.plugins, run=run, note=complain)
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
