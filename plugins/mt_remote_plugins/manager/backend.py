"""The backend: opens connections over a Manager library."""

from __future__ import annotations

from pathlib import Path

from anyio import CancelScope, to_thread

from mt4abi.library import Library
from mt4abi.marshal import CodePage
from mt_remote.backend import Backend, Connection, Event, Listener
from mt_remote.errors import ConfigurationError, ConnectionLost, RequestError
from mt_remote_plugins.manager.areas import AREAS
from mt_remote_plugins.manager.call_queues import Limits
from mt_remote_plugins.manager.connection import LibraryConnection
from mt_remote_plugins.manager.engine.messages import Credentials
from mt_remote_plugins.manager.running_engine import LocalEngine, RunningEngine, WorkerEngine
from mt_remote_plugins.manager.settings import ManagerSettings

__all__ = ["ManagerBackend", "ManagerSettings"]

_SERVER_SIZE, _PASSWORD_SIZE = 256, 16


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
    areas = AREAS

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
            engine = await to_thread.run_sync(self._start, connection)
            await connection.begin(engine, credentials, settings.code_page)
        except BaseException:
            with CancelScope(shield=True):
                await connection.aclose()
            raise
        if quiet.error is not None:
            raise ConnectionLost(quiet.error.message)
        quiet.speak()
        return connection

    def _start(self, connection: LibraryConnection) -> RunningEngine:
        tuning = self.settings.tuning
        if self.settings.isolate:
            return WorkerEngine(self._source, tuning, connection.notices)
        return LocalEngine(self._source, tuning, connection.notices)

    def describe(self) -> str:
        where = self._source if isinstance(self._source, str) else type(self._source).__name__
        how = "a worker process each" if self.settings.isolate else "in this process"
        name = Path(where).name if isinstance(self._source, str) else where
        return f"{name}, {how}"
