"""Clients for tests, of a gateway in this process or elsewhere."""

from __future__ import annotations

from contextlib import ExitStack

from mt_remote.client import Client, Credentials


def opened(stack: ExitStack, url: str, credentials: Credentials, *, log_in: bool, dialect: str) -> Client:
    """A client with an open session, closed with ``stack``. It sends no pings: they come from a thread that draws
    random numbers, at a moment that no test knows, and hypothesis forbids that in a property.

    Dialect ``1.00`` logs in by its handshake alone, so there is no session without: ``ValueError``.
    """
    by_handshake = dialect == "1.00"
    if by_handshake and not log_in:
        raise ValueError("dialect '1.00' has no session that is not logged in: its handshake does that")
    headers = credentials.headers if by_handshake else None
    client = stack.enter_context(Client(url, dialect=dialect, headers=headers, ping_interval=None))
    if log_in and not by_handshake:
        client.log_in(credentials)
    return client
