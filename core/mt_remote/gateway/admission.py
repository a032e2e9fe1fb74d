"""Network connections from their acceptance on: counted for all and by address before anything is read.

A connection that comes too much is told so (an HTTP answer to its upgrade request), as long as there are not too many
even of those: beyond a margin they are closed unanswered, so that answering costs no more than the limit allows. TLS
handshakes and PROXY headers count as connections, and have the deadline of the upgrade request together with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from mt_remote.addresses import TrustedProxies, counted_as, host_of
from mt_remote.clock import Clock
from mt_remote.gateway.refusals import RefusalLog

if TYPE_CHECKING:
    from mt_remote.settings import Settings


class Entry:
    """One connection. ``peer`` is the client's address as far as it is known, ``since`` when it was accepted; ``abort``
    ends it while it is no session yet."""

    __slots__ = ("abort", "counted", "peer", "since")

    def __init__(self, peer: str, since: float, abort: Callable[[], object]) -> None:
        self.peer = peer
        self.since = since
        self.abort = abort
        self.counted = ""
        """The address under which it is counted; empty for a proxy that did not say yet for whom it speaks."""


def _and_margin(most: int) -> int:
    return most + max(8, most // 10)


class Admission:
    """Who may come in, in one gateway."""

    def __init__(self, settings: Settings, clock: Clock, refusals: RefusalLog) -> None:
        self._most = settings.max_sessions
        self._most_of_one = settings.max_sessions_per_address
        self._patience = settings.handshake_timeout
        self._now = clock.now
        self._refusals = refusals
        self._proxy_protocol = settings.proxy_protocol
        self._entries = 0
        self._by_address: Counter[str] = Counter()
        self.proxies = TrustedProxies(settings.trusted_proxies, settings.forwarded_headers)
        self.arriving: dict[Entry, None] = {}
        """Those that are no sessions yet: TLS or a PROXY header is under way."""

    def enter(self, peer: str, abort: Callable[[], object]) -> Entry | None:
        """A connection was accepted; ``None``: close it, unanswered."""
        entry = Entry(peer, self._now(), abort)
        if self._entries >= _and_margin(self._most):
            self._refusals.refused("connection closed: too many", peer=peer, connections=self._entries)
            return None
        if not self._count(entry):
            return None
        self._entries += 1
        self.arriving[entry] = None
        return entry

    def expects_proxy_header(self, entry: Entry) -> bool:
        """Whether the connection has to begin with a header of the PROXY protocol."""
        return self._proxy_protocol and host_of(entry.peer) in self.proxies

    def speaks_for(self, entry: Entry, peer: str, *, is_final: bool) -> bool:
        """A proxy told whose connection it is, or none did where that ``is_final``. Whether that one may have it."""
        self._discount(entry)
        entry.peer = peer
        return self._count(entry, is_final=is_final)

    def arrived(self, entry: Entry) -> None:
        """The connection is a session from now on."""
        self.arriving.pop(entry, None)

    def leave(self, entry: Entry) -> None:
        """The connection is gone."""
        self.arriving.pop(entry, None)
        self._entries -= 1
        self._discount(entry)

    def is_crowded(self, entry: Entry) -> bool:
        """Whether there are more connections of its address than may be."""
        return bool(entry.counted) and self._by_address[entry.counted] > self._most_of_one

    def end_overdue(self) -> None:
        """Ends those that are no sessions in time."""
        oldest = self._now() - self._patience
        for entry in [entry for entry in self.arriving if entry.since < oldest]:
            self._refusals.refused("connection closed: no TLS or PROXY header in time", peer=entry.peer)
            entry.abort()

    def end_arriving(self) -> None:
        """Ends all that are no sessions yet."""
        for entry in list(self.arriving):
            entry.abort()

    def _count(self, entry: Entry, *, is_final: bool = False) -> bool:
        host = host_of(entry.peer)
        address = "" if not is_final and host in self.proxies else counted_as(host)
        if address:
            if self._by_address[address] >= _and_margin(self._most_of_one):
                self._refusals.refused(
                    "connection closed: too many of its address", peer=entry.peer, connections=self._by_address[address]
                )
                return False
            self._by_address[address] += 1
        entry.counted = address
        return True

    def _discount(self, entry: Entry) -> None:
        address, entry.counted = entry.counted, ""
        if address:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
