"""Native text: zero-terminated bytes of a fixed field, in the server's ANSI code page."""

from __future__ import annotations

import codecs

from mt_remote.errors import ConfigurationError, InvalidData

_CACHE_ENTRIES = 20_000
_CACHED_SIZE = 32


def _best_fit(error: UnicodeError) -> tuple[str, int]:
    """Bytes that a code page leaves undefined read as the control characters of the same numbers, as on Windows."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(map(chr, error.object[error.start : error.end])), error.end


codecs.register_error("mt_remote_best_fit", _best_fit)


class _Cache(dict[bytes, str]):
    """Texts that repeat in every row (symbols, groups, comments), decoded once."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page

    def __missing__(self, raw: bytes) -> str:
        if len(self) >= _CACHE_ENTRIES:
            self.clear()
        text = self[raw] = decode_text(raw, self._page)
        return text


def decode_text(raw: bytes, page: str) -> str:
    """The text before the first zero byte. What follows the zero has no meaning."""
    end = raw.find(0)
    return (raw if end < 0 else raw[:end]).decode(page, "mt_remote_best_fit")


class CodePage:
    """One server's code page."""

    def __init__(self, name: str) -> None:
        try:
            codecs.lookup(name)
        except LookupError:
            raise ConfigurationError(
                f"there is no code page {name!r}; a Windows server has one such as cp1252"
            ) from None
        self.name = name
        self._cache = _Cache(name)

    def decode(self, raw: bytes) -> str:
        """One field's text."""
        return decode_text(raw, self.name)

    def decode_column(self, column: tuple[bytes, ...]) -> list[str]:
        """One field's texts of many rows."""
        if column and len(column[0]) <= _CACHED_SIZE:
            return list(map(self._cache.__getitem__, column))
        return [decode_text(raw, self.name) for raw in column]

    def encode(self, value: str, size: int, path: str) -> bytes:
        """The bytes for a field of ``size`` bytes, the terminating zero included. Refuses text that does not fit or
        can't be encoded with :class:`~mt_remote.errors.InvalidData` that names the field; never cuts."""
        try:
            raw = value.encode(self.name)
        except UnicodeEncodeError as error:
            raw = self._encode_best_fit(value, error, path)
        if b"\0" in raw:
            raise InvalidData.of(path, "must not contain a zero character")
        if len(raw) >= size:
            raise InvalidData.of(path, f"at most {size - 1} bytes in the server's code page, got {len(raw)}")
        return raw

    def _encode_best_fit(self, value: str, error: UnicodeEncodeError, path: str) -> bytes:
        """Takes back what :func:`_best_fit` made of undefined bytes, and nothing else."""
        out = b""
        for character in value:
            try:
                out += character.encode(self.name)
            except UnicodeEncodeError:
                single = bytes([ord(character)]) if ord(character) < 256 else b""
                if not single or single.decode(self.name, "mt_remote_best_fit") != character:
                    bad = value[error.start]
                    problem = f"character {bad!r} does not exist in the server's code page {self.name}"
                    raise InvalidData.of(path, problem) from None
                out += single
        return out
