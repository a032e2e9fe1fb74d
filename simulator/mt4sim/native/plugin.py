"""The simulated library as a plugin: it brings commands and a stand for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mt_remote.plugin import hookimpl

if TYPE_CHECKING:
    import typer

    from mt_remote_tools.testing import StandSpec


@hookimpl(optionalhook=True)  # where the tools are
def mt_remote_commands(app: typer.Typer) -> None:
    """``native build`` and ``native functions``."""
    from mt4sim.native import commands

    commands.add_to(app)


@hookimpl(optionalhook=True)  # where the tools are
def mt_remote_stands() -> list[StandSpec]:
    """The backend ``manager``, over this library."""
    from mt4sim.native import stand

    return [stand.SPEC]
