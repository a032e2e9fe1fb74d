"""The gateway's settings: from a file, the environment and flags, in rising order of precedence."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, field_validator
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
    tls_cert: Path | None = Field(None, description="certificate chain (PEM); read again on SIGHUP")
    tls_key: Path | None = Field(None, description="private key (PEM)")
    servers: list[str] = Field(default_factory=list, description="server names that clients may connect to; none: any")
    code_page: str = Field("cp1252", description="code page of the server's texts")
    max_sessions: PositiveInt = Field(10_000, description="sessions at once; further ones are refused with 503")
    max_message: PositiveInt = Field(4 * 1024 * 1024, description="bytes of the longest message taken")
    max_message_before_login: PositiveInt = Field(16 * 1024, description="the same before a session has logged in")
    max_backlog: PositiveInt = Field(10_000, description="events kept for a slow reader before it is closed with 1008")
    max_calls: PositiveInt = Field(1_000, description="calls of one session at once; further ones answer busy")
    write_high_water: PositiveInt = Field(1024 * 1024, description="unsent bytes from which a client counts as slow")
    handshake_timeout: PositiveFloat = Field(10, description="seconds for the upgrade request")
    close_timeout: PositiveFloat = Field(5, description="seconds for the peer to answer our close")
    ping_interval: PositiveFloat = Field(20, description="seconds of silence before a ping; twice that ends a session")
    shutdown_grace: PositiveFloat = Field(10, description="seconds for calls in flight when the gateway stops")
    login_failures: PositiveInt = Field(10, description="failed logins of one address before it has to wait")
    login_window: PositiveFloat = Field(60, description="seconds that a failed login counts")
    deadlines: Deadlines = Field(default_factory=Deadlines, description="seconds a call may take, by kind")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is worth logging")
    log_json: bool = Field(False, description="log as JSON lines")
    trace_hooks: bool = Field(False, description="print each call of a plugin's hook with its time and outcome")

    @field_validator("code_page")
    @classmethod
    def _known_code_page(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"unknown code page {value!r}, expected one such as cp1252") from None
        return value
