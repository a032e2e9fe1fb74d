"""What is examined: any backend, any gateway in this process, or any URL.

A target is an address in the end, since the laws are about what a client sees. For a backend a gateway with the
installed functions is started in a thread of its own.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mt_remote.client import Credentials
from mt_remote_conformance.model.money import INSTRUMENTS, Instrument
from mt_remote_conformance.sessions.client import Tamper
from mt_remote_tools.testing import running_gateway

if TYPE_CHECKING:
    from mt_remote.backend import Backend


DEMO_MANAGER = Credentials("Demo", 1, "manager")
"""Who logs in where nothing else is said: the demo broker's first manager."""


class Profile(StrEnum):
    """How much of a server the kit may touch."""

    READ_ONLY = "read-only"
    """Changes nothing."""
    DEMO = "demo"
    """Works inside groups and logins of its own, which it makes and removes. No price is thrown in, nobody else is
    touched."""
    FULL = "full"
    """Does all: throws prices in, makes managers, changes the server's configuration and puts it back."""


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway, and what the kit may assume of what is behind it.

    ``exclusive``: nobody else changes the server meanwhile, no feed moves prices; every event is then accounted for.
    ``merges_ticks``: ticks that follow each other fast may be told as one. ``prefix`` begins the names of the groups
    that the kit makes (they must not exist), ``logins`` is the range of its accounts.
    """

    url: str
    credentials: Credentials = DEMO_MANAGER
    exclusive: bool = False
    merges_ticks: bool = False
    prefix: str = "kit"
    logins: range = range(7_700_000, 7_700_100)
    max_message: int = 4 * 1024 * 1024
    """Bytes of the longest message that the gateway takes."""
    patience: float = 2.0
    """Seconds within which an event must follow its cause."""
    instruments: Mapping[str, Instrument] = field(default_factory=lambda: INSTRUMENTS)
    tls: ssl.SSLContext | None = None
    tamper: Callable[[], Tamper] | None = None

    def lying(self, tamper: Callable[[], Tamper]) -> Target:
        """The same target with every message tampered with, by a fresh tamper for each session: shows that a law can
        fail."""
        return replace(self, tamper=tamper)

    @property
    def honest(self) -> Target:
        """The same target, nothing tampered with."""
        return replace(self, tamper=None)

    def group(self, number: int = 1) -> str:
        """Name of one of the kit's groups."""
        return f"{self.prefix}{number}"

    def owns_group(self, name: str) -> bool:
        return name.startswith(self.prefix)


@contextmanager
def serving(
    backend: Backend, plugins: Sequence[object] = (), *, installed: bool | None = None,
    target: Mapping[str, Any] | None = None, **settings: Any,
) -> Iterator[Target]:  # fmt: skip
    """A gateway on a backend, in a thread, as a target. ``plugins`` register what it serves: namespaces, events; those
    that are ``installed`` do too, by default where no others are named. ``settings`` are the gateway's, ``target``
    fields of :class:`Target`."""
    chosen: dict[str, object] = {"login_failures": 1_000_000, **settings}
    with running_gateway(backend, plugins, installed=installed, **chosen) as url:
        yield Target(url, **{"exclusive": True, "patience": 0.3, **(target or {})})
