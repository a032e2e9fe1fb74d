"""What a shell is: an event loop as the gateway needs it, and a way to listen on it."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod

from anyio.abc import TaskGroup

from mt_remote.gateway.event_loop import EventLoop
from mt_remote.gateway.gateway import AssembledGateway


class Listener(ABC):
    """Accepts connections until closed."""

    @property
    @abstractmethod
    def addresses(self) -> list[tuple[str, int]]:
        """(host, port) of each socket."""

    @abstractmethod
    async def aclose(self) -> None:
        """Refuses further connections; those that are open stay."""


class Shell(EventLoop):
    """The loop that runs, and how sockets work on it."""

    __slots__ = ()

    @abstractmethod
    async def listen(
        self,
        gateway: AssembledGateway,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        group: TaskGroup,
        *,
        shared: bool,
    ) -> Listener:
        """Listens, with TLS when there is a ``context``; connections are served in ``group`` where they need tasks. A
        ``shared`` port may be other processes' too. Raises ``OSError``."""
