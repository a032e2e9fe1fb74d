"""The backend: opens connections over a Manager library."""

from __future__ import annotations

from pathlib import Path

from anyio import CancelScope, to_thread
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from mt_remote.backend import Backend, Connection, Event, Listener
from mt_remote.errors import ConfigurationError, ConnectionLost, RequestError
from mt_remote_plugins.manager.channel import Limits
from mt_remote_plugins.manager.connection import LibraryConnection
from mt_remote_plugins.manager.engine.library import Library
from mt_remote_plugins.manager.engine.messages import Credentials, Tuning
from mt_remote_plugins.manager.marshal import CodePage
from mt_remote_plugins.manager.ports import Port, ThreadPort, WorkerPort

_SERVER_SIZE, _PASSWORD_SIZE = 256, 16


class ManagerSettings(BaseModel):
    """How the Manager library is used."""

    model_config = ConfigDict(extra="forbid")

    library: str = Field("mtmanapi64.dll", description="path of the Manager library, or module:name of one in Python")
    isolate: bool = Field(True, description="a worker process for each MT4 connection, so that a crash ends only that")
    code_page: str = Field("cp1252", description="code page of the server's texts")
    call_timeout: PositiveFloat = Field(30, description="seconds after which a call in the library counts as hung")
    login_timeout: PositiveFloat = Field(
        30, description="seconds for connecting and logging in, a worker's start included"
    )
    max_waiting: PositiveInt = Field(
        1000, description="calls that may wait for one connection; further ones answer busy"
    )
    retry_first: PositiveFloat = Field(0.5, description="seconds before pumping or dealing that stopped is restarted")
    retry_most: PositiveFloat = Field(30, description="longest pause between restarts; each is twice the one before")
    retry_patience: PositiveFloat = Field(
        300, description="seconds of failing restarts after which a connection is lost"
    )
    ping: PositiveFloat = Field(20, description="seconds between pings of an idle connection")
    silence: PositiveFloat = Field(60, description="seconds without a notification after which pumping is looked after")

    @property
    def tuning(self) -> Tuning:
        """The engine's part."""
        return Tuning(self.retry_first, self.retry_most, self.retry_patience, self.ping, self.silence)


class _Quiet:
    """Keeps a connection's loss from a listener that does not have the connection yet."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._speaking = False
        self.error: RequestError | None = None

    def speak(self) -> None:
        self._speaking = True

    def on_event(self, event: Event) -> None:
        self._listener.on_event(event)

    def on_lost(self, error: RequestError) -> None:
        self.error = error
        if self._speaking:
            self._listener.on_lost(error)


class ManagerBackend(Backend):
    """MT4 servers over ``mtmanapi``. ``library`` takes the place of the settings' where it is an object."""

    name = "manager"

    def __init__(self, settings: ManagerSettings, *, library: Library | None = None) -> None:
        self.settings = settings
        self._source: str | Library = library or settings.library
        if library is not None and settings.isolate:
            raise ConfigurationError("a library object can't go to a worker process: set isolate to false")
        self._page = CodePage(settings.code_page)

    async def open(self, server: str, login: int, password: str, listener: Listener, *, peer: str = "") -> Connection:
        settings = self.settings
        credentials = Credentials(
            self._page.encode(server, _SERVER_SIZE, "server"),
            login,
            self._page.encode(password, _PASSWORD_SIZE, "password"),
        )
        quiet = _Quiet(listener)
        limits = Limits(settings.call_timeout, settings.max_waiting, settings.login_timeout)
        connection = LibraryConnection(server, login, quiet, limits)
        try:
            port = await to_thread.run_sync(self._port, connection)
            await connection.begin(port, credentials, settings.code_page)
        except BaseException:
            with CancelScope(shield=True):
                await connection.aclose()
            raise
        if quiet.error is not None:
            raise ConnectionLost(quiet.error.message)
        quiet.speak()
        return connection

    def _port(self, connection: LibraryConnection) -> Port:
        tuning = self.settings.tuning
        if self.settings.isolate:
            return WorkerPort(self._source, tuning, connection.way)
        return ThreadPort(self._source, tuning, connection.way)

    def describe(self) -> str:
        where = self._source if isinstance(self._source, str) else type(self._source).__name__
        how = "a worker process each" if self.settings.isolate else "in this process"
        name = Path(where).name if isinstance(self._source, str) else where
        return f"{name}, {how}"
