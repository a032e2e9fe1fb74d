"""One session with a gateway, as a command's flags say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Self, TypeAlias

import typer

from mt_remote.client import DIALECTS, CallFailed, Client, Credentials
from mt_remote.errors import ConfigurationError
from mt_remote_tools.command_line import asked, tls_context

Server: TypeAlias = Annotated[str, typer.Option("--server", metavar="NAME", help="MT4 server")]
Login: TypeAlias = Annotated[int, typer.Option("--login", metavar="LOGIN", help="the manager's login")]
Dialect: TypeAlias = Annotated[
    str, typer.Option("--dialect", metavar="0|1.00|2", help="dialect of the protocol to speak")
]
TrustedCertificate: TypeAlias = Annotated[
    str | None, typer.Option("--tls-ca", metavar="FILE", help="certificate to trust, such as the one of mt-remote cert")
]


class Peer:
    """One session with a gateway, as the flags say. It waits for as long as it takes."""

    def __init__(self, url: str, server: str, login: int, password: str, dialect: str, tls_ca: str | None) -> None:
        if dialect not in DIALECTS:
            raise ConfigurationError(f"--dialect: must be one of {', '.join(DIALECTS)}")
        self._credentials = Credentials(server, login, asked(password))
        headers = self._credentials.headers if dialect == "1.00" else {}
        self._client = Client(url, dialect=dialect, headers=headers, tls=tls_context(url, tls_ca), timeout=None)

    def __enter__(self) -> Self:
        self._client.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def log_in(self) -> None:
        """Connects to the MT4 server, where the handshake did not."""
        if self._client.dialect != "1.00":
            self._client.log_in(self._credentials)

    def call(self, name: str, data: Any, key: str | None = None) -> dict[str, Any]:
        """The answer. Raises :class:`~mt_remote.client.CallFailed`."""
        answer = self._client.request(name, data, key=key)
        if answer["status"] != "OK":
            raise CallFailed(answer)
        return answer

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event, until the gateway closes."""
        return self._client.events()
