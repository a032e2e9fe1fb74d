"""Puts the command line together: an application, the plugins that are there, and the hook by which each of them adds
its commands. The commands that ship come by it too (:mod:`mt_remote_tools.plugin`)."""

from __future__ import annotations

import os
import sys

import pluggy
import typer

from mt_remote.errors import PluginError
from mt_remote.plugin import PROJECT
from mt_remote_tools import command_line, plugin
from mt_remote_tools.cli.commands import NEEDING_NO_PLUGIN
from mt_remote_tools.cli.problems import complain, problem_of
from mt_remote_tools.command_line import FAILED, RELOAD, CommandLine

USAGE, INTERRUPTED = 2, 130
"""Exit codes: of a wrong command line, setting or plugin, and after Ctrl-C (128 + SIGINT)."""

_ABOUT = "MetaTrader 4 servers over a WebSocket with JSON. Start with: mt-remote serve"


def run(arguments: list[str]) -> int:
    """Runs one command line. Errors of usage, settings and plugins are one line on standard error and exit code 2."""
    arguments = arguments or ["--help"]
    try:
        if RELOAD in arguments:
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
        problem = problem_of(error)
        if problem is None:
            raise
        complain(problem)
        return USAGE
    return code if isinstance(code, int) else 0


def build(arguments: list[str]) -> typer.Typer:
    """The application, with the commands that plugins bring. One that needs no plugin is looked for among the tools'
    own alone: it starts at once, and works where a plugin is broken."""
    app = typer.Typer(
        help=_ABOUT,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    line = CommandLine(arguments)
    manager = _tools_alone() if line.command in NEEDING_NO_PLUGIN else line.manager
    owners: dict[str, str] = {}
    for implementation in reversed(manager.hook.mt_remote_commands.get_hookimpls()):  # pluggy's order of calls
        for name in command_line.add_commands(app, implementation, line):
            if name in owners:
                raise PluginError(
                    f"plugin {implementation.plugin_name!r} adds a command {name!r}, which plugin {owners[name]!r} has "
                    "already"
                )
            owners[name] = implementation.plugin_name
    return app


def _tools_alone() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.register(plugin, plugin.__name__)
    return manager


def _root(
    config: command_line.Config = None,
    plugin: command_line.Plugin = None,
    plugins_dir: command_line.PluginsDir = None,
) -> None:
    """These options are read before the application is built (:class:`CommandLine`): plugins bring commands."""
