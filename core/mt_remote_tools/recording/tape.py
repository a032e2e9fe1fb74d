"""What takes down a conversation while it goes on: in memory for a comparison, or in a file, without its secrets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from mt_remote.errors import ConfigurationError
from mt_remote_tools.recording.format import (
    Answer,
    Closed,
    Entry,
    EventHeard,
    Header,
    Opened,
    Request,
    line,
    read,
    write,
)  # fmt: skip
from mt_remote_tools.recording.redact import Redactor

_MT_HEADERS = ("mt-server", "mt-login", "mt-password")


def dialect_of(headers: Mapping[str, str]) -> str:
    """The dialect that a handshake's headers (by lower-case name) ask for."""
    if "version" in headers:
        return headers["version"].strip()
    return "1.00" if any(name in headers for name in _MT_HEADERS) else "0"


def parsed(text: str | bytes) -> dict[str, Any] | None:
    """A message that is a JSON object, ``None`` for any other."""
    if isinstance(text, bytes):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class Tape:
    """Keeps entries in memory as they come."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.entries: list[Entry] = []
        self._clock = clock
        self._began: float | None = None

    def opened(
        self, session: int, path: str, headers: Iterable[tuple[str, str]], status: int = 101, body: Any = None
    ) -> None:
        """A handshake was answered."""
        by_name = {name.lower(): value for name, value in headers}
        self._take(Opened(session=session, at=self._at(), path=path, dialect=dialect_of(by_name), headers=by_name,
                          status=status, body=body))  # fmt: skip

    def sent(self, session: int, text: str | bytes) -> None:
        """The client sent a message."""
        message = parsed(text)
        if message is None:
            self._unreadable(session, text)
        else:
            self._take(Request(session=session, at=self._at(), message=message))

    def _unreadable(self, session: int, text: str | bytes) -> None:
        length = len(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
        self._take(Request(session=session, at=self._at(), unreadable=length, binary=isinstance(text, bytes)))

    def heard(self, session: int, text: str | bytes) -> Answer | EventHeard:
        """The gateway sent a message."""
        message = parsed(text)
        if message is None:  # no gateway of this protocol does that; the comparison will say so
            message = {"unreadable": len(text)}
        kind = EventHeard if "event" in message else Answer
        entry = kind(session=session, at=self._at(), message=message)
        self._take(entry)
        return entry

    def closed(self, session: int, code: int, reason: str, by: Literal["client", "gateway"]) -> None:
        """The session is over."""
        self._take(Closed(session=session, at=self._at(), code=code, reason=reason, by=by))

    def _at(self) -> float:
        now = self._clock()
        if self._began is None:
            self._began = now
        return round(now - self._began, 6)

    def _take(self, entry: Entry) -> None:
        self.entries.append(entry)


class FileTape(Tape):
    """Writes entries to a file as they come, without secrets.

    A context. Its end takes out of the file what turned out to be a secret only after it had been written.
    """

    def __init__(self, path: Path, gateway: str, redactor: Redactor | None = None) -> None:
        super().__init__()
        self.path = path
        self.count = 0
        self._redactor = redactor or Redactor()
        self._header = Header(kind="recording", gateway=self._redactor.url(gateway), made=int(time.time()))
        self._secrets_at_first = self._redactor.secrets

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("w", encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"{str(self.path)!r} can't be written: {error.strerror or error}") from error
        self._file.write(line(self._header))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._redactor.secrets > self._secrets_at_first:
            self._clean_again()

    def _take(self, entry: Entry) -> None:
        self._file.write(self._line(entry))
        self._file.flush()  # a recorder that is killed leaves what it has heard
        self.count += 1

    def _line(self, entry: Entry) -> str:
        try:
            return line(redacted(entry, self._redactor))
        except (ValueError, RecursionError):  # nested too deeply to be looked through: its length is all we may keep
            if isinstance(entry, Request):
                return line(entry.model_copy(update={"message": None, "unreadable": len(repr(entry.message))}))
            raise

    def _clean_again(self) -> None:
        recording = read(self.path)
        temporary = self.path.with_name(self.path.name + ".part")
        cleaned = [redacted(entry, self._redactor) for entry in recording.entries]
        write(temporary, recording.header, cleaned)
        temporary.replace(self.path)


def redacted(entry: Entry, redactor: Redactor) -> Entry:
    """An entry without the secrets that the redactor knows or finds in it."""
    if isinstance(entry, Opened):
        headers = redactor.headers(entry.headers.items())
        cleaned = {"path": redactor.url(entry.path), "headers": headers, "body": redactor.value(entry.body)}
        return entry.model_copy(update=cleaned)
    if isinstance(entry, Closed):
        return entry.model_copy(update={"reason": redactor.text(entry.reason)})
    if isinstance(entry, Request | Answer | EventHeard) and entry.message is not None:
        return entry.model_copy(update={"message": redactor.message(entry.message)})
    return entry
