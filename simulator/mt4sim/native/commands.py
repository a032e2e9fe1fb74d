"""Commands of the simulated library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mt_remote.errors import ConfigurationError
from mt_remote_plugins.manager.commands import native_app


def build(
    output: Annotated[Path, typer.Option(help="directory for the library")] = Path("build"),
    compiler: Annotated[str, typer.Option(help="C compiler; none: the first that is found")] = "",
    windows_python: Annotated[
        str, typer.Option(help="build a DLL for this Windows Python: the path of its python3xx.dll, as Windows sees it")
    ] = "",
    windows_path: Annotated[str, typer.Option(help="where that Python finds the packages, ';' between")] = "",
    bits: Annotated[
        int, typer.Option(help="width of that Python and of the programs: 64 for mtmanapi64.dll, 32 for mtmanapi.dll")
    ] = 64,
) -> None:
    """Builds the simulator as a Manager library that native programs load in place of the real one."""
    from mt4sim.native import build as builder  # here, since every command line imports this module

    try:
        target = builder.windows(windows_python, windows_path, bits=bits) if windows_python else builder.this_python()
        made = builder.build(target, output, compiler=compiler)
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(f"built {made}")


def functions() -> None:
    """Shows which of the interface's functions the simulated library has, slot by slot."""
    from mt4sim.native.coverage import coverage, markdown

    for line in markdown(coverage()):
        typer.echo(line)


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the group ``native``."""
    group = native_app(app)
    group.command("build")(build)
    group.command("functions")(functions)
