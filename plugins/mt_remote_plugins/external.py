# mypy: disable-error-code="empty-body"
"""Commands to the server's own plugins (protocol, chapter 3)."""

from __future__ import annotations

import base64
import binascii
from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import Field

from mt_remote.area import Area, Kind, call
from mt_remote.errors import InvalidData

Encoding = Annotated[Literal["plain", "base64"], Field(description="how command and result are written")]


class External(Area, namespace="external"):
    """The server's own plugins"""

    @call(kind=Kind.CHANGE, example={"command": "AQL/", "encoding": "base64"})
    async def command(
        self,
        command: Annotated[str, Field(max_length=1_000_000, description="what the plugin gets")],
        encoding: Encoding = "plain",
    ) -> str:
        """Sends a command to the server's plugins; gives what the one that took it answers, in the same encoding."""


class ExternalBytes(External):
    """An implementation for backends whose servers take and answer bytes, which are all: they have :meth:`send`."""

    @abstractmethod
    async def send(self, data: bytes) -> bytes:
        """Sends a command; gives the answer."""

    async def command(self, command: str, encoding: Encoding = "plain") -> str:
        if encoding == "base64":
            try:
                data = base64.b64decode(command, validate=True)
            except (binascii.Error, ValueError):
                raise InvalidData.of("command", "must be base64") from None
            return base64.b64encode(await self.send(data)).decode("ascii")
        answer = await self.send(command.encode("utf-8"))
        try:
            return answer.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidData.of("encoding", "the answer is not text: ask with base64") from None
