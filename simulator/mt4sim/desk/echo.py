"""An example of a server's own plugin: answers external commands (protocol, chapter 3, Server plugins)."""

from __future__ import annotations

_GREETING = bytes((0x01, 0x02, 0xFF))
_ANSWER = bytes((0x10, 0x11, 0x12))


def echo(command: bytes) -> bytes | None:
    """``echo …`` answers what follows; the three bytes 01 02 FF answer 10 11 12, as a real server's plugin did."""
    if command == _GREETING:
        return _ANSWER
    return command[5:] if command.startswith(b"echo ") else None
