"""A manager's connection to an MT4 server, by way of another gateway."""

from __future__ import annotations

import contextlib
from typing import cast

import anyio
from typing_extensions import TypedDict

from forwarding_backend.errors import ForwardedError
from forwarding_backend.link import CLOSING, Link
from forwarding_backend.rooms import FORWARDED
from forwarding_backend.wire import EVENTS, nothing, reader
from mt_remote.area import implementing
from mt_remote.backend import Connection
from mt_remote.errors import InvalidData, RequestError, UnknownFunction
from mt_remote_plugins.areas import Market


class _Time(TypedDict):
    time: int


_INT = reader(int)
_TIME = reader(_Time)


class ForwardConnection(Connection):
    """Each call is one call of the other gateway, but for what that has no function for."""

    implemented = implementing(FORWARDED)

    def __init__(self, server: str, login: int, link: Link) -> None:
        self.server = server
        self.login = login
        self.link = link
        self.shown: dict[str, None] = {}
        self._watched: set[str] = set()

    def carried(self) -> list[str]:
        """The symbols that are shown."""
        return list(self.shown)

    async def restore(self, carried: object) -> None:
        for symbol in cast("list[str]", carried):
            await self[Market].show(symbol)

    async def watch(self, kind: str) -> None:
        """Subscribes there. Raises ``InvalidData`` for a kind of which this backend does not know the type."""
        if kind not in EVENTS:
            raise InvalidData.of("event", f"{kind} is not forwarded, only {', '.join(EVENTS)}")
        if kind not in self._watched:
            await self.link.call("subscribe", {"event": kind}, nothing)
            self._watched.add(kind)

    async def unwatch(self, kind: str) -> None:
        if kind in self._watched:
            await self.link.call("unsubscribe", {"event": kind}, nothing)
            self._watched.discard(kind)

    async def server_time(self) -> int:
        """Asks the other gateway's plugin of this name, then the simulator. A gateway that has neither can't tell."""
        with contextlib.suppress(UnknownFunction):
            return await self.link.call("forward.server_time", {}, _INT)
        with contextlib.suppress(UnknownFunction):
            return (await self.link.call("simulator.clock.get", {}, _TIME))["time"]
        raise ForwardedError(
            "server_time_unknown",
            "The gateway that this one forwards to does not tell its server's time: install forwarding-backend there",
        )

    async def aclose(self) -> None:
        self.link.hush()
        # He is logged out when this returns, unless the other gateway does not answer: then it finds out by the end of
        # the link. One that is gone, or has logged him out itself, is what we want.
        with anyio.move_on_after(CLOSING, shield=True), contextlib.suppress(RequestError):
            await self.link.call("disconnect", None, nothing)
        await self.link.aclose()
