"""picows: a WebSocket server in Cython, the fastest there is for Python. No back-pressure, no tasks."""
# mypy: disable-error-code="import-not-found, no-any-return, misc"

from __future__ import annotations

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from benchmarks.peers.desk import Desk


def _send(client: WSTransport, message: bytes) -> None:
    client.send(WSMsgType.TEXT, message)


async def main(port: int) -> None:
    desk: Desk[WSTransport] = Desk(_send)

    class Session(WSListener):
        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if frame.msg_type == WSMsgType.TEXT:
                transport.send(WSMsgType.TEXT, desk.handle(transport, frame.get_payload_as_bytes()))
            elif frame.msg_type == WSMsgType.CLOSE:
                transport.disconnect()

        def on_ws_disconnected(self, transport: WSTransport) -> None:
            desk.gone(transport)

    def upgrade(request: WSUpgradeRequest) -> Session:
        return Session()

    server = await ws_create_server(upgrade, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()
