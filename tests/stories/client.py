"""A client as a stranger would write it: the ``websockets`` library and the documentation, nothing of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

Json = dict[str, Any]

PATIENCE = 10.0
"""Seconds after which a wait that should be short is a failure."""


class CallFailed(Exception):
    """The gateway answered ``ERROR``."""

    def __init__(self, answer: Json) -> None:
        super().__init__(answer["message"])
        self.message: str = answer["message"]
        self.code: str = answer.get("code", "")
        self.details: list[Json] = answer.get("details", [])
        self.outcome: str = answer.get("outcome", "")


class Client:
    """Calls functions and collects events."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.events: list[Json] = []
        self._answers: dict[object, Json] = {}
        self._next_id = 0

    async def send(self, name: str, data: Json | None = None, **more: Any) -> int:
        """Sends a request without waiting; gives its id."""
        id_, self._next_id = self._next_id, self._next_id + 1
        message = {"id": id_, "name": name, **more}
        if data is not None:
            message["data"] = data
        await self.connection.send(json.dumps(message))
        return id_

    async def _receive(self) -> None:
        async with asyncio.timeout(PATIENCE):
            message = json.loads(await self.connection.recv())
        if "event" in message:
            self.events.append(message)
        else:
            self._answers[message["id"]] = message

    async def answer(self, id_: object) -> Json:
        while id_ not in self._answers:
            await self._receive()
        return self._answers.pop(id_)

    async def call(self, name: str, /, **data: Any) -> Any:
        """Calls a function; gives its result, ``None`` where there is none."""
        return await self.call_with(name, data)

    async def call_with(self, name: str, data: Json | None, **more: Any) -> Any:
        """The same with data whose fields are no Python names, and with further members of the request."""
        answer = await self.answer(await self.send(name, data or None, **more))
        if answer["status"] != "OK":
            raise CallFailed(answer)
        return answer.get("result")

    async def fails(self, name: str, /, **data: Any) -> CallFailed:
        """Calls a function that must answer an error; gives it."""
        try:
            result = await self.call(name, **data)
        except CallFailed as error:
            return error
        raise AssertionError(f"{name} answered {result!r}")

    async def event(self, kind: str) -> Any:
        """Data of the next event of a kind; events of other kinds stay."""
        while True:
            for event in self.events:
                if event["event"] == kind:
                    self.events.remove(event)
                    return event["data"]
            await self._receive()

    async def settled(self) -> list[Json]:
        """All events that came up to now: a call's answer follows whatever happened before it."""
        await self.call("ticks.get", symbol="EURUSD")
        taken, self.events = self.events, []
        return taken

    async def login(self, *, server: str = "Demo", login: int = 1, password: str = "manager", **more: Any) -> None:
        await self.call_with(
            "connect", {"server": server, "login": login, "password": password, "reconnect_delay": 0, **more}
        )


@asynccontextmanager
async def client(url: str, *, headers: dict[str, str] | None = None, **options: Any) -> AsyncIterator[Client]:
    async with connect(url, additional_headers=headers, **options) as connection:
        yield Client(connection)


@asynccontextmanager
async def manager(url: str, *, dialect: str = "0", **credentials: Any) -> AsyncIterator[Client]:
    """A connected client of a dialect."""
    if dialect == "0":
        async with client(url) as each:
            await each.login(**credentials)
            yield each
        return
    if dialect == "2" and credentials.get("reconnect_delay"):
        async with client(url) as each:
            await each.login(version="2", **credentials)
            yield each
        return
    headers = {
        "MT-SERVER": credentials.get("server", "Demo"),
        "MT-LOGIN": str(credentials.get("login", 1)),
        "MT-PASSWORD": credentials.get("password", "manager"),
        "VERSION": dialect,
    }
    async with client(url, headers=headers) as each:
        yield each
