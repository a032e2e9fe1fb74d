"""Logging: structlog, without the values of local variables, which may be secret."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


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


def configure(level: str = "info", *, as_json: bool = False) -> None:
    """Logs to standard error: for people, or as JSON lines. Tracebacks have no locals."""
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


def ensure_configured() -> None:
    """Structlog's own default shows locals in tracebacks: never run with that."""
    if not structlog.is_configured():
        configure()
