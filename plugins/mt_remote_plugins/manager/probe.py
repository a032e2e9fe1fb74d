"""Whether the library can be used at all, found out before the gateway listens: ``doctor``'s steps without a server.

With worker processes it is tried in a process of its own, as the library may crash or hang while it is loaded:
``python -m mt_remote_plugins.manager.probe LIBRARY`` writes what is wrong, nothing when all is well.
"""

from __future__ import annotations

import os
import subprocess
import sys

from mt_remote.errors import ConfigurationError
from mt_remote_plugins.manager.doctor import diagnose
from mt_remote_plugins.manager.running_engine import ending, worker_environment

_FOUND = 3
"""Exit code of the process when it wrote what is wrong."""


def require_usable(library: str, *, isolated: bool, seconds: float) -> None:
    """Raises :class:`~mt_remote.errors.ConfigurationError` in ``doctor``'s words. ``isolated`` tries the library in a
    process of its own, which may take ``seconds``."""
    problem = _asked(library, seconds) if isolated else find_problem(library)
    if problem:
        raise ConfigurationError(f"Manager library {library!r}: {problem}")


def find_problem(library: str) -> str:
    """What keeps the library from being used; empty when nothing does."""
    return next((finding.message for finding in diagnose(library) if finding.ok is False), "")


def _asked(library: str, seconds: float) -> str:
    command = [sys.executable, "-m", __name__, library]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=worker_environment(),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it was not loaded within {seconds:g} s"
    if done.returncode == _FOUND:
        return done.stdout.decode("utf-8").strip()
    return f"the process that loaded it {ending(done.returncode)}" if done.returncode else ""


def main() -> None:
    """Looks at the library that the command line names."""
    answer = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not be taken for the answer
    problem = find_problem(sys.argv[1])
    os.write(answer, problem.encode("utf-8"))
    os._exit(_FOUND if problem else 0)  # threads of the library may still run


if __name__ == "__main__":
    main()
