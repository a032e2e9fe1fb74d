"""``mt-remote watch``: events as lines of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from mt_remote_tools.cli.peer import Dialect, Login, Peer, Server, TrustedCertificate
from mt_remote_tools.command_line import DEFAULT_URL, DEMO_PASSWORD, CommandLine, Password, Url, reporting

HELP = "Print a gateway's events, one line of JSON each, until interrupted."


def command(line: CommandLine) -> Callable[..., None]:
    """The command."""
    return watch


def watch(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="the kind of event, e.g. tick")],
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="NAME", help="a symbol to show, for ticks; repeatable")
    ] = None,
    count: Annotated[int, typer.Option("--count", min=0, help="end after so many events (default: never)")] = 0,
    url: Url = DEFAULT_URL,
    server: Server = "Demo",
    login: Login = 1,
    password: Password = DEMO_PASSWORD,
    dialect: Dialect = "2",
    tls_ca: TrustedCertificate = None,
) -> None:
    """Connects, shows the symbols, subscribes, prints what comes."""
    with reporting(url), Peer(url, server, login, password, dialect, tls_ca) as peer:
        peer.log_in()
        for name in symbol or []:
            peer.call("symbol.show", {"symbol": name})
        peer.call("subscribe", {"event": event})
        print(f"watching {event} on {url}", file=sys.stderr, flush=True)
        for number, message in enumerate(peer.events(), 1):
            print(json.dumps(message, ensure_ascii=False), flush=True)
            if number == count:
                return
