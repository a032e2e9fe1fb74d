"""Upgrade requests that two readers might read differently are refused."""

from __future__ import annotations

import base64

import pytest

from mt_remote.wire.states import State
from mt_remote.wire.websocket import UpgradeRequested, WebSocket
from tests.core.frames import frame, upgrade

KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="


def answer(request: bytes) -> tuple[int, str]:
    """The HTTP status of a refusal and its body, 101 for an upgrade."""
    websocket = WebSocket(1000)
    received = websocket.receive(request)
    if any(isinstance(each, UpgradeRequested) for each in received):
        websocket.accept()
    else:
        assert websocket.state is State.CLOSED
    head, _, body = websocket.take_output().partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def with_line(line: str) -> bytes:
    return upgrade()[:-2] + line.encode("latin-1") + b"\r\n\r\n"


def test_a_usual_request_upgrades() -> None:
    assert answer(upgrade())[0] == 101
    assert answer(upgrade(Content_Length="0"))[0] == 101


@pytest.mark.parametrize(
    "version", ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/1.10", "http/1.1", "HTTP/1.1 x", ""]
)
def test_only_http_1_1(version: str) -> None:
    assert answer(upgrade().replace(b"HTTP/1.1", version.encode()))[0] == 400


@pytest.mark.parametrize(
    "line",
    [
        "Host: other", "host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {KEY}", "Origin: http://a\r\nOrigin: http://a", "Version: 2\r\nVersion: 2",
        "MT-LOGIN: 1\r\nmt-login: 2", "MT-SERVER: a\r\nMT-SERVER: b", "MT-PASSWORD: a\r\nMT-PASSWORD: a",
        "Authorization: a\r\nAuthorization: a", "Content-Length: 0\r\nContent-Length: 0",
    ],
)  # fmt: skip
def test_one_of_each_header(line: str) -> None:
    status, body = answer(with_line(line))
    assert status == 400
    assert "more than once" in body


def test_lists_may_come_in_several_headers() -> None:
    websocket = WebSocket(1000)
    (request,) = websocket.receive(
        with_line("X-Forwarded-For: 1.2.3.4\r\nCookie: a=1\r\nX-Forwarded-For: 5.6.7.8\r\ncookie: b=2")
    )
    assert isinstance(request, UpgradeRequested)
    assert request.headers["x-forwarded-for"] == "1.2.3.4, 5.6.7.8"
    assert request.headers["cookie"] == "a=1, b=2"


@pytest.mark.parametrize(
    "key",
    [
        "x", "MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFiY2RlZg=", "MDEyMzQ1Njc4OWFiY2RlZ*==", KEY + "=",
        KEY[:-4] + "\xe9g==",
        base64.b64encode(b"15 bytes are few").decode()[:-4], base64.b64encode(b"17 bytes, too many").decode(),
        base64.urlsafe_b64encode(b"\xff" * 16).decode(),
    ],
)  # fmt: skip
def test_the_key_is_sixteen_bytes_in_base64(key: str) -> None:
    status, body = answer(upgrade(Sec_WebSocket_Key=key))
    assert (status, "16 bytes in base64" in body) == (400, True)


def test_any_sixteen_bytes_will_do() -> None:
    for byte in range(256):
        assert answer(upgrade(Sec_WebSocket_Key=base64.b64encode(bytes([byte] * 16)).decode()))[0] == 101


@pytest.mark.parametrize(
    "request_",
    [
        upgrade(Content_Length="5") + b"hello",
        upgrade(Content_Length="6") + frame(b""),
        upgrade(Content_Length="00") + frame(b""),
        upgrade(Transfer_Encoding="chunked") + b"0\r\n\r\n",
        upgrade(Transfer_Encoding="identity"),
    ],
)
def test_an_upgrade_has_no_body(request_: bytes) -> None:
    status, body = answer(request_)
    assert (status, "no body" in body) == (400, True)
