"""The backend's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field


def _gateway_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError("must be the URL of a gateway, such as ws://127.0.0.1:8228")
    if parts.username or parts.password:
        raise ValueError("must have no login in it: clients log in with their own")
    return url


class ForwardSettings(BaseModel):
    """Flags of ``serve --backend forward``, and the table ``[forward]`` of the configuration file.

    The fields have the backend's name before them, because a flag is called as its field is.
    """

    forward_url: Annotated[str, AfterValidator(_gateway_url)] = Field(description="URL of the gateway to forward to")
    forward_tls_ca: Path | None = Field(
        None, description="authorities (PEM) that may have signed its certificate; none: the system's"
    )
    forward_silence: float = Field(
        20.0, gt=0, description="seconds of silence after which it is asked for a sign of life; twice that is a loss"
    )
