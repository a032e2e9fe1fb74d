"""The simulator's own functions at the gateway in front, so that the conformance kit can play all its suites there.

They drive the server behind the other gateway and are no part of what is forwarded: a test's tool, as the simulator is.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
from forwarding_backend.errors import error_of

from mt_remote.client import Client, Credentials
from mt_remote.plugin import Kind, Namespace, hookimpl

FUNCTIONS = (
    "simulator.tick",
    "simulator.feed",
    "simulator.clock.get",
    "simulator.clock.advance",
    "simulator.trader.open",
    "simulator.trader.close",
    "simulator.trader.modify",
    "simulator.trader.delete",
    "simulator.trader.close_by",
    "simulator.trader.prices",
    "simulator.trader.request",
    "simulator.trader.accept",
    "simulator.trader.withdraw",
    "simulator.trader.log_out",
    "simulator.fault.disconnect",
    "simulator.fault.down",
    "simulator.faults.set",
    "simulator.faults.get",
    "simulator.faults.clear",
    "simulator.faults.release",
    "simulator.reset",
)

Handler = Callable[[dict[str, Any] | None], Awaitable[Any]]


class Door:
    """A plugin of the gateway in front that asks the other one by a session of its own."""

    def __init__(self, client: Client, credentials: Credentials) -> None:
        self._client = client
        self._credentials = credentials
        self._lock = threading.Lock()

    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        spaces = []
        for name in FUNCTIONS:
            prefix, _, last = name.rpartition(".")
            space = Namespace(prefix)
            space.function(name=last, kind=Kind.CHANGE)(self._handler(name))
            spaces.append(space)
        return spaces

    def _handler(self, name: str) -> Handler:
        async def ask(data: dict[str, Any] | None = None, /) -> Any:
            """Asks the other gateway."""
            answer = await anyio.to_thread.run_sync(self._ask, name, data)
            if answer["status"] != "OK":
                raise error_of(answer)
            return answer.get("result")

        return ask

    def _ask(self, name: str, data: dict[str, Any] | None) -> dict[str, Any]:
        with self._lock:
            answer = self._client.request(name, data)
            if answer.get("code") == "not_connected":  # its connection was among those that the kit broke
                self._client.log_in(self._credentials)
                answer = self._client.request(name, data)
            return answer
