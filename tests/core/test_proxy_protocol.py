"""The two headers of the PROXY protocol, byte for byte: what is written is read, cut anywhere, and nothing beyond."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt_remote.wire.proxy_protocol import MOST_OF_V1, MOST_OF_V2, SIGNATURE, BadProxyHeader, ProxyHeaderReader

PORTS = st.integers(0, 0xFFFF)
Source = tuple[str, int]


def read(data: bytes, pieces: st.DataObject | None = None) -> tuple[Source | None, bytes]:
    """What a reader makes of a stream, and what it left of it. It is fed what it asks for, or less where the network
    cuts."""
    reader = ProxyHeaderReader()
    while not reader.done:
        most = min(reader.need, len(data))
        assert most, "it asks for more than there is"
        size = most if pieces is None else pieces.draw(st.integers(1, most))
        reader.feed(data[:size])
        data = data[size:]
    return reader.source, data


@st.composite
def first_versions(draw: st.DrawFn) -> tuple[bytes, Source | None]:
    version = draw(st.sampled_from((4, 6)))
    hosts = st.ip_addresses(v=4) if version == 4 else st.ip_addresses(v=6)
    source, target = draw(hosts), draw(hosts)
    ports = draw(PORTS), draw(PORTS)
    return f"PROXY TCP{version} {source} {target} {ports[0]} {ports[1]}\r\n".encode(), (str(source), ports[0])


@st.composite
def second_versions(draw: st.DrawFn) -> tuple[bytes, Source | None]:
    version = draw(st.sampled_from((4, 6)))
    hosts = st.ip_addresses(v=4) if version == 4 else st.ip_addresses(v=6)
    source, target = draw(hosts), draw(hosts)
    ports = draw(PORTS), draw(PORTS)
    more = draw(st.binary(max_size=300))
    addresses = source.packed + target.packed + b"".join(port.to_bytes(2, "big") for port in ports) + more
    family = 0x11 if version == 4 else 0x21
    header = SIGNATURE + bytes((0x21, family)) + len(addresses).to_bytes(2, "big") + addresses
    return header, (str(source), ports[0])


@st.composite
def without_source(draw: st.DrawFn) -> tuple[bytes, Source | None]:
    if draw(st.booleans()):
        words = draw(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
        return f"PROXY UNKNOWN {words}".rstrip().encode() + b"\r\n", None
    command, family = draw(st.sampled_from(((0x20, 0), (0x20, 0x11), (0x21, 0x00), (0x21, 0x31), (0x21, 0x12))))
    addresses = draw(st.binary(max_size=216))
    return SIGNATURE + bytes((command, family)) + len(addresses).to_bytes(2, "big") + addresses, None


@settings(max_examples=300, deadline=None)
@given(st.one_of(first_versions(), second_versions(), without_source()), st.binary(max_size=50), st.data())
def test_a_header_is_read_to_its_last_byte_and_no_further(
    header: tuple[bytes, Source | None], behind: bytes, data: st.DataObject
) -> None:
    assert read(header[0] + behind, data) == (header[1], behind)


@settings(max_examples=300, deadline=None)
@given(st.one_of(first_versions(), second_versions(), without_source()), st.data())
def test_a_header_cut_short_waits(header: tuple[bytes, Source | None], data: st.DataObject) -> None:
    reader = ProxyHeaderReader()
    left = header[0][: data.draw(st.integers(0, len(header[0]) - 1))]
    while left:
        assert not reader.done
        part, left = left[: reader.need], left[reader.need :]
        reader.feed(part)
    assert not reader.done


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda tail: b"PROXY TCP4 " + tail)))
def test_nonsense_is_refused_or_waits_and_is_bounded(data: bytes) -> None:
    reader = ProxyHeaderReader()
    taken = 0
    try:
        while not reader.done and taken < len(data):
            size = min(reader.need, len(data) - taken)
            reader.feed(data[taken : taken + size])
            taken += size
    except BadProxyHeader:
        return
    if reader.source is not None:
        ipaddress.ip_address(reader.source[0])
    assert taken <= max(MOST_OF_V1, 16 + MOST_OF_V2)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
        b"PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 \xb2 2\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n \r\n",
        b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n",
        b"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        SIGNATURE + b"\x11\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11),
        SIGNATURE + b"\x21\x21\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x11\xff\xff" + bytes(12),
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(BadProxyHeader):
        read(data)
