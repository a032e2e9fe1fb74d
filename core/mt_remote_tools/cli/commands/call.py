"""``mt-remote call``: the client (:mod:`mt_remote.client`) for shells."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from mt_remote.errors import ConfigurationError
from mt_remote_tools.cli.peer import Dialect, Login, Peer, Server, TrustedCertificate
from mt_remote_tools.command_line import DEFAULT_URL, DEMO_PASSWORD, CommandLine, Password, Url, reporting

HELP = "Call one function of a gateway and print its result."


def command(line: CommandLine) -> Callable[..., None]:
    """The command."""
    return call


def call(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the function, e.g. config.group.get")],
    data: Annotated[
        str | None, typer.Argument(metavar="[JSON]", help='its data, e.g. \'{"group": "manager"}\'')
    ] = None,
    url: Url = DEFAULT_URL,
    server: Server = "Demo",
    login: Login = 1,
    password: Password = DEMO_PASSWORD,
    dialect: Dialect = "2",
    key: Annotated[
        str | None, typer.Option("--key", metavar="TEXT", help="makes a call that changes something safe to repeat")
    ] = None,
    tls_ca: TrustedCertificate = None,
) -> None:
    """Connects, calls, prints the result; an error answer is one line and exit code 1."""
    fields = _json(data)
    with reporting(url), Peer(url, server, login, password, dialect, tls_ca) as peer:
        if name != "connect":
            peer.log_in()
        answer = peer.call(name, fields, key)
    if "result" in answer:
        _show(answer["result"])


def _json(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"the data is not JSON: {error}") from error


def _show(result: Any) -> None:
    text = json.dumps(result, indent=2, ensure_ascii=False)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.syntax import Syntax

        Console().print(Syntax(text, "json", background_color="default"))
    else:
        print(text)
