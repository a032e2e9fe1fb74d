"""Plugins with the tools among them, whether or not the distribution is installed: their hooks are always there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pluggy

from mt_remote.plugins.host import plugin_manager

TOOLS = "mt_remote_tools.plugin"


def loaded(
    modules: Iterable[str] = (),
    folders: Iterable[Path] = (),
    plugins: Iterable[object] = (),
    *,
    installed: bool = True,
    without: Collection[str] = (),
) -> pluggy.PluginManager:
    """A plugin manager with everything registered and checked: what is ``installed``, ``modules`` (names, or paths of
    one-file plugins), one-file plugins in ``folders``, ``plugins`` that are objects. Modules in ``without`` are left
    alone. Raises :class:`~mt_remote.errors.PluginError` for one that can't be loaded or does not fit the hooks."""
    return plugin_manager([*modules, TOOLS], folders, plugins, entry_points=installed, without=without)
