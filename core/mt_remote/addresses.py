"""Clients' addresses: how they are counted, and what trusted proxies say of them.

Sources: RFC 7239 (``Forwarded``); for ``X-Forwarded-For`` and the rule that the right-most address counts which is no
trusted proxy's, nginx's module realip with ``real_ip_recursive on``. What is left of that address anybody may have
written.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

FORWARDED, X_FORWARDED_FOR = "forwarded", "x-forwarded-for"
FORWARDING = (FORWARDED, X_FORWARDED_FOR)
"""Request headers that name the client a proxy speaks for, in lower case."""

_PREFIX6 = 64
"""What one IPv6 client gets as a rule (RFC 6177): it can take any address of it."""

_TOKEN = r"[\w!#$%&'*+.^`|~-]+"
_PAIR = re.compile(
    rf"""[ \t]*(?:(?P<name>{_TOKEN})=(?:(?P<token>{_TOKEN})|"(?P<quoted>(?:[^"\\]|\\.)*)"))?[ \t]*(?P<end>[;,]|\Z)""",
    re.ASCII,
)
_NODE = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[0-9.]+))(?::(?P<port>[0-9]{1,5}))?")


class Address(NamedTuple):
    """An IP address and a port, 0 where it is not known."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class BadForwarding(Exception):
    """Request headers that name the client can't be read, or contradict each other."""


def host_of(peer: str) -> str:
    """The host of ``host:port``."""
    return peer.rpartition(":")[0] or peer


def parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, an IPv4 one also where it comes as IPv6 (``::ffff:192.0.2.1``); ``None`` for what is none."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


@lru_cache(4096)
def counted_as(host: str) -> str:
    """What limits count an address as: itself, for IPv6 its /64."""
    address = parsed(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, _PREFIX6), strict=False))
    return host if address is None else str(address)


def is_loopback(host: str) -> bool:
    """Whether whoever has the address is on this machine."""
    address = parsed(host)
    return address is not None and address.is_loopback


class TrustedProxies:
    """Networks whose word on a client's address counts. ``headers`` says which request headers they write: ``both``,
    one of them, or ``none``."""

    def __init__(self, networks: Iterable[str], headers: str = "both") -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]
        self._headers = FORWARDING if headers == "both" else tuple(name for name in FORWARDING if name == headers)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, host: str) -> bool:
        address = parsed(host)
        return address is not None and any(address in network for network in self._networks)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """The client's ``host:port`` for a request that came from ``peer``: the right-most address that is no trusted
        proxy's. Raises :class:`BadForwarding`: where two headers name two clients, one of them is a forgery."""
        if host_of(peer) not in self:
            return peer
        found = {self._of(peer, _READERS[name](headers[name])) for name in self._headers if name in headers}
        if len({host_of(client) for client in found}) > 1:
            raise BadForwarding(f"The headers {' and '.join(FORWARDING)} name different clients")
        return max(found, key=lambda client: not client.endswith(":0")) if found else peer

    def _of(self, peer: str, hops: list[Address | None]) -> str:
        client = peer
        for hop in reversed(hops):
            if hop is None or host_of(client) not in self:  # what it says of itself is all that is known
                break
            client = str(hop)
        return client


def _forwarded(value: str) -> list[Address | None]:
    """The ``for`` of each element of a ``Forwarded``, the client's first; ``None`` for one that is no address."""
    hops: list[Address | None] = []
    names: dict[str, str] = {}
    position = 0
    while True:
        pair = _PAIR.match(value, position)
        if pair is None:
            raise BadForwarding("The header Forwarded is malformed")
        if pair["name"]:
            name = pair["name"].lower()
            if name in names:
                raise BadForwarding(f"The header Forwarded has {name} twice in one element")
            names[name] = pair["token"] or re.sub(r"\\(.)", r"\1", pair["quoted"] or "")
        if pair["end"] != ";":
            if names:
                hops.append(_node(names.get("for", "")))
            names = {}
            if not pair["end"]:
                return hops
        position = pair.end()


def _x_forwarded_for(value: str) -> list[Address | None]:
    return [_node(each.strip()) for each in value.split(",")]


def _node(text: str) -> Address | None:
    """``192.0.2.1``, ``192.0.2.1:80``, ``[2001:db8::1]:80``, as some write it ``2001:db8::1``; ``None`` for the rest:
    ``unknown``, names that hide the address."""
    found = _NODE.fullmatch(text)
    host, port = (found["six"] or found["four"], int(found["port"] or 0)) if found else (text, 0)
    address = None if "%" in host else parsed(host)
    return None if address is None or port > 0xFFFF else Address(str(address), port)


_READERS = {FORWARDED: _forwarded, X_FORWARDED_FOR: _x_forwarded_for}
