"""A FastAPI endpoint under uvicorn."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from __future__ import annotations

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from benchmarks.peers.asgi_servers import run, send_now
from benchmarks.peers.desk import Desk


def _send(client: WebSocket, message: bytes) -> None:
    send_now(client._send, message)


async def main(port: int) -> None:
    desk: Desk[WebSocket] = Desk(_send)
    app = FastAPI()

    @app.websocket("/")
    async def session(client: WebSocket) -> None:
        await client.accept()
        try:
            while True:
                message = await client.receive_text()
                await client.send_text(desk.handle(client, message).decode())
        except WebSocketDisconnect:
            desk.gone(client)

    await run(app, port, "websockets-sansio")
