"""Logging: structlog, without the values of local variables, which may be secret.

structlog takes longer to import (it looks for rich) than all else on the way to the first answer, and most starts log
nothing. So it comes with the first line, or with :func:`load` once the gateway listens, whichever is first.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    import structlog


class Log:
    """Writes lines: what happened, and values by name."""

    __slots__ = ()

    def info(self, event: str, **values: object) -> None:
        _logger().info(event, **values)

    def warning(self, event: str, **values: object) -> None:
        _logger().warning(event, **values)

    def error(self, event: str, **values: object) -> None:
        _logger().error(event, **values)

    def exception(self, event: str, **values: object) -> None:
        """With the traceback of the exception that is being handled."""
        _logger().exception(event, **values)


def _logger() -> Any:
    load()
    import structlog

    return structlog.get_logger()


class _StandardError:
    """Whatever standard error is when a line is written. One that was closed, or whose disk is full, costs the line:
    what is being logged must go on."""

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


_wanted: tuple[str, bool] | None = None


def configure(level: str = "info", *, as_json: bool = False) -> None:
    """Logs to standard error: for people, or as JSON lines. Tracebacks have no locals."""
    global _wanted
    _wanted = (level, as_json)
    if "structlog" in sys.modules:  # a plugin brought it, and may log by itself at any moment
        load()


def ensure_configured() -> None:
    """Structlog's own default shows locals in tracebacks: never run with that."""
    if _wanted is None and not _is_configured():
        configure()


def _is_configured() -> bool:
    if "structlog" not in sys.modules:
        return False
    import structlog

    return structlog.is_configured()


def load() -> None:
    """Makes structlog ready, if it is not; from any thread."""
    global _wanted
    if _wanted is not None:
        _configure(*_wanted)
        _wanted = None  # not before: another thread may have a line to write meanwhile


def _configure(level: str, as_json: bool) -> None:
    import structlog

    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[structlog.typing.Processor]
    if as_json:
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        final = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    else:
        final = [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback, colors=False)]
    structlog.configure(
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: structlog.PrintLogger(cast(TextIO, _StandardError())),
        cache_logger_on_first_use=False,
    )
