"""``mt-remote call`` and ``mt-remote watch``: the client (:mod:`mt_remote.client`) for shells."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mt_remote.client import DIALECTS, CallFailed, Client, Credentials
from mt_remote.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

FAILED = 1

_URL = Annotated[str, typer.Option("--url", metavar="URL", help="the gateway", envvar="MT_REMOTE_URL")]
_SERVER = Annotated[str, typer.Option("--server", metavar="NAME", help="MT4 server")]
_LOGIN = Annotated[int, typer.Option("--login", metavar="LOGIN", help="the manager's login")]
_PASSWORD = Annotated[
    str,
    typer.Option(
        "--password", metavar="TEXT", help="the manager's password; '-' asks for it (default: the demo broker's)",
        envvar="MT_REMOTE_PASSWORD", show_default=False,
    ),
]  # fmt: skip
_DIALECT = Annotated[str, typer.Option("--dialect", metavar="0|1.00|2", help="dialect of the protocol to speak")]
_TLS_CA = Annotated[
    str | None, typer.Option("--tls-ca", metavar="FILE", help="certificate to trust, such as the one of mt-remote cert")
]

_DEMO_PASSWORD = "manager"


def call(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the function, e.g. config.group.get")],
    data: Annotated[
        str | None, typer.Argument(metavar="[JSON]", help='its data, e.g. \'{"group": "manager"}\'')
    ] = None,
    url: _URL = "ws://127.0.0.1:8228",
    server: _SERVER = "Demo",
    login: _LOGIN = 1,
    password: _PASSWORD = _DEMO_PASSWORD,
    dialect: _DIALECT = "2",
    key: Annotated[
        str | None, typer.Option("--key", metavar="TEXT", help="makes a call that changes something safe to repeat")
    ] = None,
    tls_ca: _TLS_CA = None,
) -> None:
    """Connects, calls, prints the result; an error answer is one line and exit code 1."""
    fields = _json(data)
    with reporting(url), Peer(url, server, login, password, dialect, tls_ca) as peer:
        if name != "connect":
            peer.log_in()
        answer = peer.call(name, fields, key)
    if "result" in answer:
        _show(answer["result"])


def watch(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="the kind of event, e.g. tick")],
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="NAME", help="a symbol to show, for ticks; repeatable")
    ] = None,
    count: Annotated[int, typer.Option("--count", min=0, help="end after so many events (default: never)")] = 0,
    url: _URL = "ws://127.0.0.1:8228",
    server: _SERVER = "Demo",
    login: _LOGIN = 1,
    password: _PASSWORD = _DEMO_PASSWORD,
    dialect: _DIALECT = "2",
    tls_ca: _TLS_CA = None,
) -> None:
    """Connects, shows the symbols, subscribes, prints what comes."""
    with reporting(url), Peer(url, server, login, password, dialect, tls_ca) as peer:
        peer.log_in()
        for name in symbol or []:
            peer.call("symbol.show", {"symbol": name})
        peer.call("subscribe", {"event": event})
        print(f"watching {event} on {url}", file=sys.stderr, flush=True)
        for number, message in enumerate(peer.events(), 1):
            print(json.dumps(message, ensure_ascii=False), flush=True)
            if number == count:
                return


class Peer:
    """One session with a gateway, as the flags say. It waits for as long as it takes."""

    def __init__(self, url: str, server: str, login: int, password: str, dialect: str, tls_ca: str | None) -> None:
        if dialect not in DIALECTS:
            raise ConfigurationError(f"--dialect: must be one of {', '.join(DIALECTS)}")
        if password == "-":
            password = typer.prompt("Password", hide_input=True, err=True)
        self._credentials = Credentials(server, login, password)
        headers = self._credentials.headers if dialect == "1.00" else {}
        self._client = Client(url, dialect=dialect, headers=headers, tls=tls_context(url, tls_ca), timeout=None)

    def __enter__(self) -> Peer:
        self._client.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def log_in(self) -> None:
        """Connects to the MT4 server, where the handshake did not."""
        if self._client.dialect != "1.00":
            self._client.log_in(self._credentials)

    def call(self, name: str, data: Any, key: str | None = None) -> dict[str, Any]:
        """The answer. Raises :class:`~mt_remote.client.CallFailed`."""
        answer = self._client.request(name, data, key=key)
        if answer["status"] != "OK":
            raise CallFailed(answer)
        return answer

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event, until the gateway closes."""
        return self._client.events()


def _json(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"the data is not JSON: {error}") from error


def tls_context(url: str, authority: str | None) -> ssl.SSLContext | None:
    """What a client of a ``wss`` URL trusts, ``None`` for a ``ws`` one."""
    if not url.startswith("wss:"):
        return None
    import ssl

    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"--tls-ca {authority!r}: {error}") from error


@contextmanager
def reporting(url: str) -> Iterator[None]:
    """Failures as one line on standard error and exit code 1."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

    try:
        yield
        return
    except CallFailed as error:
        problem = str(error)
    except InvalidURI as error:
        raise ConfigurationError(f"--url {url!r} is not the address of a gateway, expected ws://HOST:PORT") from error
    except InvalidStatus as error:
        problem = f"the gateway refused: {_refusal(error)}"
    except ConnectionClosed as error:
        closing = error.rcvd
        problem = f"the gateway closed the session: {closing.code} {closing.reason}" if closing else "connection broken"
    except BrokenPipeError:  # whoever reads our output has seen enough
        raise
    except (OSError, WebSocketException) as error:
        problem = f"no gateway at {url}: {error}"
    print(f"mt-remote: {problem}", file=sys.stderr)
    raise typer.Exit(FAILED)


def _refusal(error: Any) -> str:
    status = error.response.status_code
    try:
        body = json.loads(error.response.body)
        return f"{status} {body['code']}: {body['message']}"
    except (ValueError, TypeError, KeyError):
        return f"HTTP {status}"


def _show(result: Any) -> None:
    text = json.dumps(result, indent=2, ensure_ascii=False)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.syntax import Syntax

        Console().print(Syntax(text, "json", background_color="default"))
    else:
        print(text)
