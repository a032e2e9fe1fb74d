"""aiohttp's WebSocketResponse; its frames are parsed and written in C."""
# mypy: disable-error-code="import-not-found, no-any-return, misc"

from __future__ import annotations

import asyncio

from aiohttp import WSMsgType, web

from benchmarks.peers.desk import Desk


def _send(client: web.WebSocketResponse, message: bytes) -> None:
    step = client.send_frame(message, WSMsgType.TEXT)
    try:
        step.send(None)  # waits only where a client is slow
    except StopIteration:
        return
    raise RuntimeError("a client is too slow for this benchmark")


async def main(port: int) -> None:
    desk: Desk[web.WebSocketResponse] = Desk(_send)

    async def session(request: web.Request) -> web.WebSocketResponse:
        client = web.WebSocketResponse(compress=False)
        await client.prepare(request)
        try:
            async for message in client:
                await client.send_frame(desk.handle(client, message.data), WSMsgType.TEXT)
        finally:
            desk.gone(client)
        return client

    app = web.Application()
    app.router.add_get("/", session)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.get_running_loop().create_future()
