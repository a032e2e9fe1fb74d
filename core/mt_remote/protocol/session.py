"""A session without I/O: bytes in, calls out; what leaves is collected in its outbox.

Ordering of calls is :mod:`mt_remote.lanes`' business, meaning of subscriptions the gateway's.
"""

from __future__ import annotations

from mt_remote.functions import Registry, RequestFailed
from mt_remote.protocol.calls import Call
from mt_remote.protocol.outbox import Outbox
from mt_remote.protocol.websocket import Closed, UpgradeRequested, WebSocket


class SessionProtocol:
    """Sans-IO. ``outbox.dialect`` is set by the handshake or by ``connect``."""

    __slots__ = ("_parse", "outbox", "websocket")

    def __init__(self, registry: Registry, websocket: WebSocket, outbox: Outbox) -> None:
        self.websocket = websocket
        self.outbox = outbox
        self._parse = registry.parse

    def receive(self, data: bytes) -> list[Call | UpgradeRequested | Closed]:
        """Takes bytes off the network, and ``b""`` again while :attr:`WebSocket.ending`. Messages that are no valid
        request are answered at once, in place."""
        calls: list[Call | UpgradeRequested | Closed] = []
        parse, dialect = self._parse, self.outbox.dialect
        for received in self.websocket.receive(data):
            if not isinstance(received, bytes):
                calls.append(received)
                continue
            try:
                calls.append(parse(received, dialect))
            except RequestFailed as failed:
                if self.websocket.refuse_text(received):
                    break
                self.outbox.fail(failed.id, failed.error)
        return calls
