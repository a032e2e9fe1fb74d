"""The tools as a plugin: the hooks that they bring, and the commands that ship, registered as anybody's are.

Imported by every start, also of a gateway alone: nothing heavy stands here.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from mt_remote.plugin import hookimpl

if TYPE_CHECKING:
    import typer

    from mt_remote_tools.command_line import CommandLine


@hookimpl
def mt_remote_hookspecs() -> list[ModuleType]:
    from mt_remote_tools import hookspecs

    return [hookspecs]


@hookimpl(tryfirst=True)
def mt_remote_commands(app: typer.Typer, line: CommandLine) -> None:
    """First, so that a plugin that adds one of these names again is the one that is refused."""
    from mt_remote_tools.cli import commands

    commands.add(app, line)
