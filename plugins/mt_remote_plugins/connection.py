"""Connecting to an MT4 server and subscribing to events (protocol, chapter 3, Connection)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mt_remote.plugin import Kind, Namespace, Session
from mt_remote.values import Login

connection = Namespace("", help="The session's own connection and subscriptions")

EventName = Annotated[str, Field(max_length=64, description="kind of event")]


@connection.function(
    kind=Kind.SESSION,
    example={"server": "127.0.0.1", "login": 1, "password": "manager", "reconnect_delay": 10000},
    errors=("already_connected", "bad_account_info", "account_disabled", "server_not_allowed", "too_many_logins"),
)
async def connect(
    session: Session,
    server: Annotated[str, Field(min_length=1, max_length=255, description="MT4 server name or address")],
    login: Login,
    password: Annotated[str, Field(max_length=255, description="the manager's password")],
    reconnect_delay: Annotated[
        int, Field(ge=0, le=86_400_000, description="milliseconds between attempts to reconnect, 0 for none")
    ] = 0,
    version: Annotated[Literal["2"] | None, Field(description="speaks dialect 2 from the answer on")] = None,
) -> None:
    """Connects this session to an MT4 server. One connection a session; wrong credentials leave the session open."""
    await session.connect(server, login, password, reconnect_delay=reconnect_delay / 1000)
    if version is not None:
        session.dialect = version


@connection.function(kind=Kind.SESSION, errors=("not_connected",))
async def disconnect(session: Session) -> None:
    """Disconnects from the MT4 server; the WebSocket stays, subscriptions to the server's events end."""
    await session.disconnect()


@connection.function(kind=Kind.SESSION, example={"event": "tick"}, errors=("already_subscribed", "not_connected"))
async def subscribe(session: Session, event: EventName) -> None:
    """Subscribes to a kind of event, from this call's answer on. To `connection` also before `connect`."""
    await session.subscribe(event)


@connection.function(kind=Kind.SESSION, example={"event": "tick"}, errors=("not_subscribed",))
async def unsubscribe(session: Session, event: EventName) -> None:
    """Ends a subscription; no event of the kind follows this call's answer."""
    await session.unsubscribe(event)
