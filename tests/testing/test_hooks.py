"""The hooks that the tools bring: the commands of ``mt-remote``, and stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import typer

from mt_remote.client import Credentials
from mt_remote.errors import PluginError
from mt_remote.plugin import hookimpl
from mt_remote.plugins.host import plugin_manager
from mt_remote_tools import hookspecs
from mt_remote_tools.command_line import CommandLine, add_commands
from mt_remote_tools.loading import loaded
from mt_remote_tools.testing import Stand, StandSpec, stands
from tests.core.memory import MemoryServer


class Everything:
    """Implements both, and writes down what it is told."""

    __name__ = "everything"

    def __init__(self) -> None:
        self.told: list[str] = []

    @hookimpl
    def mt_remote_commands(self, app: typer.Typer, line: CommandLine) -> None:
        self.told.append(line.command)
        app.command("own-command")(lambda: None)

    @hookimpl
    def mt_remote_stands(self) -> list[StandSpec]:
        @contextmanager
        def opened(world: object) -> Iterator[Stand]:
            yield Stand(MemoryServer(), world, lambda seconds: None, lambda: 0)

        return [StandSpec("memory", dict, opened, Credentials("Demo", 1, "manager"))]


class WithoutLine:
    """As it was written for version 1.0 of the hooks."""

    __name__ = "older"

    @hookimpl
    def mt_remote_commands(self, app: typer.Typer) -> None:
        app.command("older-command")(lambda: None)


def test_every_hook_has_a_test_here() -> None:
    specified = {name for name in vars(hookspecs) if name.startswith("mt_remote_")}
    assert specified == {name for name in vars(Everything) if name.startswith("mt_remote_")}


def test_a_plugin_brings_commands() -> None:
    plugin = Everything()
    manager = loaded(plugins=[plugin, WithoutLine()], installed=False)
    line, app = CommandLine(["--plugin", "x", "own-command", "--json"], manager), typer.Typer()
    names = [add_commands(app, each, line) for each in manager.hook.mt_remote_commands.get_hookimpls()]
    assert names[:2] == [["own-command"], ["older-command"]]
    assert {"serve", "plugins", "call"} <= set(names[2]), "the tools' own come by the same hook"
    assert plugin.told == ["own-command"]


def test_a_plugin_that_fails_is_named() -> None:
    class Broken:
        __name__ = "broken"

        @hookimpl
        def mt_remote_commands(self) -> None:
            raise ZeroDivisionError("oh")

    manager = loaded(plugins=[Broken()], installed=False)
    implementation = manager.hook.mt_remote_commands.get_hookimpls()[0]
    with pytest.raises(PluginError, match="plugin 'broken': mt_remote_commands failed: ZeroDivisionError: oh"):
        add_commands(typer.Typer(), implementation, CommandLine([], manager))


def test_a_plugin_brings_a_stand() -> None:
    assert list(stands(loaded(plugins=[Everything()], installed=False))) == ["memory"]
    assert stands(plugin_manager(entry_points=False)) == {}


def test_without_the_tools_the_hooks_are_unknown_unless_they_are_optional() -> None:
    class Optional:
        __name__ = "optional"

        @hookimpl(optionalhook=True)
        def mt_remote_commands(self, app: typer.Typer) -> None: ...

    assert plugin_manager(plugins=[Optional()], entry_points=False).has_plugin("optional")
    with pytest.raises(PluginError, match="unknown hook 'mt_remote_commands'"):
        plugin_manager(plugins=[WithoutLine()], entry_points=False)
