"""The hooks that the tools bring: the commands of ``mt-remote``, and servers that tests hold in their hands.

The gateway asks neither of them. Who loads plugins without the tools, as a gateway alone does, does not know them: a
plugin that must work there too marks its implementations ``@hookimpl(optionalhook=True)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from mt_remote.plugin import PROJECT

if TYPE_CHECKING:
    import typer

    from mt_remote_tools.command_line import CommandLine
    from mt_remote_tools.testing import StandSpec

hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def mt_remote_commands(app: typer.Typer, line: CommandLine) -> None:
    """Add commands to the command line. ``line`` is what was typed, with the plugins that are there."""


@hookspec
def mt_remote_stands() -> list[StandSpec]:  # type: ignore[empty-body]
    """Servers that tests can hold in their hands, each with a backend on it."""
