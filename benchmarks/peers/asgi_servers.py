"""A bare ASGI application under uvicorn, with either of its WebSocket implementations."""
# mypy: disable-error-code="import-not-found, no-any-return"

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from benchmarks.peers.desk import Desk

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


def send_now(send: Send, message: bytes) -> None:
    """Sends an event by the first step of uvicorn's coroutine, which waits only where a client is slow."""
    step = send({"type": "websocket.send", "text": message.decode()}).__await__()
    try:
        next(step)
    except StopIteration:
        return
    raise RuntimeError("a client is too slow for this benchmark")


def bare() -> Callable[..., Awaitable[None]]:
    """An ASGI application without a framework."""
    desk: Desk[Send] = Desk(send_now)

    async def session(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while (event := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": desk.handle(send, event["text"]).decode()})
        finally:
            desk.gone(send)

    return session


async def run(app: object, port: int, implementation: str) -> None:
    config = uvicorn.Config(
        app, "127.0.0.1", port, ws=implementation, loop="none", log_level="warning", access_log=False,
        ws_per_message_deflate=False, lifespan="off", backlog=1024,
    )  # fmt: skip
    await uvicorn.Server(config).serve()


async def wsproto(port: int) -> None:
    await run(bare(), port, "wsproto")


async def sansio(port: int) -> None:
    await run(bare(), port, "websockets-sansio")
