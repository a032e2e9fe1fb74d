"""The simulated library as a plugin: it brings commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mt_remote.plugin import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def mt_remote_commands(app: typer.Typer) -> None:
    """``native build`` and ``native functions``."""
    from mt4sim.native import commands

    commands.add_to(app)
