"""The kit as a plugin: it adds ``mt-remote conformance``.

Every start of ``mt-remote`` imports this, also where hypothesis is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mt_remote.plugin import hookimpl

if TYPE_CHECKING:
    import typer

    from mt_remote_tools.command_line import CommandLine


@hookimpl(tryfirst=True, optionalhook=True)
def mt_remote_commands(app: typer.Typer, line: CommandLine) -> None:
    """``conformance``."""
    from mt_remote_tools.command_line import add_command

    add_command(app, line, "conformance", "mt_remote_conformance.command")
