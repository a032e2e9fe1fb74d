"""``mt-remote version``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata

from mt_remote_tools.command_line import CommandLine

HELP = "Print the version."


def command(line: CommandLine) -> Callable[[], None]:
    """The command."""

    def version() -> None:
        print(f"mt-remote {installed_version()}")

    return version


def installed_version() -> str:
    """The installed distribution's version."""
    try:
        return metadata.version("mt-remote")
    except metadata.PackageNotFoundError:
        return "(not installed)"
