"""``serve --reload``: a gateway that is started anew whenever the source of a plugin changes.

The gateway runs in a process of its own, so that nothing of the old code stays; this process only watches files. It
imports no plugin: one that can't be imported is reported by the gateway's process, and the next change tries again.
"""

from __future__ import annotations

import importlib.util
import shlex
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from mt_remote.errors import ConfigurationError
from mt_remote.plugin import PROJECT
from mt_remote_tools.command_line import RELOAD

if TYPE_CHECKING:
    from mt_remote_tools.cli.configuration import Startup

_ENDING_SECONDS = 30
"""That a gateway has for its end before it is killed."""
_DEBOUNCE = 200
"""Milliseconds in which changes that belong together are gathered: an editor writes more than one file."""


def wanted(arguments: list[str]) -> bool:
    """Whether the command line is ``serve --reload``."""
    return "serve" in arguments and RELOAD in arguments and not {"--help", "-h"} & set(arguments)


def run(arguments: list[str]) -> int:
    """Serves, and starts anew on change, until a signal comes. Raises
    :class:`~mt_remote.errors.ConfigurationError` where there is nothing to watch, or nothing to watch with."""
    from mt_remote_tools.cli.configuration import Startup

    try:
        import watchfiles
    except ImportError:
        raise ConfigurationError(f"{RELOAD} needs the package watchfiles: pip install 'mt-remote[dev]'") from None
    startup = Startup.read(arguments)
    folders = watched(sources(startup))
    if not folders:
        raise ConfigurationError(f"{RELOAD} found no plugin's source to watch; name one with --plugin or --plugins-dir")
    print(f"watching {', '.join(str(each) for each in folders)}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "mt_remote_tools.cli", *(each for each in arguments if each != RELOAD)]
    watchfiles.run_process(
        *folders,
        target=shlex.join(command),
        target_type="command",
        watch_filter=watchfiles.PythonFilter(extra_extensions=(".toml",)),
        callback=_tell,
        debounce=_DEBOUNCE,
        sigint_timeout=_ENDING_SECONDS,
    )
    return 0


def _tell(changes: Iterable[tuple[object, str]]) -> None:
    changed = sorted({Path(path).name for _, path in changes})
    print(f"{', '.join(changed)} changed: starting anew", file=sys.stderr, flush=True)


def sources(startup: Startup) -> Iterator[Path]:
    """Files and folders of the plugins that ``serve`` would load, without importing any; installed packages, which
    nobody edits, are left out."""
    installed = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib", "stdlib")}
    modules = [point.module for point in metadata.entry_points(group=PROJECT)]
    found = [source for name in [*modules, *startup.plugins] for source in _of_module(name)]
    for source in [*found, *startup.plugins_dir]:
        source = source.resolve()
        if not any(source.is_relative_to(folder) for folder in installed):
            yield source


def _of_module(name: str) -> Iterator[Path]:
    """A plugin's whole package: what it imports from there is its source too."""
    if name.endswith(".py"):
        yield Path(name)
        return
    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError):
        return
    if spec is None:
        return
    if spec.submodule_search_locations is not None:
        yield from (Path(each) for each in spec.submodule_search_locations)
    elif spec.origin is not None:
        yield Path(spec.origin)


def watched(found: Iterable[Path]) -> list[Path]:
    """The folders to watch: an editor replaces a file by another one, so a file is watched by its folder."""
    folders = {each if each.is_dir() else each.parent for each in found if each.exists()}
    return sorted(each for each in folders if not any(other in each.parents for other in folders))
