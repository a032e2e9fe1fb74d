"""For commands that plugins add to ``mt-remote`` by the hook ``mt_remote_commands``: what was typed, options that
several commands take, and failures as one line.

    @hookimpl
    def mt_remote_commands(app, line):
        @app.command()
        def positions(url: Url = DEFAULT_URL) -> None:
            with reporting(url), Client(url) as client:
                ...
"""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from mt_remote.errors import ConfigurationError, MtRemoteError, PluginError

if TYPE_CHECKING:
    import ssl

    import pluggy
    from websockets.exceptions import InvalidStatus

    from mt_remote_tools.cli.configuration import Startup

__all__ = [
    "DEFAULT_URL",
    "DEMO_PASSWORD",
    "FAILED",
    "AsJson",
    "CommandLine",
    "Config",
    "OnBackend",
    "Password",
    "Plugin",
    "PluginsDir",
    "TlsCa",
    "Url",
    "add_command",
    "add_commands",
    "asked",
    "command_names",
    "reporting",
    "silence",
    "tls_context",
]

FAILED = 1
"""Exit code of a command that could not do what it was asked to."""

DEFAULT_URL = "ws://127.0.0.1:8228"
"""Where ``mt-remote serve`` listens unless it is told otherwise."""

DEMO_PASSWORD = "manager"
"""Of the packaged demo broker's managers."""

Config: TypeAlias = Annotated[str | None, typer.Option("--config", metavar="FILE", help="settings in TOML")]
Plugin: TypeAlias = Annotated[
    list[str] | None, typer.Option("--plugin", metavar="MODULE", help="a further plugin; repeatable")
]
PluginsDir: TypeAlias = Annotated[
    list[str] | None, typer.Option("--plugins-dir", metavar="FOLDER", help="a folder of one-file plugins; repeatable")
]
OnBackend: TypeAlias = Annotated[
    str | None, typer.Option("--backend", metavar="NAME", help="as served on this backend")
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="as JSON")]
Url: TypeAlias = Annotated[str, typer.Option("--url", metavar="URL", help="the gateway", envvar="MT_REMOTE_URL")]
TlsCa: TypeAlias = Annotated[str | None, typer.Option("--tls-ca", metavar="FILE", help="certificate to trust")]
Password: TypeAlias = Annotated[
    str,
    typer.Option(
        "--password",
        metavar="TEXT",
        help="the manager's password; '-' asks for it (default: the demo broker's)",
        envvar="MT_REMOTE_PASSWORD",
        show_default=False,
    ),
]

RELOAD = "--reload"
"""A flag of ``serve`` that is looked for before any plugin is loaded."""

_TAKING_A_VALUE = ("--config", "--plugin", "--plugins-dir")
"""Options that may stand before the command's name."""


class CommandLine:
    """One command line: what was typed, and the plugins that it is for. Both are looked at when asked for, so that a
    command that needs no plugin starts at once, and works where one is broken."""

    def __init__(self, words: Sequence[str] = (), manager: pluggy.PluginManager | None = None) -> None:
        self.words = list(words)
        if manager is not None:
            self.manager = manager

    @cached_property
    def command(self) -> str:
        """The command's name, ``""`` where there is none."""
        words = iter(self.words)
        for word in words:
            if word in _TAKING_A_VALUE:
                next(words, None)
            elif not word.startswith("-"):
                return word
        return ""

    @cached_property
    def startup(self) -> Startup:
        """Backend and plugins, from flags, environment and file. Raises
        :class:`~mt_remote.errors.ConfigurationError`."""
        from mt_remote_tools.cli.configuration import Startup

        return Startup.read(self.words)

    @cached_property
    def manager(self) -> pluggy.PluginManager:
        """The plugins: what is installed, and what flags, environment and file name. Raises
        :class:`~mt_remote.errors.PluginError`."""
        from mt_remote_tools.loading import loaded

        return loaded(self.startup.plugins, self.startup.plugins_dir)

    @property
    def backend(self) -> str:
        """Name of the backend that was chosen."""
        return self.startup.backend

    @property
    def plugins(self) -> list[str]:
        """The plugins that were named beside those that are installed: modules' names and files."""
        return [*self.startup.plugins, *(str(path) for path in self.startup.plugins_dir)]


def add_command(app: typer.Typer, line: CommandLine, name: str, module: str) -> None:
    """Adds the command that a module has: its ``HELP``, and what its ``command(line)`` gives. The module is imported
    where it is needed: when its command was typed, or none was, since then all are listed. Else the name keeps its
    place, so that nobody else takes it."""
    if line.command not in ("", name):
        app.command(name)(_another)
        return
    found: Any = importlib.import_module(module)
    app.command(name, help=found.HELP)(found.command(line))


def _another() -> None:
    """Stands for a command that was not typed."""


def add_commands(app: typer.Typer, implementation: pluggy.HookImpl, line: CommandLine) -> list[str]:
    """Lets one plugin add its commands; gives their names. Raises :class:`~mt_remote.errors.PluginError`."""
    before = Counter(command_names(app))
    given = {"app": app, "line": line}
    add: Callable[..., object] = implementation.function
    try:
        add(*(given[name] for name in implementation.argnames))
    except MtRemoteError:
        raise
    except Exception as error:
        where = f"plugin {implementation.plugin_name!r}: {implementation.function.__name__}"
        raise PluginError(f"{where} failed: {type(error).__name__}: {error}") from error
    return list(Counter(command_names(app)) - before)


def command_names(app: typer.Typer) -> list[str]:
    """The names of an application's commands and groups."""
    commands = [each.name or _callback_name(each.callback) for each in app.registered_commands]
    return commands + [each.name for each in app.registered_groups if isinstance(each.name, str)]


def _callback_name(callback: object) -> str:
    return str(getattr(callback, "__name__", "")).replace("_", "-").lower()


def silence() -> None:
    """Keeps what a gateway in this process logs to errors: what a command prints is for whoever typed it."""
    from mt_remote import logs

    logs.configure("error", as_json=False)


def asked(password: str) -> str:
    """A password as an option gave it; ``-`` asks whoever typed it."""
    return str(typer.prompt("Password", hide_input=True, err=True)) if password == "-" else password


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
    """What a client of a gateway may meet, as one line on standard error and exit code 1."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

    from mt_remote.client import CallFailed

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


def _refusal(error: InvalidStatus) -> str:
    """The gateway's own words, where the answer has them (docs/protocol.md, chapter 2)."""
    status = error.response.status_code
    try:
        body = json.loads(error.response.body or b"")
        return f"{status} {body['code']}: {body['message']}"
    except (ValueError, TypeError, KeyError):
        return f"HTTP {status}"
