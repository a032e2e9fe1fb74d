"""Running a gateway: plugins, backend, listener, signals, shutdown."""

from __future__ import annotations

import gc
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from mt_remote.backend import Backend
from mt_remote.clock import Clock, SystemClock
from mt_remote.errors import ConfigurationError
from mt_remote.gateway.gateway import AssembledGateway
from mt_remote.gateway.log_ins import LogIns
from mt_remote.keys.claims import IdempotencyKeys
from mt_remote.keys.sqlite import SqliteKeyStore
from mt_remote.keys.store import KeyStore, MemoryKeyStore
from mt_remote.logs import Log, ensure_configured, load
from mt_remote.plugins.hooks import Hooks
from mt_remote.plugins.host import Catalogue, catalogue
from mt_remote.settings import Settings
from mt_remote.shell.on_anyio import AnyioShell
from mt_remote.shell.on_asyncio import AsyncioShell, is_running
from mt_remote.shell.shell import Listener, Shell
from mt_remote.shell.signals import Wait, stop_signals

log = Log()


@dataclass(frozen=True, slots=True)
class Worker:
    """What is different in a gateway that is one of several: see :mod:`mt_remote.workers`."""

    contents: Catalogue
    keys: IdempotencyKeys
    log_ins: Callable[[Settings, Clock], LogIns]


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that listens."""

    gateway: AssembledGateway
    host: str
    port: int
    secure: bool

    @property
    def url(self) -> str:
        """Where clients connect."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'wss' if self.secure else 'ws'}://{host}:{self.port}"


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """A server's TLS context (1.2 or newer), ``None`` without a certificate. Raises
    :class:`~mt_remote.errors.ConfigurationError` naming the file that is wrong."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigurationError("TLS needs both --tls-cert and --tls-key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, certificate, key)
    return context


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Reads certificate and key into a context that may be in use already."""
    for path in (certificate, key):
        if not path.is_file():
            raise ConfigurationError(f"TLS file {str(path)!r} does not exist")
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(f"TLS certificate {str(certificate)!r} with key {str(key)!r}: {error}") from error


@asynccontextmanager
async def _tasks() -> AsyncIterator[TaskGroup]:
    """A task group out of which one error comes as it is: whoever starts a gateway reads what a plugin raised."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except ExceptionGroup as group_of_errors:
        if len(group_of_errors.exceptions) > 1:
            raise
        error = group_of_errors.exceptions[0]
        raise error from error.__cause__


def shell_of_now(clock: Clock | None = None) -> Shell:
    """The shell for the loop that runs. ``clock`` is the machine's unless told otherwise."""
    clock = clock or SystemClock()
    return AsyncioShell(clock) if is_running() else AnyioShell(clock)


@asynccontextmanager
async def opened_keys(settings: Settings, shell: Shell) -> AsyncIterator[IdempotencyKeys]:
    """The idempotency keys, in the state folder that the settings name; in memory where they name none. Raises
    :class:`~mt_remote.errors.ConfigurationError`."""
    store: KeyStore = MemoryKeyStore(settings.max_keys)
    if isinstance(settings.state, Path):
        store = SqliteKeyStore(settings.state.expanduser(), settings.max_keys, shell.soon_from_thread)
    try:
        yield IdempotencyKeys(store)
    finally:
        with anyio.CancelScope(shield=True):
            await store.aclose()


@asynccontextmanager
async def assembled(
    settings: Settings,
    hooks: Hooks,
    backend: Backend,
    contents: Catalogue,
    shell: Shell,
    keys: IdempotencyKeys | None = None,
) -> AsyncIterator[AssembledGateway]:
    """A gateway with its backend at work, which listens to nobody yet. What runs in it ends with the context. ``keys``
    are those of the settings unless told otherwise."""
    if keys is None:
        async with (
            opened_keys(settings, shell) as keys,
            assembled(settings, hooks, backend, contents, shell, keys) as gateway,
        ):
            yield gateway
        return
    async with _tasks() as group:
        gateway = AssembledGateway(settings, hooks, contents, backend, group=group, loop=shell, keys=keys)
        hooks.gateway_starting(gateway)
        group.start_soon(backend.run)
        try:
            yield gateway
        finally:
            with anyio.CancelScope(shield=True):
                hooks.gateway_stopping(gateway)
                group.cancel_scope.cancel()
                await backend.aclose()


@asynccontextmanager
async def running(
    settings: Settings, hooks: Hooks, backend: Backend, *, worker: Worker | None = None, clock: Clock | None = None
) -> AsyncIterator[Running]:
    """A gateway that serves while the context is open; leaving it shuts down gracefully. Works on asyncio and trio.
    With a ``worker`` it is one of several processes. All that it waits for and measures goes by ``clock``, the
    machine's unless told otherwise."""
    ensure_configured()
    context = tls_context(settings.tls_cert, settings.tls_key)
    if worker is None:
        contents = catalogue(hooks, backend.name, settings.code_page, areas=backend.areas)
    else:
        contents = worker.contents
    shell = shell_of_now(clock)
    keys = None if worker is None else worker.keys
    async with assembled(settings, hooks, backend, contents, shell, keys) as gateway:
        if worker is not None:
            gateway.log_ins = worker.log_ins(settings, gateway.clock)
        gateway.group.start_soon(gateway.time.watch)
        listener = await _listen(shell, gateway, context, shared=worker is not None)
        try:
            host, port = listener.addresses[0]
            if context is not None and settings.tls_cert and settings.tls_key:
                gateway.group.start_soon(_reload_on_hangup, context, settings.tls_cert, settings.tls_key)
            gateway.group.start_soon(anyio.to_thread.run_sync, load)
            yield Running(gateway, host, port, context is not None)
        finally:
            with anyio.CancelScope(shield=True):
                await listener.aclose()
                await gateway.stop()


async def _listen(shell: Shell, gateway: AssembledGateway, context: ssl.SSLContext | None, *, shared: bool) -> Listener:
    settings = gateway.settings
    try:
        return await shell.listen(gateway, settings.host, settings.port, context, gateway.group, shared=shared)
    except OSError as error:
        raise ConfigurationError(
            f"can't listen on {settings.host}:{settings.port}: {error.strerror or error}"
        ) from error


async def _reload_on_hangup(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Reads certificate and key again on SIGHUP; bad files are logged and the old pair stays."""
    if not hasattr(signal, "SIGHUP"):
        return
    with anyio.open_signal_receiver(signal.SIGHUP) as signals:
        async for _ in signals:
            try:
                tls_context(certificate, key)  # refuses bad files before the context in use sees them
                load_certificate(context, certificate, key)
                log.info("TLS certificate reloaded", certificate=str(certificate))
            except ConfigurationError as error:
                log.error("TLS certificate not reloaded", reason=str(error))


def _collect_seldom() -> None:
    """What a start made stays as long as the process does, and a burst of calls makes many objects that die by
    themselves: the garbage collector need not look at either again and again."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


async def serve(
    settings: Settings,
    hooks: Hooks,
    backend: Backend,
    *,
    announce: Callable[[Running], None],
    worker: Worker | None = None,
) -> None:
    """Serves until a signal that stops programs; a second one ends the grace period. ``announce`` is told once it
    listens. A ``worker`` is told by its supervisor how often a signal came: see :mod:`mt_remote.workers.processes`."""
    with stop_signals() as next_signal:
        async with running(settings, hooks, backend, worker=worker) as gateway:
            if worker is None:
                log.info("idempotency keys", kept=gateway.gateway.idempotency.describe())
            announce(gateway)
            _collect_seldom()
            received = await next_signal()
            log.info("stopping", signal=received.name)
            if worker is None:
                gateway.gateway.group.start_soon(_hurry, next_signal, gateway.gateway)


async def _hurry(next_signal: Wait, gateway: AssembledGateway) -> None:
    received = await next_signal()
    log.info("stopping at once", signal=received.name)
    gateway.hurry()
