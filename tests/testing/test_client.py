"""The public client: how it ends, how long it waits, which threads may use it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

import mt4sim
from mt_remote.client import Client, Credentials
from mt_remote_tools.testing import Bench

CALLS = 2000
BOSS = Credentials("Demo", 1, "manager")


@pytest.fixture
def silent() -> Iterator[str]:
    """URL of a listener that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"


def test_a_client_that_was_closed_says_so(mt_gateway: Bench) -> None:
    client = Client(mt_gateway.url)
    with pytest.raises(RuntimeError, match="not open"):
        client.receive()
    with client:
        client.call("subscribe", {"event": "connection"})
    for waits in (client.receive, lambda: client.send("{}"), lambda: client.call("users.get.all")):
        with pytest.raises(ConnectionClosedOK):
            waits()
    assert list(client.events()) == []
    client.close()
    with client:  # a session of its own
        assert client.fails("users.get.all").code == "not_connected"


def test_a_thread_that_waits_hears_that_the_client_was_closed(mt_gateway: Bench) -> None:
    heard: list[object] = []
    with Client(mt_gateway.url, timeout=None) as client:
        waiting = threading.Thread(target=_receive_into, args=(heard, client))
        waiting.start()
    waiting.join(30)
    assert [type(each) for each in heard] == [ConnectionClosedOK]


def _receive_into(heard: list[object], client: Client) -> None:
    try:
        heard.append(client.receive())
    except ConnectionClosed as closed:
        heard.append(closed)


def test_silence_is_bounded_and_loses_nothing(mt_client: Client, mt4_server: mt4sim.Server) -> None:
    mt_client.call("symbol.show", symbol="EURUSD")
    mt_client.subscribe("tick")
    mt_client.timeout = 0.01
    with pytest.raises(TimeoutError):
        mt_client.receive()
    mt_client.timeout = 30.0
    mt4_server.tick("EURUSD", 1.2345, 1.2346)
    assert mt_client.receive()["data"]["bid"] == 1.2345


def test_opening_is_bounded(silent: str) -> None:
    with pytest.raises(TimeoutError):
        Client(silent, timeout=0.05).open()


def test_one_thread_sends_while_another_receives(mt_gateway: Bench) -> None:
    """Every request is answered, and events keep their numbers, whatever the two threads do at once."""
    answers: dict[int, str] = {}
    numbers: list[int] = []
    with Client(mt_gateway.url, timeout=60.0) as client:
        client.log_in(BOSS)
        client.call("symbol.show", symbol="EURUSD")
        client.subscribe("group")
        sending = threading.Thread(target=_send_all, args=(client,))
        sending.start()
        while len(answers) < CALLS or len(numbers) < CALLS:
            message = client.receive()
            if "event" in message:
                numbers.append(message["event_id"])
            else:
                answers[message["id"]] = message["status"]
        sending.join(30)
    assert answers == {1000 + number: "OK" for number in range(CALLS)}
    assert numbers == list(range(CALLS))


def _send_all(client: Client) -> None:
    for number in range(CALLS):
        data: dict[str, Any] = {"group": "demoforex", "default_deposit": float(number + 1)}
        client.send({"id": 1000 + number, "name": "config.group.set", "data": data})
