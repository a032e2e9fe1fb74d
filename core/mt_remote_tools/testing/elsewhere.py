"""A gateway elsewhere, for tests that are run against one that exists."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from mt_remote.client import Client, Credentials
from mt_remote_tools.testing.clients import opened


class GatewayElsewhere:
    """Looks like a :class:`~mt_remote_tools.testing.Bench` as far as clients go; its server is out of reach."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        self.url = url
        self.credentials = credentials
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def client(self, credentials: Credentials | None = None, *, log_in: bool = True, dialect: str = "2") -> Client:
        """A client with an open session, logged in unless told otherwise; in dialect ``1.00`` always, by its handshake.
        It is closed with the test."""
        return opened(self._stack, self.url, credentials or self.credentials, log_in=log_in, dialect=dialect)
