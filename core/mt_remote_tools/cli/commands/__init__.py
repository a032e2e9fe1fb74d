"""The commands that ship, a module each: its ``HELP``, and ``command(line)``, which makes the command for a command
line. What a command needs beyond its options it imports when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mt_remote_tools.command_line import add_command

if TYPE_CHECKING:
    import typer

    from mt_remote_tools.command_line import CommandLine

MODULES = {
    "serve": "serve",
    "plugins": "plugins",
    "functions": "functions",
    "new-plugin": "new_plugin",
    "check-plugin": "check_plugin",
    "call": "call",
    "watch": "watch",
    "record": "record",
    "replay": "replay",
    "cert": "cert",
    "version": "version",
}
"""Each command's module, in the order of ``mt-remote --help``."""

NEEDING_NO_PLUGIN = ("call", "cert", "check-plugin", "record", "replay", "version", "watch")
"""Commands that start at once and work where an installed plugin is broken: among them those that tell what is wrong
with it. ``check-plugin`` loads plugins itself, all but the one that it looks at."""


def add(app: typer.Typer, line: CommandLine) -> None:
    """Adds them; where the one that was typed needs no plugin, only its like."""
    for name, module in MODULES.items():
        if line.command not in NEEDING_NO_PLUGIN or name in NEEDING_NO_PLUGIN:
            add_command(app, line, name, f"{__name__}.{module}")
