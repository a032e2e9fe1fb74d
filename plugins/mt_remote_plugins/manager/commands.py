"""Commands of the Manager library: its doctor and its header. Every command line imports this, so what a command works
with is imported where it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_MARKS = {True: "ok  ", False: "FAIL", None: "note"}


def doctor(
    library: Annotated[str, typer.Option(help="path of the Manager library, or module:name of one in Python")],
    backend: Annotated[
        str, typer.Option(help="the backend to look at; 'manager' is the one that has a doctor")
    ] = "manager",
    server: Annotated[
        str, typer.Option(help="address of the MT4 server, host:port; none: stop before connecting")
    ] = "",
    login: Annotated[int, typer.Option(help="the manager's login")] = 0,
    password: Annotated[str, typer.Option(envvar="MT_REMOTE_PASSWORD", help="asked for when a server is given")] = "",
    code_page: Annotated[str, typer.Option(help="code page of the server's texts")] = "cp1252",
) -> None:
    """Finds out why the Manager library or a manager's login does not work."""
    from mt_remote_plugins.manager.doctor import diagnose

    if backend != "manager":
        typer.echo(f"the backend {backend!r} has no doctor; the one with a library has: --backend manager", err=True)
        raise typer.Exit(2)
    if server and not password:
        password = typer.prompt("Password", hide_input=True, err=True)
    failed = False
    for finding in diagnose(library, server, login, password, code_page=code_page):
        failed = failed or finding.ok is False
        typer.echo(f"{_MARKS[finding.ok]}  {finding.step:<12} {finding.message}")
    raise typer.Exit(int(failed))


def write_header(
    output: Annotated[Path, typer.Argument(help="where the header goes")] = Path("manager_api.h"),
) -> None:
    """Writes a C++ header of the Manager library's interface."""
    from mt4abi.header import header

    output.write_text(header(), "utf-8")
    typer.echo(f"wrote {output}")


def native_app(app: typer.Typer) -> typer.Typer:
    """The group ``native``, made once whoever asks first."""
    for group in app.registered_groups:
        if group.name == "native" and group.typer_instance is not None:
            return group.typer_instance
    made = typer.Typer(name="native", help="The native library's interface, and the simulator as such a library")
    app.add_typer(made, name="native")
    return made


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("doctor")(doctor)
    native_app(app).command("header")(write_header)
