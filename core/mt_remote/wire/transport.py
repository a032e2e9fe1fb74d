"""What the gateway needs of a network connection, however the event loop provides it."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Transport(ABC):
    """One accepted connection. Nothing here blocks or awaits."""

    __slots__ = ()

    secure: bool
    """Whether it is TLS."""

    @property
    @abstractmethod
    def unsent(self) -> int:
        """Bytes written that the network did not take yet."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Queues bytes; they leave in order. Past the high-water mark the session is told to hold events back."""

    @abstractmethod
    def close(self) -> None:
        """Closes once what was written has left."""

    @abstractmethod
    def abort(self) -> None:
        """Closes at once."""

    @abstractmethod
    def pause_reading(self) -> None:
        """Takes no more input for now."""

    @abstractmethod
    def resume_reading(self) -> None:
        """Takes input again."""


class Gone(Transport):
    """Stands in for a connection that is gone: it keeps nothing of it."""

    __slots__ = ("secure",)

    def __init__(self, transport: Transport) -> None:
        self.secure = transport.secure

    @property
    def unsent(self) -> int:
        return 0

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...
