"""The file: lines of JSON. The first is a :class:`Header`, each further one an entry.

A **recording** holds what was said, in the order in which it was said::

    {"kind": "recording", "format": 1, "protocol": "2", "gateway": "ws://127.0.0.1:8228", "made": 1579500000}
    {"entry": "session", "session": 1, "at": 0.0, "dialect": "1.00", "headers": {"mt-login": "1", …}}
    {"entry": "request", "session": 1, "at": 0.002, "message": {"id": 0, "name": "ticks.get", "data": {…}}}
    {"entry": "answer", "session": 1, "at": 0.003, "message": {"id": 0, "status": "OK", "result": […]}}
    {"entry": "event", "session": 1, "at": 0.9, "message": {"event": "tick", "event_id": 0, "data": {…}}}
    {"entry": "closed", "session": 1, "at": 1.2, "code": 1000, "by": "client"}

A **script** says what should happen. It has the same entries, beside :class:`Call` (a request with the answer that is
expected) and :class:`Silence`. What is expected may name the law that demands it, and states only what matters: fields
that it does not have, and events between those that it has, may be anything::

    {"kind": "script", "format": 1, "protocol": "2", "title": "an event after unsubscribe", "law": "L-EVT-3"}
    {"entry": "session", "session": 1, "headers": {"VERSION": "2", "MT-SERVER": "Demo", …}}
    {"entry": "call", "session": 1, "name": "subscribe", "data": {"event": "tick"}, "expect": {"status": "OK"}}
    {"entry": "call", "session": 1, "name": "unsubscribe", "data": {"event": "tick"}, "expect": {"status": "OK"}}
    {"entry": "silence", "session": 1, "event": "tick", "law": "L-EVT-3"}
    {"entry": "call", "session": 1, "name": "tick.add", "data": {…}, "expect": {"status": "OK"}}

Versions: a reader refuses a ``format`` that is newer than its own. Fields that it does not know are refused as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mt_remote.dispatch.problems import problems_of
from mt_remote.errors import ConfigurationError, sendable
from mt_remote.gateway.handshakes import SPOKEN

FORMAT = 1
"""Version of the file format that this module writes."""

Json: TypeAlias = dict[str, Any]
_SessionNumber: TypeAlias = Annotated[int, Field(ge=1)]


class FormatError(ConfigurationError):
    """A file is no recording or script: which line, and what is wrong with it."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(_Line):
    """The first line. ``made`` in Unix seconds; ``protocol`` is the newest dialect that the writer knows; ``law`` and
    ``title`` say what a script is about."""

    kind: Literal["recording", "script"]
    format: int = Field(FORMAT, ge=1)
    protocol: str = SPOKEN[-1]
    gateway: str = ""
    made: int = Field(0, ge=0)
    title: str = ""
    law: str = ""


class _Entry(_Line):
    """Something in a session. ``at``: seconds since the first session was opened."""

    session: _SessionNumber = 1
    at: float = Field(0.0, ge=0)


class Opened(_Entry):
    """A handshake. ``headers`` are those of the request that matter, by lower-case name; ``status`` is the answer's:
    101, or that of a refusal, whose ``body`` is kept."""

    entry: Literal["session"] = "session"
    path: str = "/"
    dialect: str = "0"
    headers: dict[str, str] = Field(default_factory=dict)
    status: int = Field(101, ge=100, le=599)
    body: Any = None
    law: str = ""


class Request(_Entry):
    """What the client sent. What is not a JSON object has no ``message``: ``unreadable`` is its length in bytes, for it
    can't be searched for secrets, and ``binary`` says that it was not text."""

    entry: Literal["request"] = "request"
    message: Json | None = None
    unreadable: int = Field(0, ge=0)
    binary: bool = False

    @property
    def name(self) -> str:
        """The function's name, empty where there is none."""
        found = (self.message or {}).get("name", "")
        return found if isinstance(found, str) else ""


class Answer(_Entry):
    """What the gateway answered."""

    entry: Literal["answer"] = "answer"
    message: Json
    law: str = ""


class EventHeard(_Entry):
    """An event."""

    entry: Literal["event"] = "event"
    message: Json
    law: str = ""

    @property
    def kind(self) -> str:
        return str(self.message.get("event", ""))


class Closed(_Entry):
    """The end of a session; ``code`` 1006 where the connection broke."""

    entry: Literal["closed"] = "closed"
    code: int = Field(1000, ge=1000, le=4999)
    reason: str = ""
    by: Literal["client", "gateway"] = "client"
    law: str = ""


class Call(_Entry):
    """In scripts: a request and, where ``expect`` is there, the answer to it. ``expect`` needs no ``id``."""

    entry: Literal["call"] = "call"
    name: str
    data: Any = None
    key: str | None = None
    expect: Json | None = None
    law: str = ""


class Silence(_Entry):
    """In scripts: no event, or none of a kind, comes after the answer before it, until the script expects one again."""

    entry: Literal["silence"] = "silence"
    event: str | None = None
    law: str = ""


Entry: TypeAlias = Opened | Request | Answer | EventHeard | Closed | Silence
_AnyEntry: TypeAlias = Annotated[Entry | Call, Field(discriminator="entry")]
_ENTRY: TypeAdapter[Entry | Call] = TypeAdapter(_AnyEntry)


@dataclass
class Recording:
    """A file's contents. Of a script's calls there are the request and the answer that is expected."""

    header: Header
    entries: list[Entry] = field(default_factory=list)

    @property
    def is_script(self) -> bool:
        return self.header.kind == "script"

    def of(self, session: int) -> list[Entry]:
        """One session's entries."""
        return [entry for entry in self.entries if entry.session == session]

    @property
    def sessions(self) -> list[int]:
        """Numbers of the sessions, in the order of their beginnings."""
        return list(dict.fromkeys(entry.session for entry in self.entries))


def line(entry: Header | Entry | Call) -> str:
    """A line of the file, with its end. What has its default value is left out."""
    kept = entry.model_dump(exclude_defaults=True)
    first = {"kind": entry.kind, "format": entry.format, "protocol": entry.protocol} if isinstance(entry, Header) else {
        "entry": entry.entry, "session": entry.session,
    }  # fmt: skip
    text = json.dumps({**first, **kept}, ensure_ascii=False)
    return (text if sendable(text) == text else json.dumps({**first, **kept})) + "\n"


def write(path: Path, header: Header, entries: Iterable[Entry | Call]) -> None:
    """Writes a whole file. Nothing is removed from it: see :mod:`mt_remote_tools.recording.redact`."""
    path.write_text(line(header) + "".join(map(line, entries)), encoding="utf-8")


def read(path: Path) -> Recording:
    """Reads a file. Raises :class:`FormatError`."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise FormatError(f"{str(path)!r}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{str(path)!r} is not UTF-8") from error
    numbered = [(number, text) for number, text in enumerate(lines, 1) if text.strip()]
    if not numbered:
        raise FormatError(f"{str(path)!r} is empty")
    header = _header(path, *numbered[0])
    found = [_entry(path, number, text) for number, text in numbered[1:]]
    return Recording(header, expanded(found))


def _header(path: Path, number: int, text: str) -> Header:
    found = _json(path, number, text)
    version = found.get("format") if isinstance(found, dict) else None
    if type(version) is int and version > FORMAT:
        raise FormatError(f"{str(path)!r} has format {version}; this program reads up to {FORMAT}")
    try:
        return Header.model_validate(found)
    except ValidationError as error:
        raise _wrong(path, number, error) from error


def _entry(path: Path, number: int, text: str) -> Entry | Call:
    found = _json(path, number, text)
    try:
        return _ENTRY.validate_python(found)
    except ValidationError as error:
        raise _wrong(path, number, error) from error


def _json(path: Path, number: int, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise FormatError(f"{str(path)!r}, line {number}, is not JSON: {error}") from error


def _wrong(path: Path, number: int, error: ValidationError) -> FormatError:
    return FormatError(f"{str(path)!r}, line {number}: {'; '.join(map(str, problems_of(error)))}")


def expanded(entries: Iterable[Entry | Call]) -> list[Entry]:
    """Calls as requests with ids of their own and the answers that are expected."""
    return list(_expanded(entries))


def _expanded(entries: Iterable[Entry | Call]) -> Iterator[Entry]:
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, Call):
            yield entry
            continue
        id_ = f"call-{number}"
        message = {"id": id_, "name": entry.name, "data": entry.data, "key": entry.key}
        given = {name: value for name, value in message.items() if value is not None}
        yield Request(session=entry.session, at=entry.at, message=given)
        if entry.expect is not None:
            yield Answer(session=entry.session, at=entry.at, message={"id": id_, **entry.expect}, law=entry.law)
