"""Commands to the server's own plugins (protocol, chapter 3)."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import Field

from mt_remote.plugin import Connection, InvalidData, Kind, Namespace

external = Namespace("external", help="The server's own plugins")

Encoding = Annotated[Literal["plain", "base64"], Field(description="how command and result are written")]


@external.function(kind=Kind.CHANGE, example={"command": "AQL/", "encoding": "base64"})
async def command(
    mt: Connection,
    command: Annotated[str, Field(max_length=1_000_000, description="what the plugin gets")],
    encoding: Encoding = "plain",
) -> str:
    """Sends a command to the server's plugins; gives what the one that took it answers, in the same encoding."""
    if encoding == "base64":
        try:
            data = base64.b64decode(command, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidData.of("command", "must be base64") from None
        return base64.b64encode(await mt.external.command(data)).decode("ascii")
    answer = await mt.external.command(command.encode("utf-8"))
    try:
        return answer.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidData.of("encoding", "the answer is not text: ask with base64") from None
