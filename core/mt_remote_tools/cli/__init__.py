"""The command line: ``mt-remote serve``, ``plugins``, ``functions``, ``call``, ``watch``, ``record``, ``replay``,
``cert``, ``version``, and what plugins add. Nothing here is imported before it is needed: ``serve`` answers a second
after it was started."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit code: 0 done, 1 failed, 2 wrong usage, settings or plugins."""
    gc.set_threshold(10_000)  # nearly all that a start makes stays: looking for garbage took a seventh of it
    from mt_remote_tools.cli.app import run

    return run(list(sys.argv[1:] if arguments is None else arguments))
