"""The splitter beside plain wsproto: the same messages, pongs and close codes for every stream, cut anywhere.

Where they may differ is said in the module and modelled here: a limit on size, and UTF-8 that is checked by the parser
of the messages (here by ``refuse_text``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.utilities import RemoteProtocolError

from mt_remote.wire.masking import unmask, unmask_in_python
from mt_remote.wire.states import State
from mt_remote.wire.websocket import MAX_HANDSHAKE, Closed, Received, UpgradeRequested, WebSocket, text_header
from tests.core.frames import BINARY, CLOSE, CONTINUATION, MASK, PING, PONG, TEXT, close, cut, frame, sent, upgrade

LIMIT = 300


@dataclass
class Outcome:
    """What a stream comes to. ``code`` is the peer's close code or the one that we close with."""

    messages: list[bytes] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    code: int | None = None


def opened(limit: int = LIMIT) -> WebSocket:
    websocket = WebSocket(limit)
    assert [type(item) for item in websocket.receive(upgrade())] == [UpgradeRequested]
    websocket.accept()
    assert websocket.receive(b"") == []
    websocket.take_output()
    return websocket


def take(websocket: WebSocket, data: bytes) -> list[Received]:
    """Everything that ``data`` comes to, with the check for UTF-8 that a session makes."""
    received: list[Received] = []
    pending = True
    while pending:
        for item in websocket.receive(data):
            if isinstance(item, bytes) and websocket.refuse_text(item):
                break
            received.append(item)
        data, pending = b"", bool(websocket.ends)
    return received


def ours(pieces: list[bytes]) -> Outcome:
    websocket = opened()
    outcome = Outcome()
    for piece in pieces:
        for item in take(websocket, piece):
            if isinstance(item, bytes):
                assert outcome.code is None, "a message after the end"
                outcome.messages.append(item)
            else:
                assert isinstance(item, Closed)
                assert outcome.code is None, "two ends"
                outcome.code = item.code
    output = websocket.take_output()
    messages, outcome.pongs, code = sent(output)
    assert messages == []
    assert code == outcome.code
    assert (websocket.state is State.OPEN) == (outcome.code is None)
    return outcome


def theirs(frames: list[bytes]) -> Outcome:
    """wsproto on whole frames, with our limits."""
    connection = Connection(ConnectionType.SERVER)
    outcome = Outcome()
    parts: list[bytes] = []
    for each in frames:
        if _declared(each) > LIMIT:
            outcome.code = 1009
            return outcome
        connection.receive_data(each)
        try:
            for event in connection.events():
                if isinstance(event, TextMessage):
                    parts.append(event.data.encode())
                    if sum(map(len, parts)) > LIMIT:
                        outcome.code = 1009
                    elif event.message_finished:
                        outcome.messages.append(b"".join(parts))
                        parts = []
                elif isinstance(event, BytesMessage):
                    outcome.code = 1003
                elif isinstance(event, Ping):
                    outcome.pongs.append(bytes(event.payload))
                elif isinstance(event, CloseConnection):
                    outcome.code = int(event.code)
                if outcome.code is not None:
                    return outcome
        except RemoteProtocolError as error:
            hint = error.event_hint
            assert isinstance(hint, CloseConnection)
            outcome.code = int(hint.code)
            return outcome
    return outcome


def _declared(data: bytes) -> int:
    short = data[1] & 0x7F
    return short if short < 126 else int.from_bytes(data[2 : 4 if short == 126 else 10], "big")


utf8 = st.text(max_size=40).map(str.encode)
payloads = st.one_of(utf8, st.binary(max_size=20), st.integers(120, 130).map(lambda n: b"x" * n))
good_text = st.builds(frame, payloads, mask=st.binary(min_size=4, max_size=4))
fragments = st.lists(st.one_of(utf8, st.binary(max_size=8)), min_size=1, max_size=4).flatmap(
    lambda parts: st.lists(st.sampled_from([b"", frame(b"p", PING), frame(b"", PONG)]), min_size=len(parts),
                           max_size=len(parts)).map(lambda between: _fragmented(parts, between))
)  # fmt: skip
wild = st.builds(
    frame,
    payloads,
    opcode=st.sampled_from([TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG, 0x3, 0xB]),
    fin=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 1, 2, 4]),
    mask=st.sampled_from([MASK, MASK, None]),
    coding=st.sampled_from([None, None, 126, 127]),
)
closes = st.one_of(
    st.sampled_from([close(None), frame(b"\x03", CLOSE), close(1000, b"\xff")]),
    st.sampled_from([0, 999, 1000, 1001, 1004, 1005, 1006, 1012, 1015, 2999, 3000, 4999, 5000]).map(close),
)
over_long = st.sampled_from([LIMIT, LIMIT + 1, 70_000]).map(lambda length: frame(b"y" * length))
streams = st.lists(
    st.one_of(
        good_text.map(lambda f: [f]),
        good_text.map(lambda f: [f]),
        st.sampled_from([[frame(b"hey", PING)], [frame(b"", PONG)]]),
        fragments,
        wild.map(lambda f: [f]),
        closes.map(lambda f: [f]),
        over_long.map(lambda f: [f]),
    ),
    max_size=6,
).map(lambda groups: [each for group in groups for each in group])


def _fragmented(parts: list[bytes], between: list[bytes]) -> list[bytes]:
    frames: list[bytes] = []
    for index, part in enumerate(parts):
        opcode = CONTINUATION if index else TEXT
        frames.append(frame(part, opcode, fin=index == len(parts) - 1))
        if between[index]:
            frames.append(between[index])
    return frames


@settings(max_examples=150, deadline=None)
@given(streams, st.lists(st.integers(0, 10_000), max_size=8))
@example([frame(b"", fin=False), frame(b"x")], [])  # an empty first fragment is a fragment
@example([frame(b"\xff"), close()], [])  # what is not UTF-8 and the peer's close in one read
@example([frame(b"one"), frame(b"z" * 301), close()], [])
@example([frame(b"\xc3", fin=False), frame(b"\xa4", CONTINUATION)], [])
def test_the_splitter_agrees_with_wsproto(frames: list[bytes], places: list[int]) -> None:
    expected = theirs(frames)
    whole = b"".join(frames)
    for pieces in [whole], cut(whole, places), [*(bytes((byte,)) for byte in whole[:1000]), whole[1000:]]:
        got = ours(pieces)
        if expected.code == 1007:  # pings behind text that is not UTF-8 may be answered still
            got.pongs = got.pongs[: len(expected.pongs)]
        assert got == expected


@settings(max_examples=100, deadline=None)
@given(streams, st.integers(0, 10_000))
def test_half_a_frame_is_nothing_yet(frames: list[bytes], place: int) -> None:
    whole = b"".join(frames)
    whole = whole[: place % (len(whole) + 1)]
    seen, complete = 0, 0
    for each in frames:
        seen += len(each)
        complete += seen <= len(whole)
    got, expected = ours([whole]), theirs(frames[:complete])
    got.pongs = got.pongs[: len(expected.pongs)] if expected.code == 1007 else got.pongs
    if got.code == 1009 != expected.code:  # a limit is enforced as soon as the length is known
        assert theirs(frames[: complete + 1]).code == 1009
    else:
        assert got == expected


@pytest.mark.parametrize("coding", [126, 127])
def test_a_length_is_refused_before_its_payload_came(coding: int) -> None:
    websocket = opened()
    start = frame(b"", coding=coding, declared=LIMIT + 1)
    assert [type(item) for item in websocket.receive(start)] == [Closed]
    assert sent(websocket.take_output())[2] == 1009
    for _ in range(3):
        assert websocket.receive(b"x" * 100) == []
    assert websocket.receive(b"x" + close(1009)) == []
    assert websocket.state is State.CLOSED
    assert websocket.kept == 0


def test_a_fragmented_message_counts_bytes_and_not_characters() -> None:
    websocket = opened()
    half = "ä".encode() * 100
    frames = [frame(half, fin=False), frame(half, CONTINUATION)]
    (end,) = [item for each in frames for item in take(websocket, each)]
    assert isinstance(end, Closed)
    assert end.code == 1009


@pytest.mark.parametrize("junk", [b"", frame(b"late"), frame(b"late")[:3], frame(b"l" * 200, BINARY), frame(b"", PING)])
def test_after_our_close_only_the_peers_is_of_interest(junk: bytes) -> None:
    websocket = opened()
    websocket.receive(frame(b"half")[:-1])
    websocket.close(1001, "going")
    assert websocket.receive(frame(b"half")[-1:] + junk) == []
    if junk[:1] == b"\x81" and len(junk) == 3:
        websocket.receive(frame(b"late")[3:])
    assert websocket.state is State.CLOSING
    assert websocket.receive(close(1001)) == []
    assert websocket.finished
    assert sent(websocket.take_output()) == ([], [], 1001)


def test_a_close_reason_is_cut_to_what_a_frame_takes() -> None:
    websocket = opened()
    websocket.close(1008, "ä" * 100)
    output = websocket.take_output()
    assert len(output) <= 2 + 125
    assert output[4:].decode() == "ä" * 61


# Handshake


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_half_a_handshake_waits_and_frames_behind_it_are_kept(size: int) -> None:
    data = upgrade() + frame(b"first") + frame(b"second")[:4]
    websocket = WebSocket(LIMIT)
    received = [item for start in range(0, len(data), size) for item in websocket.receive(data[start : start + size])]
    assert [type(item) for item in received] == [UpgradeRequested]
    websocket.accept()
    assert websocket.receive(b"") == [b"first"]
    assert websocket.receive(frame(b"second")[4:]) == [b"second"]
    assert websocket.take_output().startswith(b"HTTP/1.1 101 ")


def test_headers_are_given_by_lower_case_name() -> None:
    websocket = WebSocket(LIMIT)
    (request,) = websocket.receive(upgrade("/path?x=1", MT_LOGIN="7", MT_SERVER="Dämo"))
    assert isinstance(request, UpgradeRequested)
    assert request.target == "/path?x=1"
    assert request.headers["mt-login"] == "7"
    assert request.headers["mt-server"] == "Dämo"


def answer(data: bytes) -> tuple[int, bytes]:
    websocket = WebSocket(LIMIT)
    assert websocket.receive(data) == []
    assert websocket.finished
    output = websocket.take_output()
    head, _, body = output.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    assert body.startswith(b'{"status": "ERROR", "code": "bad_handshake"')
    assert websocket.receive(b"more") == []
    assert websocket.take_output() == b""
    return int(head.split()[1]), output


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (b"hello\r\n\r\n", 400, b"HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, b"HTTP"),
        (upgrade().replace(b"GET", b"POST"), 400, b"GET"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, b"Upgrade"),
        (b"GET / HTTP/1.0\r\n\r\n", 400, b"Upgrade"),
        (upgrade(Sec_WebSocket_Key=""), 400, b"Sec-WebSocket-Key"),
        (upgrade(Sec_WebSocket_Version=""), 400, b"Sec-WebSocket-Version"),
        (upgrade(Sec_WebSocket_Version="8"), 426, b"Sec-WebSocket-Version: 13"),
        (upgrade(Upgrade="h2c"), 400, b"Upgrade"),
        (upgrade(Host=""), 400, b"HTTP"),
        (upgrade(Host="xn--\xe4" + "a" * 80), 400, b"WebSocket endpoint"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * MAX_HANDSHAKE + b"\r\n\r\n", 431, b"longer than"),
        (b"z" * (MAX_HANDSHAKE + 1), 431, b"longer than"),
    ],
)
def test_a_handshake_that_is_none_gets_its_http_answer(request_: bytes, status: int, words: bytes) -> None:
    code, output = answer(request_)
    assert (code, words in output) == (status, True), output


# Masks and headers


@given(st.binary(max_size=3000), st.binary(min_size=4, max_size=4))
def test_unmasking_in_c_and_python_agree(data: bytes, mask: bytes) -> None:
    assert unmask_in_python(data, mask) == unmask(data, mask)
    assert unmask_in_python(unmask_in_python(data, mask), mask) == data


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536, 1 << 20])
def test_text_headers_are_what_wsproto_reads(length: int) -> None:
    assert sent(text_header(length) + b"a" * length) == ([b"a" * length], [], None)
