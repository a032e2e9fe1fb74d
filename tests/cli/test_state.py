"""Idempotency keys and the end of a gateway, over real processes: what clients heard against what the server did."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.cli.command import PATIENCE, Gateway, command
from tests.cli.test_workers import children

HEADERS = {"MT-LOGIN": "1", "MT-PASSWORD": "manager", "VERSION": "2"}
WORKERS = [
    pytest.param((), id="one process"),
    pytest.param(
        ("--workers", "2"),
        id="workers",
        marks=pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system has no SO_REUSEPORT"),
    ),
]


def opened(gateway: Gateway, server: str = "Demo") -> ClientConnection:
    return connect(gateway.url, proxy=None, additional_headers={**HEADERS, "MT-SERVER": server})


def ask(client: ClientConnection, name: str, data: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    client.send(request(name, data, key, 1))
    answer: dict[str, Any] = json.loads(client.recv(PATIENCE))
    return answer


def request(name: str, data: dict[str, Any], key: str | None, id_: object) -> str:
    return json.dumps({"id": id_, "name": name, "data": data, **({} if key is None else {"key": key})})


def deposit(number: int) -> dict[str, Any]:
    return {"login": 100, "command": "balance", "amount": 1.0, "comment": f"#{number}"}


def account(client: ClientConnection) -> None:
    user = {"login": 100, "group": "demoforex", "name": "Ann", "password": "Secret1", "enable": True}
    assert ask(client, "user.add", user)["status"] == "OK"


@pytest.mark.parametrize("workers", WORKERS)
def test_an_answer_survives_a_kill(tmp_path: Path, workers: tuple[str, ...]) -> None:
    state = tmp_path / "state"
    with Gateway("--state", str(state), *workers) as gateway:
        assert f"idempotency keys in {state}" in gateway.said
        with opened(gateway) as client:
            account(client)
            first = ask(client, "order.balance", deposit(1), "k")
            poor = ask(client, "order.balance", {**deposit(1), "amount": -1e9}, "poor")
            assert (first["status"], poor["status"]) == ("OK", "ERROR")
        for pid in (gateway.process.pid, *children(gateway.process.pid)):
            os.kill(pid, signal.SIGKILL)
        gateway.stop(signal.SIGKILL)
    with Gateway("--state", str(state), *workers) as gateway:
        for spelling in ("Demo", "demo", "DEMO:443", "127.0.0.1"):
            with opened(gateway, spelling) as client:
                assert ask(client, "order.balance", deposit(1), "k") == first
                assert ask(client, "order.balance", {**deposit(1), "amount": -1e9}, "poor") == poor
                assert ask(client, "order.balance", deposit(2), "k")["code"] == "key_reused"
                assert ask(client, "trades.get", {})["result"] == [], "nothing was carried out"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("workers", WORKERS)
def test_a_call_that_was_cut_off_stays_unknown(tmp_path: Path, workers: tuple[str, ...], end: signal.Signals) -> None:
    state, plugin, book = tmp_path / "state", tmp_path / "slow.py", {"BOOK": str(tmp_path / "book")}
    plugin.write_text(_PLUGIN)
    flags = ("--state", str(state), "--plugin", str(plugin), "--shutdown-grace", "0.1", *workers)
    hanging = {"name": "one", "how": "hangs"}
    with Gateway(*flags, environment=book) as gateway, opened(gateway) as client:
        account(client)
        client.send(request("slow.deposit", hanging, "k", 1))
        client.send(request("trades.history", {"login": 100, "from": 0}, None, "read"))
        while not json.loads(client.recv(PATIENCE))["result"]:  # it has begun when its deposit is there
            client.send(request("trades.history", {"login": 100, "from": 0}, None, "read"))
        for pid in (gateway.process.pid, *children(gateway.process.pid)) if end == signal.SIGKILL else ():
            os.kill(pid, end)
        gateway.stop(end)
    with Gateway(*flags, environment=book) as gateway, opened(gateway) as client:
        for _ in range(2):
            answer = ask(client, "slow.deposit", hanging, "k")
            assert (answer["code"], answer["outcome"]) == ("timeout", "unknown")
        assert ask(client, "slow.deposit", {**hanging, "name": "other"}, "k")["code"] == "key_reused"


def test_the_start_says_where_keys_are(tmp_path: Path) -> None:
    with Gateway() as gateway:
        assert "idempotency keys in memory: a restart forgets them" in gateway.said
    assert "idempotency keys" in gateway.errors
    if sys.platform == "linux":
        with Gateway(environment={"MT_REMOTE_STATE": "", "XDG_DATA_HOME": str(tmp_path)}) as gateway:
            assert f"idempotency keys in {tmp_path / 'mt-remote'}" in gateway.said
    (tmp_path / "file").write_text("")
    done = command("serve", "--state", str(tmp_path / "file"))
    assert (done.code, "the state folder" in done.errors) == (2, True)


@dataclass
class Log:
    """What one client sent and heard. ``read`` is set once the gateway has read all of it."""

    client: ClientConnection
    sent: set[str] = field(default_factory=set)
    heard: dict[str, dict[str, Any]] = field(default_factory=dict)
    read: threading.Event = field(default_factory=threading.Event)
    code: int = 0

    def listen(self) -> None:
        try:
            while True:
                answer = json.loads(self.client.recv(PATIENCE))
                assert answer["id"] not in self.heard, "each is answered once"
                if answer["id"] == "read":
                    self.read.set()
                else:
                    self.heard[answer["id"]] = answer
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd is not None else 1006


@contextmanager
def clients(gateway: Gateway, count: int) -> Iterator[list[Log]]:
    """So many clients that listen; leaving the context waits for their connections to end."""
    with ExitStack() as stack:
        logs = [Log(stack.enter_context(opened(gateway))) for _ in range(count)]
        account(logs[0].client)
        threads = [threading.Thread(target=log.listen) for log in logs]
        for thread in threads:
            thread.start()
        yield logs
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("signals", [1, 2])
@pytest.mark.parametrize("workers", WORKERS)
def test_every_call_is_answered_before_the_end(tmp_path: Path, workers: tuple[str, ...], signals: int) -> None:
    """Calls that are done at once, that hang behind what they did, that can't be cancelled, and that wait behind those:
    the clients' logs against the simulated server's book, which is written when the gateway has stopped."""
    plugin, book = tmp_path / "slow.py", tmp_path / "book"
    plugin.write_text(_PLUGIN)
    flags = ("--plugin", str(plugin), "--shutdown-grace", "1" if signals == 1 else "1000", *workers)
    with Gateway(*flags, environment={"BOOK": str(book)}) as gateway, clients(gateway, 6) as logs:
        for number, log in enumerate(logs):
            for place in range(5):
                id_ = f"{number}-{place}"
                how = ("quick", "hangs", "insists")[(number + place) % 3]
                log.sent.add(id_)
                log.client.send(request("slow.deposit", {"name": id_, "how": how}, id_ if number % 2 else None, id_))
            log.client.send(request("trades.get", {}, None, "read"))
        for log in logs:
            assert log.read.wait(PATIENCE)
        gateway.process.send_signal(signal.SIGTERM)
        if signals == 2:  # one that comes before the first was taken counts as the same
            assert gateway.process.stderr is not None
            assert any("stopping" in line for line in gateway.process.stderr)
            gateway.process.send_signal(signal.SIGTERM)
    assert gateway.code == 0
    done = set(book.read_text().split())
    outcomes = Counter[str]()
    for log in logs:
        assert log.code == 1001
        assert set(log.heard) == log.sent, "every call that was taken is answered"
        for id_, answer in log.heard.items():
            outcome = "done" if answer["status"] == "OK" else answer["outcome"]
            outcomes[outcome] += 1
            assert outcome == "unknown" or (outcome == "done") == (id_ in done)
    assert set(outcomes) == {"done", "not_done", "unknown"}


_PLUGIN = """
import os
from typing import Literal

import anyio

from mt_remote.plugin import Connection, Gateway, Kind, Namespace, hookimpl
from mt_remote.records import TradeCommand
from mt_remote_plugins.areas import Orders

slow = Namespace("slow")


@slow.function(kind=Kind.TRADE)
async def deposit(mt: Connection, name: str, how: Literal["quick", "hangs", "insists"]) -> int:
    ticket = (await mt[Orders].balance(100, TradeCommand.BALANCE, 1.0, comment=name))["order"]
    if how == "hangs":
        await anyio.sleep_forever()
    if how == "insists":
        with anyio.CancelScope(shield=True):
            await anyio.sleep(3)
    return ticket


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [slow]


@hookimpl
def mt_remote_gateway_stopping(gateway: Gateway) -> None:
    server = getattr(gateway.backend, "server", None)
    if server is not None:
        with open(os.environ["BOOK"], "w") as book:
            book.write(" ".join(order.comment for order in server.state.orders.closed_of(100)))
"""
