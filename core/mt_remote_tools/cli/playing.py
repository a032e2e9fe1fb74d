"""Requests out of a file, played against a gateway: how long to wait is the same for ``record`` and ``replay``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from mt_remote_tools.recording.format import Recording
    from mt_remote_tools.recording.player import Played, Terms
    from mt_remote_tools.recording.redact import Secrets
    from mt_remote_tools.recording.tape import FileTape

Patience: TypeAlias = Annotated[float, typer.Option("--patience", min=0, help="seconds to wait for an answer")]
EventsWithin: TypeAlias = Annotated[float, typer.Option("--events-within", min=0, help="seconds to wait for an event")]
Linger: TypeAlias = Annotated[float, typer.Option("--linger", min=0, help="seconds to wait at the end for late events")]


async def play(recording: Recording, url: str, secrets: Secrets, terms: Terms, tape: FileTape | None = None) -> Played:
    """What was answered and told."""
    from mt_remote_tools.recording.player import Player

    return await Player(recording, url, secrets=secrets, terms=terms, tape=tape).play()
