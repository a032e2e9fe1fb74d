"""The gateway's settings: from a file, the environment and flags, in rising order of precedence."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Deadlines(BaseModel):
    """Seconds until a call of each kind is answered with ``timeout``."""

    model_config = ConfigDict(extra="forbid")

    trade: PositiveFloat = 5
    read: PositiveFloat = 10
    change: PositiveFloat = 15
    history: PositiveFloat = 30
    session: PositiveFloat = 30


class Settings(BaseSettings):
    """What ``serve`` can be told. Environment variables have the prefix ``MT_REMOTE_``."""

    model_config = SettingsConfigDict(env_prefix="MT_REMOTE_", env_nested_delimiter="__", extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8228, ge=0, le=65535, description="TCP port; 0 lets the system choose")
    workers: PositiveInt = Field(1, description="gateway processes that share the port; several need SO_REUSEPORT")
    backend: str = Field("simulator", description="what drives the MT4 server")
    state: Literal["memory"] | Path | None = Field(
        None,
        description="folder of what outlives a restart, idempotency keys; none: where the platform keeps data; "
        "memory: a restart forgets them",
    )
    max_keys: PositiveInt = Field(
        1_000_000, description="idempotency keys of one login in 24 hours; others are refused"
    )
    tls_cert: Path | None = Field(None, description="certificate chain (PEM); read again on SIGHUP")
    tls_key: Path | None = Field(None, description="private key (PEM)")
    servers: list[str] = Field(default_factory=list, description="server names that clients may connect to; none: any")
    origins: list[str] = Field(
        default_factory=list, description="origins of web pages that may connect, beside the gateway's own"
    )
    trusted_proxies: list[str] = Field(
        default_factory=list, description="networks of proxies whose word on a client's address counts (CIDR)"
    )
    forwarded_headers: Literal["both", "forwarded", "x-forwarded-for", "none"] = Field(
        "both", description="request headers in which trusted proxies name the client"
    )
    proxy_protocol: bool = Field(
        False, description="connections from trusted proxies begin with a header of the PROXY protocol (v1 or v2)"
    )
    code_page: str = Field("cp1252", description="code page of the server's texts")
    max_sessions: PositiveInt = Field(10_000, description="sessions at once; further ones are refused with 503")
    max_sessions_per_address: PositiveInt = Field(
        2_500, description="sessions of one address (IPv6: of one /64) at once; further ones are refused with 429"
    )
    max_message: PositiveInt = Field(4 * 1024 * 1024, description="bytes of the longest message taken")
    max_message_before_login: PositiveInt = Field(16 * 1024, description="the same before a session has logged in")
    max_backlog: PositiveInt = Field(10_000, description="events kept for a slow reader before it is closed with 1008")
    max_calls: PositiveInt = Field(1_000, description="calls of one session at once; further ones answer busy")
    write_high_water: PositiveInt = Field(1024 * 1024, description="unsent bytes from which a client counts as slow")
    handshake_timeout: PositiveFloat = Field(10, description="seconds for TLS and the upgrade request")
    login_deadline: PositiveFloat = Field(60, description="seconds after which a session that never logged in ends")
    close_timeout: PositiveFloat = Field(5, description="seconds for the peer to answer our close")
    ping_interval: PositiveFloat = Field(20, description="seconds of silence before a ping; twice that ends a session")
    shutdown_grace: PositiveFloat = Field(10, description="seconds for calls in flight when the gateway stops")
    login_failures: PositiveInt = Field(10, description="failed logins of one address before it has to wait")
    login_failures_per_login: PositiveInt = Field(
        20, description="failed logins of one login before it has to wait, at addresses new to it"
    )
    login_failures_total: PositiveInt = Field(
        300, description="failed logins of everybody before addresses new to a login have to wait"
    )
    login_window: PositiveFloat = Field(60, description="seconds that a failed login counts")
    max_concurrent_logins: PositiveInt = Field(8, description="logins under way at the backend at once; others queue")
    max_waiting_logins: PositiveInt = Field(1_000, description="logins that may queue; further ones answer busy")
    reconnect_delay_min: PositiveFloat = Field(
        1, description="least seconds before an attempt to reconnect, whatever the client asks for"
    )
    reconnect_delay_max: PositiveFloat = Field(
        60, description="seconds up to which the pause doubles with each attempt to reconnect"
    )
    deadlines: Deadlines = Field(default_factory=Deadlines, description="seconds a call may take, by kind")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is worth logging")
    log_json: bool = Field(False, description="log as JSON lines")
    refusals_logged: PositiveFloat = Field(
        10, description="refusals of each kind that are logged in a second; further ones are counted"
    )
    trace_hooks: bool = Field(False, description="print each call of a plugin's hook with its time and outcome")

    @field_validator("state", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @field_validator("code_page")
    @classmethod
    def _known_code_page(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"unknown code page {value!r}, expected one such as cp1252") from None
        return value

    @field_validator("servers")
    @classmethod
    def _names_no_masks(cls, value: list[str]) -> list[str]:
        for name in value:
            if not name or any(sign in name for sign in "*?"):
                raise ValueError(f"{name!r} is no server's name; masks are not taken here")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for network in value:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(f"{error}; expected a network such as 10.0.0.0/8 or 192.0.2.1") from None
        return value

    @field_validator("origins")
    @classmethod
    def _whole_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            try:
                parts = urlsplit(origin)
                whole = parts.hostname and f"{parts.scheme}://{parts.netloc}" == origin and "@" not in origin
            except ValueError:
                whole = False
            if not whole or "*" in origin:
                raise ValueError(f"{origin!r} is no origin, expected one such as https://desk.example:8443")
        return value

    @field_validator("proxy_protocol")
    @classmethod
    def _only_from_proxies(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("trusted_proxies"):
            raise ValueError(
                "needs trusted_proxies (--trusted-proxies, MT_REMOTE_TRUSTED_PROXIES): nobody else's word counts"
            )
        return value
