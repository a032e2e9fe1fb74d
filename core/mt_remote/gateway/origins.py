"""Which web pages may connect (RFC 6455, 10.2; RFC 6454).

A browser lets any page open a WebSocket to anywhere, and says in ``Origin`` whose page it is; programs send none. So
the header keeps foreign pages out, and nobody else. Pages of the gateway's own origin may: those whose host and port
are the ``Host`` that the request was sent to. That counts only for hosts that nobody can give himself, an IP address,
``localhost``, or the name that the gateway listens on: any other name a page's owner can point at the gateway after
his page was loaded ("DNS rebinding"), and both headers would agree. Other names are to be in the settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from mt_remote.addresses import parsed

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Origin(NamedTuple):
    """Scheme, host and port, in lower case and with the scheme's own port filled in."""

    scheme: str
    host: str
    port: int


def origin_of(text: str) -> Origin | None:
    """An ``Origin`` header's value, ``None`` for what is none: ``null``, paths, lists."""
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if not parts.hostname or f"{parts.scheme}://{parts.netloc}" != text.lower() or parts.username is not None:
        return None
    return Origin(parts.scheme, parts.hostname, port)


class Origins:
    """Those that may connect: ``allowed``, and the own one. ``name`` is what the gateway listens on."""

    def __init__(self, allowed: Iterable[str], name: str) -> None:
        self._allowed = {origin_of(each.lower()) for each in allowed} - {None}
        self._name = name.lower()

    def allow(self, origin: str, host: str) -> bool:
        """Whether a page of ``origin`` may connect with a request to ``host``."""
        found = origin_of(origin.lower())
        if found is None:
            return False
        return found in self._allowed or self._is_own(found, host.lower())

    def _is_own(self, origin: Origin, host: str) -> bool:
        asked = origin_of(f"{origin.scheme}://{host}")
        return asked == origin and (parsed(origin.host) is not None or origin.host in ("localhost", self._name))
