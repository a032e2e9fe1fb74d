"""A failure as a file that ``mt-remote replay`` plays: the shortest case, word by word, with the law that it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mt_remote.client import Credentials
from mt_remote_conformance.laws import LAWS
from mt_remote_conformance.running.runner import Failure, Report
from mt_remote_conformance.sessions.client import headers_of
from mt_remote_tools.recording.format import Answer, Entry, EventHeard, Header, Opened, Request, write
from mt_remote_tools.recording.redact import Redactor


def save(report: Report, folder: Path, credentials: Credentials) -> list[Path]:
    """Writes a file for each law that broke; gives the paths. No password gets into them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for failure in report.failures:
        path = folder / f"{failure.law}-{failure.suite}.jsonl"
        title = f"{LAWS[failure.law].statement}: {failure.detail}"
        header = Header(kind="recording", gateway=report.target, law=failure.law, title=title)
        write(path, header, _entries(failure, credentials))
        paths.append(path)
    return paths


def _entries(failure: Failure, credentials: Credentials) -> Iterator[Entry]:
    redactor = Redactor([credentials.password])
    numbers: dict[str, int] = {}
    for entry in failure.transcript:
        session = numbers.setdefault(entry["session"], len(numbers) + 1)
        yield _entry(entry, session, redactor, credentials)


def _entry(entry: dict[str, Any], session: int, redactor: Redactor, credentials: Credentials) -> Entry:
    kind = entry["kind"]
    if kind == "open":
        dialect = entry["dialect"]
        known = {"1.00": {**headers_of(credentials), "VERSION": "1.00"}, "2": {"VERSION": "2"}}.get(dialect, {})
        return Opened(session=session, dialect=dialect, headers=redactor.headers(known.items()))
    if kind == "answer":
        return Answer(session=session, message=redactor.message(entry["message"]))
    if kind == "event":
        return EventHeard(session=session, message=redactor.message(entry["message"]))
    if "request" in entry:
        return Request(session=session, message=redactor.message(entry["request"]))
    return Request(session=session, unreadable=len(entry["raw"]))
