"""Runs ``mt-remote`` as a process, as people do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

_MODULE = [sys.executable, "-m", "mt_remote_tools.cli"]
SHIPPED = [
    "--plugin", "mt_remote_plugins", "--plugin", "mt4sim.gateway", "--plugin", "mt_remote_conformance.plugin",
]  # fmt: skip
_WITH_PLUGINS = ("serve", "functions", "plugins", "check-plugin", "new-plugin", "conformance")
PATIENCE = 30.0


@dataclass(frozen=True)
class Done:
    """What a command said and its exit code."""

    code: int
    output: str
    errors: str


def _arguments(words: tuple[str, ...]) -> list[str]:
    """The command line; the shipped plugins are named, so that it works where the distribution is not installed."""
    if words and words[0] in _WITH_PLUGINS:
        return [*_MODULE, words[0], *SHIPPED, *words[1:]]
    return [*_MODULE, *(() if words and not words[0].startswith("w") else SHIPPED), *words]


def process_environment(more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MT_REMOTE_")}
    return {
        **kept,
        "MT_REMOTE_STATE": "memory",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "COLUMNS": "160",
        **more,
    }


def command(
    *words: str, cwd: Path | None = None, environment: Mapping[str, str] = MappingProxyType({}),
    patience: float = PATIENCE,
) -> Done:  # fmt: skip
    """Runs a command to its end."""
    done = subprocess.run(
        _arguments(words), cwd=cwd, env=process_environment(environment), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=patience, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def start(*words: str) -> subprocess.Popen[str]:
    """Starts a command that runs on, with pipes to what it says."""
    return subprocess.Popen(
        _arguments(words), env=process_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


class Gateway:
    """``mt-remote serve`` on a free port; leaving the context stops it as a service manager would."""

    def __init__(
        self, *flags: str, cwd: Path | None = None, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._flags = flags
        self._cwd = cwd
        self._environment = environment
        self.said = ""
        self.url = ""
        self.errors = ""

    def __enter__(self) -> Self:
        arguments = _arguments(("serve", "--port", "0", *self._flags))
        self.process: subprocess.Popen[str] = subprocess.Popen(
            arguments, cwd=self._cwd, env=process_environment(self._environment), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if line.startswith("listening on "):
                self.url = line.removeprefix("listening on ").strip()
                break
        watchdog.cancel()
        if not self.url:
            raise AssertionError(f"no gateway: {self.process.communicate()}")
        return self

    def __exit__(self, *_: Any) -> None:
        self.code = self.stop(signal.SIGTERM)

    def stop(self, number: int) -> int:
        """Signals and waits; gives the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        if self.process.stdout is not None and not self.process.stdout.closed:
            try:
                output, self.errors = self.process.communicate(timeout=PATIENCE)
            finally:
                self.process.kill()
            self.said += output
        return self.process.returncode
