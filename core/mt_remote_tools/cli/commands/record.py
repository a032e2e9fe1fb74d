"""``mt-remote record``."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mt_remote.errors import ConfigurationError
from mt_remote_tools.cli.playing import EventsWithin, Linger, Patience, play
from mt_remote_tools.command_line import (
    DEFAULT_URL,
    DEMO_PASSWORD,
    CommandLine,
    Password,
    TlsCa,
    Url,
    asked,
    reporting,
    tls_context,
)

if TYPE_CHECKING:
    from mt_remote_tools.recording.format import Recording
    from mt_remote_tools.recording.tape import FileTape

HELP = """Record what a client and a gateway say to each other, without secrets.

Clients connect to the address that is printed as they would to the gateway. Ends with SIGINT, or after --sessions. With
--script the requests come from a file: one a line as JSON, {"name": …, "data": …}, or a recording or script."""


def command(line: CommandLine) -> Callable[..., None]:
    """The command."""
    return record


def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="where the recording goes")],
    url: Url = DEFAULT_URL,
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="where clients connect")] = "127.0.0.1:0",
    sessions: Annotated[int, typer.Option("--sessions", min=0, help="end after so many (default: never)")] = 0,
    script: Annotated[Path | None, typer.Option("--script", metavar="FILE", help="requests to play")] = None,
    password: Password = DEMO_PASSWORD,
    patience: Patience = 35.0,
    events_within: EventsWithin = 5.0,
    linger: Linger = 0.0,
    tls_ca: TlsCa = None,
) -> None:
    """See :data:`HELP`."""
    from mt_remote_tools.recording.player import Terms
    from mt_remote_tools.recording.redact import Secrets
    from mt_remote_tools.recording.tape import FileTape

    host, port = _address(listen)
    context = tls_context(url, tls_ca)
    requests = None if script is None else _requests(script)
    secret = asked(password)
    with reporting(url), FileTape(file, url) as tape:
        if requests is None:
            asyncio.run(_listen(url, tape, host, port, sessions, context))
        else:
            terms = Terms(patience=patience, events_within=events_within, linger=linger, tls=context)
            asyncio.run(play(requests, url, Secrets(log_in=secret), terms, tape))
    print(f"{tape.count} entries in {file}", file=sys.stderr)


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


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) >= 2**16:
        raise ConfigurationError(f"--listen {text!r}: must be HOST:PORT, e.g. 127.0.0.1:8229")
    return host.strip("[]"), int(port)


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
