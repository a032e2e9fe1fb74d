"""Whatever goes wrong on the command line, as one line."""

from __future__ import annotations

import sys
from collections.abc import Callable

from mt_remote.errors import ConfigurationError, MtRemoteError, PluginError


def complain(problem: str) -> None:
    """One line on standard error."""
    print("mt-remote: " + "; ".join(line.strip() for line in problem.splitlines()), file=sys.stderr)


def problem_of(error: BaseException) -> str | None:
    """The sentence for an error that is the user's to mend, ``None`` for a bug."""
    if isinstance(error, ConfigurationError | PluginError):
        return str(error)
    if isinstance(error, BaseExceptionGroup):  # what a task group makes of an error inside it
        problems = [problem_of(inner) for inner in error.exceptions]
        return "; ".join(filter(None, problems)) if all(problems) else None
    describe: Callable[[], str] | None = getattr(error, "format_message", None)
    if describe is None or isinstance(error, MtRemoteError):
        return None
    where = getattr(getattr(error, "ctx", None), "command_path", "mt-remote")
    return f"{describe().rstrip('. ')}; see {where} --help"
