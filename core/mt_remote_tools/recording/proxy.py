"""A proxy that records: clients connect to it as to the gateway, and what passes goes on a tape.

The handshake is passed on before it is answered, so a client sees the gateway's own refusals; messages pass as they
are, and a session's end has the same code on both sides.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Request, Response

from mt_remote.errors import ConfigurationError
from mt_remote_tools.recording.tape import Tape, parsed

_OF_THE_HOP = ("host", "connection", "upgrade", "content-length")
_NO_STATUS, _BROKEN = 1005, 1006
_NORMAL, _GOING_AWAY = 1000, 1001
_SWITCHING, _BAD_GATEWAY = 101, 502


class Proxy:
    """Passes sessions on to a gateway. ``url`` is where clients connect."""

    def __init__(self, gateway: str, tape: Tape, tls: ssl.SSLContext | None = None) -> None:
        self.url = ""
        self._gateway = gateway
        self._tape = tape
        self._tls = tls
        self._sessions = 0
        self._ended = 0
        self._progress = asyncio.Event()
        self._upstreams: dict[Connection, tuple[int, ClientConnection]] = {}

    async def until_ended(self, sessions: int) -> None:
        """Waits until so many sessions have ended, refused ones included."""
        while self._ended < sessions:
            self._progress.clear()
            await self._progress.wait()

    def _end(self) -> None:
        self._ended += 1
        self._progress.set()

    # The handshake

    async def decide(self, client: ServerConnection, request: Request) -> Response | None:
        """Asks the gateway; gives its refusal, or nothing where it accepted."""
        self._sessions += 1
        number = self._sessions
        headers = [(name, value) for name, value in request.headers.raw_items() if _passes(name)]
        try:
            upstream = await connect(
                target(self._gateway, request.path), additional_headers=headers, ssl=self._tls, proxy=None,
                compression=None, max_size=None, user_agent_header=None, ping_interval=None,
            )  # fmt: skip
        except InvalidStatus as error:
            refusal = error.response
            body = bytes(refusal.body)
        except (OSError, WebSocketException) as error:
            body = json.dumps(
                {"status": "ERROR", "code": "no_gateway", "message": f"The recorder can't reach the gateway: {error}"}
            ).encode()
            refusal = Response(_BAD_GATEWAY, "Bad Gateway", Headers({"Content-Type": "application/json"}), body)
        else:
            self._tape.opened(number, request.path, headers)
            self._upstreams[client] = number, upstream
            return None
        text = body.decode("utf-8", "replace")
        self._tape.opened(number, request.path, headers, refusal.status_code, parsed(text) or len(body))
        self._end()
        kept = Headers([(name, value) for name, value in refusal.headers.raw_items() if _passes(name)])
        kept["Content-Length"] = str(len(body))
        kept["Connection"] = "close"
        return Response(refusal.status_code, refusal.reason_phrase, kept, body)

    async def answered(self, client: ServerConnection, _: Request, response: Response) -> None:
        """The client's own handshake may be wrong after all: the gateway's session ends with it."""
        if response.status_code != _SWITCHING and client in self._upstreams:
            number, upstream = self._upstreams.pop(client)
            self._tape.closed(number, _GOING_AWAY, "the handshake failed", "client")
            await upstream.close(_GOING_AWAY)
            self._end()

    # Messages

    async def serve(self, client: ServerConnection) -> None:
        """One session, from both sides' acceptance to its end."""
        number, upstream = self._upstreams.pop(client)
        ended: list[str] = []

        async def pass_on(source: Connection, sink: Connection, side: Literal["client", "gateway"]) -> None:
            note = self._tape.sent if side == "client" else self._tape.heard
            try:
                async for message in source:
                    if ended:
                        break
                    note(number, message)
                    await sink.send(message)
            except ConnectionClosed:
                pass  # whichever side it was, both end below
            if not ended:
                ended.append(side)
                code = source.close_code or _BROKEN
                self._tape.closed(number, code, source.close_reason or "", side)
            await end(sink, source)

        async with asyncio.TaskGroup() as both:
            both.create_task(pass_on(client, upstream, "client"))
            both.create_task(pass_on(upstream, client, "gateway"))
        self._end()

    async def aclose(self) -> None:
        """Ends what was opened for clients that never came in."""
        for _, upstream in self._upstreams.values():
            await upstream.close(_GOING_AWAY)


async def end(sink: Connection, source: Connection) -> None:
    """Ends one side as the other one did."""
    code = source.close_code
    if code == _BROKEN or code is None:
        sink.transport.abort()
    else:
        await sink.close(_NORMAL if code == _NO_STATUS else code, source.close_reason or "")


def _passes(name: str) -> bool:
    return name.lower() not in _OF_THE_HOP and not name.lower().startswith("sec-websocket-")


def target(gateway: str, path: str) -> str:
    """The gateway's URL with the path that the client asked for behind its own."""
    base, asked = urlsplit(gateway), urlsplit(path)
    joined = (base.path.rstrip("/") + asked.path) or "/"
    return urlunsplit((base.scheme, base.netloc, joined, asked.query or base.query, ""))


@asynccontextmanager
async def recording(
    gateway: str, tape: Tape, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Proxy]:
    """A proxy that listens while the context is open; port 0 lets the system choose. Raises
    :class:`~mt_remote.errors.ConfigurationError` when the address can't be had."""
    proxy = Proxy(gateway, tape, tls)
    options: dict[str, Any] = {"compression": None, "max_size": None, "ping_interval": None}
    server = serve(
        proxy.serve, host, port, process_request=proxy.decide, process_response=proxy.answered, **options
    )  # fmt: skip
    try:
        listening = await server
    except OSError as error:
        raise ConfigurationError(f"can't listen on {host}:{port}: {error.strerror or error}") from error
    try:
        bound = listening.sockets[0].getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        proxy.url = f"ws://{shown}:{bound[1]}"
        yield proxy
    finally:
        listening.close()
        await listening.wait_closed()
        await proxy.aclose()
