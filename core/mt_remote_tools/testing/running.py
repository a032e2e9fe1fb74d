"""A gateway on a backend of the caller's own, for those who need its address and nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from anyio.from_thread import start_blocking_portal

from mt_remote.backend import Backend
from mt_remote.plugins.hooks import Hooks
from mt_remote_tools.loading import loaded


@contextmanager
def running_gateway(
    backend: Backend, plugins: Sequence[object] = (), *, installed: bool | None = None, **settings: object
) -> Iterator[str]:
    """The URL of a gateway on a backend, on a port of its own, in a thread of its own. ``plugins`` register what it
    serves: namespaces, events; those that are ``installed`` do too, by default where no others are named.
    ``settings`` are the gateway's."""
    from mt_remote.settings import Settings
    from mt_remote.shell.server import running

    given: dict[str, Any] = {"port": 0, **settings}
    manager = loaded(plugins=plugins, installed=not plugins if installed is None else installed)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running(Settings(**given), Hooks(manager), backend)) as gateway,
    ):
        yield gateway.url
