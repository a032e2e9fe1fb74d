"""A session of another process, as far as a function of the backend's own can see it: what it is, not what it does."""

from __future__ import annotations

from mt_remote.backend import Connection, Event
from mt_remote.errors import SessionStateError
from mt_remote.interfaces import Gateway, Session


class RemoteSession(Session):
    """Stands in the backend's process for a worker's session. What it is told it tells nobody, and what only the
    worker can do is refused (``not_supported``)."""

    __slots__ = ("connection", "dialect", "gateway", "id", "is_local", "login", "peer", "server", "state")

    gateway: Gateway
    id: int
    peer: str
    is_local: bool
    dialect: str
    login: int
    server: str
    connection: Connection | None
    state: dict[str, object]

    def __init__(self, gateway: Gateway, id_: int, peer: str, *, is_local: bool) -> None:
        self.gateway = gateway
        self.id = id_
        self.peer = peer
        self.is_local = is_local
        self.dialect = "0"
        self.login = 0
        self.server = ""
        self.connection = None
        self.state = {}

    @property
    def is_open(self) -> bool:
        return True

    @property
    def subscriptions(self) -> frozenset[str]:
        return frozenset()

    def require_connection(self) -> Connection:
        if self.connection is None:
            raise SessionStateError("not_connected", "Not connected to an MT4 server: call 'connect' first")
        return self.connection

    async def connect(self, server: str, login: int, password: str, *, reconnect_delay: float = 0.0) -> None:
        raise _elsewhere("connect")

    async def disconnect(self) -> None:
        raise _elsewhere("disconnect")

    async def subscribe(self, name: str) -> None:
        raise _elsewhere("subscribe")

    async def unsubscribe(self, name: str) -> None:
        raise _elsewhere("unsubscribe")

    def on_event(self, event: Event) -> None:
        """Nobody here subscribed to anything."""

    def close(self, code: int, reason: str) -> None:
        """It is not ours."""


def _elsewhere(what: str) -> SessionStateError:
    return SessionStateError("not_supported", f"A function of the backend's own can't {what} a worker's session")
