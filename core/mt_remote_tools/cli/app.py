"""Puts the command line together and turns whatever goes wrong into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mt_remote.errors import ConfigurationError, MtRemoteError, PluginError
from mt_remote_tools.cli import checking, options

if TYPE_CHECKING:
    from mt_remote_tools.cli.configuration import Startup

FAILED, USAGE, INTERRUPTED = 1, 2, 130

_WITHOUT_PLUGINS = ("call", "cert", "record", "replay", "version", "watch")
"""Commands that need no plugin, so that they start at once and work where a plugin is broken."""

_ABOUT = "MetaTrader 4 servers over a WebSocket with JSON. Start with: mt-remote serve"


def run(arguments: list[str]) -> int:
    """Runs one command line. Errors of usage, settings and plugins are one line on standard error and exit code 2."""
    arguments = arguments or ["--help"]
    try:
        if options.RELOAD in arguments:
            from mt_remote_tools.cli import reloading

            if reloading.wanted(arguments):
                return reloading.run(arguments)
        command = typer.main.get_command(build(arguments))
        code = command.main(args=arguments, prog_name="mt-remote", standalone_mode=False)
        sys.stdout.flush()
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter's last flush complains
        return FAILED
    except Exception as error:
        problem = _problem(error)
        if problem is None:
            raise
        complain(problem)
        return USAGE
    return code if isinstance(code, int) else 0


def complain(problem: str) -> None:
    """One line on standard error."""
    print("mt-remote: " + "; ".join(line.strip() for line in problem.splitlines()), file=sys.stderr)


def _problem(error: BaseException) -> str | None:
    """The sentence for an error that is the user's to mend, ``None`` for a bug."""
    if isinstance(error, ConfigurationError | PluginError):
        return str(error)
    if isinstance(error, BaseExceptionGroup):  # what a task group makes of an error inside it
        problems = [_problem(inner) for inner in error.exceptions]
        return "; ".join(filter(None, problems)) if all(problems) else None
    describe: Callable[[], str] | None = getattr(error, "format_message", None)
    if describe is None or isinstance(error, MtRemoteError):
        return None
    where = getattr(getattr(error, "ctx", None), "command_path", "mt-remote")
    return f"{describe().rstrip('. ')}; see {where} --help"


def build(arguments: list[str]) -> typer.Typer:
    """The application, with the flags and commands that plugins bring where the command line needs them."""
    app = typer.Typer(
        help=_ABOUT, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip
    app.callback()(_root)
    if arguments[0] in _WITHOUT_PLUGINS:
        _add_clients(app)
    elif checking.NAME in arguments and "--help" not in arguments:  # the plugin may be installed, and broken
        from mt_remote_tools.cli.configuration import Startup

        app.command(checking.NAME, help=checking.HELP)(checking.command(Startup.read(arguments)))
    else:
        from mt_remote_tools.cli.configuration import Startup

        read = arguments
        if options.NEW_PLUGIN in arguments:  # its --backend takes no value
            read = [each for each in arguments if each != "--backend"]
        _add_plugin_commands(app, Startup.read(read), serves="serve" in arguments and "--help" not in arguments)
    return app


def _root(config: options.Config = None, plugin: options.Plugin = None, plugins_dir: options.PluginsDir = None) -> None:
    """The options are read before the application is built (:class:`Startup`): plugins bring commands."""


def _add_clients(app: typer.Typer) -> None:
    from mt_remote_tools.cli import client, recording

    app.command("call", help="Call one function of a gateway and print its result.")(client.call)
    app.command("watch", help="Print a gateway's events, one line of JSON each, until interrupted.")(client.watch)
    recording.add(app)
    app.command("cert", help="Make a self-signed certificate and its key, for development.")(_cert)
    app.command("version", help="Print the version.")(_version)


def _add_plugin_commands(app: typer.Typer, startup: Startup, *, serves: bool) -> None:
    from mt_remote.plugins.host import plugin_manager
    from mt_remote_tools.cli import authoring, conformance, listing, plugins, serving

    manager = plugin_manager(startup.plugins, startup.plugins_dir)
    app.command("serve", help=serving.HELP)(serving.command(manager, startup, wanted=serves))
    app.command("plugins", help="Show the plugins: what each brings, and which may refuse calls.")(
        plugins.command(manager)
    )
    app.command("functions", help="Show the functions that are served.")(listing.functions_command(manager, startup))
    app.command(options.NEW_PLUGIN, help=authoring.HELP)(authoring.command(manager))
    app.command("conformance", help=conformance.HELP)(conformance.command(startup))
    app.command(checking.NAME, help=checking.HELP)(checking.command(startup))
    _add_clients(app)
    owners = dict.fromkeys(names_in(app), "the command line itself")
    for implementation in manager.hook.mt_remote_commands.get_hookimpls():
        before = Counter(names_in(app))
        implementation.function(app)
        for name in Counter(names_in(app)) - before:
            if name in owners:
                raise PluginError(
                    f"plugin {implementation.plugin_name!r} adds a command {name!r}, which {owners[name]} has already"
                )
            owners[name] = f"plugin {implementation.plugin_name!r}"


def names_in(app: typer.Typer) -> list[str]:
    """The names of an application's commands and groups."""
    commands = [each.name or _callback_name(each.callback) for each in app.registered_commands]
    return commands + [each.name for each in app.registered_groups if isinstance(each.name, str)]


def _callback_name(callback: Any) -> str:
    return str(callback.__name__).replace("_", "-").lower()


def _cert(
    hosts: Annotated[
        list[str] | None, typer.Option("--host", metavar="NAME", help="name or address that it is for; repeatable")
    ] = None,
    folder: Annotated[str, typer.Option("--out", metavar="FOLDER", help="where cert.pem and key.pem go")] = ".",
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="how long it is valid")] = 365,
    force: Annotated[bool, typer.Option("--force", help="overwrite files that are there")] = False,
) -> None:
    from pathlib import Path

    from mt_remote_tools.cli.certificate import make

    certificate, key = make(Path(folder), hosts or ["localhost", "127.0.0.1", "::1"], days, force=force)
    print(f"mt-remote serve --tls-cert {certificate} --tls-key {key}")


def _version() -> None:
    from mt_remote_tools.cli.listing import version

    print(f"mt-remote {version()}")
