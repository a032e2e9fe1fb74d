"""The backend: opens a session with the other gateway for each connection of this one."""

from __future__ import annotations

import ssl

from forwarding_backend.connection import ForwardConnection
from forwarding_backend.link import Link
from forwarding_backend.rooms import FORWARDED
from forwarding_backend.settings import ForwardSettings
from forwarding_backend.wire import nothing
from mt_remote.backend import Backend, Connection, Listener
from mt_remote.errors import ConfigurationError


class ForwardBackend(Backend):
    """A gateway's backend that is another gateway. Whoever logs in here is logged in there, as himself."""

    name = "forward"
    areas = FORWARDED

    def __init__(self, settings: ForwardSettings) -> None:
        self._url = settings.forward_url
        self._silence = settings.forward_silence
        self._tls = _authorities(settings)

    async def open(self, server: str, login: int, password: str, listener: Listener, *, peer: str = "") -> Connection:
        """Logs in at the other gateway, which sees this one's address: the protocol has no place for ``peer``."""
        link = Link(self._url, self._tls, self._silence, listener.on_event, listener.on_lost)
        await link.open()
        try:
            await link.call("subscribe", {"event": "connection"}, nothing)
            # The gateway in front reconnects for those who asked for it, and makes good what was missed.
            manager = {"server": server, "login": login, "password": password, "reconnect_delay": 0}
            await link.call("connect", manager, nothing)
        except BaseException:
            await link.aclose()
            raise
        return ForwardConnection(server, login, link)

    def describe(self) -> str:
        return f"the gateway at {self._url}"


def _authorities(settings: ForwardSettings) -> ssl.SSLContext | None:
    if settings.forward_tls_ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=settings.forward_tls_ca)
    except OSError as error:
        raise ConfigurationError(f"forward_tls_ca: {settings.forward_tls_ca}: {error.strerror or error}") from None
