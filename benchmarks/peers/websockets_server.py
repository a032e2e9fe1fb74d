"""The base that ratios refer to: a bare server on the `websockets` library."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.peers.desk import Desk


def _send(client: ServerConnection, message: bytes) -> None:
    broadcast((client,), message.decode())


async def main(port: int) -> None:
    desk: Desk[ServerConnection] = Desk(_send)

    async def session(client: ServerConnection) -> None:
        try:
            async for message in client:
                await client.send(desk.handle(client, message).decode())
        finally:
            desk.gone(client)

    async with serve(session, "127.0.0.1", port, compression=None):
        await asyncio.get_running_loop().create_future()
