"""The header of the PROXY protocol, versions 1 and 2, without I/O.

Source: "The PROXY protocol", Willy Tarreau, HAProxy Technologies, revision 2020/03/05. As it demands, whether a header
comes is configured and never guessed: a connection that has to begin with one and does not is refused.

The header stands before everything else on the connection, TLS too, and whoever reads on must find the first byte
behind it. So the reader says how many bytes to read next (:attr:`ProxyHeaderReader.need`), never beyond the header.
"""

from __future__ import annotations

import ipaddress

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""The first bytes of version 2."""

MOST_OF_V1 = 107
"""Bytes of the longest header of version 1, its end of line included."""

MOST_OF_V2 = 4096
"""Bytes behind the fixed part of version 2 that are taken: addresses, and extensions that are skipped."""

_V1 = b"PROXY "
_LEAST_OF_V1 = len(b"PROXY UNKNOWN\r\n")
_FIXED_OF_V2 = 16
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21


class BadProxyHeader(Exception):
    """What came is no header of the PROXY protocol."""


class ProxyHeaderReader:
    """Takes a header. ``source`` is the client's address and port once it is :attr:`done`, ``None`` where the proxy
    speaks for itself or does not know."""

    __slots__ = ("_data", "need", "source")

    def __init__(self) -> None:
        self._data = bytearray()
        self.need = len(SIGNATURE)
        self.source: tuple[str, int] | None = None

    @property
    def done(self) -> bool:
        """The header is whole: what follows is the client's."""
        return not self.need

    def feed(self, data: bytes) -> None:
        """Takes at most :attr:`need` bytes. Raises :class:`BadProxyHeader`."""
        self._data += data
        head = bytes(self._data[: len(SIGNATURE)])
        if SIGNATURE.startswith(head):
            self._take_v2()
        elif head.startswith(_V1) or _V1.startswith(head):
            self._take_v1()
        else:
            raise BadProxyHeader("the connection does not begin with a PROXY header")

    def _take_v1(self) -> None:
        have = len(self._data)
        if self._data.endswith(b"\r\n"):
            self.source = _source_of_v1(bytes(self._data[:-2]))
            self.need = 0
        elif b"\n" in self._data or have >= MOST_OF_V1:
            raise BadProxyHeader("the PROXY header's line does not end as it has to")
        elif have < _LEAST_OF_V1:
            self.need = _LEAST_OF_V1 - have
        else:
            self.need = 1 if self._data.endswith(b"\r") else min(2, MOST_OF_V1 - have)

    def _take_v2(self) -> None:
        have = len(self._data)
        if have < _FIXED_OF_V2:
            self.need = _FIXED_OF_V2 - have
            return
        command, family = self._data[12], self._data[13]
        length = int.from_bytes(self._data[14:16], "big")
        if command not in (_LOCAL, _PROXY):
            raise BadProxyHeader(f"the PROXY header's version and command are {command:#04x}")
        if length > MOST_OF_V2:
            raise BadProxyHeader(f"the PROXY header has {length} bytes")
        self.need = _FIXED_OF_V2 + length - have
        if not self.need and command == _PROXY:
            self.source = _source_of_v2(family, bytes(self._data[_FIXED_OF_V2:]))


def _source_of_v1(line: bytes) -> tuple[str, int] | None:
    try:
        words = line.decode("ascii").split(" ")
    except UnicodeDecodeError as error:
        raise BadProxyHeader("the PROXY header is not ASCII") from error
    if words[1] == "UNKNOWN":
        return None
    kind = {"TCP4": ipaddress.IPv4Address, "TCP6": ipaddress.IPv6Address}.get(words[1])
    if kind is None or len(words) != 6:
        raise BadProxyHeader("the PROXY header's line is not as it has to be")
    try:
        source, _ = (str(kind(word)) for word in words[2:4])
    except ValueError as error:
        raise BadProxyHeader(f"the PROXY header has no {words[1]} addresses") from error
    port, _ = (_port(word) for word in words[4:])
    if "%" in source:
        raise BadProxyHeader("the PROXY header's address has a zone")
    return source, port


def _port(word: str) -> int:
    if not (word.isascii() and word.isdigit() and (word == "0" or word[0] != "0") and len(word) <= 5):
        raise BadProxyHeader("the PROXY header has no port")
    port = int(word)
    if port > 0xFFFF:
        raise BadProxyHeader("the PROXY header has no port")
    return port


def _source_of_v2(family: int, addresses: bytes) -> tuple[str, int] | None:
    if family not in (_TCP4, _TCP6):  # datagrams, UNIX sockets, or what is not said: the receiver's own view counts
        return None
    size = 4 if family == _TCP4 else 16
    if len(addresses) < 2 * size + 4:
        raise BadProxyHeader("the PROXY header is too short for its addresses")
    return str(ipaddress.ip_address(addresses[:size])), int.from_bytes(addresses[2 * size : 2 * size + 2], "big")
