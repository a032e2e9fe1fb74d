"""``mt-remote record`` and ``mt-remote replay``."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mt_remote.errors import ConfigurationError
from mt_remote_tools.cli import options
from mt_remote_tools.cli.client import FAILED, reporting, tls_context

if TYPE_CHECKING:
    from mt_remote_tools.recording.compare import Result
    from mt_remote_tools.recording.format import Recording
    from mt_remote_tools.recording.player import Terms
    from mt_remote_tools.recording.redact import Secrets
    from mt_remote_tools.recording.tape import FileTape

RECORD = """Record what a client and a gateway say to each other, without secrets.

Clients connect to the address that is printed as they would to the gateway. Ends with SIGINT, or after --sessions. With
--script the requests come from a file: one a line as JSON, {"name": …, "data": …}, or a recording or script."""

REPLAY = """Play a recording or a script against a gateway and show what is different.

Exit code 1 when something is. Tickets, logins and times may be other ones, if they are so consistently."""

_URL = Annotated[str, typer.Option("--url", metavar="URL", help="the gateway", envvar="MT_REMOTE_URL")]
_TLS_CA = Annotated[str | None, typer.Option("--tls-ca", metavar="FILE", help="certificate to trust")]
_PATIENCE = Annotated[float, typer.Option("--patience", min=0, help="seconds to wait for an answer")]
_WITHIN = Annotated[float, typer.Option("--events-within", min=0, help="seconds to wait for an event")]
_LINGER = Annotated[float, typer.Option("--linger", min=0, help="seconds to wait at the end for late events")]
_PASSWORD = Annotated[
    str,
    typer.Option(
        "--password", metavar="TEXT", help="password of log-ins; '-' asks for it (default: the demo broker's)",
        envvar="MT_REMOTE_PASSWORD", show_default=False,
    ),
]  # fmt: skip
_SECRET = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="NUMBER=TEXT", help="what ‹secret NUMBER› is; made up else; repeatable"),
]

_DEMO_PASSWORD = "manager"
_URL_DEFAULT = "ws://127.0.0.1:8228"


def add(app: typer.Typer) -> None:
    """Adds both commands."""
    app.command("record", help=RECORD)(record)
    app.command("replay", help=REPLAY)(replay)


def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="where the recording goes")],
    url: _URL = _URL_DEFAULT,
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="where clients connect")] = "127.0.0.1:0",
    sessions: Annotated[int, typer.Option("--sessions", min=0, help="end after so many (default: never)")] = 0,
    script: Annotated[Path | None, typer.Option("--script", metavar="FILE", help="requests to play")] = None,
    password: _PASSWORD = _DEMO_PASSWORD,
    patience: _PATIENCE = 35.0,
    events_within: _WITHIN = 5.0,
    linger: _LINGER = 0.0,
    tls_ca: _TLS_CA = None,
) -> None:
    """See :data:`RECORD`."""
    from mt_remote_tools.recording.player import Terms
    from mt_remote_tools.recording.redact import Secrets
    from mt_remote_tools.recording.tape import FileTape

    host, port = _address(listen)
    context = tls_context(url, tls_ca)
    requests = None if script is None else _requests(script)
    secret = _asked(password)
    with reporting(url), FileTape(file, url) as tape:
        if requests is None:
            asyncio.run(_listen(url, tape, host, port, sessions, context))
        else:
            terms = Terms(patience=patience, events_within=events_within, linger=linger, tls=context)
            asyncio.run(_play(requests, url, Secrets(log_in=secret), terms, tape))
    print(f"{tape.count} entries in {file}", file=sys.stderr)


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the recording or script")],
    url: _URL = _URL_DEFAULT,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="PATH", help="differences to leave out, e.g. '*.message'; repeatable"),
    ] = None,
    speed: Annotated[float, typer.Option("--speed", min=0, help="1: as recorded, 2: twice as fast, 0: no pauses")] = 0,
    server: Annotated[str | None, typer.Option("--server", metavar="NAME", help="log in to this server")] = None,
    login: Annotated[int | None, typer.Option("--login", metavar="LOGIN", help="log in as this manager")] = None,
    password: _PASSWORD = _DEMO_PASSWORD,
    secret: _SECRET = None,
    patience: _PATIENCE = 35.0,
    events_within: _WITHIN = 5.0,
    linger: _LINGER = 0.0,
    as_json: options.AsJson = False,
    tls_ca: _TLS_CA = None,
) -> None:
    """See :data:`REPLAY`."""
    from mt_remote_tools.recording.compare import compare
    from mt_remote_tools.recording.format import read
    from mt_remote_tools.recording.player import LogIn, Terms
    from mt_remote_tools.recording.redact import Secrets

    found = read(file)
    secrets = Secrets(_secrets(secret or []), log_in=_asked(password))
    terms = Terms(speed, patience, events_within, linger, LogIn(server, login), tls_context(url, tls_ca))

    with reporting(url):
        played = asyncio.run(_play(found, url, secrets, terms))
    result = compare(found, played, ignore or [])
    _show(found, result, as_json=as_json)
    if result.differences:
        raise typer.Exit(FAILED)


async def _listen(url: str, tape: FileTape, host: str, port: int, sessions: int, tls: Any) -> None:
    from mt_remote_tools.recording import proxy

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with proxy.recording(url, tape, host=host, port=port, tls=tls) as running:
        print(f"recording on {running.url}", flush=True)
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
        if sessions:
            ends.append(asyncio.create_task(running.until_ended(sessions)))
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in ends:
            task.cancel()


async def _play(recording: Recording, url: str, secrets: Secrets, terms: Terms, tape: FileTape | None = None) -> Any:
    from mt_remote_tools.recording.player import Player

    return await Player(recording, url, secrets=secrets, terms=terms, tape=tape).play()


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


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) >= 2**16:
        raise ConfigurationError(f"--listen {text!r}: must be HOST:PORT, e.g. 127.0.0.1:8229")
    return host.strip("[]"), int(port)


def _asked(password: str) -> str:
    return str(typer.prompt("Password", hide_input=True, err=True)) if password == "-" else password


def _secrets(given: list[str]) -> dict[int, str]:
    found = {}
    for text in given:
        number, equals, secret = text.partition("=")
        if not equals or not number.isdecimal():
            raise ConfigurationError("--secret: must be NUMBER=TEXT, e.g. 2=Pass1")
        found[int(number)] = secret
    return found


def _requests(path: Path) -> Recording:
    """A recording, a script, or plain requests, one a line, as one session whose answers are waited for."""
    from mt_remote_tools.recording import format as files

    try:
        lines = [text for text in path.read_text(encoding="utf-8").split("\n") if text.strip()]
        messages = [json.loads(text) for text in lines]
    except OSError as error:
        raise ConfigurationError(f"--script {str(path)!r}: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigurationError(f"--script {str(path)!r} is not lines of JSON: {error}") from error
    if messages and isinstance(messages[0], dict) and "kind" in messages[0]:
        return files.read(path)
    entries: list[files.Entry] = [files.Opened()]
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("name"), str):
            raise ConfigurationError(f"--script {str(path)!r}: request {number + 1} has no name")
        asked = {"id": number, **message}
        entries += [files.Request(message=asked), files.Answer(message={"id": asked["id"]})]
    return files.Recording(files.Header(kind="script"), entries)
