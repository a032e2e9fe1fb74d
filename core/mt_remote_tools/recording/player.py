"""Plays a recording or a script against a gateway.

Requests are sent in the order recorded, each once everything that came before it in the recording has come again, so
that what caused what stays so. With a speed above 0 the pauses between them are kept as well, divided by it. What does
not come within the patience is given up; the comparison tells.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mt_remote_tools.recording.format import (
    Answer,
    Closed,
    Entry,
    EventHeard,
    Opened,
    Recording,
    Request,
    Silence,
)  # fmt: skip
from mt_remote_tools.recording.proxy import target
from mt_remote_tools.recording.redact import Secrets
from mt_remote_tools.recording.tape import Tape, parsed
from mt_remote_tools.recording.volatile import Bindings, is_integer

_BROKEN, _NORMAL, _SWITCHING = 1006, 1000, 101
_LOWEST_OF_OURS = 3000
_SENDABLE = (1000, 1001, 1002, 1003, *range(1007, 1012))


@dataclass(frozen=True)
class LogIn:
    """Who logs in in place of whoever was recorded; what is ``None`` stays as recorded."""

    server: str | None = None
    login: int | None = None

    def changes(self) -> dict[str, str | int]:
        """What changes in the data of a log-in."""
        stated: dict[str, str | int | None] = {"server": self.server, "login": self.login}
        return {name: value for name, value in stated.items() if value is not None}


@dataclass(frozen=True)
class Terms:
    """How to play. ``speed`` 0 knows no pauses. ``patience`` seconds are waited for an answer, ``events_within``
    seconds for an event or for the gateway's closing, and ``linger`` seconds at the end for events that come late."""

    speed: float = 0.0
    patience: float = 35.0
    events_within: float = 5.0
    linger: float = 0.0
    log_in: LogIn = LogIn()
    tls: ssl.SSLContext | None = None


@dataclass
class Played:
    """What came: the conversation, and which value stands for which of the recording's."""

    entries: list[Entry]
    bindings: Bindings


@dataclass
class _Line:
    """One session of the replay: its socket, what came on it, and what has been waited for."""

    socket: ClientConnection
    reader: asyncio.Task[None] | None = None
    over: bool = False
    closing: bool = False
    answers: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    events: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    matched: Counter[str] = field(default_factory=Counter)
    given_up: Counter[str] = field(default_factory=Counter)


class Player:
    """Plays one recording once."""

    def __init__(
        self, recording: Recording, url: str, *, secrets: Secrets, terms: Terms | None = None, tape: Tape | None = None
    ) -> None:
        self._recording = recording
        self._url = url
        self._secrets = secrets
        self._terms = terms or Terms()
        self._tape = Tape() if tape is None else tape
        self._bindings = Bindings()
        self._lines: dict[int, _Line] = {}
        self._came = asyncio.Condition()
        self._began: float | None = None

    async def play(self) -> Played:
        """Plays to the end. Raises ``OSError`` and ``WebSocketException`` when the gateway can't be reached."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._hang_up)
            for entry in self._recording.entries:
                await self._step(entry)
            for line in list(self._lines.values()):
                await self._settle(line)
            if self._terms.linger:
                await asyncio.sleep(self._terms.linger)
        return Played(self._tape.entries, self._bindings)

    async def _step(self, entry: Entry) -> None:
        if isinstance(entry, Opened):
            await self._pause(entry)
            await self._open(entry)
            if self._began is None:  # a recording's time counts from its first handshake's answer
                self._began = asyncio.get_running_loop().time()
            return
        line = self._lines.get(entry.session)
        if line is None:  # it was refused this time: the comparison tells
            return
        if isinstance(entry, Request):
            await self._pause(entry)
            await self._send(entry, line)
        elif isinstance(entry, Answer):
            key = id_key(entry.message)
            await self._match(entry, line, "a" + key, line.answers[key])
        elif isinstance(entry, EventHeard):
            await self._match(entry, line, "e" + entry.kind, line.events[entry.kind])
        elif isinstance(entry, Silence):
            await self._settle(line)
        else:
            await self._close(entry, line)

    async def _pause(self, entry: Entry) -> None:
        if self._terms.speed > 0 and self._began is not None:
            due = self._began + entry.at / self._terms.speed
            await asyncio.sleep(due - asyncio.get_running_loop().time())

    # Sessions

    async def _open(self, entry: Opened) -> None:
        headers = {name: self._secrets.restored(value, logs_in=True) for name, value in entry.headers.items()}
        number, path = entry.session, self._secrets.restored(entry.path)
        if "mt-login" in headers:
            self._know(int(headers["mt-login"]) if headers["mt-login"].isdecimal() else None)
            headers |= {f"mt-{name}": str(value) for name, value in self._terms.log_in.changes().items()}
        kept = list(headers.items())
        try:
            socket = await connect(
                target(self._url, path), additional_headers=kept, ssl=self._terms.tls, proxy=None, max_size=None,
                compression=None, user_agent_header=None, ping_interval=None,
            )  # fmt: skip
        except InvalidStatus as error:
            body = bytes(error.response.body)
            found = parsed(body.decode("utf-8", "replace"))
            self._tape.opened(number, path, kept, error.response.status_code, found or len(body))
            if self._recording.is_script or entry.status != _SWITCHING:
                return
            raise
        self._tape.opened(number, path, kept)
        line = _Line(socket)
        line.reader = asyncio.create_task(self._read(number, line))
        self._lines[number] = line

    async def _read(self, number: int, line: _Line) -> None:
        try:
            async for text in line.socket:
                entry = self._tape.heard(number, text)
                if isinstance(entry, EventHeard):
                    line.events[entry.kind].append(entry.message)
                else:
                    line.answers[id_key(entry.message)].append(entry.message)
                await self._tell()
        except ConnectionClosed:
            pass  # the code that it was closed with says the same
        line.over = True
        code, reason = line.socket.close_code or _BROKEN, line.socket.close_reason or ""
        self._tape.closed(number, code, reason, "client" if line.closing else "gateway")
        await self._tell()

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()

    async def _until(self, true: Callable[[], bool], seconds: float | None = None) -> bool:
        try:
            async with asyncio.timeout(self._terms.patience if seconds is None else seconds), self._came:
                await self._came.wait_for(true)
        except TimeoutError:
            return False
        return True

    async def _close(self, entry: Closed, line: _Line) -> None:
        if entry.by == "gateway":
            await self._until(lambda: line.over, self._terms.events_within)
            return
        await self._settle(line)
        if not line.over:
            line.closing = True
            if entry.code in _SENDABLE or entry.code >= _LOWEST_OF_OURS:
                await line.socket.close(entry.code, entry.reason)
            elif entry.code == _BROKEN:
                line.socket.transport.abort()
            else:
                await line.socket.close()
            await self._until(lambda: line.over)

    async def _settle(self, line: _Line) -> None:
        """What the gateway has sent by now has come: its pong follows it."""
        if line.over:
            return
        try:
            async with asyncio.timeout(self._terms.patience):
                await (await line.socket.ping())
        except (ConnectionClosed, TimeoutError):
            pass  # what is missing shows in what came

    async def _hang_up(self) -> None:
        for line in self._lines.values():
            if not line.over:
                line.closing = True
                await line.socket.close(_NORMAL)
            if line.reader is not None:
                await line.reader

    # Messages

    async def _send(self, entry: Request, line: _Line) -> None:
        text: str | bytes
        if entry.message is None:
            text = b"\0" * entry.unreadable if entry.binary else "?" * entry.unreadable
        else:
            text = json.dumps(self._filled(entry.message))
        self._tape.sent(entry.session, text)
        try:
            await line.socket.send(text)
        except ConnectionClosed:
            line.over = True  # its answer will be missing

    def _filled(self, message: dict[str, Any]) -> dict[str, Any]:
        """A request with this replay's secrets, tickets and times."""
        data = message.get("data")
        logs_in = isinstance(data, dict) and data.keys() >= {"server", "login", "password"}
        filled: dict[str, Any] = self._secrets.restored(message, logs_in=logs_in)
        if logs_in:
            self._know(filled["data"]["login"])
            filled["data"] |= self._terms.log_in.changes()
            return filled
        if "data" in filled:
            filled["data"] = self._bindings.for_request(filled["data"])
        return filled

    async def _match(self, entry: Answer | EventHeard, line: _Line, key: str, came: list[Any]) -> None:
        """Waits for the counterpart of an answer or event, and binds what both have."""
        line.matched[key] += 1
        wanted = line.matched[key] - line.given_up[key]
        seconds = self._terms.events_within if isinstance(entry, EventHeard) else None
        if not await self._until(lambda: len(came) >= wanted or line.over, seconds) or len(came) < wanted:
            line.given_up[key] += 1
            return
        payload = "data" if isinstance(entry, EventHeard) else "result"
        replayed = came[wanted - 1]
        if payload in entry.message and payload in replayed:
            self._bindings.learn(entry.message[payload], replayed[payload])

    def _know(self, login: object) -> None:
        """Whoever was recorded is whoever logs in now."""
        ours = self._terms.log_in.login
        if is_integer(login):
            self._bindings.bind("login", login, login if ours is None else ours)


def id_key(message: dict[str, Any]) -> str:
    """A message's id as a key that tells 1 from "1"."""
    return json.dumps(message.get("id"), sort_keys=True)
