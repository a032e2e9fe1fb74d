"""forwarding-backend: a gateway whose MT4 server is another gateway.

What registers stands here; the backend itself and what it rests on are imported when a gateway uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forwarding_backend.settings import ForwardSettings
from mt_remote.plugin import Area, Backend, BackendSpec, Connection, Namespace, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mt_remote_tools.testing import StandSpec

__all__ = ["ForwardSettings", "forward"]

forward = Namespace("forward", help="What a gateway tells those that forward to it")


@forward.function(example={})
async def server_time(mt: Connection) -> int:
    """The MT4 server's clock: Unix seconds in its zone. The protocol has no function for it."""
    return await mt.server_time()


def _backend(settings: ForwardSettings) -> Backend:
    from forwarding_backend.backend import ForwardBackend

    return ForwardBackend(settings)


def _areas() -> Iterable[type[Area]]:
    from forwarding_backend.rooms import FORWARDED

    return FORWARDED


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [forward]


@hookimpl
def mt_remote_backends() -> list[BackendSpec]:
    return [BackendSpec("forward", ForwardSettings, _backend, help="another gateway, by its URL", areas=_areas)]


@hookimpl
def mt_remote_stands() -> list[StandSpec]:
    from forwarding_backend.stand import FORWARD

    return [FORWARD]
