"""A client of a gateway that needs no event loop: for scripts, for the command line, for tests.

    from mt_remote.client import Client, Credentials

    with Client("ws://127.0.0.1:8228") as client:
        client.log_in(Credentials("Demo", 1, "manager"))
        client.subscribe("tick")
        print(client.call("users.get", logins=[1]))
        print(client.event("tick"))

It rests on the ``websockets`` library alone and knows nothing of the gateway's inside.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import ssl

    from websockets.sync.client import ClientConnection

DIALECTS = ("0", "1.00", "2")
"""The dialects of the protocol."""
PATIENCE = 10.0
"""Seconds that a client waits for an answer or an event unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who logs in where: the MT4 server's name, the manager's login and password."""

    server: str
    login: int
    password: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a handshake that logs in by itself, as dialect ``1.00`` has to and ``2`` may."""
        return {"MT-SERVER": self.server, "MT-LOGIN": str(self.login), "MT-PASSWORD": self.password}


class CallFailed(Exception):
    """The gateway answered ``ERROR``. ``message`` is for a person. The rest comes in dialect 2 alone: ``code`` is the
    stable name; ``details`` has ``path`` and ``problem`` of each field that was wrong; ``outcome`` is what is known of
    a call that met a deadline or a lost connection, ``not_done`` or ``unknown``, ``""`` where nothing is said."""

    code: str
    message: str
    details: list[dict[str, str]]
    outcome: str

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.code = answer.get("code") or ""
        self.message = str(answer["message"])
        self.details = list(answer.get("details") or ())
        self.outcome = answer.get("outcome") or ""
        super().__init__(f"{self.code}: {self.message}" if self.code else self.message)


class Client:
    """One session with a gateway.

    ``timeout`` is the time limit in seconds, ``None`` for none: on opening, and on the silence before each message that
    is waited for (whatever comes, an event too, starts it anew). When it is over ``TimeoutError`` is raised, and the
    session lives on. Where the session has ended, by either side, ``websockets.exceptions.ConnectionClosed`` is raised.

    ``headers`` go with the handshake; dialect ``1.00`` needs :attr:`Credentials.headers` there, and no :meth:`log_in`
    then. Every ``ping_interval`` seconds it looks whether the gateway is there; with ``None`` it does not.

    Two threads may share a client when one of them receives (``receive``, ``event``, ``events``) and the other sends
    (``send``); ``close`` may be called in either. What sends and waits for the answer (``call``, ``subscribe``,
    ``settled`` …) is for one thread alone.
    """

    def __init__(
        self,
        url: str,
        *,
        dialect: str = "2",
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        timeout: float | None = PATIENCE,
        ping_interval: float | None = 20.0,
    ) -> None:
        self.url = url
        self.dialect = dialect
        self.timeout = timeout
        self.ping_interval = ping_interval
        self._headers = {**({} if dialect == "0" else {"VERSION": dialect}), **(headers or {})}
        self._tls = tls
        self._waiting: list[dict[str, Any]] = []
        self._next_id = 0
        self._stack = ExitStack()
        self._is_open = False
        self._socket: ClientConnection | None = None
        """The session's, also when it is over: it knows how it ended."""

    def __enter__(self) -> Self:
        if not self._is_open:
            self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Opens the WebSocket: the network connection, TLS and the handshake, all within ``timeout``. Raises what
        ``websockets`` raises, ``InvalidStatus`` where the gateway refuses; ``TimeoutError``; ``OSError`` where nobody
        listens."""
        from websockets.sync.client import connect

        connecting = connect(
            self.url, additional_headers=self._headers, ssl=self._tls, proxy=None, max_size=None,
            open_timeout=self.timeout, ping_interval=self.ping_interval,
        )  # fmt: skip
        self._socket = self._stack.enter_context(connecting)
        self._is_open = True

    def close(self) -> None:
        """Ends the session; a thread that waits in ``receive`` is told by ``ConnectionClosed``. Closing twice does
        nothing; a closed client may be opened again."""
        self._is_open = False
        self._stack.close()

    def log_in(self, credentials: Credentials, **more: Any) -> None:
        """Connects to an MT4 server; lost connections are not restored unless ``reconnect_delay`` says so."""
        fields = {"server": credentials.server, "login": credentials.login, "password": credentials.password}
        self.call("connect", {**fields, "reconnect_delay": 0, **more})

    # Calls

    def call(self, name: str, data: Any = None, /, *, key: str | None = None, **fields: Any) -> Any:
        """A function's result, ``None`` where it has none. ``data`` or ``fields`` are its parameters; the names of
        ``fields`` may end with an underscore (``from_``). Raises :class:`CallFailed`."""
        answer = self.request(name, self._data(data, fields), key=key)
        if answer["status"] != "OK":
            raise CallFailed(answer)
        return answer.get("result")

    def fails(self, name: str, data: Any = None, /, **fields: Any) -> CallFailed:
        """The error that a call answers. Raises ``AssertionError`` when it answers none."""
        try:
            result = self.call(name, data, **fields)
        except CallFailed as error:
            return error
        raise AssertionError(f"{name} did not fail, it answered {result!r}")

    def request(self, name: str, data: Any = None, *, key: str | None = None) -> dict[str, Any]:
        """The whole answer to a call, whatever its status. Events that come before it are kept. Raises
        ``TimeoutError`` when nothing comes for ``timeout`` seconds, ``ConnectionClosed``."""
        id_, self._next_id = self._next_id, self._next_id + 1
        message = {"id": id_, "name": name, "data": data, "key": key}
        self.send({field: value for field, value in message.items() if value is not None})
        while True:
            answer = self.receive()
            if "event" in answer:
                self._waiting.append(answer)
            elif answer.get("id") == id_:
                return answer

    def send(self, message: Any) -> None:
        """Sends a message as it is, for requests that are wrong on purpose: text, or a value as JSON. Waits while the
        gateway takes nothing in; ``timeout`` does not count here. Raises ``ConnectionClosed``."""
        self._open_socket().send(message if isinstance(message, str) else json.dumps(message))

    def receive(self) -> dict[str, Any]:
        """The next message off the network, an answer or an event. Raises ``TimeoutError`` when none comes for
        ``timeout`` seconds, and nothing is lost by that: a later ``receive`` gets it. Raises ``ConnectionClosed``."""
        message: dict[str, Any] = json.loads(self._open_socket().recv(timeout=self.timeout))
        return message

    # Events

    def subscribe(self, event: str) -> None:
        """Subscribes to a kind of event."""
        self.call("subscribe", {"event": event})

    def unsubscribe(self, event: str) -> None:
        """Ends a subscription."""
        self.call("unsubscribe", {"event": event})

    def event(self, kind: str) -> Any:
        """The data of the next event of a kind; events of other kinds stay. Raises ``TimeoutError`` when no message
        comes for ``timeout`` seconds, ``ConnectionClosed``."""
        while True:
            for message in self._waiting:
                if message["event"] == kind:
                    self._waiting.remove(message)
                    return message["data"]
            message = self.receive()
            if "event" in message:
                self._waiting.append(message)

    def settled(self) -> list[dict[str, Any]]:
        """All events that the gateway sent up to now, taken: the answer to a call that asks for nothing follows
        whatever was sent before it."""
        self.request("")
        taken, self._waiting = self._waiting, []
        return taken

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event's message, those that are waiting first, until the session is closed; ``timeout`` does not count
        here. Raises ``ConnectionClosed`` when it breaks."""
        while self._waiting:
            yield self._waiting.pop(0)
        for text in self._open_socket():
            message = json.loads(text)
            if "event" in message:
                yield message

    def _open_socket(self) -> ClientConnection:
        if self._socket is None:
            raise RuntimeError("the client is not open: use it in a 'with' statement, or call open()")
        return self._socket

    @staticmethod
    def _data(data: Any, fields: dict[str, Any]) -> Any:
        if data is not None and fields:
            raise TypeError("give either data or fields")
        return data if data is not None or not fields else {name.rstrip("_"): value for name, value in fields.items()}


__all__ = ["DIALECTS", "PATIENCE", "CallFailed", "Client", "Credentials"]
