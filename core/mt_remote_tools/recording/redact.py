"""Secrets leave a recording before it is written.

A secret is the value of a field whose name says so (``password``, ``MT-PASSWORD``, ``smtp_password``, ``token`` …), in
headers, requests, answers and events, at any depth. Where it stood there is a placeholder, ``‹secret 1›``, the same for
the same secret, so that a replay can tell passwords apart and put its own in their place. Once known, a secret is also
taken out of every other text: an error that repeats it, a comment, a path; whole or as a part. Two limits:

- a secret shorter than four characters is taken out of other texts only where it is all of the text: it would be found
  inside ordinary words else;
- ``true``, ``false``, ``null`` and the empty text under such a name stay: they tell settings, not secrets.

Names of fields stay, and so do the protocol's own words: functions, kinds of events, error codes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit, urlunsplit

SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|token|secret|authoriz|cookie|credential|api[_-]?key|private[_-]?key", re.I
)
"""What the name of a field with a secret has in it."""

PLACEHOLDER = re.compile(r"‹(?P<kind>secret|number) (?P<number>\d+)›")
"""What stands where a secret was: a text's, or a number's."""

_SHORT = 4
_WORD = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
_WORDS_AT = {"name": _WORD, "event": _WORD, "code": _WORD, "status": re.compile(r"OK|ERROR")}
_HANDSHAKE = re.compile(r"host|connection|upgrade|content-length|sec-websocket-.*")


def is_secret(name: str) -> bool:
    """Whether a field or header of that name holds a secret."""
    return SECRET_NAME.search(name) is not None


class Redactor:
    """Takes secrets out of what passes, and remembers them."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._placeholders: dict[str, str] = {}
        self._forms: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        for secret in known:
            self._learn(secret)

    @property
    def secrets(self) -> int:
        """How many are known. A text that passed before one of them may still have it."""
        return len(self._placeholders)

    def message(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """A request, answer or event without its secrets. All of its secrets are known before its texts are looked
        at, so it does not matter which stands first."""
        self._learn_all(found)
        cleaned: dict[str, Any] = {}
        for name, value in found.items():
            own = name in _WORDS_AT and isinstance(value, str) and _WORDS_AT[name].fullmatch(value)
            cleaned[self._key(name)] = value if own else self._clean(name, value)
        return cleaned

    def headers(self, found: Iterable[tuple[str, str]]) -> dict[str, str]:
        """A handshake's headers by lower-case name, without those of HTTP and the WebSocket themselves."""
        kept = [(name.lower(), value) for name, value in found if not _HANDSHAKE.fullmatch(name.lower())]
        self._learn_all(dict(kept))
        return {name: self._clean(name, value) for name, value in kept}

    def text(self, found: str) -> str:
        """A text without the secrets that are known."""
        if found in self._forms:
            return self._forms[found]
        if self._pattern is None:
            return found
        return self._pattern.sub(lambda match: self._forms[match[0]], found)

    def url(self, found: str) -> str:
        """A URL or path without user, password, and what its query names secret."""
        parts = urlsplit(found)
        query = parse_qsl(parts.query, keep_blank_values=True)
        self._learn_all(dict(query))
        cleaned = "&".join(f"{quote_plus(name)}={_in_query(self._clean(name, value))}" for name, value in query)
        where = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, where, self.text(parts.path), cleaned, ""))

    def value(self, found: Any) -> Any:
        """Any JSON value without its secrets."""
        self._learn_all(found)
        return self._clean("", found)

    # Knowing secrets

    def _learn_all(self, found: Any, *, secret: bool = False) -> None:
        if isinstance(found, Mapping):
            for name, value in found.items():
                self._learn_all(value, secret=secret or is_secret(str(name)))
        elif isinstance(found, list | tuple):
            for value in found:
                self._learn_all(value, secret=secret)
        elif secret and isinstance(found, str) and found and not PLACEHOLDER.fullmatch(found):
            self._learn(found)
        elif secret and _is_number(found):
            self._learn(json.dumps(found), kind="number")

    def _learn(self, secret: str, kind: str = "secret") -> None:
        if secret in self._placeholders:
            return
        placeholder = f"‹{kind} {len(self._placeholders) + 1}›"
        self._placeholders[secret] = placeholder
        for form in _forms(secret):
            self._forms.setdefault(form, placeholder)
        long = sorted((form for form in self._forms if len(form) >= _SHORT), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, long))) if long else None

    # Taking them out

    def _clean(self, name: str, value: Any, *, secret: bool = False) -> Any:
        secret = secret or is_secret(name)
        if isinstance(value, Mapping):
            return {self._key(str(key)): self._clean(str(key), inner, secret=secret) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean("", inner, secret=secret) for inner in value]
        if isinstance(value, str):
            return self._placeholders.get(value, value) if secret and value in self._placeholders else self.text(value)
        if secret and _is_number(value):
            return self._placeholders[json.dumps(value)]
        return value

    def _key(self, name: str) -> str:
        return name if _WORD.fullmatch(name) else self.text(name)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_query(value: str) -> str:
    return value if PLACEHOLDER.fullmatch(value) else quote_plus(value)


def _forms(secret: str) -> Iterable[str]:
    """A secret as messages may spell it: as it is, inside quotes of Python and JSON, in a URL, without blanks around
    it."""
    spelt = {
        secret,
        secret.strip(),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        quote(secret, safe="", errors="replace"),
    }
    return sorted(spelt - {""})


class Secrets:
    """What a replay puts where placeholders stand.

    ``given`` are values by number. A placeholder that is not given becomes ``log_in`` where a log-in uses it, and a
    made-up text (or number) else, the same each time, so that an account that is made with a password can be used
    with it.
    """

    def __init__(self, given: Mapping[int, str] | None = None, *, log_in: str | None = None) -> None:
        self._values: dict[int, str] = dict(given or {})
        self._log_in = log_in

    def restored(self, found: Any, *, logs_in: bool = False) -> Any:
        """A value with its placeholders filled."""
        if isinstance(found, Mapping):
            return {
                self._text(str(key), logs_in): self.restored(value, logs_in=logs_in) for key, value in found.items()
            }
        if isinstance(found, list):
            return [self.restored(value, logs_in=logs_in) for value in found]
        if isinstance(found, str):
            whole = PLACEHOLDER.fullmatch(found)
            if whole is not None and whole["kind"] == "number":
                return int(whole["number"])
            return self._text(found, logs_in)
        return found

    def _text(self, found: str, logs_in: bool) -> str:
        return PLACEHOLDER.sub(lambda match: self._value(int(match["number"]), logs_in), found)

    def _value(self, number: int, logs_in: bool) -> str:
        if number not in self._values:
            self._values[number] = self._log_in if logs_in and self._log_in is not None else f"Made-up-{number}"
        return self._values[number]
