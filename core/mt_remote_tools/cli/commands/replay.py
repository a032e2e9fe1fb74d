"""``mt-remote replay``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mt_remote.errors import ConfigurationError
from mt_remote_tools.cli.playing import EventsWithin, Linger, Patience, play
from mt_remote_tools.command_line import (
    DEFAULT_URL,
    DEMO_PASSWORD,
    FAILED,
    AsJson,
    CommandLine,
    Password,
    TlsCa,
    Url,
    asked,
    reporting,
    tls_context,
)

if TYPE_CHECKING:
    from mt_remote_tools.recording.compare import Result
    from mt_remote_tools.recording.format import Recording

HELP = """Play a recording or a script against a gateway and show what is different.

Exit code 1 when something is. Tickets, logins and times may be other ones, if they are so consistently."""

_Secret: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="NUMBER=TEXT", help="what ‹secret NUMBER› is; made up else; repeatable"),
]


def command(line: CommandLine) -> Callable[..., None]:
    """The command."""
    return replay


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the recording or script")],
    url: Url = DEFAULT_URL,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="PATH", help="differences to leave out, e.g. '*.message'; repeatable"),
    ] = None,
    speed: Annotated[float, typer.Option("--speed", min=0, help="1: as recorded, 2: twice as fast, 0: no pauses")] = 0,
    server: Annotated[str | None, typer.Option("--server", metavar="NAME", help="log in to this server")] = None,
    login: Annotated[int | None, typer.Option("--login", metavar="LOGIN", help="log in as this manager")] = None,
    password: Password = DEMO_PASSWORD,
    secret: _Secret = None,
    patience: Patience = 35.0,
    events_within: EventsWithin = 5.0,
    linger: Linger = 0.0,
    as_json: AsJson = False,
    tls_ca: TlsCa = None,
) -> None:
    """See :data:`HELP`."""
    from mt_remote_tools.recording.compare import compare
    from mt_remote_tools.recording.format import read
    from mt_remote_tools.recording.player import LogIn, Terms
    from mt_remote_tools.recording.redact import Secrets

    found = read(file)
    secrets = Secrets(_secrets(secret or []), log_in=asked(password))
    terms = Terms(speed, patience, events_within, linger, LogIn(server, login), tls_context(url, tls_ca))

    with reporting(url):
        played = asyncio.run(play(found, url, secrets, terms))
    result = compare(found, played, ignore or [])
    _show(found, result, as_json=as_json)
    if result.differences:
        raise typer.Exit(FAILED)


def _show(recording: Recording, result: Result, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result.to_json(), indent=2, ensure_ascii=False))
        return
    for difference in result.differences:
        print(difference)
    about = " ".join(filter(None, (recording.header.law, recording.header.title)))
    compared = f"{result.answers} answers and {result.events} events compared"
    count = len(result.differences)
    found = f"{count} difference{'' if count == 1 else 's'}" if count else "no differences"
    print(f"{about + ': ' if about else ''}{compared}, {found}")


def _secrets(given: list[str]) -> dict[int, str]:
    found = {}
    for text in given:
        number, equals, secret = text.partition("=")
        if not equals or not number.isdecimal():
            raise ConfigurationError("--secret: must be NUMBER=TEXT, e.g. 2=Pass1")
        found[int(number)] = secret
    return found
